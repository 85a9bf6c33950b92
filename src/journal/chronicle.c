/* SPDX-License-Identifier: ISC */
#include "journal/chronicle.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "journal/calendar.h"
#include "journal/day.h"
#include "journal/tidy.h"
#include "os/disk.h"
#include "os/log.h"

enum {
    LATE_MS = 10 * 60 * 1000, /* the day before stays open that long */
    RETRY_MS = 1000,          /* after a failure, until the next attempt */
    WHY_MAX = 200,
};

struct source {
    struct source *next;
    struct chronicle_source is;
    uint64_t upto;      /* number of the first event not taken */
    uint64_t confirmed; /* the same of what is written */
    bool dirty;         /* upto is not in the file */
};

/* Events that are lost: how many, and when they happened. */
struct loss {
    uint64_t count;
    int64_t from_ms, until_ms;
    char why[WHY_MAX];
};

struct chronicle {
    struct chronicle_setup setup;
    struct buf folder;
    int dir;
    struct day *days[2]; /* today, the day before; NULL: not open */
    struct source *sources;
    struct loss pending;   /* in the transaction: lost if it fails */
    struct loss lost;      /* not written yet */
    struct loss set_aside; /* count 0 and a reason: a file, nobody knows how
                              many were in it */
    uint64_t lost_ever;
    bool in_trouble;
    int64_t retry_ms;   /* mono */
    int64_t checked_ms; /* the free space, mono */
    bool tidying;       /* it is under way */
    int64_t tidied_day; /* the last day for which that was done */
};

/* ---- losses ---------------------------------------------------------------
 */

static void
add_loss(struct loss *l, uint64_t count, int64_t from_ms, int64_t until_ms)
{
    if (l->count == 0 || from_ms < l->from_ms)
        l->from_ms = from_ms;
    if (l->count == 0 || until_ms > l->until_ms)
        l->until_ms = until_ms;
    l->count += count;
}

static void
count_event(struct loss *l, const struct journal_event *e)
{
    int64_t until = e->kind == JOURNAL_DROPPED ? e->until_ms : e->at_ms;
    uint64_t n = e->kind == JOURNAL_REPEATED || e->kind == JOURNAL_DROPPED
                     ? e->count
                     : 1;
    add_loss(l, n, e->at_ms, until);
}

static void
lose(struct chronicle *c, const struct journal_event *e)
{
    uint64_t before = c->lost.count;
    count_event(&c->lost, e);
    c->lost_ever += c->lost.count - before;
}

static void
explain(struct loss *l, const char *why)
{
    size_t n = strlen(why) < WHY_MAX ? strlen(why) : WHY_MAX - 1;
    memcpy(l->why, why, n);
    l->why[n] = '\0';
}

static void
enter_trouble(struct chronicle *c, const char *why, struct instant now)
{
    explain(&c->lost, why);
    c->retry_ms = now.mono_ms + RETRY_MS;
    if (!c->in_trouble)
        log_event(LOG_ERROR, "journal-trouble", LOG_S("error", str_from(why)),
                  LOG_END);
    c->in_trouble = true;
}

static void
leave_trouble(struct chronicle *c)
{
    if (c->in_trouble)
        log_event(LOG_WARNING, "journal-again",
                  LOG_N("dropped", (int64_t)c->lost.count), LOG_END);
    c->in_trouble = false;
}

/* ---- files ----------------------------------------------------------------
 */

static const char *
path_of(const struct chronicle *c, struct buf *path, int64_t day)
{
    buf_clear(path);
    buf_add(path, buf_str(&c->folder));
    buf_add_char(path, '/');
    calendar_add_name(path, day);
    return buf_cstr(path);
}

/* What of it can be saved is for a person to see (sqlite3's .recover). */
static void
put_aside(struct chronicle *c, int64_t day, const char *why, struct instant now)
{
    static const char *const tails[] = {"", "-wal", "-shm"};
    const struct disk *disk = c->setup.disk;
    struct buf from = {0}, to = {0};

    for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
        buf_clear(&from);
        buf_clear(&to);
        calendar_add_name(&from, day);
        buf_addf(&to, "%.*s-damaged-%lld%s", STR_ARG(buf_str(&from)),
                 (long long)now.wall_ms, tails[i]);
        buf_add(&from, str_from(tails[i]));
        (void)disk->rename(disk->self, c->dir, buf_cstr(&from), c->dir,
                           buf_cstr(&to));
        if (i > 0)
            continue;
        log_event(LOG_ERROR, "journal-damaged", LOG_S("error", str_from(why)),
                  LOG_S("set_aside_as", buf_str(&to)), LOG_END);
        buf_add(&to, STR(": a damaged file, set aside"));
        c->set_aside.from_ms = day * CALENDAR_DAY_MS;
        c->set_aside.until_ms = now.wall_ms;
        explain(&c->set_aside, buf_cstr(&to));
    }
    buf_fini(&from);
    buf_fini(&to);
}

