/* SPDX-License-Identifier: ISC */
#include "mailbox/maildir.h"

#include <errno.h>
#include <sys/uio.h>

#include "base/map.h"

enum { FEW_FOLDERS = 4, PATH_OCTETS_MAX = 4000 };

/* One Maildir that this group delivers to. */
struct maildir_folder {
    struct maildir_folder *next;
    int tmp, new_dir;
    bool usable;
    bool dirty;   /* a name came into new/ that must be made to last */
    bool lasting; /* and it was */
    struct err err;
};

struct group {
    const struct maildir *m;
    const struct disk *disk;
    struct arena arena;
    struct map by_path;
    struct maildir_folder *folders;
    struct maildir_item *items;
    size_t n;
};

bool
maildir_target(struct str target, struct str *path)
{
    struct str rest, part;

    if (!str_skip(&target, STR("maildir:")) || target.n > PATH_OCTETS_MAX ||
        !str_starts(target, STR("/")) || str_find_char(target, '\0') >= 0)
        return false;
    while (target.n > 1 && target.p[target.n - 1] == '/')
        target.n--;
    for (rest = target; rest.n > 0;) {
        (void)str_cut(rest, '/', &part, &rest);
        if (str_eq(part, STR(".")) || str_eq(part, STR("..")))
            return false;
    }
    *path = target;
    return target.n > 1;
}

struct str
maildir_name(struct arena *a, int64_t arrived_ms, struct str id, uint32_t rcpt,
             struct str hostname)
{
    struct str name =
        arena_printf(a, "%lld.G%.*s_%u.%.*s", (long long)(arrived_ms / 1000),
                     STR_ARG(id), rcpt, STR_ARG(str_first(hostname, 64)));
    char *p = (char *)(uintptr_t)name.p;

    for (size_t i = 0; i < name.n; i++)
        if (p[i] == '/' || p[i] == ':' || (unsigned char)p[i] <= ' ')
            p[i] = '_';
    return name;
}

/* What the sender may read about it; the log has path and errno. */
static void
fail(struct maildir_item *x, const struct err *e)
{
    struct verdict v = {
        .outcome = OUTCOME_LATER,
        .status = {4, 3, 0},
        .reason = STR("mailbox-trouble"),
        .text = STR("The mailbox cannot be written now.")
    };

    if (e->code == EDQUOT) {
        v.status = (struct status){4, 2, 2};
        v.reason = STR("recipient-full");
        v.text = STR("The mailbox is full.");
    } else if (e->code == ENOSPC) {
        v.status = (struct status){4, 3, 1};
        v.text = STR("The disk that holds the mailbox is full.");
    } else if (e->code == EACCES || e->code == EPERM || e->code == EROFS) {
        v.text = STR("The mail server may not write into the mailbox.");
    } else if (e->code == ENOTDIR || e->code == ELOOP ||
               e->code == ENAMETOOLONG) {
        v.status = (struct status){4, 3, 5};
        v.text = STR("The mailbox's folder is set up wrongly.");
    }
    x->verdict = v;
    x->err = *e;
}

static bool
failed(const struct maildir_item *x)
{
    return x->verdict.outcome == OUTCOME_LATER;
}

/* ---- folders ------------------------------------------------------------- */

static int
open_dir(const struct group *g, int at, const char *path)
{
    return g->disk->open_dir(g->disk->self, at, path);
}

static void
close_fd(const struct group *g, int *fd)
{
    if (*fd >= 0)
        (void)g->disk->close(g->disk->self, *fd);
    *fd = -1;
}

/* false only if it was tried and the disk failed: a folder that we may not
 * open is older than us. */
static bool
sync_dir(const struct group *g, const char *path, struct err *e)
{
    int fd = open_dir(g, g->m->root, path);
    bool ok = fd < 0 || g->disk->sync(g->disk->self, fd) == 0;

    if (!ok)
        (void)err_sys(e, "sync", path);
    close_fd(g, &fd);
    return ok;
}

/*
 * Makes one folder if it is missing, and its name last. The sync is done even
 * where it exists: who made it, perhaps we in an earlier life, may have died
 * before.
 */
static bool
ensure_dir(struct group *g, struct str path, struct err *e)
{
    ssize_t slash = str_rfind_char(path, '/');
    const char *name = arena_cstr(&g->arena, path);
    const char *parent =
        slash <= 0 ? "."
                   : arena_cstr(&g->arena, str_first(path, (size_t)slash));

    if (g->disk->make_dir(g->disk->self, g->m->root, name, 0700) < 0 &&
        errno != EEXIST)
        return err_sys(e, "mkdir", name);
    return sync_dir(g, parent, e);
}

/* Every folder on the way, then the three of a Maildir. */
static bool
ensure_maildir(struct group *g, struct str path, struct err *e)
{
    static const char *const parts[] = {"tmp", "new", "cur"};

    for (size_t i = 0; i <= path.n; i++)
        if ((i == path.n || path.p[i] == '/') && i > 0 &&
            !ensure_dir(g, str_first(path, i), e))
            return false;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!ensure_dir(
                g, arena_printf(&g->arena, "%.*s/%s", STR_ARG(path), parts[i]),
                e))
            return false;
    return true;
}

