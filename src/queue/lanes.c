/* SPDX-License-Identifier: ISC */
#include "queue/lanes.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

void
sched_list_add(struct sched_list *l, struct sched_job *j)
{
    j->prev = l->last;
    j->next = NULL;
    if (l->last != NULL)
        l->last->next = j;
    else
        l->first = j;
    l->last = j;
    l->n++;
}

void
sched_list_remove(struct sched_list *l, struct sched_job *j)
{
    if (j->prev != NULL)
        j->prev->next = j->next;
    else
        l->first = j->next;
    if (j->next != NULL)
        j->next->prev = j->prev;
    else
        l->last = j->prev;
    j->prev = j->next = NULL;
    l->n--;
}

void
lanes_fini(struct lanes *l)
{
    size_t at = 0;
    struct str key;
    void *value;

    while (map_next(&l->destinations, &at, &key, &value)) {
        struct destination *d = value;
        buf_fini(&d->parked);
        free(d);
    }
    map_fini(&l->destinations);
    for (size_t c = 0; c < CARRIER_COUNT; c++) {
        for (size_t i = 0; i < l->carriers[c].n; i++)
            free(l->carriers[c].lanes[i]);
        free(l->carriers[c].lanes);
    }
}

/* FNV-1a: the same for each start, so that a destination keeps its worker. */
static size_t
slot_of(struct str name, size_t n)
{
    uint64_t h = 14695981039346656037U;
    for (size_t i = 0; i < name.n; i++)
        h = (h ^ (unsigned char)name.p[i]) * 1099511628211U;
    return (size_t)((h ^ h >> 32) % n);
}

static void
make_ready(const struct lanes *l, struct destination *d)
{
    const struct lanes_limits *limits = &l->carriers[d->carrier].limits;
    struct sched_lane *lane = d->lane;

    if (d->ready || d->waiting.n == 0 ||
        d->in_hand >= limits->destination_window)
        return;
    d->ready = true;
    d->next_ready = NULL;
    if (lane->first == NULL)
        lane->first = d;
    else
        lane->last->next_ready = d;
    lane->last = d;
}

/* Everything that is ready starts again in the lanes as they are now. */
static void
deal_anew(struct lanes *l, enum carrier c)
{
    size_t at = 0;
    struct str key;
    void *value;

    for (size_t i = 0; i < l->carriers[c].n; i++)
        l->carriers[c].lanes[i]->first = l->carriers[c].lanes[i]->last = NULL;
    while (map_next(&l->destinations, &at, &key, &value)) {
        struct destination *d = value;
        if (d->carrier != c)
            continue;
        d->lane =
            l->carriers[c].lanes[slot_of(d->name, l->carriers[c].limits.lanes)];
        d->ready = false;
        make_ready(l, d);
    }
    for (size_t i = 0; i < l->carriers[c].n; i++) {
        struct sched_lane *lane = l->carriers[c].lanes[i];
        struct sched_job *j = lane->suspects.first, *next;
        for (; j != NULL; j = next) {
            next = j->next;
            if (j->destination->lane == lane)
                continue;
            sched_list_remove(&lane->suspects, j);
            sched_list_add(&j->destination->lane->suspects, j);
        }
    }
}

void
lanes_configure(struct lanes *l, enum carrier c,
                const struct lanes_limits *limits)
{
    size_t n = limits->lanes > 0 ? limits->lanes : 1;

    l->carriers[c].limits = *limits;
    l->carriers[c].limits.lanes = n;
    if (n > l->carriers[c].n) {
        l->carriers[c].lanes =
            alloc_resize(l->carriers[c].lanes, n * sizeof(struct sched_lane *));
        for (size_t i = l->carriers[c].n; i < n; i++)
            l->carriers[c].lanes[i] = alloc_zero(sizeof(struct sched_lane));
        l->carriers[c].n = n;
    }
    deal_anew(l, c);
}

struct destination *
lanes_find(struct lanes *l, enum carrier c, struct str name)
{
    struct buf key = {0};
    struct destination *d;

    buf_add_char(&key, (char)('0' + c));
    buf_add(&key, name);
    d = map_get(&l->destinations, buf_str(&key));
    if (d == NULL) {
        d = alloc_zero(sizeof *d + name.n);
        d->carrier = c;
        if (name.n > 0)
            memcpy(d + 1, name.p, name.n);
        d->name = str_from_n(d + 1, name.n);
        d->lane =
            l->carriers[c].lanes[slot_of(name, l->carriers[c].limits.lanes)];
        (void)map_put(&l->destinations, buf_str(&key), d);
    }
    buf_fini(&key);
    return d;
}

void
lanes_release(struct lanes *l, struct destination *d)
{
    struct buf key = {0};

    if (d->waiting.n > 0 || d->in_hand > 0 || d->suspects > 0 ||
        d->building != NULL || d->parked.n > 0)
        return;
    buf_add_char(&key, (char)('0' + d->carrier));
    buf_add(&key, d->name);
    (void)map_remove(&l->destinations, buf_str(&key));
    buf_fini(&key);
    buf_fini(&d->parked);
    free(d);
}

void
lanes_wait(struct lanes *l, struct sched_job *j)
{
    struct destination *d = j->destination;

    l->carriers[d->carrier].waiting++;
    if (j->suspect) {
        sched_list_add(&d->lane->suspects, j);
        d->suspects++;
    } else {
        sched_list_add(&d->waiting, j);
        make_ready(l, d);
    }
}

static void
take_in_hand(struct sched_lane *lane, struct sched_job *j)
{
    j->lane = lane;
    lane->in_hand++;
    j->destination->in_hand++;
    if (j->suspect)
        lane->suspect_out = true;
}

