/* SPDX-License-Identifier: ISC */
#include "directory/listfile.h"

#include <string.h>

#include "base/utf8.h"
#include "base/wire.h"
#include "os/constdb.h"
#include "os/disk.h"

enum {
    CHUNK = 256 << 10,
    LINE_KEPT = 8 << 10, /* of a longer one the rest is passed over */
    WARNINGS_MAX = 20,
    SHOWN_MAX = 60, /* octets of a bad line */
    FORMAT = 1,
};

/* A change within the clock's own grain would not show in the stamp. */
#define GRAIN_NS (200 * INT64_C(1000000))

/* The key of what the database was made from: no entry can have it. */
#define SOURCE_KEY STR("\0source")

/* ---- the database on the disk ------------------------------------------ */

struct source {
    struct str path;
    struct file_stamp stamp;
    uint64_t entries, bad;
};

static void
source_encode(struct buf *to, const struct source *s)
{
    wire_add_u8(to, FORMAT);
    wire_add_str(to, s->path);
    wire_add_u64(to, s->stamp.inode);
    wire_add_i64(to, s->stamp.size);
    wire_add_i64(to, s->stamp.mtime_ns);
    wire_add_u64(to, s->entries);
    wire_add_u64(to, s->bad);
}

static bool
source_decode(struct str value, struct source *s)
{
    struct wire in = wire_from(value);

    if (wire_u8(&in) != FORMAT)
        return false;
    s->path = wire_str(&in);
    s->stamp.inode = wire_u64(&in);
    s->stamp.size = wire_i64(&in);
    s->stamp.mtime_ns = wire_i64(&in);
    s->entries = wire_u64(&in);
    s->bad = wire_u64(&in);
    return wire_done(&in);
}

static void
database_name(const struct listfile *job, const char *suffix, struct buf *name)
{
    struct str list = list_name(job->list);
    buf_addf(name, "%.*s.cdb%s", STR_ARG(list), suffix);
}

static bool
made_from_this(const struct listfile *job, int fd, struct source *source)
{
    struct err ignored;
    struct str value;

    if (!constdb_intact(fd))
        return false;
    struct constdb *db = constdb_open(fd, &ignored);
    bool ok = db != NULL && constdb_find(db, SOURCE_KEY, &value) &&
              source_decode(value, source) &&
              str_eq(source->path, str_from(job->path));
    constdb_close(db);
    source->path = STR_EMPTY; // went with the mapping
    return ok;
}

/* The database that an earlier process made of the same file, whatever that
 * holds now; -1: there is none, or it is damaged. */
static int
open_database(const struct listfile *job, struct source *source)
{
    const struct disk *disk = os_disk();
    struct buf name = {0};

    database_name(job, "", &name);
    int fd = disk->open(disk->self, job->folder, buf_cstr(&name), DISK_READ);
    buf_fini(&name);
    if (fd >= 0 && !made_from_this(job, fd, source)) {
        (void)disk->close(disk->self, fd);
        fd = -1;
    }
    return fd;
}

/* ---- reading the source ------------------------------------------------ */

struct reading {
    struct listfile *job;
    struct constdb_maker *maker;
    struct arena line_arena;
    struct buf line;
    uint64_t number;
};

static void
warn(struct reading *r, struct str line, struct str expected)
{
    struct listfile *job = r->job;
    struct buf shown = {0};

    job->bad++;
    if (job->n_warnings == WARNINGS_MAX)
        return;
    if (job->warnings == NULL)
        job->warnings =
            arena_array(&job->arena, WARNINGS_MAX, sizeof *job->warnings);
    utf8_add_mended(&shown, str_first(str_trim(line), SHOWN_MAX));
    job->warnings[job->n_warnings++] =
        arena_printf(&job->arena, "%s:%llu: expected %.*s, found \"%.*s\"",
                     job->path, (unsigned long long)r->number,
                     STR_ARG(expected), STR_ARG(buf_str(&shown)));
    buf_fini(&shown);
}

static bool
take_line(struct reading *r)
{
    struct list_entry entry;
    struct str line = buf_str(&r->line), expected;
    bool ok = true;

    if (r->number++ == 0)
        (void)str_skip(&line, STR("\xef\xbb\xbf")); // as editors leave it
    switch (list_parse_line(r->job->list, line, &r->line_arena, &entry,
                            &expected)) {
    case LIST_LINE_ENTRY:
        r->job->entries++;
        ok = constdb_add(r->maker, entry.key, entry.remark, &r->job->err);
        break;
    case LIST_LINE_BAD:
        warn(r, line, expected);
        break;
    case LIST_LINE_EMPTY:
        break;
    }
    buf_clear(&r->line);
    arena_reset(&r->line_arena);
    return ok;
}

static bool
take_chunk(struct reading *r, struct str chunk)
{
    struct str line;
    bool whole;

    while (chunk.n > 0) {
        whole = str_cut(chunk, '\n', &line, &chunk);
        if (r->line.n < LINE_KEPT)
            buf_add(&r->line, line);
        if (whole && !take_line(r))
            return false;
    }
    return true;
}

static bool
read_source(struct reading *r, int fd)
{
    const struct disk *disk = os_disk();
    struct buf chunk = {0};
    char *p = buf_reserve(&chunk, CHUNK);
    int64_t at = 0;
    ssize_t n;
    bool ok = true;

    while (ok && (n = disk->read_at(disk->self, fd, p, CHUNK, at)) != 0) {
        ok = n > 0 ? take_chunk(r, str_from_n(p, (size_t)n))
                   : err_sys(&r->job->err, "read", r->job->path);
        at += n;
    }
    if (ok && r->line.n > 0) // the last line without its end
        ok = take_line(r);
    buf_fini(&chunk);
    return ok;
}

