/* SPDX-License-Identifier: ISC */
/*
 * directory: the key cupboard.
 *
 * user         gatepost-auth, or the caller's
 * root         no
 * descriptors  3 master, 4 config, the control socket, pipes to receive, queue
 *              and notify; the accounts database, the snapshot and the compiled
 *              lists in its folder
 * peers        receive (logins, look-ups, the book), queue (the book), notify
 *              (who is away), the command line (control socket, mode 0600);
 *              PostgreSQL, where the config keeps a list there
 * system calls files below <state>/directory; reads the files and databases
 *              that are lists of the config; network to PostgreSQL only
 * who owns it  reads every password hash and lets anybody log in; decides which
 *              addresses exist and where they lead. Cannot read mail in the
 *              spool; speaks to the network only for a list in PostgreSQL.
 */
#include "directory/directory.h"

#include <unistd.h>

#include "directory/away.h"
#include "directory/bell.h"
#include "directory/lists.h"
#include "directory/logins.h"
#include "directory/lookups.h"
#include "directory/publisher.h"
#include "os/disk.h"
#include "room/room.h"

/* How long a stop waits for what is in hand. */
enum { HURRY_MS = 2000 };

struct directory {
    struct room *room;
    struct buf path; /* of the database */
    int folder;      /* it is in */
    struct accounts *accounts;
    struct hosting hosting;
    struct publisher *publisher;
    struct lists *lists;
    struct lookups *lookups;
    struct logins *logins;
    struct away *away;
    struct bell *bell;
    struct timer *hurry;
    bool draining;
};

static void
finish(void *ctx)
{
    struct directory *d = ctx;
    logins_save(d->logins);
    room_finish(d->room);
}

static void
finish_when_idle(void *ctx)
{
    struct directory *d = ctx;
    if (d->draining && logins_idle(d->logins) && away_idle(d->away))
        finish(d);
}

static void
on_published(void *ctx, const char *why)
{
    struct directory *d = ctx;
    if (why == NULL)
        room_ready(d->room);
    else
        room_fail(d->room, why);
}

/* Where the lists' databases are; -1 with *e. */
static int
open_lists_folder(int folder, struct err *e)
{
    const struct disk *disk = os_disk();

    // There already, most often; else opening says what is wrong.
    (void)disk->make_dir(disk->self, folder, "lists", 0700);
    int fd = disk->open_dir(disk->self, folder, "lists");
    if (fd < 0)
        (void)err_sys(e, "open", "directory/lists");
    return fd;
}

static bool
on_open(void *self, struct room *r, struct err *e)
{
    struct directory *d = self;
    struct buf folder = {0};

    d->room = r;
    buf_addf(&folder, "%.*s/directory", STR_ARG(r->conf->state));
    buf_addf(&d->path, "%.*s/accounts.db", STR_ARG(buf_str(&folder)));
    int fd = os_open_dir(buf_cstr(&folder));
    d->folder = os_open_dir(buf_cstr(&folder));
    bool opened = fd >= 0 && d->folder >= 0;
    if (!opened)
        (void)err_sys(e, "open", buf_cstr(&folder));
    buf_fini(&folder);
    if (!opened)
        return false;
    hosting_init(&d->hosting, r->conf);
    d->accounts = accounts_open(buf_cstr(&d->path), e);
    if (d->accounts == NULL)
        return false;
    struct accounts *for_away = accounts_open(buf_cstr(&d->path), e);
    if (for_away == NULL)
        return false;
    d->publisher = publisher_new(r->loop, d->accounts, &d->hosting,
                                 buf_cstr(&d->path), fd, on_published, d);
    int lists = open_lists_folder(fd, e);
    if (lists < 0)
        return false;
    d->lists = lists_new(r->loop, d->publisher, lists);
    d->lookups = lookups_new(r->loop);
    d->logins = logins_new(r->loop, d->accounts, &d->hosting,
                           buf_cstr(&d->path), d->folder, finish_when_idle, d);
    logins_set_brake(d->logins, r->conf->login.failures);
    d->away = away_new(r->loop, for_away, finish_when_idle, d);
    d->hurry = timer_new(r->loop, finish, d);
    return true;
}

static void
on_peer(void *self, enum pipe pipe, enum role role, uint32_t slot,
        uint64_t incarnation, int fd)
{
    struct directory *d = self;

    (void)role;
    (void)slot;
    (void)incarnation;
    if (pipe == PIPE_BOOK)
        lists_introduce(d->lists, publisher_attach(d->publisher, fd));
    else if (pipe == PIPE_LOGIN)
        logins_attach(d->logins, fd);
    else if (pipe == PIPE_LOOKUP)
        lookups_attach(d->lookups, fd);
    else if (pipe == PIPE_VACATION)
        away_attach(d->away, fd);
    else
        (void)close(fd);
}

static void
on_listen(void *self, struct str name, int fd)
{
    struct directory *d = self;

    if (!str_eq(name, STR("control")) || d->bell != NULL)
        (void)close(fd);
    else
        d->bell = bell_new(d->room->loop, d->publisher, fd);
}

static void
on_go(void *self)
{
    struct directory *d = self;
    lists_configure(d->lists, d->room->conf);
    lookups_configure(d->lookups, d->room->conf);
    publisher_start(d->publisher);
}

static void
on_config(void *self, struct conf *fresh)
{
    struct directory *d = self;
    publisher_reload(d->publisher, fresh);
    logins_set_brake(d->logins, fresh->login.failures);
    lists_configure(d->lists, fresh);
    lookups_configure(d->lookups, fresh);
}

/* An old receive's last logins are answered first; the readers keep the book
 * that they have mapped. */
static void
on_drain(void *self, bool hurry)
{
    struct directory *d = self;

    d->draining = true;
    if (hurry)
        timer_set(d->hurry, loop_now(d->room->loop).mono_ms + HURRY_MS);
    finish_when_idle(d);
}

int
directory_main(uint32_t slot, uint64_t incarnation)
{
    static const struct room_ops ops = {.role = ROLE_DIRECTORY,
                                        .on_open = on_open,
                                        .on_peer = on_peer,
                                        .on_listen = on_listen,
                                        .on_go = on_go,
                                        .on_config = on_config,
                                        .on_drain = on_drain};
    static struct directory d;

    return room_run(&ops, &d, slot, incarnation);
}
