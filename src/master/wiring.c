/* SPDX-License-Identifier: ISC */
#include "master/house_internal.h"

#include <unistd.h>

#include "os/log.h"

/* Who talks to whom: the whole plan of the house. */
static const struct {
    enum pipe pipe;
    enum role a, b;
} pipes[] = {
    {PIPE_BOOK,     ROLE_DIRECTORY, ROLE_RECEIVE  },
    {PIPE_BOOK,     ROLE_DIRECTORY, ROLE_QUEUE    },
    {PIPE_LOGIN,    ROLE_RECEIVE,   ROLE_DIRECTORY},
    {PIPE_LOOKUP,   ROLE_RECEIVE,   ROLE_DIRECTORY},
    {PIPE_DOOR,     ROLE_RECEIVE,   ROLE_QUEUE    },
    {PIPE_DOOR,     ROLE_NOTIFY,    ROLE_QUEUE    },
    {PIPE_JOB,      ROLE_QUEUE,     ROLE_SEND     },
    {PIPE_JOB,      ROLE_QUEUE,     ROLE_MAILBOX  },
    {PIPE_NOTICE,   ROLE_QUEUE,     ROLE_NOTIFY   },
    {PIPE_VACATION, ROLE_NOTIFY,    ROLE_DIRECTORY},
    {PIPE_JOURNAL,  ROLE_RECEIVE,   ROLE_JOURNAL  },
    {PIPE_JOURNAL,  ROLE_DIRECTORY, ROLE_JOURNAL  },
    {PIPE_JOURNAL,  ROLE_QUEUE,     ROLE_JOURNAL  },
    {PIPE_JOURNAL,  ROLE_NOTIFY,    ROLE_JOURNAL  },
};

enum { PIPES = sizeof pipes / sizeof *pipes };

static bool
joins(size_t i, enum role x, enum role y)
{
    return (pipes[i].a == x && pipes[i].b == y) ||
           (pipes[i].a == y && pipes[i].b == x);
}

static void
send_fd(struct child *c, const struct control_msg *m, int fd)
{
    struct buf b = {0};
    control_encode(&b, m);
    channel_send_fd(c->control, buf_str(&b), fd);
    buf_fini(&b);
}

void
wiring_say(struct child *c, enum control_type type)
{
    struct buf b = {0};
    control_encode(&b, &(struct control_msg){.type = type});
    channel_send(c->control, buf_str(&b));
    buf_fini(&b);
}

static void
give_listener(struct child *c, struct str name, int fd)
{
    if (fd >= 0)
        send_fd(c, &(struct control_msg){.type = CONTROL_LISTEN, .name = name},
                fd);
}

static void
give_listeners(struct child *c)
{
    const struct house *h = c->house;
    const int *local = h->base.premises->sockets;
    switch (c->slot->role) {
    case ROLE_RECEIVE:
        for (size_t i = 0; i < h->plan.ports->n; i++) {
            const struct port *p = &h->plan.ports->list[i];
            if (p->slot != c->slot->number)
                continue;
            give_listener(c, p->name, p->fds[0]);
            give_listener(c, p->name, p->fds[1]);
        }
        give_listener(c, STR("submit"), local[LOCAL_SUBMIT]);
        break;
    case ROLE_QUEUE:
        give_listener(c, STR("control"), local[LOCAL_QUEUE]);
        break;
    case ROLE_DIRECTORY:
        give_listener(c, STR("control"), local[LOCAL_DIRECTORY]);
        break;
    case ROLE_NONE:
    case ROLE_SEND:
    case ROLE_MAILBOX:
    case ROLE_NOTIFY:
    case ROLE_JOURNAL:
    case ROLE_COUNT:
        break;
    }
}

void
wiring_equip(struct child *c)
{
    const struct papers *papers = c->house->plan.papers;
    for (enum paper i = 0; i < PAPERS; i++) {
        struct control_msg m = {.type = CONTROL_FILE,
                                .name = str_from(paper_name(i))};
        if (paper_reader(i) == c->slot->role && papers->files[i] >= 0)
            send_fd(c, &m, papers->files[i]);
    }
    if (c->slot->role == ROLE_RECEIVE && c->house->crowd != NULL)
        send_fd(
            c,
            &(struct control_msg){.type = CONTROL_FILE, .name = STR("crowd")},
            crowd_fd(c->house->crowd));
    give_listeners(c);
}

/* To `to`: this is your end of a pipe to `peer`. */
static void
give_end(struct child *to, enum pipe pipe, const struct child *peer, int fd)
{
    send_fd(to,
            &(struct control_msg){.type = CONTROL_PEER,
                                  .pipe = pipe,
                                  .role = peer->slot->role,
                                  .slot = peer->slot->number,
                                  .incarnation = peer->incarnation},
            fd);
}

static void
connect_pair(struct child *x, struct child *y)
{
    for (size_t i = 0; i < PIPES; i++) {
        int fds[2];
        if (!joins(i, x->slot->role, y->slot->role))
            continue;
        if (!channel_pair(fds)) {
            struct err e;
            (void)err_sys(&e, "make a pipe between", "two rooms");
            log_error(e.text);
            return;
        }
        give_end(x, pipes[i].pipe, y, fds[0]);
        give_end(y, pipes[i].pipe, x, fds[1]);
        (void)close(fds[0]);
        (void)close(fds[1]);
    }
}

/* Those that are on their way out get no new peers. */
void
wiring_connect(struct child *c)
{
    for (struct child *o = c->house->children; o != NULL; o = o->next)
        if (o->connected && o->slot->current == o)
            connect_pair(c, o);
    c->connected = true;
}

void
wiring_tell_reaped(struct child *dead)
{
    struct buf b = {0};
    control_encode(&b, &(struct control_msg){.type = CONTROL_REAPED,
                                             .role = dead->slot->role,
                                             .slot = dead->slot->number,
                                             .incarnation = dead->incarnation});
    for (struct child *o = dead->house->children; o != NULL; o = o->next) {
        bool peers = false;
        for (size_t i = 0; i < PIPES; i++)
            peers = peers || joins(i, dead->slot->role, o->slot->role);
        if (o != dead && peers)
            channel_send(o->control, buf_str(&b));
    }
    buf_fini(&b);
}