/* ---- making the database ----------------------------------------------- */

static bool
write_database(struct listfile *job, int source, int fd,
               const struct file_stamp *stamp)
{
    struct reading r = {.job = job, .maker = constdb_make(fd, &job->err)};
    struct buf value = {0};
    struct err ignored;

    if (r.maker == NULL)
        return false;
    bool ok = read_source(&r, source);
    if (ok && job->entries == 0 && job->bad > 0)
        ok = err_set(&job->err, "%.*s", STR_ARG(job->warnings[0]));
    source_encode(&value, &(struct source){.path = str_from(job->path),
                                           .stamp = *stamp,
                                           .entries = job->entries,
                                           .bad = job->bad});
    ok = ok && constdb_add(r.maker, SOURCE_KEY, buf_str(&value), &job->err);
    ok = constdb_finish(r.maker, ok ? &job->err : &ignored) && ok;
    buf_fini(&value);
    buf_fini(&r.line);
    arena_fini(&r.line_arena);
    return ok && constdb_seal(fd, &job->err);
}

/* The new file under its name, durably, and open for reading. */
static bool
put_in_place(struct listfile *job, int fd, const char *fresh)
{
    const struct disk *disk = os_disk();
    struct buf name = {0};
    bool ok = false;

    database_name(job, "", &name);
    if (disk->sync(disk->self, fd) < 0)
        (void)err_sys(&job->err, "fsync", fresh);
    else if (disk->rename(disk->self, job->folder, fresh, job->folder,
                          buf_cstr(&name)) < 0)
        (void)err_sys(&job->err, "rename", fresh);
    else if (disk->sync(disk->self, job->folder) < 0)
        (void)err_sys(&job->err, "fsync", "lists/");
    else {
        job->fd =
            disk->open(disk->self, job->folder, buf_cstr(&name), DISK_READ);
        ok = job->fd >= 0 || err_sys(&job->err, "open", buf_cstr(&name));
    }
    buf_fini(&name);
    return ok;
}

static bool
make_database(struct listfile *job, int source, const struct file_stamp *stamp)
{
    const struct disk *disk = os_disk();
    struct buf fresh = {0};
    bool ok = false;

    database_name(job, ".new", &fresh);
    // What a crash left behind; most often there is nothing.
    (void)disk->unlink(disk->self, job->folder, buf_cstr(&fresh));
    int fd = disk->open(disk->self, job->folder, buf_cstr(&fresh),
                        DISK_WRITE | DISK_CREATE | DISK_EXCLUSIVE);
    if (fd < 0) {
        (void)err_sys(&job->err, "create", buf_cstr(&fresh));
    } else {
        ok = write_database(job, source, fd, stamp) &&
             put_in_place(job, fd, buf_cstr(&fresh));
        (void)disk->close(disk->self, fd);
    }
    if (!ok)
        (void)disk->unlink(disk->self, job->folder, buf_cstr(&fresh));
    buf_fini(&fresh);
    return ok;
}

/* ---- the task ---------------------------------------------------------- */

static bool
compile(struct listfile *job)
{
    const struct disk *disk = os_disk();
    struct file_stamp before, after;
    bool ok = false;

    int source = file_open(job->path, &before, &job->err);
    if (source < 0)
        return false;
    job->seen = before;
    if (job->wall_ms * 1000000 - before.mtime_ns < GRAIN_NS)
        before.mtime_ns = -1; // looked at again, and then settled
    ok = make_database(job, source, &before);
    (void)disk->close(disk->self, source);
    if (!ok)
        return false;
    if (file_stamp(job->path, &after, &job->err) &&
        file_stamp_eq(&after, &job->seen))
        job->known = before;
    else // it was written to while it was read: that version will not last
        job->known = (struct file_stamp){.mtime_ns = -1};
    return true;
}

/* The database on the disk is in force as long as there is no better one. */
static bool
load(struct listfile *job)
{
    struct source source = {.path = STR_EMPTY};

    job->fd = open_database(job, &source);
    if (job->fd < 0)
        return false;
    job->have = true;
    job->known = source.stamp;
    job->entries = source.entries;
    job->bad = source.bad;
    return true;
}

static void
fail(struct listfile *job)
{
    job->result = LISTFILE_FAILED;
    job->refused = true;
    if (!job->have && load(job))
        job->known = (struct file_stamp){.mtime_ns = -1};
}

static void
look(struct listfile *job)
{
    struct file_stamp now;
    bool first = !job->have;

    if (!file_stamp(job->path, &now, &job->err)) {
        job->seen = (struct file_stamp){0};
        fail(job);
        return;
    }
    if (first && !job->refused && load(job)) {
        if (file_stamp_eq(&now, &job->known)) {
            job->result = LISTFILE_FRESH;
            return;
        }
        (void)os_disk()->close(os_disk()->self, job->fd);
        job->fd = -1;
        job->have = false;
    }
    bool again = file_stamp_eq(&now, &job->seen);
    if ((again && job->refused) || (!first && file_stamp_eq(&now, &job->known)))
        return; // SAME
    if (!first && !again) {
        job->result = LISTFILE_UNSETTLED;
        job->seen = now;
        job->refused = false;
        return;
    }
    job->entries = job->bad = 0;
    if (compile(job)) {
        job->result = LISTFILE_FRESH;
        job->compiled = job->have = true;
        job->refused = false;
    } else {
        fail(job);
    }
}

void
listfile_run(struct task *task)
{
    struct listfile *job = (struct listfile *)task;

    job->result = LISTFILE_SAME;
    job->fd = -1;
    job->compiled = false;
    arena_reset(&job->arena);
    job->warnings = NULL;
    job->n_warnings = 0;
    look(job);
}