static int
open_part(struct group *g, struct str path, const char *part, struct err *e)
{
    struct str name = arena_printf(&g->arena, "%.*s/%s", STR_ARG(path), part);
    const char *text = arena_cstr(&g->arena, name);
    int fd = open_dir(g, g->m->root, text);

    if (fd < 0)
        (void)err_sys(e, "open", text);
    return fd;
}

static bool
open_parts(struct group *g, struct maildir_folder *f, struct str path)
{
    f->tmp = open_part(g, path, "tmp", &f->err);
    if (f->tmp >= 0)
        f->new_dir = open_part(g, path, "new", &f->err);
    return f->tmp >= 0 && f->new_dir >= 0;
}

static void
close_parts(const struct group *g, struct maildir_folder *f)
{
    close_fd(g, &f->tmp);
    close_fd(g, &f->new_dir);
}

/* `known` folders may have been removed under us: then all over again. */
static bool
folder_open(struct group *g, struct maildir_folder *f, struct str path,
            bool known)
{
    if (known) {
        if (open_parts(g, f, path))
            return true;
        close_parts(g, f);
        if (f->err.code != ENOENT)
            return false;
    }
    return ensure_maildir(g, path, &f->err) && open_parts(g, f, path);
}

static struct maildir_folder *
folder_of(struct group *g, const struct maildir_item *x)
{
    struct maildir_folder *f = map_get(&g->by_path, x->path);

    if (f != NULL)
        return f;
    f = arena_alloc(&g->arena, sizeof *f);
    f->tmp = f->new_dir = -1;
    f->next = g->folders;
    g->folders = f;
    (void)map_put(&g->by_path, x->path, f);
    f->usable = folder_open(g, f, str_from_pos(x->path, 1), x->known);
    return f;
}

/* ---- finding what was delivered before ----------------------------------- */

struct search {
    struct str name;
    bool found;
};

/* "NAME" or "NAME:2,flags" */
static void
on_name(void *ctx, const char *name)
{
    struct search *s = ctx;
    struct str rest = str_from(name);

    if (str_skip(&rest, s->name) && (rest.n == 0 || rest.p[0] == ':'))
        s->found = true;
}

static bool
is_in(struct group *g, int dir, const struct maildir_item *x)
{
    struct search s = {.name = x->name};
    return g->disk->list(g->disk->self, dir, on_name, &s) == 0 && s.found;
}

/* In new/, or in cur/ where a mail reader moved it: whose move may not be
 * durable, so both folders are. */
static bool
find(struct group *g, struct maildir_item *x)
{
    struct err e;
    int cur;
    bool found = is_in(g, x->folder->new_dir, x);

    if (found)
        return true;
    cur = open_part(g, str_from_pos(x->path, 1), "cur", &e);
    if (cur < 0)
        return false;
    found = is_in(g, cur, x);
    if (found && g->disk->sync(g->disk->self, cur) < 0) {
        (void)err_sys(&e, "sync", "cur");
        fail(x, &e);
    }
    close_fd(g, &cur);
    return found;
}

/* ---- the steps ----------------------------------------------------------- */

static bool
write_all(const struct group *g, int fd, struct str bytes, int64_t at)
{
    while (bytes.n > 0) {
        struct iovec part = {(void *)(uintptr_t)bytes.p, bytes.n};
        ssize_t n = g->disk->write_at(g->disk->self, fd, &part, 1, at);
        if (n < 0)
            return false;
        bytes = str_from_pos(bytes, (size_t)n);
        at += n;
    }
    return true;
}

static bool
write_content(const struct group *g, struct maildir_item *x, bool *unread,
              struct err *e)
{
    struct buf piece = {0};
    int64_t at = 0;
    bool end = false, ok = true;

    while (ok && !end) {
        buf_clear(&piece);
        ok = x->read(x->ctx, &piece, &end, e);
        *unread = !ok;
        if (ok && !write_all(g, x->fd, buf_str(&piece), at))
            ok = err_sys(e, "write", "tmp");
        at += (int64_t)piece.n;
    }
    buf_fini(&piece);
    /* What an earlier attempt of ours left under this name may be longer. */
    if (ok && g->disk->size(g->disk->self, x->fd) != at &&
        g->disk->truncate(g->disk->self, x->fd, at) < 0)
        ok = err_sys(e, "truncate", "tmp");
    return ok;
}