static struct day *
open_day(struct chronicle *c, int64_t number, struct instant now)
{
    struct buf path = {0};
    struct err e;
    bool damaged;
    struct day *d = day_open(path_of(c, &path, number), number, &e, &damaged);

    if (d == NULL && damaged) {
        put_aside(c, number, e.text, now);
        d = day_open(buf_cstr(&path), number, &e, &damaged);
    }
    if (d == NULL)
        enter_trouble(c, e.text, now);
    buf_fini(&path);
    return d;
}

/* Everything that was not committed is lost. */
static void
fail(struct chronicle *c, struct day **d, const struct err *e,
     struct instant now)
{
    bool damaged = day_is_damaged(*d);
    int64_t number = day_number(*d);

    for (size_t i = 0; i < 2; i++)
        if (c->days[i] != NULL)
            day_abort(c->days[i]);
    if (c->pending.count > 0)
        add_loss(&c->lost, c->pending.count, c->pending.from_ms,
                 c->pending.until_ms);
    c->lost_ever += c->pending.count;
    c->pending.count = 0;
    day_close(*d);
    *d = NULL;
    enter_trouble(c, e->text, now);
    if (damaged)
        put_aside(c, number, e->text, now);
}

static bool
is_early(int64_t today, struct instant now)
{
    return now.wall_ms - today * CALENDAR_DAY_MS < LATE_MS;
}

/* The file for what happened on that day. What comes later than minutes after
 * midnight goes into today's, so that the day before may be closed. */
static struct day **
slot_for(struct chronicle *c, int64_t at_ms, struct instant now)
{
    int64_t today = calendar_day(now.wall_ms), day = calendar_day(at_ms);

    if (c->days[0] != NULL && day_number(c->days[0]) != today) {
        struct err e;
        if (c->days[1] != NULL &&
            (!day_begin(c->days[1], &e) || !day_commit(c->days[1], &e)))
            log_error(e.text);
        day_close(c->days[1]);
        c->days[1] = c->days[0];
        c->days[0] = NULL;
    }
    size_t i = day < today && is_early(today, now) ? 1 : 0;
    if (c->days[i] == NULL)
        c->days[i] = open_day(c, today - (int64_t)i, now);
    return &c->days[i];
}

/* Others need the disk more: the spool is on it. */
static bool
has_room(struct chronicle *c, struct instant now)
{
    const struct disk *disk = c->setup.disk;

    if (now.mono_ms < c->checked_ms + RETRY_MS)
        return true;
    c->checked_ms = now.mono_ms;
    int64_t free_octets = disk->free_space(disk->self, c->dir);
    if (free_octets < 0 || (uint64_t)free_octets >= c->setup.min_free)
        return true;
    struct buf b = {0};
    buf_addf(&b, "less than %llu MiB are free (journal.min-free)",
             (unsigned long long)(c->setup.min_free >> 20));
    enter_trouble(c, buf_cstr(&b), now);
    buf_fini(&b);
    return false;
}

static bool
may_write(struct chronicle *c, struct instant now)
{
    return now.mono_ms >= c->retry_ms && has_room(c, now);
}

/* ---- events ---------------------------------------------------------------
 */

static bool
write_repeat(struct chronicle *c, const struct journal_event *e,
             struct instant now)
{
    struct err why;
    bool found = false;

    for (size_t i = 0; i < 2 && !found; i++) {
        struct day **d = i == 0 ? slot_for(c, now.wall_ms, now) : &c->days[1];
        if (*d == NULL)
            continue;
        if (!day_begin(*d, &why) || !day_repeat(*d, e, &found, &why)) {
            fail(c, d, &why, now);
            return false;
        }
    }
    return true;
}

