/* SPDX-License-Identifier: ISC */
#include "oracle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

struct letter *
oracle_find(const struct oracle *o, struct msgid id)
{
    for (size_t i = 0; i < o->n; i++)
        if (msgid_eq(o->letters[i]->id, id))
            return o->letters[i];
    return NULL;
}

static void
push(struct letter *l, struct snapshot s, uint64_t when)
{
    s.when = when;
    l->history =
        alloc_resize(l->history, (l->n_history + 1) * sizeof *l->history);
    l->history[l->n_history++] = s;
}

struct letter *
oracle_add(struct oracle *o, struct msgid id, size_t n_rcpts, int64_t due_ms,
           struct str content)
{
    struct letter *l = alloc_zero(sizeof *l);
    struct snapshot s = {.exists = true, .n = (uint32_t)n_rcpts};
    l->id = id;
    buf_add(&l->content, content);
    s.rcpts = alloc_array(n_rcpts, sizeof *s.rcpts);
    for (uint32_t i = 0; i < n_rcpts; i++)
        s.rcpts[i] =
            (struct spool_rcpt){.index = i, .parent = i, .next_ms = due_ms};
    push(l, s, o->now);
    o->letters = alloc_resize(o->letters, (o->n + 1) * sizeof(struct letter *));
    o->letters[o->n++] = l;
    return l;
}

static struct snapshot
look(struct spool_store *s, struct msgid id)
{
    struct arena a = {0};
    struct spool_view v;
    struct snapshot out = {0};
    if (spool_show(s, id, &a, &v)) {
        out = (struct snapshot){
            .exists = true, .held = v.held, .n = (uint32_t)v.n_rcpts};
        out.rcpts = alloc_array(v.n_rcpts, sizeof *out.rcpts);
        memcpy(out.rcpts, v.rcpts, v.n_rcpts * sizeof *out.rcpts);
    }
    arena_fini(&a);
    return out;
}

static bool
final(enum rcpt_state s)
{
    return s == RCPT_DONE || s == RCPT_EXPANDED;
}

/* paid: what is owed may be paid already. */
static bool
same_rcpt(const struct spool_rcpt *was, const struct spool_rcpt *is, bool paid)
{
    enum rcpt_state a = was->state, b = is->state;
    bool in_hand = a == RCPT_LEASED || b == RCPT_LEASED;
    a = a == RCPT_LEASED || a == RCPT_HELD ? RCPT_DUE : a;
    b = b == RCPT_LEASED || b == RCPT_HELD ? RCPT_DUE : b;
    if (paid && a == RCPT_OWES && b == RCPT_DONE)
        return true;
    if (a != b || was->parent != is->parent)
        return false;
    if (final(a))
        return true;
    return was->attempts == is->attempts &&
           (in_hand || a != RCPT_DUE || was->next_ms == is->next_ms);
}

static bool
same(const struct snapshot *was, const struct snapshot *is, bool paid)
{
    bool all = true;
    if (!is->exists) { // gone: nothing of it may have been open
        for (uint32_t i = 0; was->exists && i < was->n; i++)
            all = all && (final(was->rcpts[i].state) ||
                          (paid && was->rcpts[i].state == RCPT_OWES));
        return !was->exists || all;
    }
    if (!was->exists || was->held != is->held || was->n != is->n)
        return false;
    for (uint32_t i = 0; i < was->n; i++)
        all = all && same_rcpt(&was->rcpts[i], &is->rcpts[i], paid);
    return all;
}

static bool
equal(const struct snapshot *a, const struct snapshot *b)
{
    return a->exists == b->exists && a->held == b->held && a->n == b->n &&
           same(a, b, false);
}

void
oracle_observe(struct oracle *o, struct rig *r)
{
    struct spool_log_usage u = {0};
    if (r->store != NULL)
        spool_log_store_usage(r->store, &u);
    if (!u.recovered)
        return; // it may not have read everything yet
    o->now++;
    r->quiet = true;
    for (size_t i = 0; i < o->n; i++) {
        struct letter *l = o->letters[i];
        const struct snapshot *last = &l->history[l->n_history - 1];
        // A queue killed within a turn forgets what it had not yet written:
        // only then may an ended message be there again.
        if (!l->committed || (!last->exists && !r->restarted))
            continue;
        struct snapshot now = look(r->store, l->id);
        // Acknowledged, but the store has not read that far.
        bool unread = !now.exists && !l->seen;
        l->seen = l->seen || now.exists;
        if (unread || equal(last, &now))
            free(now.rcpts);
        else
            push(l, now, o->now);
    }
    r->quiet = false;
    r->restarted = false;
}

void
oracle_durable(struct oracle *o, struct rig *r)
{
    oracle_observe(o, r);
    for (size_t i = 0; i < o->n; i++)
        o->letters[i]->durable = o->letters[i]->n_history - 1;
}

void
oracle_fini(struct oracle *o)
{
    for (size_t i = 0; i < o->n; i++) {
        struct letter *l = o->letters[i];
        for (size_t k = 0; k < l->n_history; k++)
            free(l->history[k].rcpts);
        free(l->history);
        buf_fini(&l->content);
        free(l);
    }
    free(o->letters);
    *o = (struct oracle){0};
}

static bool
bad(const char *what, const struct letter *l, const char *why)
{
    char id[MSGID_TEXT] = "?";
    if (l != NULL)
        (void)msgid_format(l->id, id);
    (void)fprintf(stderr, "%s: message %s: %s\n", what, id, why);
    return false;
}