static void
write_file(struct group *g, struct maildir_item *x)
{
    const char *name = arena_cstr(&g->arena, x->name);
    struct err e = {0};
    bool unread = false;

    x->fd = g->disk->open(g->disk->self, x->folder->tmp, name,
                          DISK_WRITE | DISK_CREATE);
    if (x->fd < 0) {
        (void)err_sys(&e, "create", name);
        fail(x, &e);
        return;
    }
    if (write_content(g, x, &unread, &e)) {
        if (!g->m->whole && g->disk->start != NULL)
            g->disk->start(g->disk->self, x->fd);
        return;
    }
    fail(x, &e);
    if (unread) {
        x->verdict.reason = STR("spool-trouble");
        x->verdict.text = STR("The message cannot be read now.");
    }
    close_fd(g, &x->fd);
    (void)g->disk->unlink(g->disk->self, x->folder->tmp, name);
}

static void
begin(struct group *g, struct maildir_item *x)
{
    x->fd = -1;
    x->found = false;
    x->verdict = (struct verdict){.outcome = OUTCOME_DELIVERED};
    x->folder = folder_of(g, x);
    if (!x->folder->usable) {
        fail(x, &x->folder->err);
        return;
    }
    if (x->repeated && find(g, x)) {
        x->found = true;
        x->folder->dirty = true;
        return;
    }
    write_file(g, x);
}

static int64_t
device_of(const struct group *g, int fd)
{
    return g->disk->device == NULL ? -1 : g->disk->device(g->disk->self, fd);
}

/* One call for each file system; a failure fails all, since nobody says whose
 * octets were meant. */
static bool
sync_whole(const struct group *g, struct err *e)
{
    int64_t seen[FEW_FOLDERS];
    size_t n_seen = 0;

    for (const struct maildir_folder *f = g->folders; f != NULL; f = f->next) {
        int64_t device;
        size_t k = 0;
        if (!f->usable)
            continue;
        device = device_of(g, f->new_dir);
        while (k < n_seen && (device < 0 || seen[k] != device))
            k++;
        if (k < n_seen)
            continue;
        if (g->disk->sync_all(g->disk->self, f->new_dir) < 0)
            return err_sys(e, "syncfs", "new");
        if (n_seen < FEW_FOLDERS)
            seen[n_seen++] = device;
    }
    return true;
}

/* A sync that failed is never repeated: the file is given up. */
static void
give_up(struct group *g, struct maildir_item *x, const struct err *e)
{
    fail(x, e);
    close_fd(g, &x->fd);
    (void)g->disk->unlink(g->disk->self, x->folder->tmp,
                          arena_cstr(&g->arena, x->name));
}

static bool
written(const struct maildir_item *x)
{
    return x->fd >= 0 && !failed(x);
}

static void
sync_data(struct group *g)
{
    struct err e = {0};
    bool whole = g->m->whole, ok = !whole || sync_whole(g, &e);

    for (size_t i = 0; i < g->n; i++) {
        struct maildir_item *x = &g->items[i];
        if (!written(x))
            continue;
        if (!whole && g->disk->sync(g->disk->self, x->fd) < 0) {
            (void)err_sys(&e, "sync", "tmp");
            give_up(g, x, &e);
        } else if (!ok) {
            give_up(g, x, &e);
        }
    }
}

static void
rename_file(struct group *g, struct maildir_item *x)
{
    const char *name = arena_cstr(&g->arena, x->name);
    struct err e;

    if (g->disk->rename(g->disk->self, x->folder->tmp, name, x->folder->new_dir,
                        name) < 0) {
        (void)err_sys(&e, "rename", name);
        give_up(g, x, &e);
        return;
    }
    x->folder->dirty = true;
}

static size_t
dirty_folders(const struct group *g)
{
    size_t n = 0;
    for (const struct maildir_folder *f = g->folders; f != NULL; f = f->next)
        n += f->dirty;
    return n;
}

/* The names in new/ become lasting; where that fails the file may stay, and
 * the next attempt finds it. */
static void
sync_names(struct group *g)
{
    struct err all = {0};
    bool whole = g->m->whole && dirty_folders(g) > FEW_FOLDERS;
    bool ok = !whole || sync_whole(g, &all);

    for (struct maildir_folder *f = g->folders; f != NULL; f = f->next) {
        f->lasting = ok;
        f->err = all;
        if (f->dirty && !whole &&
            g->disk->sync(g->disk->self, f->new_dir) < 0) {
            (void)err_sys(&f->err, "sync", "new");
            f->lasting = false;
        }
    }
    for (size_t i = 0; i < g->n; i++)
        if (!failed(&g->items[i]) && !g->items[i].folder->lasting)
            fail(&g->items[i], &g->items[i].folder->err);
}

void
maildir_deliver(const struct maildir *m, struct maildir_item *items, size_t n)
{
    struct group g = {.m = m, .disk = m->disk, .items = items, .n = n};

    for (size_t i = 0; i < n; i++)
        begin(&g, &items[i]);
    sync_data(&g);
    for (size_t i = 0; i < n; i++)
        if (written(&items[i]))
            rename_file(&g, &items[i]);
    sync_names(&g);
    for (size_t i = 0; i < n; i++)
        close_fd(&g, &items[i].fd);
    for (struct maildir_folder *f = g.folders; f != NULL; f = f->next)
        close_parts(&g, f);
    map_fini(&g.by_path);
    arena_fini(&g.arena);
}
