/* SPDX-License-Identifier: ISC */
/*
 * Security profile of `gatepost: mailbox`
 *
 *   runs as   the virtual mail user (run-as = "accounts"), else the caller
 *   holds     a pipe to the queue; segments and large files of the spool,
 *             read-only, by descriptor; the root folder, to reach Maildirs
 *   peers     queue
 *   calls     files and folders below the delivery targets, syncs
 *   cannot    use the network, write the spool, read passwords
 *   who owns it  can read and change the mailboxes of this installation and
 *             the mail that waits in the segments it was given
 */
#include "mailbox/mailbox.h"

#include <unistd.h>

#include "mailbox/batch.h"
#include "os/disk.h"
#include "os/log.h"
#include "room/room.h"

struct mailbox {
    struct room *room;
    struct maildir maildir;
    struct batches *batches;
    struct jobs *jobs;
};

static bool
on_open(void *self, struct room *r, struct err *e)
{
    struct mailbox *m = self;

    m->room = r;
    m->maildir.disk = os_disk();
    m->maildir.whole = r->conf->mailbox.syncfs;
    m->maildir.root = os_open_dir("/");
    if (m->maildir.root < 0)
        return err_sys(e, "open", "/");
    m->batches = batches_new(r, &m->maildir);
    m->jobs = jobs_new(r, batches_take, m->batches);
    batches_use(m->batches, m->jobs);
    return true;
}

static void
on_peer(void *self, enum pipe pipe, enum role role, uint32_t slot,
        uint64_t incarnation, int fd)
{
    struct mailbox *m = self;

    (void)role;
    (void)slot;
    (void)incarnation;
    if (pipe == PIPE_JOB)
        jobs_attach(m->jobs, fd);
    else
        (void)close(fd);
}

static void
on_go(void *self)
{
    struct mailbox *m = self;
    room_ready(m->room);
}

/* What is being written is finished in any case: it takes milliseconds. */
static void
on_drain(void *self, bool hurry)
{
    struct mailbox *m = self;

    if (hurry)
        batches_stop(m->batches);
    jobs_drain(m->jobs);
}

int
mailbox_main(uint32_t slot, uint64_t incarnation)
{
    static const struct room_ops ops = {
        .role = ROLE_MAILBOX,
        .on_open = on_open,
        .on_peer = on_peer,
        .on_go = on_go,
        .on_drain = on_drain,
    };
    struct mailbox m = {.maildir = {.root = -1}};

    /* Threads may still be writing: what they use ends with the process. */
    return room_run(&ops, &m, slot, incarnation);
}
