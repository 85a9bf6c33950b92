/* SPDX-License-Identifier: ISC */
#include "journal/filter.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/wire.h"
#include "journal/words.h"
#include "os/disk.h"
#include "os/folder.h"

enum {
    PAGE = 4096,
    PAGES_MAX = 8192,
    BITS_A_WORD = 10,
    PROBES = 4, /* with those bits: one in a hundred is a false perhaps */
    PROBE_BITS = 15,
    HEAD = 8 + 8 + 8 + 4 + 8 + 1,
    DATABASE_HEAD = 100, /* SQLite's */
};

#define MAGIC "gatefil1"

/* What tells one state of a day's file from all others. */
struct state {
    uint64_t size;
    uint32_t counter;
};

static bool
read_state(const unsigned char head[DATABASE_HEAD], int64_t size,
           struct state *s)
{
    s->size = (uint64_t)size;
    s->counter = (uint32_t)head[24] << 24 | (uint32_t)head[25] << 16 |
                 (uint32_t)head[26] << 8 | head[27];
    return head[18] == 1 && head[19] == 1; // a rollback journal: no -wal
}

/* ---- bits -----------------------------------------------------------------
 */

static uint64_t
mix(uint64_t x)
{
    x = (x ^ x >> 31) * UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
    return x ^ x >> 32;
}

static uint64_t
page_of(uint32_t word, uint64_t pages)
{
    return (mix(word) >> 32) * pages >> 32;
}

/* The i-th of its bits in the page. */
static size_t
bit_of(uint32_t word, int i)
{
    return (size_t)(mix(~(uint64_t)word) >> (i * PROBE_BITS)) %
           ((size_t)PAGE * 8);
}

static void
add_word(unsigned char *page, uint32_t word)
{
    for (int i = 0; i < PROBES; i++)
        page[bit_of(word, i) / 8] |= (unsigned char)(1U << bit_of(word, i) % 8);
}

/* ---- writing --------------------------------------------------------------
 */

static void
fill(struct buf *to, const unsigned char *all, uint64_t pages)
{
    unsigned char *first = (unsigned char *)buf_reserve(to, pages * PAGE);

    memset(first, 0, pages * PAGE);
    to->n += pages * PAGE;
    for (uint32_t i = 0; i < WORDS_SHORT / 8; i++)
        for (uint32_t k = 0; all[i] >> k != 0; k++)
            if ((all[i] >> k & 1) != 0)
                add_word(first + page_of(i * 8 + k, pages) * PAGE, i * 8 + k);
}

static uint64_t
pages_for(uint64_t words)
{
    uint64_t n = words * BITS_A_WORD / ((uint64_t)PAGE * 8) + 1;
    return n < PAGES_MAX ? n : PAGES_MAX;
}

static void
add_head(struct buf *to, const struct state *s, uint64_t seed, uint64_t pages,
         bool has_gaps)
{
    buf_add(to, STR(MAGIC));
    wire_add_u64(to, seed);
    wire_add_u64(to, s->size);
    wire_add_u32(to, s->counter);
    wire_add_u64(to, pages);
    wire_add_u8(to, has_gaps);
    size_t rest = PAGE - to->n;
    memset(buf_reserve(to, rest), 0, rest);
    to->n += rest;
}

/* The file as SQLite has it open: another descriptor, closed, would take its
 * locks away. */
static bool
state_of(sqlite3 *db, struct state *s, struct err *e)
{
    unsigned char head[DATABASE_HEAD];
    sqlite3_file *file = NULL;
    sqlite3_int64 size = 0;

    if (sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file) !=
            SQLITE_OK ||
        file == NULL || file->pMethods == NULL ||
        file->pMethods->xRead(file, head, sizeof head, 0) != SQLITE_OK ||
        file->pMethods->xFileSize(file, &size) != SQLITE_OK)
        return sql_failed(db, e);
    return read_state(head, size, s) ||
           err_set(e, "%s: somebody reads it still",
                   sqlite3_db_filename(db, "main"));
}

/* A page of zeros would deny words: it is on the disk before it has its name.
 */
