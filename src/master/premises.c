/* SPDX-License-Identifier: ISC */
#include "master/premises.h"

#include <inttypes.h>
#include <unistd.h>

#include "os/folder.h"
#include "os/net.h"
#include "os/spawn.h"

static const struct {
    const char *name;
    unsigned mode;
    enum role owner; /* ROLE_NONE: ours */
    bool give;       /* what is inside too: root's command line writes there */
} folders[] = {
    {"",            0755, ROLE_NONE,      false},
    {"/run",        0755, ROLE_NONE,      false},
    {"/spool",      0700, ROLE_QUEUE,     true },
    {"/directory",  0700, ROLE_DIRECTORY, true },
    {"/mail",       0700, ROLE_MAILBOX,   false},
    {"/postmaster", 0700, ROLE_MAILBOX,   true },
    {"/journal",    0700, ROLE_JOURNAL,   true },
};

static const struct {
    const char *name;
    unsigned mode;
} sockets[LOCALS] = {
    [LOCAL_SUBMIT] = {"/run/submit",    0666},
    [LOCAL_QUEUE] = {"/run/queue",     0600},
    [LOCAL_DIRECTORY] = {"/run/directory", 0600},
};

struct premises
premises_none(void)
{
    return (struct premises){
        .lock = -1, .sockets = {-1, -1, -1}
    };
}

static const char *
path_of(const struct premises *p, const char *name, struct buf *path)
{
    buf_clear(path);
    buf_add(path, buf_str(&p->state));
    buf_add(path, str_from(name));
    return buf_cstr(path);
}

static bool
make_folder(const struct premises *p, size_t i, const struct accounts *a,
            struct err *e)
{
    struct buf path = {0};
    const struct account *owner =
        folders[i].owner == ROLE_NONE ? NULL : accounts_of(a, folders[i].owner);
    const char *name = path_of(p, folders[i].name, &path);
    bool ok =
        folder_make(name, folders[i].mode, owner, e) &&
        (owner == NULL || !folders[i].give || folder_give(name, owner, e));
    buf_fini(&path);
    return ok;
}

/* The rooms of a master that was killed hold its lock until they have seen
 * that: moments, for which we wait. */
static bool
take_lock(struct premises *p, struct err *e)
{
    enum { WAIT_MS = 5000 };
    struct buf path = {0};
    int64_t holder = 0;
    p->lock = folder_lock(path_of(p, "/run/lock", &path), WAIT_MS, &holder, e);
    if (p->lock < 0 && holder > 0)
        (void)err_set(e, "%.*s is in use by another Gatepost, process %" PRId64,
                      STR_ARG(buf_str(&p->state)), holder);
    buf_fini(&path);
    return p->lock >= 0;
}

static bool
open_sockets(struct premises *p, struct err *e)
{
    struct buf path = {0};
    bool ok = true;
    for (size_t i = 0; ok && i < LOCALS; i++) {
        p->sockets[i] = net_listen_unix(path_of(p, sockets[i].name, &path),
                                        sockets[i].mode, e);
        ok = p->sockets[i] >= 0;
    }
    buf_fini(&path);
    return ok;
}

bool
premises_open(struct premises *p, const struct conf *c,
              const struct accounts *a, struct err *e)
{
    buf_add(&p->state, c->state);
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        if (!make_folder(p, i, a, e))
            return false;
        /* Below, folders are changed: not under another master. */
        if (i == 1 && !take_lock(p, e))
            return false;
    }
    return open_sockets(p, e);
}

bool
premises_announce(const struct premises *p, struct err *e)
{
    struct buf path = {0}, pid = {0};
    buf_addf(&pid, "%" PRId64 "\n", spawn_own_pid());
    bool ok = file_write(path_of(p, "/run/pid", &path), buf_str(&pid), 0644, e);
    buf_fini(&path);
    buf_fini(&pid);
    return ok;
}

void
premises_close(struct premises *p)
{
    struct buf path = {0};
    for (size_t i = 0; i < LOCALS; i++) {
        if (p->sockets[i] < 0)
            continue;
        file_remove(path_of(p, sockets[i].name, &path));
        (void)close(p->sockets[i]);
    }
    if (p->lock >= 0) {
        file_remove(path_of(p, "/run/pid", &path));
        (void)close(p->lock);
    }
    buf_fini(&path);
    buf_fini(&p->state);
    *p = premises_none();
}
