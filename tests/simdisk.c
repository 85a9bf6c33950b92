/* SPDX-License-Identifier: ISC */
#include "simdisk.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "base/alloc.h"
#include "simnode.h"

enum { SECTOR = 512, FIRST_FD = 1000 };

struct descriptor {
    struct node *node; /* NULL: free */
    bool writable;
};

/* A process that uses the disk; dead: it was killed. */
struct simview {
    struct disk table;
    struct simdisk *disk;
    bool dead;
};

struct simdisk {
    struct simview own;
    struct node *root;
    struct name_op *ops;
    size_t n_ops, cap_ops;
    struct descriptor *fds;
    size_t n_fds;
    uint64_t count, fail_at, fail_until, capacity;
    int fail_error;
    size_t short_write;
    void (*on_op)(void *ctx);
    void *on_op_ctx;
    bool in_hook;
};

static void
change_names(struct simdisk *d, struct name_op op)
{
    for (int i = 0; i < op.n; i++) {
        op.dirs[i]->refs++;
        if (op.nodes[i] != NULL)
            op.nodes[i]->refs++;
        name_set(&op.dirs[i]->names, &op.dirs[i]->n_names, op.texts[i],
                 op.nodes[i]);
    }
    if (d->n_ops == d->cap_ops) {
        d->cap_ops = d->cap_ops * 2 + 16;
        d->ops = alloc_resize(d->ops, d->cap_ops * sizeof *d->ops);
    }
    d->ops[d->n_ops++] = op;
}

/* ---- operations ---------------------------------------------------------- */

/* Counts an operation; true: it shall fail, errno is set. */
static bool
counted(struct simdisk *d)
{
    d->count++;
    if (d->fail_at == 0 || d->count < d->fail_at || d->count >= d->fail_until)
        return false;
    errno = d->fail_error;
    return true;
}

static void
happened(struct simdisk *d)
{
    if (d->on_op == NULL || d->in_hook)
        return;
    int error = errno;
    d->in_hook = true;
    d->on_op(d->on_op_ctx);
    d->in_hook = false;
    errno = error;
}

/* The disk behind a view; NULL: its process was killed, errno is EIO. */
static struct simdisk *
alive(void *self)
{
    struct simview *v = self;
    errno = EIO;
    return v->dead ? NULL : v->disk;
}

static struct descriptor *
get(struct simdisk *d, int fd)
{
    size_t i = (size_t)(fd - FIRST_FD);
    if (fd < FIRST_FD || i >= d->n_fds || d->fds[i].node == NULL) {
        (void)fprintf(stderr, "simdisk: descriptor %d is not open\n", fd);
        abort();
    }
    return &d->fds[i];
}

static int
new_fd(struct simdisk *d, struct node *n, bool writable)
{
    size_t i = 0;
    while (i < d->n_fds && d->fds[i].node != NULL)
        i++;
    if (i == d->n_fds) {
        d->fds = alloc_resize(d->fds, (i + 1) * sizeof *d->fds);
        d->n_fds++;
    }
    n->refs++;
    d->fds[i] = (struct descriptor){n, writable};
    return (int)i + FIRST_FD;
}

/* A path of one or more names below a directory. */
static struct node *
walk(struct simdisk *d, int dir, const char *path)
{
    struct node *n = get(d, dir)->node;
    while (*path != '\0') {
        char text[SIM_NAME] = "";
        size_t len = strcspn(path, "/");
        assert(len > 0 && len < SIM_NAME);
        memcpy(text, path, len);
        path += len + (path[len] == '/');
        struct name *at = name_find(n->names, n->n_names, text);
        if (at == NULL) {
            errno = ENOENT;
            return NULL;
        }
        n = at->node;
    }
    return n;
}

static int
open_dir(void *self, int dir, const char *path)
{
    struct simdisk *d = alive(self);
    if (d == NULL)
        return -1;
    struct node *n = walk(d, dir, path);
    if (n != NULL && !n->dir) {
        errno = ENOTDIR;
        n = NULL;
    }
    return n == NULL ? -1 : new_fd(d, n, false);
}

static struct name_op
one_name(struct node *dir, const char *text, struct node *node)
{
    struct name_op op = {.dirs = {dir}, .nodes = {node}, .n = 1};
    (void)snprintf(op.texts[0], SIM_NAME, "%s", text);
    return op;
}

