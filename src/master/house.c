/* SPDX-License-Identifier: ISC */
#include "master/house.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "master/house_internal.h"
#include "os/log.h"
#include "os/sandbox.h"
#include "os/spawn.h"

enum {
    BACKOFF_FIRST_MS = 100, /* the first restart is at once */
    BACKOFF_MOST_MS = 5000,
    BACKOFF_FORGET_MS = 10000, /* who lived that long starts afresh */
    DRAIN_MS = 600000,         /* for sessions that a reload found open */
    HURRY_MS = 10000,          /* then, to be killed */
};

#define IN(role) (1U << (role))

/* The way down: whoever still hands on mail goes before who takes it. */
static const struct {
    unsigned roles;
    int64_t limit_ms;
} stop_phases[] = {
    {0,                                                  0   }, /* not stopping */
    {IN(ROLE_RECEIVE),                                   9000},
    {IN(ROLE_SEND) | IN(ROLE_MAILBOX) | IN(ROLE_NOTIFY), 3500},
    {IN(ROLE_QUEUE),                                     2000},
    {IN(ROLE_DIRECTORY),                                 1000},
    {IN(ROLE_JOURNAL),                                   2000},
};

enum { STOP_PHASES = sizeof stop_phases / sizeof *stop_phases };

static void stop_step(struct house *h);

static int64_t
now_ms(const struct house *h)
{
    return loop_now(h->base.loop).mono_ms;
}

static void
log_child(enum log_level level, const char *event, const struct child *c,
          struct str why)
{
    struct log_field reason = LOG_S("why", why);
    if (why.n == 0)
        reason = LOG_END;
    log_event(level, event, LOG_S("role", str_from(role_name(c->slot->role))),
              LOG_N("slot", c->slot->number), LOG_N("pid", c->pid), reason,
              LOG_END);
}

/* Settled */

static bool
slot_settled(const struct slot *s)
{
    return !s->wanted || (s->current != NULL && !s->current->reloading &&
                          s->current->state == CHILD_READY);
}

static void
check_settled(struct house *h)
{
    if (h->settled || h->stop_phase > 0)
        return;
    for (const struct slot *s = h->slots; s != NULL; s = s->next)
        if (!slot_settled(s))
            return;
    h->settled = true;
    h->base.on_settled(h->base.ctx);
}

/* A child's life */

static void
on_deadline(void *ctx)
{
    struct child *c = ctx;
    if (c->state == CHILD_DRAINING) {
        c->state = CHILD_STOPPING;
        wiring_say(c, CONTROL_STOP);
        timer_set(c->deadline, now_ms(c->house) + HURRY_MS);
        return;
    }
    log_child(LOG_WARNING, "room-killed", c, STR("it did not end in time"));
    spawn_kill(c->pid);
}

static void
drain(struct child *c)
{
    if (c->state >= CHILD_DRAINING)
        return;
    c->state = CHILD_DRAINING;
    wiring_say(c, CONTROL_DRAIN);
    timer_set(c->deadline, now_ms(c->house) + DRAIN_MS);
}

/* The new one serves: earlier incarnations in its slot may go. */
static void
drain_earlier(struct child *c)
{
    for (struct child *o = c->house->children; o != NULL; o = o->next)
        if (o->slot == c->slot && o != c)
            drain(o);
}

static void
on_frame(void *ctx, struct str frame, int fd)
{
    struct child *c = ctx;
    struct control_msg m;
    if (fd >= 0)
        (void)close(fd); // a room has nothing to give us
    if (!control_decode(frame, &m) ||
        (m.type != CONTROL_READY && m.type != CONTROL_RELOADED)) {
        log_child(LOG_ERROR, "room-killed", c, STR("it spoke out of turn"));
        spawn_kill(c->pid);
        return;
    }
    if (m.type == CONTROL_RELOADED)
        c->reloading = false;
    if (m.type == CONTROL_READY && c->state == CHILD_STARTING) {
        c->state = CHILD_READY;
        log_child(LOG_INFO, "room-ready", c, STR_EMPTY);
        if (c->slot->current == c)
            drain_earlier(c);
    }
    check_settled(c->house);
}

/* A room without its pipe cannot be led any more. One that is ending closes it
 * too; then the kill finds nobody. */
static void
on_control_end(void *ctx)
{
    struct child *c = ctx;
    if (c->state < CHILD_DRAINING)
        spawn_kill(c->pid);
}

