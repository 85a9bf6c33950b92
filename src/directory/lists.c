/* SPDX-License-Identifier: ISC */
#include "directory/lists.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "conf/value.h"
#include "directory/listfile.h"
#include "os/disk.h"
#include "os/log.h"

enum { POLL_MS = 500, SETTLE_MS = 250 };

/* One that the config names as a file. It outlives its place in the config
 * while its job runs. */
struct list {
    struct listfile job; /* first: the task's */
    struct lists *all;   /* NULL: gone while the job runs */
    struct buf path;
    bool busy;     /* the job is with the pool */
    bool retired;  /* no longer in the config */
    bool settled;  /* readers know what is with it */
    int fd;        /* in force; -1: none */
    char why[400]; /* what it could not be read for, as said in the log */
};

struct lists {
    struct loop *loop;
    struct publisher *publisher;
    int folder;
    struct list *list[LIST_COUNT]; /* NULL: none, or in a database */
    bool busy[LIST_COUNT]; /* a job of that name, maybe of a retired list: two
                              would write one file */
    struct timer *poll;
};

static void on_looked(struct task *task);

static void
close_fd(int fd)
{
    if (fd >= 0)
        (void)os_disk()->close(os_disk()->self, fd);
}

static void
free_list(struct list *l)
{
    close_fd(l->fd);
    buf_fini(&l->path);
    arena_fini(&l->job.arena);
    free(l);
}

static void
look(struct list *l)
{
    struct executor pool = loop_executor(l->all->loop);

    if (l->all->busy[l->job.list])
        return; // the next poll comes back to it
    l->all->busy[l->job.list] = l->busy = true;
    l->job.wall_ms = loop_now(l->all->loop).wall_ms;
    pool.submit(pool.ctx, LANE_FILE, &l->job.task);
}

/* ---- what came of it --------------------------------------------------- */

static void
log_lines(const struct list *l)
{
    const struct listfile *job = &l->job;

    for (size_t i = 0; i < job->n_warnings; i++)
        log_event(LOG_WARNING, "list-line-skipped",
                  LOG_S("list", list_name(job->list)),
                  LOG_S("error", job->warnings[i]), LOG_END);
}

static void
log_fresh(const struct list *l)
{
    const struct listfile *job = &l->job;

    log_event(LOG_INFO, job->compiled ? "list-compiled" : "list-loaded",
              LOG_S("list", list_name(job->list)),
              LOG_S("file", str_from(job->path)),
              LOG_N("entries", (int64_t)job->entries),
              LOG_N("skipped", (int64_t)job->bad), LOG_END);
}

static void
log_failed(struct list *l)
{
    struct listfile *job = &l->job;

    if (strcmp(l->why, job->err.text) == 0)
        return;
    memcpy(l->why, job->err.text, sizeof l->why);
    log_event(LOG_ERROR, "list-unreadable", LOG_S("list", list_name(job->list)),
              LOG_S("error", str_from(job->err.text)),
              LOG_S("now", job->have ? STR("the last good version stays in "
                                           "force")
                                     : STR("what it decides is answered with "
                                           "a temporary refusal")),
              LOG_END);
}

/* fd -1: there was none, and there is none. */
static void
put_in_force(struct list *l, int fd)
{
    if (fd >= 0) {
        close_fd(l->fd);
        l->fd = fd;
    } else if (l->settled) {
        return;
    }
    l->settled = true;
    publisher_list(l->all->publisher, l->job.list, l->fd);
}

static void
on_looked(struct task *task)
{
    struct list *l = (struct list *)task;
    struct listfile *job = &l->job;

    l->busy = false;
    if (l->all != NULL)
        l->all->busy[job->list] = false;
    if (l->retired) {
        close_fd(job->fd);
        free_list(l);
        return;
    }
    assert(l->all != NULL); // or it is retired
    if (job->result == LISTFILE_SAME)
        return;
    if (job->result == LISTFILE_UNSETTLED) {
        timer_set(l->all->poll, loop_now(l->all->loop).mono_ms + SETTLE_MS);
        return;
    }
    if (job->result == LISTFILE_FRESH) {
        log_lines(l);
        log_fresh(l);
        l->why[0] = '\0';
    } else {
        log_failed(l);
    }
    put_in_force(l, job->fd);
}

static void
on_poll(void *ctx)
{
    struct lists *s = ctx;

    timer_set(s->poll, loop_now(s->loop).mono_ms + POLL_MS);
    for (size_t i = 0; i < LIST_COUNT; i++)
        if (s->list[i] != NULL)
            look(s->list[i]);
}

/* ---- which there are --------------------------------------------------- */

static void
add(struct lists *s, enum list_id id, struct str path)
{
    struct list *l = alloc_zero(sizeof *l);

    l->all = s;
    buf_add(&l->path, path);
    l->fd = -1;
    l->job.task = (struct task){listfile_run, on_looked};
    l->job.list = id;
    l->job.path = buf_cstr(&l->path);
    l->job.folder = s->folder;
    s->list[id] = l;
    look(l);
}

static void
retire(struct lists *s, enum list_id id)
{
    struct list *l = s->list[id];

    s->list[id] = NULL;
    l->retired = true;
    if (!l->busy)
        free_list(l);
}

void
lists_configure(struct lists *s, const struct conf *conf)
{
    struct str paths[LIST_COUNT];
    struct conf_list l;
    struct value_source source;
    bool any = false;

    for (size_t i = 0; i < LIST_COUNT; i++)
        paths[i] = STR_EMPTY;
    for (size_t i = 0; conf_list_at(conf, i, &l); i++)
        if (value_source(l.source, &source) && source.kind == SOURCE_FILE)
            paths[l.id] = source.place;
    for (unsigned i = 0; i < LIST_COUNT; i++) {
        enum list_id id = (enum list_id)i;
        if (s->list[id] != NULL &&
            !str_eq(buf_str(&s->list[id]->path), paths[id]))
            retire(s, id);
        if (s->list[id] == NULL && paths[id].n > 0)
            add(s, id, paths[id]);
        any = any || s->list[id] != NULL;
    }
    if (any)
        timer_set(s->poll, loop_now(s->loop).mono_ms + POLL_MS);
    else
        timer_clear(s->poll);
}

void
lists_introduce(struct lists *s, struct reader *r)
{
    for (size_t i = 0; i < LIST_COUNT; i++) {
        const struct list *l = s->list[i];
        if (l != NULL && l->settled)
            publisher_list_again(s->publisher, r, l->job.list, l->fd);
    }
}

struct lists *
lists_new(struct loop *l, struct publisher *p, int folder)
{
    struct lists *s = alloc_zero(sizeof *s);

    s->loop = l;
    s->publisher = p;
    s->folder = folder;
    s->poll = timer_new(l, on_poll, s);
    return s;
}

void
lists_free(struct lists *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < LIST_COUNT; i++)
        if (s->list[i] != NULL) {
            s->list[i]->all = s->list[i]->busy ? NULL : s;
            retire(s, (enum list_id)i);
        }
    timer_free(s->poll);
    close_fd(s->folder);
    free(s);
}
