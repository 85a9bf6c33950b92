/* SPDX-License-Identifier: ISC */
/*
 * The queue's side of large files: made empty and ahead of need, their names
 * durable before they are handed out, unlinked when the ledger has the end of
 * their message for good. A number is never used twice, so that who still has
 * one open goes on reading what he was given.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "spool/store_internal.h"

static void
large_name(char out[STORE_NAME], uint64_t number)
{
    (void)snprintf(out, STORE_NAME, "large-%llu", (unsigned long long)number);
}

static struct str
key_of(const uint64_t *number)
{
    return str_from_n(number, sizeof *number);
}

struct store_large *
larges_find(const struct log_store *s, uint64_t number)
{
    return map_get(&s->larges, key_of(&number));
}

static void
add_large(struct log_store *s, uint64_t number, uint64_t writer)
{
    struct store_large *l = alloc_zero(sizeof *l);
    *l = (struct store_large){.number = number, .writer = writer};
    (void)map_put(&s->larges, key_of(&number), l);
}

void
larges_found(struct log_store *s, uint64_t number)
{
    add_large(s, number, 0);
}

void
larges_used(struct log_store *s, uint64_t number)
{
    struct store_large *l = map_remove(&s->larges, key_of(&number));
    if (l == NULL)
        return;
    struct store_writer *w = writer_find(s, l->writer);
    if (w != NULL)
        w->larges--;
    free(l);
}

void
larges_doom(struct log_store *s, uint64_t number)
{
    struct store_large *l = alloc_zero(sizeof *l);
    *l = (struct store_large){
        .next = s->doomed, .number = number, .ready = s->ledger.added};
    s->doomed = l;
}

bool
spool_log_store_large_free(struct spool_store *base, uint64_t writer,
                           uint64_t large)
{
    struct log_store *s = store_of(base);
    const struct store_large *l = larges_find(s, large);
    if (l == NULL || l->writer != writer || writer == 0)
        return false;
    larges_used(s, large);
    larges_doom(s, large);
    return true;
}

void
larges_bury(struct log_store *s, uint64_t writer)
{
    struct str key;
    void *value;
    for (size_t i = 0; map_next(&s->larges, &i, &key, &value);) {
        uint64_t number = ((struct store_large *)value)->number;
        if (((struct store_large *)value)->writer != writer)
            continue;
        larges_used(s, number);
        larges_doom(s, number);
    }
}

/* ---- tasks --------------------------------------------------------------- */

struct large_task {
    struct task task; /* must be first */
    struct log_store *store;
    uint64_t writer; /* 0: unlink them, else make them */
    uint64_t *numbers;
    int *fds;
    size_t n;
    bool ok;
    struct err error;
};

static void
unlink_all(struct large_task *x)
{
    const struct disk *disk = x->store->setup.disk;
    char name[STORE_NAME];
    for (size_t i = 0; i < x->n; i++) {
        large_name(name, x->numbers[i]);
        (void)disk->unlink(disk->self, x->store->setup.dir, name);
    }
}

static bool
create_all(struct large_task *x)
{
    const struct disk *disk = x->store->setup.disk;
    char name[STORE_NAME];
    for (size_t i = 0; i < x->n; i++) {
        large_name(name, x->numbers[i]);
        x->fds[i] = disk->open(disk->self, x->store->setup.dir, name,
                               DISK_WRITE | DISK_CREATE | DISK_EXCLUSIVE);
        if (x->fds[i] < 0)
            return err_sys(&x->error, "create", name);
    }
    return disk->sync(disk->self, x->store->setup.dir) == 0 ||
           err_sys(&x->error, "sync", "spool folder");
}

static void
run(struct task *task)
{
    struct large_task *x = (struct large_task *)task;
    if (x->writer != 0)
        x->ok = create_all(x);
    if (x->writer == 0 || !x->ok)
        unlink_all(x);
}

static void
done(struct task *task)
{
    struct large_task *x = (struct large_task *)task;
    struct log_store *s = x->store;
    const struct disk *disk = s->setup.disk;
    struct store_writer *w = writer_find(s, x->writer);

    s->tasks--;
    if (x->writer != 0) {
        s->supplying_larges = false;
        if (!x->ok) {
            store_trouble(s, &x->error);
            s->make_again = s->now.mono_ms + STORE_RETRY_MS;
        }
    }
    for (size_t i = 0; x->writer != 0 && i < x->n; i++) {
        if (x->ok && w != NULL && !w->dead) {
            add_large(s, x->numbers[i], x->writer);
            w->larges++;
            s->setup.on_large(s->setup.ctx, x->writer, x->numbers[i],
                              x->fds[i]);
        } else if (x->ok) {
            larges_doom(s, x->numbers[i]);
        }
        if (x->fds[i] >= 0)
            (void)disk->close(disk->self, x->fds[i]);
    }
    free(x->numbers);
    free(x->fds);
    free(x);
}

static struct large_task *
new_task(struct log_store *s, uint64_t writer, size_t n)
{
    struct large_task *x = alloc_zero(sizeof *x);
    *x = (struct large_task){
        .task = {run, done},
        .store = s,
        .writer = writer,
        .numbers = alloc_array(n, sizeof *x->numbers),
        .fds = alloc_array(n, sizeof *x->fds)
    };
    for (size_t i = 0; i < n; i++)
        x->fds[i] = -1;
    return x;
}

static void
supply(struct log_store *s, struct store_writer *w)
{
    size_t want = w->notices ? STORE_LARGES_NOTICES : STORE_LARGES;
    if (w->larges > want / 2)
        return;
    struct large_task *x = new_task(s, w->number, want - w->larges);
    while (x->n < want - w->larges && (x->numbers[x->n] = numbers_take(s)) != 0)
        x->n++;
    s->supplying_larges = true;
    store_submit(s, LANE_FILE, &x->task);
}

void
larges_turn(struct log_store *s)
{
    size_t n = 0;
    for (const struct store_large *l = s->doomed; l != NULL; l = l->next) {
        n += l->ready <= s->ledger.durable;
        s->ledger.urgent |= l->ready > s->ledger.durable;
    }
    if (n > 0) {
        struct large_task *x = new_task(s, 0, n);
        for (struct store_large **at = &s->doomed; *at != NULL;) {
            struct store_large *l = *at;
            if (l->ready > s->ledger.durable) {
                at = &l->next;
                continue;
            }
            x->numbers[x->n++] = l->number;
            *at = l->next;
            free(l);
        }
        store_submit(s, LANE_FILE, &x->task);
    }
    for (struct store_writer *w = s->writers; w != NULL; w = w->next)
        if (w->supplied && !w->dead && !s->supplying_larges &&
            s->now.mono_ms >= s->make_again)
            supply(s, w);
}

int
spool_log_store_large(struct spool_store *base, uint64_t large)
{
    struct log_store *s = store_of(base);
    char name[STORE_NAME];
    large_name(name, large);
    return s->setup.disk->open(s->setup.disk->self, s->setup.dir, name,
                               DISK_READ);
}