static bool
spawn(struct child *c, int control)
{
    const struct house *h = c->house;
    enum role role = c->slot->role;
    struct buf slot = {0}, incarnation = {0};
    struct err e;

    buf_addf(&slot, "%" PRIu32, c->slot->number);
    buf_addf(&incarnation, "%" PRIu64, c->incarnation);
    const char *argv[] = {"gatepost",
                          "--room",
                          role_name(role),
                          buf_cstr(&slot),
                          buf_cstr(&incarnation),
                          NULL};
    struct spawn s = {
        .argv = argv,
        .fds = {control, h->plan.papers->slices[role], h->base.premises->lock},
        .account = accounts_of(h->base.accounts, role)
    };
    c->pid = spawn_self(&s, &e);
    if (c->pid < 0)
        log_error(e.text);
    buf_fini(&slot);
    buf_fini(&incarnation);
    return c->pid > 0;
}

static void
schedule_restart(struct slot *s, int64_t lived_ms)
{
    if (lived_ms >= BACKOFF_FORGET_MS)
        s->backoff_ms = 0;
    timer_set(s->restart, now_ms(s->house) + s->backoff_ms);
    s->backoff_ms = s->backoff_ms == 0 ? BACKOFF_FIRST_MS : s->backoff_ms * 2;
    if (s->backoff_ms > BACKOFF_MOST_MS)
        s->backoff_ms = BACKOFF_MOST_MS;
}

/* Starts a process in the slot; it takes the place of one that is there. */
static void
begin(struct slot *s)
{
    struct house *h = s->house;
    int fds[2];
    struct child *c = alloc_zero(sizeof *c);
    c->house = h;
    c->slot = s;
    c->incarnation = ++h->last_incarnation;
    c->started_ms = now_ms(h);
    bool ok = channel_pair(fds);
    if (ok && !spawn(c, fds[1])) {
        (void)close(fds[0]);
        (void)close(fds[1]);
        ok = false;
    }
    if (!ok) {
        free(c);
        schedule_restart(s, 0);
        return;
    }
    (void)close(fds[1]);
    c->control = channel_new(h->base.loop, fds[0], on_frame, on_control_end, c);
    c->deadline = timer_new(h->base.loop, on_deadline, c);
    c->next = h->children;
    h->children = c;
    s->current = c;
    wiring_equip(c);
}

/* Connects the newcomers, with each other too, and lets them go. */
static void
introduce(struct house *h)
{
    for (struct child *c = h->children; c != NULL; c = c->next)
        if (!c->connected) {
            wiring_connect(c);
            c->fresh = true;
        }
    for (struct child *c = h->children; c != NULL; c = c->next)
        if (c->fresh) {
            c->fresh = false;
            wiring_say(c, CONTROL_GO);
        }
}

static void
on_restart(void *ctx)
{
    struct slot *s = ctx;
    if (!s->wanted || s->current != NULL || s->house->stop_phase > 0)
        return;
    begin(s);
    introduce(s->house);
}

static void
forget(struct child *c)
{
    struct child **p = &c->house->children;
    while (*p != c)
        p = &(*p)->next;
    *p = c->next;
    channel_free(c->control);
    timer_free(c->deadline);
    free(c);
}

static void
bury(struct child *c, int status)
{
    struct slot *s = c->slot;
    struct house *h = c->house;
    char text[64];
    struct str why = spawn_why(status, text, sizeof text);
    bool expected = c->state >= CHILD_DRAINING && spawn_well(status);
    int64_t lived = now_ms(h) - c->started_ms;

    log_child(expected ? LOG_INFO : LOG_ERROR,
              expected ? "room-ended" : "room-died", c, why);
    wiring_tell_reaped(c);
    if (h->crowd != NULL && s->role == ROLE_RECEIVE)
        crowd_clear(h->crowd, c->incarnation);
    bool serving = s->current == c;
    forget(c);
    if (serving) {
        s->current = NULL;
        if (s->wanted && h->stop_phase == 0)
            schedule_restart(s, lived);
    }
}

static void
on_child_signal(void *ctx)
{
    struct house *h = ctx;
    int status;
    for (int64_t pid; (pid = spawn_reap(&status)) > 0;)
        for (struct child *c = h->children; c != NULL; c = c->next)
            if (c->pid == pid) {
                bury(c, status);
                break;
            }
    if (h->stop_phase > 0)
        stop_step(h);
}

/* Following the plan */

static struct slot *
find_slot(struct house *h, enum role role, uint32_t number)
{
    struct slot *s = h->slots;
    while (s != NULL && (s->role != role || s->number != number))
        s = s->next;
    if (s != NULL)
        return s;
    s = alloc_zero(sizeof *s);
    s->house = h;
    s->role = role;
    s->number = number;
    s->restart = timer_new(h->base.loop, on_restart, s);
    s->next = h->slots;
    h->slots = s;
    return s;
}