static int
make_dir(void *self, int dir, const char *path, unsigned mode)
{
    struct simdisk *d = alive(self);
    if (d == NULL)
        return -1;
    struct node *parent = get(d, dir)->node;
    (void)mode;
    if (name_find(parent->names, parent->n_names, path) != NULL) {
        errno = EEXIST;
        return -1;
    }
    if (counted(d))
        return -1;
    struct node *n = alloc_zero(sizeof *n);
    n->dir = true;
    change_names(d, one_name(parent, path, n));
    happened(d);
    return 0;
}

static int
list(void *self, int dir, disk_name_fn fn, void *ctx)
{
    struct simdisk *d = alive(self);
    if (d == NULL)
        return -1;
    const struct node *n = get(d, dir)->node;
    for (size_t i = n->n_names; i > 0; i--)
        fn(ctx, n->names[i - 1].text);
    return 0;
}

static int
open_file(void *self, int dir, const char *name, unsigned flags)
{
    struct simdisk *d = alive(self);
    if (d == NULL)
        return -1;
    struct node *parent = get(d, dir)->node;
    struct name *at = name_find(parent->names, parent->n_names, name);

    assert(strlen(name) < SIM_NAME);
    if (at != NULL && (flags & DISK_EXCLUSIVE) != 0) {
        errno = EEXIST;
        return -1;
    }
    if (at != NULL)
        return new_fd(d, at->node, (flags & DISK_WRITE) != 0);
    if ((flags & DISK_CREATE) == 0) {
        errno = ENOENT;
        return -1;
    }
    if (counted(d))
        return -1;
    struct node *n = alloc_zero(sizeof *n);
    change_names(d, one_name(parent, name, n));
    happened(d);
    return new_fd(d, n, (flags & DISK_WRITE) != 0);
}

static int
close_file(void *self, int fd)
{
    struct descriptor *x = get(((struct simview *)self)->disk, fd);
    node_unref(x->node);
    x->node = NULL;
    return 0;
}

static ssize_t
read_at(void *self, int fd, void *to, size_t n, int64_t offset)
{
    struct simdisk *d = alive(self);
    size_t done = 0;
    if (d == NULL)
        return -1;
    const struct image *m = &get(d, fd)->node->now;
    if (offset < 0 || (uint64_t)offset >= m->size)
        return 0;
    if (n > m->size - (uint64_t)offset)
        n = (size_t)(m->size - (uint64_t)offset);
    while (done < n) {
        uint64_t at = (uint64_t)offset + done;
        size_t from = (size_t)(at % SIM_PAGE), some = SIM_PAGE - from;
        const struct page *p = m->pages[at / SIM_PAGE];
        some = some < n - done ? some : n - done;
        if (p == NULL)
            memset((char *)to + done, 0, some);
        else
            memcpy((char *)to + done, p->bytes + from, some);
        done += some;
    }
    return (ssize_t)n;
}

static bool
all_zero(const unsigned char *p, size_t n)
{
    return n == 0 || (p[0] == 0 && memcmp(p, p + 1, n - 1) == 0);
}

static void
write_some(struct node *n, const unsigned char *p, size_t size, uint64_t at)
{
    while (size > 0) {
        size_t page = (size_t)(at / SIM_PAGE), from = (size_t)(at % SIM_PAGE);
        size_t some = SIM_PAGE - from < size ? SIM_PAGE - from : size;
        image_grow(&n->now, at + some);
        if (n->now.pages[page] != NULL || !all_zero(p, some))
            memcpy(image_own(&n->now, page)->bytes + from, p, some);
        node_pend(n, (struct fragment){.page = page,
                                       .from = from,
                                       .n = some,
                                       .version = page_ref(n->now.pages[page]),
                                       .end = at + some});
        p += some;
        at += some;
        size -= some;
    }
}

static uint64_t
used_below(const struct node *dir)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < dir->n_names; i++)
        sum += dir->names[i].node->dir ? used_below(dir->names[i].node)
                                       : dir->names[i].node->now.size;
    return sum;
}

/* How much of a write the disk has room for. */
static size_t
room_for(const struct simdisk *d, const struct node *n, uint64_t at,
         size_t size)
{
    uint64_t used;
    if (d->capacity == 0 || at + size <= n->now.size)
        return size;
    used = used_below(d->root) - n->now.size;
    if (used + at >= d->capacity)
        return at < n->now.size ? (size_t)(n->now.size - at) : 0;
    return at + size + used <= d->capacity ? size
                                           : (size_t)(d->capacity - used - at);
}

