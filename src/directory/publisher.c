/* SPDX-License-Identifier: ISC */
#include "directory/publisher.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "directory/compile.h"
#include "ipc/bookpipe.h"
#include "os/disk.h"
#include "os/log.h"

enum {
    POLL_MS = 1000,
    AT_ONCE_MAX = 1000, /* changes read in one go that go out one by one */
    LIST_MAX = 10000,   /* changes since the snapshot, before a new one */
    LIST_QUIET = 256,   /* so many are worth a new one in a quiet moment */
    QUIET_MS = 10 * 1000,
    RETRY_MS = 10 * 1000 /* after a snapshot that could not be made */
};

/* One change since the snapshot, as the frame that says it. */
struct change {
    uint64_t version;
    char *frame;
    size_t n;
};

struct publisher {
    struct loop *loop;
    struct accounts *accounts;
    struct hosting *hosting;
    const char *database;
    int folder;
    publisher_fn on_published; /* NULL once called */
    void *ctx;

    struct timer *poll;
    int64_t data_version;
    int64_t seen; /* of the database's log */

    uint64_t version; /* of the last change published or compiled */
    int snapshot;     /* -1: none yet */
    uint64_t snapshot_version;
    struct change *changes; /* since the snapshot, in order of version */
    size_t n_changes, room;
    int64_t last_change_ms; /* mono */

    struct compile job;
    bool compiling;
    uint64_t job_version;
    bool again;       /* another is due as soon as this one is done */
    int64_t retry_ms; /* mono; 0: no retry is due */

    struct readers *readers;
};

/* r NULL: to all. */
static void
send_snapshot(const struct publisher *p, struct reader *r)
{
    struct buf frame = {0};

    book_msg_encode(&frame, &(struct book_msg){.type = BOOK_SNAPSHOT,
                                               .version = p->snapshot_version});
    if (r == NULL)
        readers_send(p->readers, buf_str(&frame), p->snapshot);
    else
        reader_send(r, buf_str(&frame), p->snapshot);
    buf_fini(&frame);
}

static void
start_compile(struct publisher *p)
{
    struct executor pool = loop_executor(p->loop);

    if (p->compiling) {
        p->again = true;
        return;
    }
    p->compiling = true;
    p->again = false;
    p->retry_ms = 0;
    p->job_version = p->version;
    hosting_copy(&p->job.hosting, p->hosting);
    p->job.seen = p->seen;
    pool.submit(pool.ctx, LANE_FILE, &p->job.task);
}

/* Changes up to the snapshot's version are in it. */
static void
drop_changes(struct publisher *p)
{
    size_t n = 0;

    while (n < p->n_changes && p->changes[n].version <= p->snapshot_version)
        free(p->changes[n++].frame);
    p->n_changes -= n;
    if (n > 0 && p->n_changes > 0)
        memmove(p->changes, p->changes + n, p->n_changes * sizeof *p->changes);
}

static void
published(struct publisher *p, const char *why)
{
    publisher_fn fn = p->on_published;
    p->on_published = NULL;
    if (fn != NULL)
        fn(p->ctx, why);
}

/* r NULL: to all. */
static void
send_changes(const struct publisher *p, struct reader *r)
{
    for (size_t i = 0; i < p->n_changes; i++) {
        struct str frame = str_from_n(p->changes[i].frame, p->changes[i].n);
        if (r == NULL)
            readers_send(p->readers, frame, -1);
        else
            reader_send(r, frame, -1);
    }
}

static void
take_snapshot(struct publisher *p)
{
    bool first = p->snapshot < 0;

    if (!first)
        (void)os_disk()->close(os_disk()->self, p->snapshot);
    p->snapshot = p->job.fd;
    p->snapshot_version = p->job_version;
    drop_changes(p);
    send_snapshot(p, NULL);
    if (first) // until now changes were only gathered
        send_changes(p, NULL);
    log_event(LOG_INFO, "book-compiled",
              LOG_N("records", (int64_t)p->job.records),
              LOG_N("version", (int64_t)p->snapshot_version), LOG_END);
    published(p, NULL);
    readers_published(p->readers);
}