static void
say(const char *name, const struct snapshot *s)
{
    (void)fprintf(stderr, "  %s: %s%s", name, s->exists ? "there" : "gone",
                  s->held ? " held" : "");
    for (uint32_t i = 0; i < s->n; i++)
        (void)fprintf(stderr, " [%d tried %u next %lld]",
                      (int)s->rcpts[i].state, s->rcpts[i].attempts,
                      (long long)s->rcpts[i].next_ms);
    (void)fprintf(stderr, "\n");
}

static bool
check_content(struct rig *r, const struct letter *l, const char *what)
{
    struct arena a = {0};
    struct buf got = {0};
    struct spool_view v;
    struct err e = {0};
    bool ok = spool_show(r->store, l->id, &a, &v) &&
              spool_read(r->store, &v.at, &got, &e) &&
              str_eq(buf_str(&got), buf_str(&l->content));
    arena_fini(&a);
    buf_fini(&got);
    if (!ok)
        (void)fprintf(stderr, "  %s\n", e.text);
    return ok || bad(what, l, "its content is not what was submitted");
}

static bool
check_letter(struct rig *r, const struct letter *l, const char *what)
{
    struct snapshot now = look(r->store, l->id);
    bool ok = !now.exists && !l->acknowledged;

    if (!l->committed)
        ok = !now.exists;
    else
        for (size_t i = l->durable; !ok && i < l->n_history; i++)
            ok = same(&l->history[i], &now, l->notice_written);
    if (!ok) {
        (void)bad(what, l,
                  l->committed ? "its state was never that" : "was invented");
        say("found", &now);
        for (size_t i = l->durable; i < l->n_history; i++)
            say("was", &l->history[i]);
    } else if (now.exists) {
        ok = check_content(r, l, what);
    }
    free(now.rcpts);
    return ok;
}

/* When the state that was found came to be, at the earliest, and when it was
 * over, at the latest. */
struct span {
    uint64_t from, to;
};

static struct span
when_found(const struct letter *l, const struct snapshot *now)
{
    struct span x = {UINT64_MAX, UINT64_MAX};
    for (size_t i = l->n_history; i-- > l->durable;) {
        if (!same(&l->history[i], now, false)) {
            if (x.from != UINT64_MAX)
                break;
            continue;
        }
        if (x.from == UINT64_MAX && i + 1 < l->n_history)
            x.to = l->history[i + 1].when;
        x.from = l->history[i].when;
    }
    return x;
}

/* A message that is gone went with the last of its news: whoever has older
 * ones has lost them, and the segment of that message was used anew, before
 * they were durable. Notices are left out: a debt is paid by what is found. */
static bool
check_moment(struct oracle *o, struct rig *r, const char *what)
{
    const struct letter *gone = NULL;
    uint64_t from = 0;
    bool ok = true;

    for (size_t i = 0; i < o->n; i++) {
        const struct letter *l = o->letters[i];
        if (!l->acknowledged || !l->seen || l->notice_written)
            continue;
        struct snapshot now = look(r->store, l->id);
        struct span x = when_found(l, &now);
        if (!now.exists && x.from != UINT64_MAX && x.from > from) {
            from = x.from;
            gone = l;
        }
        free(now.rcpts);
    }
    for (size_t i = 0; ok && gone != NULL && i < o->n; i++) {
        const struct letter *l = o->letters[i];
        if (!l->acknowledged || !l->seen || l->notice_written)
            continue;
        struct snapshot now = look(r->store, l->id);
        struct span x = when_found(l, &now);
        if (now.exists && x.to < from) {
            ok = bad(what, gone, "is gone before its end was durable");
            (void)bad(what, l, "does not know yet what came before that");
            say("found", &now);
        }
        free(now.rcpts);
    }
    return ok;
}

struct counting {
    const struct oracle *oracle;
    struct msgid *ids;
    size_t n;
    bool stranger;
};

static void
count_id(void *ctx, struct msgid id)
{
    struct counting *c = ctx;
    c->stranger = c->stranger || oracle_find(c->oracle, id) == NULL;
    c->n++;
}

static void
read_all(struct rig *r)
{
    struct spool_log_usage u = {0};
    for (int i = 0; i < 1000 && !u.recovered; i++) {
        (void)rig_step(r);
        spool_log_store_usage(r->store, &u);
    }
}

#define ENOUGH (UINT64_C(1) << 40)

bool
oracle_check(struct oracle *o, struct simdisk *disk, bool work,
             const char *what)
{
    struct rig r = {
        .disk = disk, .now = {.wall_ms = 1000000, .mono_ms = 1000}
    };
    struct counting c = {.oracle = o};
    bool ok = true;

    o->checks++;
    if (!work) { // a disk too full for new segments
        simdisk_capacity(disk, ENOUGH);
        r.min_free = 2 * ENOUGH;
    }
    if (!rig_store_start(&r))
        return bad(what, NULL, "the spool does not open");
    spool_log_store_roll_call(r.store);
    if (work)
        rig_settle(&r);
    else
        read_all(&r);
    spool_ids(r.store, count_id, &c);
    if (c.stranger)
        ok = bad(what, NULL, "one that was never submitted is there");
    if (c.n != spool_count(r.store))
        ok = bad(what, NULL, "the count is wrong");
    for (size_t i = 0; i < o->n; i++)
        ok = check_letter(&r, o->letters[i], what) && ok;
    ok = ok && check_moment(o, &r, what);
    if (r.corrupt > 0 || r.trouble > 0)
        ok = bad(what, NULL, r.last_trouble);
    rig_stop(&r);
    return ok;
}