static ssize_t
write_at(void *self, int fd, const struct iovec *parts, int count,
         int64_t offset)
{
    struct simdisk *d = alive(self);
    if (d == NULL)
        return -1;
    struct descriptor *x = get(d, fd);
    size_t total = 0, limit, done = 0;

    assert(x->writable);
    bool fails = counted(d);
    for (int i = 0; i < count; i++)
        total += parts[i].iov_len;
    limit = room_for(d, x->node, (uint64_t)offset, total);
    if (fails)
        limit = limit < total / 2 ? limit : total / 2;
    else if (d->short_write > 0 && limit > d->short_write)
        limit = d->short_write;
    for (int i = 0; i < count && done < limit; i++) {
        size_t n = parts[i].iov_len;
        n = n < limit - done ? n : limit - done;
        write_some(x->node, parts[i].iov_base, n, (uint64_t)offset + done);
        done += n;
    }
    happened(d);
    if (fails) {
        errno = d->fail_error;
        return -1;
    }
    if (done == 0 && total > 0) {
        errno = ENOSPC;
        return -1;
    }
    return (ssize_t)done;
}

static int64_t
size_of(void *self, int fd)
{
    struct simdisk *d = alive(self);
    return d == NULL ? -1 : (int64_t)get(d, fd)->node->now.size;
}

static int
truncate_file(void *self, int fd, int64_t size)
{
    struct simdisk *d = alive(self);
    if (d == NULL)
        return -1;
    struct node *n = get(d, fd)->node;
    if (counted(d))
        return -1;
    image_cut(&n->now, (uint64_t)size);
    node_pend(n, (struct fragment){.end = (uint64_t)size, .truncated = true});
    happened(d);
    return 0;
}

static void
fragment_durable(struct node *n, const struct fragment *f)
{
    if (f->truncated)
        image_cut(&n->durable, f->end);
    else
        image_take(&n->durable, f, f->from, f->n);
}

/* What was lost and then written again cannot come back. */
static void
supersede(struct node *n, size_t upto, const struct fragment *by)
{
    for (size_t i = 0; i < upto; i++) {
        struct fragment *f = &n->pending[i];
        if (f->page == by->page && f->from < by->from + by->n &&
            by->from < f->from + f->n)
            f->n = 0;
    }
}

static void
sync_node(struct node *n, bool fails)
{
    size_t left = 0;
    for (size_t i = 0; i < n->n_pending; i++) {
        struct fragment *f = &n->pending[i];
        if (!f->lost && !fails) {
            fragment_durable(n, f);
            supersede(n, left, f);
            page_unref(f->version);
            continue;
        }
        f->lost = true;
        n->pending[left++] = *f;
    }
    n->n_pending = left;
}

static void
sync_names(struct simdisk *d, const struct node *dir)
{
    size_t upto = 0;
    for (size_t i = 0; i < d->n_ops; i++)
        if (d->ops[i].dirs[0] == dir || d->ops[i].dirs[1] == dir)
            upto = i + 1;
    for (size_t i = 0; i < upto; i++) {
        name_op_durable(&d->ops[i]);
        name_op_free(&d->ops[i]);
    }
    d->n_ops -= upto;
    if (d->n_ops > 0)
        memmove(d->ops, d->ops + upto, d->n_ops * sizeof *d->ops);
}

static int
sync_file(void *self, int fd)
{
    struct simdisk *d = alive(self);
    if (d == NULL)
        return -1;
    struct node *n = get(d, fd)->node;
    bool fails = counted(d);
    if (!n->dir)
        sync_node(n, fails);
    else if (!fails)
        sync_names(d, n);
    happened(d);
    if (fails)
        errno = d->fail_error;
    return fails ? -1 : 0;
}

static void
sync_below(struct simdisk *d, struct node *dir)
{
    sync_names(d, dir);
    for (size_t i = 0; i < dir->n_names; i++) {
        if (dir->names[i].node->dir)
            sync_below(d, dir->names[i].node);
        else
            sync_node(dir->names[i].node, false);
    }
}

static int
sync_all(void *self, int fd)
{
    struct simdisk *d = alive(self);
    if (d == NULL)
        return -1;
    (void)get(d, fd);
    if (counted(d))
        return -1;
    sync_below(d, d->root);
    happened(d);
    return 0;
}

