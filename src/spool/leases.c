/* SPDX-License-Identifier: ISC */
/*
 * What workers have in hand, in a small file that is written at the end of
 * each turn and never synced: it need not survive power loss, only the death
 * of the queue.
 * A message that was in hand then, and with which no worker comes back, counts
 * one crash when it is claimed again.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/wire.h"
#include "spool/io.h"
#include "spool/store_internal.h"

enum {
    SLOT = 24, /* u64 writer, u64 seq, u64 sum */
    PER_PAGE = 170,
    PAGE = 4096,
    FILE_MAX = 16 << 20,
};

struct store_leases {
    int fd;
    struct msgid *slots; /* writer and seq 0: free */
    size_t n, cap;
    uint32_t *free; /* numbers of free slots, used from the end */
    size_t n_free, cap_free;
    bool *dirty; /* one for each page */
    size_t n_pages;
    bool any_dirty, broken;
    struct map taken; /* id -> slot number + 1 */
    struct map doubt; /* id -> itself */
};

static struct str
key_of(const struct msgid *id)
{
    return str_from_n(id, sizeof *id);
}

static void
read_doubt(struct log_store *s, struct store_leases *l, int64_t size)
{
    struct buf b = {0};
    struct err e;
    size_t n = size < FILE_MAX ? (size_t)size : FILE_MAX;

    if (n == 0 ||
        !io_read(s->setup.disk, l->fd, buf_reserve(&b, n), n, 0, "leases", &e))
        n = 0;
    b.n = n;
    for (size_t page = 0; page < n; page += PAGE)
        for (size_t at = page;
             at + SLOT <= n && at < page + (size_t)PER_PAGE * SLOT;
             at += SLOT) {
            struct wire in = wire_from(str_from_n(b.p + at, SLOT));
            struct msgid id;
            id.writer = wire_u64(&in);
            id.seq = wire_u64(&in);
            if (wire_u64(&in) == format_sum(str_from_n(b.p + at, 16)) &&
                id.writer != 0)
                (void)map_put(&l->doubt, key_of(&id), l);
        }
    buf_fini(&b);
}

bool
leases_open(struct log_store *s, struct err *e)
{
    const struct disk *disk = s->setup.disk;
    struct store_leases *l = alloc_zero(sizeof *l);

    l->fd = disk->open(disk->self, s->setup.dir, "leases",
                       DISK_WRITE | DISK_CREATE);
    if (l->fd < 0) {
        free(l);
        return err_sys(e, "open", "leases");
    }
    s->leases = l;
    read_doubt(s, l, disk->size(disk->self, l->fd));
    if (disk->truncate(disk->self, l->fd, 0) != 0)
        return err_sys(e, "truncate", "leases");
    return true;
}

bool
leases_in_doubt(const struct log_store *s, struct msgid id)
{
    return !s->recovered && map_get(&s->leases->doubt, key_of(&id)) != NULL;
}

void
leases_recovered(struct log_store *s)
{
    map_fini(&s->leases->doubt);
}

static void
touch(struct store_leases *l, size_t slot)
{
    size_t page = slot / PER_PAGE;
    if (page >= l->n_pages) {
        size_t n = page + 16;
        l->dirty = alloc_resize(l->dirty, n * sizeof *l->dirty);
        for (size_t i = l->n_pages; i < n; i++)
            l->dirty[i] = false;
        l->n_pages = n;
    }
    l->dirty[page] = true;
    l->any_dirty = true;
}

static size_t
take_slot(struct store_leases *l)
{
    if (l->n_free > 0)
        return l->free[--l->n_free];
    if (l->n == l->cap) {
        l->cap = l->cap * 2 + 1024;
        l->slots = alloc_resize(l->slots, l->cap * sizeof *l->slots);
    }
    return l->n++;
}

void
leases_take(struct log_store *s, struct msgid id)
{
    struct store_leases *l = s->leases;
    if (map_get(&l->taken, key_of(&id)) != NULL)
        return;
    size_t slot = take_slot(l);
    l->slots[slot] = id;
    (void)map_put(&l->taken, key_of(&id), (char *)l + slot + 1);
    touch(l, slot);
}

void
leases_drop(struct log_store *s, struct msgid id)
{
    struct store_leases *l = s->leases;
    char *value = map_remove(&l->taken, key_of(&id));
    if (value == NULL)
        return;
    size_t slot = (size_t)(value - (char *)l) - 1;
    l->slots[slot] = (struct msgid){0, 0};
    if (l->n_free == l->cap_free) {
        l->cap_free = l->cap_free * 2 + 1024;
        l->free = alloc_resize(l->free, l->cap_free * sizeof *l->free);
    }
    l->free[l->n_free++] = (uint32_t)slot;
    touch(l, slot);
}

static void
write_page(struct log_store *s, struct store_leases *l, size_t page)
{
    struct buf b = {0};
    struct err e;
    for (size_t i = page * PER_PAGE; i < (page + 1) * PER_PAGE; i++) {
        struct msgid id = i < l->n ? l->slots[i] : (struct msgid){0, 0};
        size_t at = b.n;
        wire_add_u64(&b, id.writer);
        wire_add_u64(&b, id.seq);
        wire_add_u64(&b,
                     id.writer == 0 ? 0 : format_sum(str_from_n(b.p + at, 16)));
    }
    struct iovec part = {b.p, b.n};
    // Without it a crash is not counted; nothing else depends on it.
    if (!io_write(s->setup.disk, l->fd, &part, 1, page * PAGE, "leases", &e)) {
        l->broken = true;
        store_trouble(s, &e);
    }
    buf_fini(&b);
}

void
leases_turn(struct log_store *s)
{
    struct store_leases *l = s->leases;
    if (!l->any_dirty || l->broken)
        return;
    for (size_t i = 0; i < l->n_pages && !l->broken; i++)
        if (l->dirty[i]) {
            write_page(s, l, i);
            l->dirty[i] = false;
        }
    l->any_dirty = false;
}

void
leases_close(struct log_store *s)
{
    const struct disk *disk = s->setup.disk;
    struct store_leases *l = s->leases;
    if (l == NULL)
        return;
    // An orderly end is no crash of anything.
    (void)disk->truncate(disk->self, l->fd, 0);
    (void)disk->close(disk->self, l->fd);
    map_fini(&l->taken);
    map_fini(&l->doubt);
    free(l->slots);
    free(l->free);
    free(l->dirty);
    free(l);
    s->leases = NULL;
}