static void
on_compiled(struct task *task)
{
    struct compile *job = (struct compile *)task;
    struct publisher *p =
        (struct publisher *)((char *)job - offsetof(struct publisher, job));

    p->compiling = false;
    hosting_fini(&job->hosting);
    if (job->fd >= 0) {
        take_snapshot(p);
        if (p->again)
            start_compile(p);
    } else {
        log_error(job->err.text);
        p->retry_ms = loop_now(p->loop).mono_ms + RETRY_MS;
        published(p, job->err.text);
    }
}

/* Takes over the frame. */
static void
note_change(struct publisher *p, struct buf *frame)
{
    if (p->n_changes == p->room) {
        p->room = p->room == 0 ? 64 : p->room * 2;
        p->changes = alloc_resize(p->changes, p->room * sizeof *p->changes);
    }
    p->changes[p->n_changes++] =
        (struct change){p->version, frame->p, frame->n};
    p->last_change_ms = loop_now(p->loop).mono_ms;
}

static bool
publish_key(struct publisher *p, struct str key, struct err *e)
{
    struct buf value = {0}, frame = {0};

    if (!hosting_value(p->hosting, p->accounts, key, &value, e)) {
        buf_fini(&value);
        return false;
    }
    p->version++;
    book_msg_encode(&frame, &(struct book_msg){.type = BOOK_CHANGE,
                                               .version = p->version,
                                               .key = key,
                                               .value = buf_str(&value)});
    if (p->snapshot >= 0)
        readers_send(p->readers, buf_str(&frame), -1);
    note_change(p, &frame);
    buf_fini(&value);
    return true;
}

/* Keys that changed, gathered before any is looked up. */
struct keys {
    struct arena arena;
    struct str list[AT_ONCE_MAX + 1];
    size_t n;
    int64_t last;
};

static void
on_key(void *ctx, struct str key)
{
    struct keys *k = ctx;
    if (k->n <= AT_ONCE_MAX)
        k->list[k->n++] = arena_dup(&k->arena, key);
}

static void
on_logged_key(void *ctx, int64_t seq, struct str key)
{
    ((struct keys *)ctx)->last = seq;
    on_key(ctx, key);
}

static bool
publish_keys(struct publisher *p, const struct keys *k, struct err *e)
{
    for (size_t i = 0; i < k->n; i++)
        if (!publish_key(p, k->list[i], e))
            return false;
    if (p->n_changes > LIST_MAX && !p->compiling)
        start_compile(p);
    return true;
}

/* So many changes that a snapshot says it better. It counts as one change, so
 * that a sync waits for it. */
static bool
publish_all(struct publisher *p, struct err *e)
{
    if (!accounts_last_change(p->accounts, &p->seen, e))
        return false;
    p->version++;
    start_compile(p);
    return true;
}

/* Publishes what the database's log has had since we last looked. */
static bool
catch_up(struct publisher *p, struct err *e)
{
    struct keys *k = alloc_zero(sizeof *k);
    bool ok;

    k->last = p->seen;
    ok = accounts_changes(p->accounts, p->seen, AT_ONCE_MAX + 1, on_logged_key,
                          k, e);
    if (ok && k->n > AT_ONCE_MAX) {
        ok = publish_all(p, e);
    } else if (ok && k->n > 0) {
        ok = publish_keys(p, k, e);
        if (ok)
            p->seen = k->last;
    }
    arena_fini(&k->arena);
    free(k);
    return ok;
}

static void
catch_up_logged(struct publisher *p)
{
    struct err e;
    if (!catch_up(p, &e))
        log_error(e.text);
}

static bool
compile_is_due(const struct publisher *p, int64_t now_ms)
{
    if (p->compiling)
        return false;
    if (p->retry_ms != 0)
        return now_ms >= p->retry_ms;
    return p->n_changes >= LIST_QUIET && now_ms - p->last_change_ms >= QUIET_MS;
}