static int
rename_file(void *self, int from_dir, const char *from, int to_dir,
            const char *to)
{
    struct simdisk *d = alive(self);
    if (d == NULL)
        return -1;
    struct node *a = get(d, from_dir)->node, *b = get(d, to_dir)->node;
    struct name *at = name_find(a->names, a->n_names, from);

    if (at == NULL) {
        errno = ENOENT;
        return -1;
    }
    if (counted(d))
        return -1;
    struct name_op op = {
        .dirs = {b,        a   },
          .nodes = {at->node, NULL},
          .n = 2
    };
    (void)snprintf(op.texts[0], SIM_NAME, "%s", to);
    (void)snprintf(op.texts[1], SIM_NAME, "%s", from);
    change_names(d, op);
    happened(d);
    return 0;
}

static int
unlink_file(void *self, int dir, const char *name)
{
    struct simdisk *d = alive(self);
    if (d == NULL)
        return -1;
    struct node *parent = get(d, dir)->node;
    if (name_find(parent->names, parent->n_names, name) == NULL) {
        errno = ENOENT;
        return -1;
    }
    if (counted(d))
        return -1;
    change_names(d, one_name(parent, name, NULL));
    happened(d);
    return 0;
}

static int64_t
free_space(void *self, int dir)
{
    struct simdisk *d = alive(self);
    if (d == NULL)
        return -1;
    (void)get(d, dir);
    if (d->capacity == 0)
        return -1;
    uint64_t used = used_below(d->root);
    return used < d->capacity ? (int64_t)(d->capacity - used) : 0;
}

/* ---- the test's side ----------------------------------------------------- */

static struct simview
new_view(struct simdisk *d)
{
    return (struct simview){
        .disk = d,
        .table = {.open_dir = open_dir,
                  .make_dir = make_dir,
                  .list = list,
                  .open = open_file,
                  .close = close_file,
                  .read_at = read_at,
                  .write_at = write_at,
                  .size = size_of,
                  .truncate = truncate_file,
                  .sync = sync_file,
                  .sync_all = sync_all,
                  .rename = rename_file,
                  .unlink = unlink_file,
                  .free_space = free_space},
    };
}

static struct simdisk *
new_disk(struct node *root)
{
    struct simdisk *d = alloc_zero(sizeof *d);
    d->root = root;
    d->root->refs++;
    d->own = new_view(d);
    d->own.table.self = &d->own;
    return d;
}

struct simview *
simview_new(struct simdisk *d)
{
    struct simview *v = alloc_zero(sizeof *v);
    *v = new_view(d);
    v->table.self = v;
    return v;
}

void
simview_kill(struct simview *v)
{
    v->dead = true;
}

const struct disk *
simview_disk(struct simview *v)
{
    return &v->table;
}

struct simdisk *
simdisk_new(void)
{
    struct node *root = alloc_zero(sizeof *root);
    root->dir = true;
    return new_disk(root);
}

void
simdisk_free(struct simdisk *d)
{
    if (d == NULL)
        return;
    for (size_t i = 0; i < d->n_ops; i++)
        name_op_free(&d->ops[i]);
    for (size_t i = 0; i < d->n_fds; i++)
        node_unref(d->fds[i].node);
    node_unref(d->root);
    free(d->ops);
    free(d->fds);
    free(d);
}

const struct disk *
simdisk_disk(struct simdisk *d)
{
    return &d->own.table;
}

int
simdisk_dup(struct simdisk *d, int fd)
{
    return new_fd(d, get(d, fd)->node, get(d, fd)->writable);
}

int
simdisk_root(struct simdisk *d)
{
    return new_fd(d, d->root, false);
}

uint64_t
simdisk_ops(const struct simdisk *d)
{
    return d->count;
}

void
simdisk_on_op(struct simdisk *d, void (*fn)(void *ctx), void *ctx)
{
    d->on_op = fn;
    d->on_op_ctx = ctx;
}

void
simdisk_fail(struct simdisk *d, uint64_t n, uint64_t count, int error)
{
    d->fail_at = n == 0 ? 0 : d->count + n;
    d->fail_until = d->fail_at + count;
    d->fail_error = error;
}

void
simdisk_short_writes(struct simdisk *d, size_t n)
{
    d->short_write = n;
}

void
simdisk_capacity(struct simdisk *d, uint64_t octets)
{
    d->capacity = octets;
}