/*
 * One suspect at a time: if the worker dies again, it was that one or one of
 * those that were never suspected before.
 */
static struct sched_job *
next_suspect(struct sched_lane *lane)
{
    struct sched_job *j = lane->suspects.first;

    if (j == NULL || lane->suspect_out)
        return NULL;
    sched_list_remove(&lane->suspects, j);
    j->destination->suspects--;
    return j;
}

static struct sched_job *
next_waiting(struct sched_lane *lane)
{
    struct destination *d = lane->first;
    struct sched_job *j;

    if (d == NULL)
        return NULL;
    lane->first = d->next_ready;
    if (lane->first == NULL)
        lane->last = NULL;
    d->ready = false;
    j = d->waiting.first;
    sched_list_remove(&d->waiting, j);
    return j;
}

struct sched_job *
lanes_next(struct lanes *l, enum carrier c, size_t slot)
{
    struct sched_lane *lane;
    struct sched_job *j;

    if (slot >= l->carriers[c].n)
        return NULL;
    lane = l->carriers[c].lanes[slot];
    if (lane->in_hand >= l->carriers[c].limits.lane_window)
        return NULL;
    j = next_suspect(lane);
    if (j == NULL)
        j = next_waiting(lane);
    if (j == NULL)
        return NULL;
    l->carriers[c].waiting--;
    take_in_hand(lane, j);
    make_ready(l, j->destination); // its next turn, if its window allows
    return j;
}

void
lanes_adopt(struct lanes *l, struct sched_job *j, size_t slot)
{
    enum carrier c = j->destination->carrier;
    struct sched_lane *lane = slot < l->carriers[c].n
                                  ? l->carriers[c].lanes[slot]
                                  : j->destination->lane;
    take_in_hand(lane, j);
}

void
lanes_back(struct lanes *l, struct sched_job *j)
{
    j->lane->in_hand--;
    if (j->suspect)
        j->lane->suspect_out = false;
    j->lane = NULL;
    j->destination->in_hand--;
    make_ready(l, j->destination);
}

static struct sched_job *
find_in(const struct sched_list *list,
        bool (*is)(const void *ctx, const struct sched_job *j), const void *ctx)
{
    struct sched_job *j = list->first;
    while (j != NULL && is != NULL && !is(ctx, j))
        j = j->next;
    return j;
}

/* A destination that has nothing to give any more leaves its lane's ring. */
static void
leave_ring(struct destination *d)
{
    struct destination **at = &d->lane->first, *before = NULL;

    while (*at != d) {
        before = *at;
        at = &before->next_ready;
    }
    *at = d->next_ready;
    if (d->lane->last == d)
        d->lane->last = before;
    d->ready = false;
}

struct sched_job *
lanes_take_back(struct lanes *l,
                bool (*is)(const void *ctx, const struct sched_job *j),
                const void *ctx)
{
    size_t at = 0;
    struct str key;
    void *value;
    struct sched_job *j;

    while (map_next(&l->destinations, &at, &key, &value)) {
        struct destination *d = value;
        if (d->waiting.n == 0 || (j = find_in(&d->waiting, is, ctx)) == NULL)
            continue;
        sched_list_remove(&d->waiting, j);
        if (d->ready && d->waiting.n == 0)
            leave_ring(d);
        l->carriers[d->carrier].waiting--;
        return j;
    }
    for (size_t c = 0; c < CARRIER_COUNT; c++)
        for (size_t i = 0; i < l->carriers[c].n; i++) {
            struct sched_lane *lane = l->carriers[c].lanes[i];
            if ((j = find_in(&lane->suspects, is, ctx)) == NULL)
                continue;
            sched_list_remove(&lane->suspects, j);
            j->destination->suspects--;
            l->carriers[c].waiting--;
            return j;
        }
    return NULL;
}

bool
lanes_crowded(const struct lanes *l, const struct destination *d)
{
    const struct lanes_limits *limits = &l->carriers[d->carrier].limits;

    if (d->parked.n > 0) // behind those that wait longer
        return true;
    return d->waiting.n > 0 &&
           (d->waiting.n >= 2 * limits->destination_window ||
            l->carriers[d->carrier].waiting >= limits->waiting_max);
}

void
lanes_park(struct destination *d, struct msgid id, uint32_t rcpt)
{
    struct parked p = {.id = id, .rcpt = rcpt};
    buf_add(&d->parked, str_from_n(&p, sizeof p));
}

static bool
thirsty(const struct lanes *l, const struct destination *d)
{
    const struct lanes_limits *limits = &l->carriers[d->carrier].limits;

    return d->waiting.n == 0 ||
           (d->waiting.n < limits->destination_window &&
            l->carriers[d->carrier].waiting < limits->waiting_max);
}

size_t
lanes_unpark(const struct lanes *l, struct destination *d, struct msgid *id,
             uint32_t *rcpts, size_t max)
{
    size_t n = 0;
    struct parked p;

    if (d->parked.n == 0 || !thirsty(l, d))
        return 0;
    while (n < max && d->parked_at < d->parked.n) {
        memcpy(&p, d->parked.p + d->parked_at, sizeof p);
        if (n == 0)
            *id = p.id;
        else if (!msgid_eq(*id, p.id))
            break;
        rcpts[n++] = p.rcpt;
        d->parked_at += sizeof p;
    }
    /* Moving the rest down only now and then keeps taking cheap. */
    if (d->parked_at == d->parked.n) {
        buf_fini(&d->parked);
        d->parked_at = 0;
    } else if (d->parked_at > d->parked.n / 2) {
        buf_consume(&d->parked, d->parked_at);
        d->parked_at = 0;
    }
    return n;
}