static bool
put_file(const char *path, struct str content, struct err *e)
{
    const struct disk *disk = os_disk();
    struct buf fresh = {0}, name = {0};

    buf_addf(&fresh, "%s-filter-new", path);
    buf_addf(&name, "%s-filter", path);
    bool ok = file_write(buf_cstr(&fresh), content, 0600, e);
    if (ok) {
        int fd = disk->open(disk->self, -1, buf_cstr(&fresh), DISK_WRITE);
        ok = fd >= 0 && disk->sync(disk->self, fd) == 0 &&
             disk->rename(disk->self, -1, buf_cstr(&fresh), -1,
                          buf_cstr(&name)) == 0;
        ok = ok || err_sys(e, "sync or rename", buf_cstr(&fresh));
        if (fd >= 0)
            (void)disk->close(disk->self, fd);
    }
    if (!ok)
        file_remove(buf_cstr(&fresh));
    buf_fini(&fresh);
    buf_fini(&name);
    return ok;
}

static bool
write_locked(sqlite3 *db, const char *path, uint64_t seed, bool has_gaps,
             struct err *e)
{
    unsigned char *all = alloc_zero(WORDS_SHORT / 8);
    struct buf content = {0};
    struct state s = {0};
    uint64_t words = 0;
    bool ok = words_mark(db, all, &words, e) && state_of(db, &s, e);

    if (ok) {
        add_head(&content, &s, seed, pages_for(words), has_gaps);
        fill(&content, all, pages_for(words));
        ok = put_file(path, buf_str(&content), e);
    }
    buf_fini(&content);
    free(all);
    return ok;
}

bool
filter_write(sqlite3 *db, const char *path, uint64_t seed, bool has_gaps,
             struct err *e)
{
    if (!sql_run(db, "BEGIN", e)) // its lock keeps the file as it is
        return false;
    bool ok = write_locked(db, path, seed, has_gaps, e);
    (void)sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
    return ok;
}

/* ---- asking ---------------------------------------------------------------
 */

static bool
state_at(const char *path, struct state *s)
{
    const struct disk *disk = os_disk();
    unsigned char head[DATABASE_HEAD];
    int fd = disk->open(disk->self, -1, path, DISK_READ);

    if (fd < 0)
        return false;
    bool ok =
        disk->read_at(disk->self, fd, head, sizeof head, 0) == sizeof head &&
        read_state(head, disk->size(disk->self, fd), s);
    (void)disk->close(disk->self, fd);
    return ok;
}

static bool
read_head(struct filter *f, const char *path)
{
    const struct disk *disk = os_disk();
    char head[HEAD];
    struct state s;

    if (disk->read_at(disk->self, f->fd, head, HEAD, 0) != HEAD)
        return false;
    struct str bytes = str_from_n(head, HEAD);
    if (!str_skip(&bytes, STR(MAGIC)) || !state_at(path, &s))
        return false;
    struct wire w = wire_from(bytes);
    f->seed = wire_u64(&w);
    bool same = wire_u64(&w) == s.size && wire_u32(&w) == s.counter;
    f->pages = wire_u64(&w);
    f->has_gaps = wire_u8(&w) != 0;
    return same && f->pages > 0 && f->pages <= PAGES_MAX &&
           disk->size(disk->self, f->fd) == (int64_t)(f->pages + 1) * PAGE;
}

void
filter_open(struct filter *f, const char *path)
{
    const struct disk *disk = os_disk();
    struct buf name = {0};

    *f = (struct filter){.fd = -1};
    buf_addf(&name, "%s-filter", path);
    f->fd = disk->open(disk->self, -1, buf_cstr(&name), DISK_READ);
    buf_fini(&name);
    if (f->fd >= 0 && !read_head(f, path))
        filter_close(f);
}

void
filter_close(struct filter *f)
{
    const struct disk *disk = os_disk();

    if (f->fd >= 0)
        (void)disk->close(disk->self, f->fd);
    f->fd = -1;
}

bool
filter_may_hold(const struct filter *f, uint64_t hash)
{
    const struct disk *disk = os_disk();
    uint32_t word = words_short(hash);
    unsigned char page[PAGE];
    int64_t at = (int64_t)(page_of(word, f->pages) + 1) * PAGE;

    if (f->fd < 0 || disk->read_at(disk->self, f->fd, page, PAGE, at) != PAGE)
        return true;
    for (int i = 0; i < PROBES; i++)
        if ((page[bit_of(word, i) / 8] >> bit_of(word, i) % 8 & 1) == 0)
            return false;
    return true;
}