uint64_t
simdisk_open_files(const struct simdisk *d)
{
    uint64_t n = 0;
    for (size_t i = 0; i < d->n_fds; i++)
        n += d->fds[i].node != NULL;
    return n;
}

bool
simdisk_damage(struct simdisk *d, const char *name, uint64_t offset)
{
    struct name *at = name_find(d->root->names, d->root->n_names, name);
    if (at == NULL || offset >= at->node->now.size)
        return false;
    struct node *n = at->node;
    size_t page = (size_t)(offset / SIM_PAGE);
    image_own(&n->now, page)->bytes[offset % SIM_PAGE] ^= 0x5a;
    if (offset < n->durable.size)
        image_own(&n->durable, page)->bytes[offset % SIM_PAGE] ^= 0x5a;
    return true;
}

/* What of one file survives. */
static void
crash_image(struct image *to, const struct node *n, enum simdisk_fate fate,
            uint64_t *seed)
{
    image_copy(to, &n->durable);
    for (size_t i = 0; fate != SIMDISK_DROP && i < n->n_pending; i++) {
        const struct fragment *f = &n->pending[i];
        bool all = fate == SIMDISK_KEEP && !f->lost;
        if (f->truncated) {
            if (all || sim_random(seed) % 2 == 0)
                image_cut(to, f->end);
            continue;
        }
        size_t end = f->from + f->n;
        for (size_t at = f->from; at < end;) {
            size_t next = (at / SECTOR + 1) * SECTOR;
            next = next < end ? next : end;
            if (all || sim_random(seed) % 2 == 0)
                image_take(to, f, at, next - at);
            at = next;
        }
    }
}

/* Nodes keep their identity over the copy: a file may have two names. */
struct pairs {
    const struct node **old;
    struct node **fresh;
    size_t n, cap;
};

static struct node *
copy_node(struct pairs *p, const struct node *n, enum simdisk_fate fate,
          uint64_t *seed)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->old[i] == n)
            return p->fresh[i];
    struct node *fresh = alloc_zero(sizeof *fresh);
    fresh->dir = n->dir;
    fresh->refs = 1; // the list's
    if (p->n == p->cap) {
        p->cap = p->cap * 2 + 64;
        p->old = alloc_resize(p->old, p->cap * sizeof(const struct node *));
        p->fresh = alloc_resize(p->fresh, p->cap * sizeof(struct node *));
    }
    p->old[p->n] = n;
    p->fresh[p->n++] = fresh;
    if (!n->dir) {
        enum simdisk_fate mine = fate;
        if (fate == SIMDISK_FILES)
            mine = sim_random(seed) % 2 == 0 ? SIMDISK_DROP : SIMDISK_KEEP;
        crash_image(&fresh->durable, n, mine, seed);
        image_copy(&fresh->now, &fresh->durable);
    }
    for (size_t i = 0; i < n->n_durable; i++) {
        struct node *below = copy_node(p, n->durable_names[i].node, fate, seed);
        name_set(&fresh->names, &fresh->n_names, n->durable_names[i].text,
                 below);
        name_set(&fresh->durable_names, &fresh->n_durable,
                 n->durable_names[i].text, below);
    }
    return fresh;
}

struct simdisk *
simdisk_crash(const struct simdisk *d, enum simdisk_fate fate, uint64_t seed)
{
    struct pairs pairs = {0};
    seed = seed * 2 + 1;
    struct node *root = copy_node(&pairs, d->root, fate, &seed);

    for (size_t i = 0; fate != SIMDISK_DROP && i < d->n_ops; i++) {
        const struct name_op *op = &d->ops[i];
        if (fate != SIMDISK_KEEP && sim_random(&seed) % 2 == 0)
            continue;
        for (int k = 0; k < op->n; k++) {
            struct node *dir = copy_node(&pairs, op->dirs[k], fate, &seed);
            struct node *node =
                op->nodes[k] == NULL
                    ? NULL
                    : copy_node(&pairs, op->nodes[k], fate, &seed);
            name_set(&dir->names, &dir->n_names, op->texts[k], node);
            name_set(&dir->durable_names, &dir->n_durable, op->texts[k], node);
        }
    }
    struct simdisk *after = new_disk(root);
    after->capacity = d->capacity;
    for (size_t i = 0; i < pairs.n; i++)
        node_unref(pairs.fresh[i]);
    free(pairs.old);
    free(pairs.fresh);
    return after;
}