static uint32_t
processes_of(const struct conf *c, enum role role)
{
    switch (role) {
    case ROLE_RECEIVE:
        return c->receive.workers;
    case ROLE_SEND:
        return c->send.workers;
    case ROLE_MAILBOX:
        return c->mailbox.workers;
    case ROLE_DIRECTORY:
    case ROLE_QUEUE:
    case ROLE_NOTIFY:
    case ROLE_JOURNAL:
        return 1;
    case ROLE_NONE:
    case ROLE_COUNT:
        break;
    }
    return 0;
}

static void
reload_in_place(struct child *c)
{
    struct buf b = {0};
    control_encode(&b, &(struct control_msg){.type = CONTROL_CONFIG});
    channel_send_fd(c->control, buf_str(&b),
                    c->house->plan.papers->slices[c->slot->role]);
    buf_fini(&b);
    c->reloading = true;
}

static void
follow_slot(struct slot *s)
{
    bool in_place = s->role == ROLE_QUEUE || s->role == ROLE_DIRECTORY ||
                    s->role == ROLE_JOURNAL;
    if (!s->wanted) {
        timer_clear(s->restart);
        if (s->current != NULL)
            drain(s->current);
        s->current = NULL;
    } else if (s->current != NULL && in_place) {
        reload_in_place(s->current);
    } else {
        timer_clear(s->restart);
        s->backoff_ms = 0;
        begin(s);
    }
}

void
house_follow(struct house *h, const struct house_plan *plan)
{
    if (h->stop_phase > 0)
        return;
    h->plan = *plan;
    h->settled = false;
    for (struct slot *s = h->slots; s != NULL; s = s->next)
        s->wanted = false;
    for (enum role r = ROLE_NONE + 1; r < ROLE_COUNT; r++)
        for (uint32_t i = 0; i < processes_of(plan->conf, r); i++)
            find_slot(h, r, i)->wanted = true;
    for (struct slot *s = h->slots; s != NULL; s = s->next)
        follow_slot(s);
    introduce(h);
}

/* The way down */

static bool
in_phase(const struct house *h, const struct child *c)
{
    return (stop_phases[h->stop_phase].roles & IN(c->slot->role)) != 0;
}

static void
enter_phase(struct house *h)
{
    for (struct child *c = h->children; c != NULL; c = c->next) {
        if (!in_phase(h, c))
            continue;
        c->state = CHILD_STOPPING;
        timer_clear(c->deadline);
        wiring_say(c, CONTROL_STOP);
    }
    timer_set(h->stop_deadline,
              now_ms(h) + stop_phases[h->stop_phase].limit_ms);
}

static void
stop_step(struct house *h)
{
    while (h->stop_phase < STOP_PHASES) {
        for (const struct child *c = h->children; c != NULL; c = c->next)
            if (in_phase(h, c))
                return;
        if (++h->stop_phase < STOP_PHASES)
            enter_phase(h);
    }
    timer_clear(h->stop_deadline);
    h->base.on_empty(h->base.ctx);
}

static void
on_stop_deadline(void *ctx)
{
    struct house *h = ctx;
    for (struct child *c = h->children; c != NULL; c = c->next)
        if (in_phase(h, c)) {
            log_child(LOG_WARNING, "room-killed", c,
                      STR("it did not end in time"));
            spawn_kill(c->pid);
        }
}

void
house_stop(struct house *h)
{
    if (h->stop_phase > 0) {
        for (struct child *c = h->children; c != NULL; c = c->next)
            spawn_kill(c->pid);
        return;
    }
    for (struct slot *s = h->slots; s != NULL; s = s->next)
        timer_clear(s->restart);
    h->stop_phase = 1;
    enter_phase(h);
    stop_step(h);
}

static void
make_crowd(struct house *h)
{
    struct err e;
    uint64_t seed;
    sandbox_random(&seed, sizeof seed);
    h->crowd = crowd_make(seed, &e);
    if (h->crowd == NULL)
        log_error(e.text);
}

/* An incarnation is unique beyond our life: the spool remembers them. */
struct house *
house_new(const struct house_base *base)
{
    struct house *h = alloc_zero(sizeof *h);
    h->base = *base;
    h->last_incarnation = (uint64_t)loop_now(base->loop).wall_ms;
    h->stop_deadline = timer_new(base->loop, on_stop_deadline, h);
    make_crowd(h);
    loop_on_signal(base->loop, LOOP_CHILD_ENDED, on_child_signal, h);
    return h;
}

void
house_free(struct house *h)
{
    if (h == NULL)
        return;
    while (h->children != NULL)
        forget(h->children);
    while (h->slots != NULL) {
        struct slot *s = h->slots;
        h->slots = s->next;
        timer_free(s->restart);
        free(s);
    }
    timer_free(h->stop_deadline);
    crowd_free(h->crowd);
    free(h);
}