static bool
write_event(struct chronicle *c, const struct chronicle_source *s,
            const struct journal_event *e, struct instant now)
{
    struct row r = {.room = s->room, .slot = s->slot, .e = *e};
    struct err why;

    if (e->kind == JOURNAL_REPEATED)
        return write_repeat(c, e, now);
    struct day **d = slot_for(c, e->at_ms, now);
    if (*d == NULL)
        return false;
    if (day_begin(*d, &why) &&
        (e->kind == JOURNAL_DROPPED ? day_gap(*d, e, &why)
                                    : day_add(*d, &r, &why)))
        return true;
    fail(c, d, &why, now);
    return false;
}

static struct source *
source_of(struct chronicle *c, const struct chronicle_source *is)
{
    struct source *s = c->sources;

    while (s != NULL && s->is.incarnation != is->incarnation)
        s = s->next;
    if (s != NULL)
        return s;
    s = alloc_zero(sizeof *s);
    s->is = *is;
    s->upto = 1;
    for (size_t i = 0; i < 2; i++) {
        uint64_t next =
            c->days[i] == NULL ? 0 : day_next(c->days[i], is->incarnation);
        if (next > s->upto)
            s->upto = next;
    }
    s->confirmed = s->upto;
    s->next = c->sources;
    c->sources = s;
    return s;
}

void
chronicle_take(struct chronicle *c, const struct chronicle_source *is,
               const struct journal_msg *m, struct instant now)
{
    struct source *s = source_of(c, is);

    for (size_t i = 0; i < m->n; i++) {
        const struct journal_event *e = &m->events[i];
        if (m->seq + i < s->upto)
            continue;
        if (may_write(c, now) && write_event(c, is, e, now))
            count_event(&c->pending, e);
        else
            lose(c, e);
    }
    if (m->seq + m->n > s->upto)
        s->upto = m->seq + m->n;
    s->dirty = true;
}

uint64_t
chronicle_pending(const struct chronicle *c)
{
    return c->pending.count;
}

/* ---- the transaction ------------------------------------------------------
 */

static bool
write_loss(struct day *d, struct loss *l, struct err *e)
{
    if (l->count == 0 && l->why[0] == '\0')
        return true;
    uint32_t count = l->count > UINT32_MAX ? UINT32_MAX : (uint32_t)l->count;
    return day_gap(d,
                   &(struct journal_event){.kind = JOURNAL_DROPPED,
                                           .at_ms = l->from_ms,
                                           .until_ms = l->until_ms,
                                           .count = count,
                                           .detail = str_from(l->why)},
                   e);
}

static bool
write_sources(struct chronicle *c, struct day *d, struct err *e)
{
    for (const struct source *s = c->sources; s != NULL; s = s->next)
        if (s->dirty && !day_source(d, s->is.incarnation, s->is.room,
                                    s->is.slot, s->upto, e))
            return false;
    return true;
}

static bool
has_losses(const struct chronicle *c)
{
    return c->lost.count > 0 || c->set_aside.why[0] != '\0';
}

/* Losses and sources go with today's. */
static bool
commit_days(struct chronicle *c, struct instant now)
{
    struct day **today = slot_for(c, now.wall_ms, now);
    struct err e;

    if (*today == NULL)
        return false;
    if (!day_begin(*today, &e) || !write_loss(*today, &c->set_aside, &e) ||
        (c->lost.count > 0 && !write_loss(*today, &c->lost, &e)) ||
        !write_sources(c, *today, &e) || !day_commit(*today, &e)) {
        fail(c, today, &e, now);
        return false;
    }
    if (c->days[1] != NULL &&
        (!day_begin(c->days[1], &e) || !day_commit(c->days[1], &e))) {
        fail(c, &c->days[1], &e, now);
        return false;
    }
    return true;
}

void
chronicle_commit(struct chronicle *c, struct instant now)
{
    bool dirty = c->pending.count > 0 || has_losses(c);

    for (const struct source *s = c->sources; s != NULL; s = s->next)
        dirty = dirty || s->dirty;
    if (!dirty)
        return;
    if (may_write(c, now) && commit_days(c, now)) {
        leave_trouble(c);
        c->pending.count = 0;
        c->lost = c->set_aside = (struct loss){0};
    }
    /* Written, or lost and counted: nobody has to tell it again. */
    for (struct source *s = c->sources; s != NULL; s = s->next) {
        s->confirmed = s->upto;
        s->dirty = false;
    }
}