static void
on_poll(void *ctx)
{
    struct publisher *p = ctx;
    int64_t now_ms = loop_now(p->loop).mono_ms, version;
    struct err e;

    timer_set(p->poll, now_ms + POLL_MS);
    if (!accounts_data_version(p->accounts, &version, &e)) {
        log_error(e.text);
    } else if (version != p->data_version) {
        p->data_version = version;
        catch_up_logged(p);
    }
    if (compile_is_due(p, now_ms))
        start_compile(p);
}

struct publisher *
publisher_new(struct loop *l, struct accounts *a, struct hosting *hosting,
              const char *database, int folder, publisher_fn on_published,
              void *ctx)
{
    struct publisher *p = alloc_zero(sizeof *p);

    p->loop = l;
    p->readers = readers_new(l);
    p->accounts = a;
    p->hosting = hosting;
    p->database = database;
    p->folder = folder;
    p->on_published = on_published;
    p->ctx = ctx;
    p->snapshot = -1;
    p->version = 1; // so that a reader's "nothing yet", 0, is behind
    p->job = (struct compile){
        .task = {compile_run, on_compiled},
        .database = database,
        .folder = folder
    };
    p->poll = timer_new(l, on_poll, p);
    return p;
}

void
publisher_start(struct publisher *p)
{
    struct err e;

    if (!accounts_data_version(p->accounts, &p->data_version, &e) ||
        !accounts_last_change(p->accounts, &p->seen, &e)) {
        published(p, e.text);
        return;
    }
    start_compile(p);
    timer_set(p->poll, loop_now(p->loop).mono_ms + POLL_MS);
}

struct reader *
publisher_attach(struct publisher *p, int fd)
{
    struct reader *r = readers_attach(p->readers, fd);

    if (p->snapshot >= 0) { // else it gets the first one with all others
        send_snapshot(p, r);
        send_changes(p, r);
    }
    return r;
}

/* r NULL: to all. A version beyond the book's acknowledges what came with it;
 * before there is a book nothing counts. */
static void
send_list(const struct publisher *p, struct reader *r, enum list_id list,
          int fd)
{
    struct buf frame = {0};

    book_msg_encode(
        &frame, &(struct book_msg){.type = BOOK_LIST,
                                   .version = p->snapshot < 0 ? 0 : p->version,
                                   .key = list_name(list)});
    if (r == NULL)
        readers_send(p->readers, buf_str(&frame), fd);
    else
        reader_send(r, buf_str(&frame), fd);
    buf_fini(&frame);
}

void
publisher_list(struct publisher *p, enum list_id list, int fd)
{
    if (p->snapshot >= 0)
        p->version++;
    send_list(p, NULL, list, fd);
}

void
publisher_list_again(struct publisher *p, struct reader *r, enum list_id list,
                     int fd)
{
    send_list(p, r, list, fd);
}

void
publisher_reload(struct publisher *p, const struct conf *conf)
{
    struct hosting before = *p->hosting;
    struct keys *k = alloc_zero(sizeof *k);
    struct err e;
    bool ok;

    hosting_init(p->hosting, conf);
    ok = hosting_differences(&before, p->hosting, p->accounts, on_key, k, &e);
    if (ok)
        ok = k->n > AT_ONCE_MAX ? publish_all(p, &e) : publish_keys(p, k, &e);
    if (!ok) {
        log_error(e.text);
        p->version++;
        start_compile(p);
    }
    hosting_fini(&before);
    arena_fini(&k->arena);
    free(k);
}

void
publisher_sync(struct publisher *p, struct readers_wait *w)
{
    catch_up_logged(p);
    w->version = p->version;
    readers_wait(p->readers, w);
}

void
publisher_cancel(struct publisher *p, struct readers_wait *w)
{
    readers_cancel(p->readers, w);
}

void
publisher_free(struct publisher *p)
{
    if (p == NULL)
        return;
    readers_free(p->readers);
    for (size_t i = 0; i < p->n_changes; i++)
        free(p->changes[i].frame);
    free(p->changes);
    timer_free(p->poll);
    if (p->snapshot >= 0)
        (void)os_disk()->close(os_disk()->self, p->snapshot);
    (void)os_disk()->close(os_disk()->self, p->folder);
    free(p);
}
