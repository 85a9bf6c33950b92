/* SPDX-License-Identifier: ISC */
#include "mailbox/batch.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/map.h"
#include "mailbox/content.h"
#include "os/log.h"
#include "spool/reader.h"

enum {
    GROUP_MAX = 128,     /* files that share a wait */
    GROUPS_MAX = 3,      /* some write while others wait for the disk */
    KNOWN_MAX = 1 << 16, /* Maildirs remembered as durable */
};

/* One file to be: a recipient of a job. */
struct letter {
    struct work *work;
    size_t rcpt;    /* of the job */
    int64_t now_ms; /* wall clock, for Delivery-date */
    const struct disk *disk;
    struct content content;
    struct spool_reader reader;
    bool open;
};

struct group {
    struct task task;
    struct batches *batches;
    struct arena arena;
    struct maildir_item items[GROUP_MAX];
    struct letter letters[GROUP_MAX];
    size_t n;
};

struct batches {
    struct room *room;
    struct jobs *jobs;
    struct maildir maildir;
    struct executor executor;
    struct work **waiting; /* jobs that no group has begun, in order */
    size_t first, n, cap;
    size_t running;
    struct map known; /* Maildirs whose folders are durable */
    bool stopped;
};

static void start_groups(void *ctx);

struct batches *
batches_new(struct room *r, const struct maildir *m)
{
    struct batches *d = alloc_zero(sizeof *d);

    d->room = r;
    d->maildir = *m;
    d->executor = loop_executor(r->loop);
    loop_at_turn_end(r->loop, start_groups, d);
    return d;
}

void
batches_use(struct batches *d, struct jobs *j)
{
    d->jobs = j;
}

/* A target that this room cannot write to: a domain's `deliver` is wrong. */
static void
refuse(struct batches *d, struct work *w)
{
    log_event(LOG_ERROR, "bad-target", LOG_S("target", w->msg.destination),
              LOG_END);
    for (size_t i = 0; i < w->msg.n_rcpts; i++)
        w->msg.rcpts[i].verdict = (struct verdict){
            .outcome = OUTCOME_LATER,
            .status = {4, 3, 5},
            .reason = STR("mailbox-trouble"),
            .text = STR("The mailbox is set up wrongly."),
        };
    jobs_done(d->jobs, w);
}

void
batches_take(void *ctx, struct work *w)
{
    struct batches *d = ctx;
    struct str path;

    if (d->stopped) {
        jobs_done(d->jobs, w);
        return;
    }
    if (!maildir_target(w->msg.destination, &path) ||
        w->msg.n_rcpts > GROUP_MAX) {
        refuse(d, w);
        return;
    }
    if (d->n == d->cap) {
        d->cap = d->cap * 2 + GROUP_MAX;
        d->waiting = alloc_resize(d->waiting, d->cap * sizeof(struct work *));
    }
    d->waiting[d->n++] = w;
}

/* ---- on a thread --------------------------------------------------------- */

/* The next piece of the file, header fields of ours first. */
static bool
read_piece(void *ctx, struct buf *to, bool *end, struct err *e)
{
    struct letter *x = ctx;
    const struct job_msg *m = &x->work->msg;
    struct str bytes;

    if (!x->open) {
        struct content_facts facts = {
            .sender = m->sender,
            .recipient = m->rcpts[x->rcpt].address,
            .now_ms = x->now_ms,
            .binary = m->body == BODY_BINARYMIME,
        };
        if (!spool_reader_open(&x->reader, x->disk, x->work->segment_fd,
                               x->work->large_fd, m->id, &m->at, e))
            return false;
        x->open = true;
        content_begin(&x->content, &facts, to);
    }
    if (!spool_reader_next(&x->reader, &bytes, e))
        return false;
    content_feed(&x->content, bytes, to);
    *end = bytes.n == 0;
    if (*end)
        content_end(&x->content, to);
    return true;
}

static void
run_group(struct task *task)
{
    struct group *g = (struct group *)task;

    maildir_deliver(&g->batches->maildir, g->items, g->n);
    for (size_t i = 0; i < g->n; i++)
        if (g->letters[i].open)
            spool_reader_close(&g->letters[i].reader);
}

/* ---- on the loop --------------------------------------------------------- */

static void
note_known(struct batches *d, const struct maildir_item *x)
{
    if (x->known)
        return;
    if (d->known.count >= KNOWN_MAX)
        map_fini(&d->known);
    (void)map_put(&d->known, x->path, d);
}

static void
group_done(struct task *task)
{
    struct group *g = (struct group *)task;
    struct batches *d = g->batches;

    d->running--;
    for (size_t i = 0; i < g->n; i++) {
        struct maildir_item *x = &g->items[i];
        struct letter *l = &g->letters[i];
        l->work->msg.rcpts[l->rcpt].verdict = x->verdict;
        if (x->verdict.outcome == OUTCOME_DELIVERED)
            note_known(d, x);
        else
            log_event(LOG_WARNING, "mailbox-trouble", LOG_S("path", x->path),
                      LOG_S("error", str_from(x->err.text)), LOG_END);
        /* The recipients of a job lie side by side. */
        if (i + 1 == g->n || g->letters[i + 1].work != l->work)
            jobs_done(d->jobs, l->work);
    }
    arena_fini(&g->arena);
    free(g);
}

static void
add_rcpt(struct group *g, struct work *w, size_t rcpt, struct str path)
{
    struct batches *d = g->batches;
    struct letter *l = &g->letters[g->n];
    struct maildir_item *x = &g->items[g->n++];
    char id[MSGID_TEXT];

    l->work = w;
    l->rcpt = rcpt;
    l->now_ms = loop_now(d->room->loop).wall_ms;
    l->disk = d->maildir.disk;
    x->path = path;
    x->name =
        maildir_name(&g->arena, w->msg.arrived_ms, msgid_format(w->msg.id, id),
                     w->msg.rcpts[rcpt].index, d->room->conf->hostname);
    x->known = map_get(&d->known, path) != NULL;
    x->repeated = w->repeated;
    x->read = read_piece;
    x->ctx = l;
}

static void
start_group(struct batches *d)
{
    struct group *g = alloc_zero(sizeof *g);

    g->batches = d;
    g->task = (struct task){.run = run_group, .done = group_done};
    while (d->first < d->n &&
           g->n + d->waiting[d->first]->msg.n_rcpts <= GROUP_MAX) {
        struct work *w = d->waiting[d->first++];
        struct str path;
        (void)maildir_target(w->msg.destination, &path);
        for (size_t i = 0; i < w->msg.n_rcpts; i++)
            add_rcpt(g, w, i, path);
    }
    if (d->first == d->n)
        d->first = d->n = 0;
    d->running++;
    d->executor.submit(d->executor.ctx, LANE_FILE, &g->task);
}

static void
start_groups(void *ctx)
{
    struct batches *d = ctx;
    while (d->first < d->n && d->running < GROUPS_MAX)
        start_group(d);
}

void
batches_stop(struct batches *d)
{
    d->stopped = true;
    while (d->first < d->n)
        jobs_done(d->jobs, d->waiting[d->first++]);
    d->first = d->n = 0;
}