uint64_t
chronicle_confirmed(const struct chronicle *c, uint64_t incarnation)
{
    const struct source *s = c->sources;

    while (s != NULL && s->is.incarnation != incarnation)
        s = s->next;
    return s == NULL ? 0 : s->confirmed;
}

void
chronicle_forget(struct chronicle *c, uint64_t incarnation)
{
    struct source **p = &c->sources;

    while (*p != NULL && (*p)->is.incarnation != incarnation)
        p = &(*p)->next;
    if (*p == NULL)
        return;
    struct source *s = *p;
    *p = s->next;
    free(s);
}

bool
chronicle_owes(const struct chronicle *c)
{
    return has_losses(c);
}

uint64_t
chronicle_lost(const struct chronicle *c)
{
    return c->lost_ever;
}

/* ---- the folder -----------------------------------------------------------
 */

struct sweep {
    const struct chronicle *c;
    int64_t now_ms;
    struct buf past; /* files of days that are over, by "\n" */
};

static void
sweep_one(void *ctx, const char *name)
{
    struct sweep *w = ctx;
    const struct disk *disk = w->c->setup.disk;
    struct str rest = str_from(name);
    int64_t day;

    if (!calendar_take_date(&rest, &day) || !str_starts(rest, STR(".db")))
        return;
    if ((day + 1) * CALENDAR_DAY_MS + w->c->setup.retention_ms <= w->now_ms) {
        if (disk->unlink(disk->self, w->c->dir, name) == 0)
            log_event(LOG_INFO, "journal-deleted",
                      LOG_S("file", str_from(name)), LOG_END);
    } else if (rest.n == 3 && day < calendar_day(w->now_ms)) {
        buf_add(&w->past, str_from(name));
        buf_add_char(&w->past, '\n');
    }
}

static void
on_tidied(void *ctx)
{
    struct chronicle *c = ctx;
    c->tidying = false;
}

/* The day before is written no more: it may be put in order. */
static void
close_yesterday(struct chronicle *c)
{
    struct err e;

    if (c->days[1] != NULL &&
        (!day_begin(c->days[1], &e) || !day_commit(c->days[1], &e)))
        log_error(e.text);
    day_close(c->days[1]);
    c->days[1] = NULL;
}

void
chronicle_tick(struct chronicle *c, struct instant now)
{
    struct sweep w = {.c = c, .now_ms = now.wall_ms};
    int64_t today = calendar_day(now.wall_ms);
    const struct disk *disk = c->setup.disk;

    (void)slot_for(c, now.wall_ms, now);
    (void)disk->list(disk->self, c->dir, sweep_one, &w);
    if (!is_early(today, now) && c->tidied_day != today && !c->tidying &&
        c->setup.executor.submit != NULL) {
        chronicle_commit(c, now);
        close_yesterday(c);
        c->tidied_day = today;
        c->tidying = true; // an executor may be done at once
        tidy_begin(c->setup.executor, buf_str(&c->folder), buf_str(&w.past),
                   on_tidied, c);
    }
    buf_fini(&w.past);
}

void
chronicle_configure(struct chronicle *c, int64_t retention_ms,
                    uint64_t min_free)
{
    c->setup.retention_ms = retention_ms;
    c->setup.min_free = min_free;
}

struct chronicle *
chronicle_new(const struct chronicle_setup *s, struct instant now,
              struct err *e)
{
    struct chronicle *c = alloc_zero(sizeof *c);

    c->setup = *s;
    buf_add(&c->folder, s->folder);
    c->checked_ms = now.mono_ms - RETRY_MS;
    c->dir = os_open_dir(buf_cstr(&c->folder));
    if (c->dir < 0) {
        (void)err_sys(e, "open", buf_cstr(&c->folder));
        buf_fini(&c->folder);
        free(c);
        return NULL;
    }
    /* Who is told what again must be known: the source table. */
    if (is_early(calendar_day(now.wall_ms), now))
        (void)slot_for(c, now.wall_ms - CALENDAR_DAY_MS, now);
    (void)slot_for(c, now.wall_ms, now);
    return c;
}

void
chronicle_free(struct chronicle *c, struct instant now)
{
    if (c == NULL)
        return;
    chronicle_commit(c, now);
    while (c->sources != NULL)
        chronicle_forget(c, c->sources->is.incarnation);
    day_close(c->days[0]);
    day_close(c->days[1]);
    (void)c->setup.disk->close(c->setup.disk->self, c->dir);
    buf_fini(&c->folder);
    free(c);
}
