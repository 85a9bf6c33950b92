/* SPDX-License-Identifier: ISC */
#include "cli/bounces.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/ascii.h"
#include "cli/command.h"
#include "explain/explain.h"
#include "explain/mbox.h"
#include "os/disk.h"
#include "os/folder.h"

enum { STEP = 256 << 10 };

/* What is read, and who gets it. */
struct source {
    const char *path;
    int fd;
    bool several; /* the path is one of many */
    bool ok;
    bounces_fn fn;
    void *ctx;
};

/* false: nothing more comes. */
static bool
read_more(struct source *s, struct buf *to)
{
    for (;;) {
        ssize_t n = read(s->fd, buf_reserve(to, STEP), STEP);
        if (n > 0) {
            to->n += (size_t)n;
            return true;
        }
        if (n == 0)
            return false;
        if (errno == EINTR)
            continue;
        (void)command_fail(0, "%s: %s", s->path, strerror(errno));
        s->ok = false;
        return false;
    }
}

static void
read_mbox(struct source *s, struct mbox *m)
{
    struct mbox_message message;
    for (;;) {
        while (mbox_next(m, &message)) {
            const struct bounces_one one = {
                .file = s->path,
                .number = message.only ? 0 : message.number,
                .several = s->several || !message.only,
                .octets = message.octets,
                .cut = message.cut,
            };
            s->fn(s->ctx, &one);
        }
        if (m->ended)
            break;
        m->ended = !read_more(s, &m->in);
    }
}

/* A whole file is one message unless it begins as an mbox does. */
static void
read_any(struct source *s)
{
    struct mbox m = {0};
    while (str_find_char(buf_str(&m.in), '\n') < 0 && m.in.n < STEP && !m.ended)
        m.ended = !read_more(s, &m.in);
    if (mbox_begins(buf_str(&m.in))) {
        read_mbox(s, &m);
    } else {
        while (!m.ended && m.in.n <= EXPLAIN_LONGEST)
            m.ended = !read_more(s, &m.in);
        const struct bounces_one one = {
            .file = s->path,
            .several = s->several,
            .octets = str_first(buf_str(&m.in), EXPLAIN_LONGEST),
            .cut = m.in.n > EXPLAIN_LONGEST,
        };
        if (s->ok || m.in.n > 0)
            s->fn(s->ctx, &one);
    }
    mbox_fini(&m);
}

/* The names in a folder. */
struct names {
    struct arena arena;
    const char **list;
    size_t n, cap;
};

static void
keep_name(void *ctx, const char *name)
{
    struct names *names = ctx;
    if (name[0] == '.')
        return;
    if (names->n == names->cap) {
        names->cap = names->cap * 2 + 64;
        names->list =
            alloc_resize(names->list, names->cap * sizeof *names->list);
    }
    names->list[names->n++] = arena_cstr(&names->arena, str_from(name));
}

static int
by_name(const void *a, const void *b)
{
    const char *const *x = a, *const *y = b;
    return strcmp(*x, *y);
}

static void
names_fini(struct names *names)
{
    free(names->list);
    arena_fini(&names->arena);
}

static bool
is_message_name(const char *name)
{
    struct str s = str_from(name);
    return str_ends(s, STR(".eml")) || str_ends(s, STR(".EML")) ||
           str_ends(s, STR(".mbox"));
}

/* Beside messages that are named so, other files are something else. */
static void
drop_others(struct names *names)
{
    size_t n = 0;
    for (size_t i = 0; i < names->n; i++)
        if (is_message_name(names->list[i]))
            names->list[n++] = names->list[i];
    names->n = n > 0 ? n : names->n;
}

static bool
is_folder(int dir, const char *name)
{
    const struct disk *disk = os_disk();
    int fd = disk->open_dir(disk->self, dir, name);
    if (fd >= 0)
        (void)disk->close(disk->self, fd);
    return fd >= 0;
}

/* Each file of the open folder `dir`, whose path is s->path. */
static void
read_files(struct source *s, int dir, bool maildir)
{
    const struct disk *disk = os_disk();
    struct names names = {0};
    struct buf path = {0};

    if (disk->list(disk->self, dir, keep_name, &names) < 0) {
        (void)command_fail(0, "%s: %s", s->path, strerror(errno));
        s->ok = false;
    }
    if (!maildir)
        drop_others(&names);
    if (names.n > 0)
        qsort(names.list, names.n, sizeof *names.list, by_name);
    for (size_t i = 0; i < names.n; i++) {
        struct file_stamp stamp;
        struct err e;
        if (is_folder(dir, names.list[i]))
            continue;
        buf_clear(&path);
        buf_addf(&path, "%s/%s", s->path, names.list[i]);
        struct source file = *s;
        file.path = buf_cstr(&path);
        file.fd = file_open(file.path, &stamp, &e);
        if (file.fd < 0) {
            (void)command_fail(0, "%s", e.text);
            s->ok = false;
            continue;
        }
        file.ok = true;
        read_any(&file);
        (void)close(file.fd);
        s->ok = s->ok && file.ok;
    }
    buf_fini(&path);
    names_fini(&names);
}

static void
read_folder(struct source *s, int dir)
{
    static const char *const parts[] = {"cur", "new"};
    const struct disk *disk = os_disk();
    const char *top = s->path;
    bool maildir = false;

    s->several = true;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        struct buf path = {0};
        int part = disk->open_dir(disk->self, dir, parts[i]);
        if (part < 0)
            continue;
        maildir = true;
        buf_addf(&path, "%s%s%s", top,
                 str_ends(str_from(top), STR("/")) ? "" : "/", parts[i]);
        s->path = buf_cstr(&path);
        read_files(s, part, true);
        (void)disk->close(disk->self, part);
        buf_fini(&path);
    }
    s->path = top;
    if (!maildir)
        read_files(s, dir, false);
}

bool
bounces_each(const char *path, bounces_fn fn, void *ctx)
{
    struct source s = {.path = path, .ok = true, .fn = fn, .ctx = ctx};
    if (strcmp(path, "-") == 0) {
        s.fd = STDIN_FILENO;
        read_any(&s);
        return s.ok;
    }
    int dir = os_open_dir(path);
    if (dir >= 0) {
        read_folder(&s, dir);
        (void)close(dir);
        return s.ok;
    }
    // Not only files: <(...) of a shell is a pipe.
    FILE *f = fopen(path, "rbe");
    if (f == NULL) {
        (void)command_fail(0, "%s: %s", path, strerror(errno));
        return false;
    }
    s.fd = fileno(f);
    read_any(&s);
    (void)fclose(f);
    return s.ok;
}

bool
bounces_is_text(const char *word)
{
    struct str s = str_trim(str_from(word));
    bool code = s.n == 3 && ascii_is_digit((unsigned char)s.p[0]) &&
                ascii_is_digit((unsigned char)s.p[1]) &&
                ascii_is_digit((unsigned char)s.p[2]);
    if (!code && str_find_char(s, ' ') < 0 && str_find_char(s, '\n') < 0)
        return false;
    return access(word, F_OK) < 0 &&
           (errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG);
}
