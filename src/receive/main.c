/* SPDX-License-Identifier: ISC */
/*
 * gatepost: receive
 *
 * user         gatepost-in (run-as "caller": the caller's)
 * root         none of its own
 * descriptors  3 master, 4 config (read and closed); then by the pipe of
 *              master: its listening sockets, the submit socket, certificate
 *              and key as sealed memory files, pipes to directory (book,
 *              logins) and queue (door), memory in which clients are
 *              counted. Later: clients, log segments and
 *              large files from queue, the address book.
 * peers        clients on the network and on this machine: anything may come;
 *              directory, queue: codecs check every frame
 * opens        /etc/resolv.conf at the start, if the gate asks the DNS; every
 *              file it writes was handed to it
 * calls        sockets, epoll, pread, pwrite, fdatasync, mmap, memory
 * who owns it  reads and forges what passes through this process from then on,
 *              passwords that are typed included; can fill its log segments
 *              and spam. Not: read the spool of others, stored passwords,
 *              mailboxes, or files; write anything but its own segments.
 */
#include "receive/receive.h"

#include <unistd.h>

#include "os/log.h"
#include "receive/kick.h"
#include "receive/listen.h"
#include "receive/session.h"
#include "receive/worker.h"
#include "room/crowd.h"
#include "room/ledger.h"
#include "room/policy.h"

enum {
    DRAIN_MS = 10 * 60 * 1000, /* a replaced worker's sessions may go on */
    HURRY_MS = 8000,           /* the server ends: what is in hand */
};

struct str
worker_name(struct worker *w, char out[INCIDENT_TEXT])
{
    return incident_format(w->room->key, w->room->slot, w->names++, out);
}

/* ---- service ----------------------------------------------------------- */

static void
begin_service(struct worker *w)
{
    w->accepting = true;
    listen_start(w);
    room_ready(w->room);
    log_event(LOG_INFO, "ready", LOG_N("slot", w->room->slot), LOG_END);
}

void
worker_check(struct worker *w)
{
    if (w->draining) {
        if (w->n_sessions == 0 && door_idle(w->door))
            room_finish(w->room);
    } else if (w->go && !w->accepting && shelf_ready(w->shelf) &&
               shelf_lists_known(w->shelf) && door_opened(w->door)) {
        begin_service(w);
    }
}

static void
on_ledger(void *ctx, int fd)
{
    struct worker *w = ctx;
    struct ledger *l = ledger_map(fd);
    if (l == NULL) {
        log_error("directory sent something that is no ledger");
        return;
    }
    ledger_free(w->ledger);
    w->ledger = l;
}

static void
on_book(void *ctx)
{
    kick_note_change(ctx);
    worker_check(ctx);
}

/* The spool takes more, or says something else than before. */
static void
on_better(void *ctx)
{
    struct worker *w = ctx;
    for (struct session *s = w->sessions; s != NULL; s = s->next)
        session_resume(s);
    worker_check(w);
}

/* At the end of each turn: the last watermark may just have left. */
static void
on_turn_end(void *ctx)
{
    struct worker *w = ctx;
    kick_at_turn_end(w);
    if (w->draining)
        worker_check(w);
}

/* ---- what master says -------------------------------------------------- */

/* Without a check that asks it, the DNS is left alone. */
static bool
open_dns(struct worker *w, struct err *e)
{
    const struct conf *c = w->room->conf;
    if (!policy_needs_dns(&w->policy))
        return true;
    w->dns = dns_new(w->room->loop, c->dns.servers, c->dns.n_servers,
                     c->dns.timeout_ms, e);
    return w->dns != NULL;
}

static void
set_options(struct worker *w)
{
    const struct conf *c = w->room->conf;
    w->local = (struct smtp_server_options){
        .hostname = c->hostname,
        .mechanisms = STR_EMPTY,
        .max_size = c->receive.max_message_size,
        .max_recipients = c->receive.max_recipients,
        .max_errors = c->receive.max_errors,
        .command_timeout_ms = c->receive.command_timeout_ms,
        .data_timeout_ms = c->receive.data_timeout_ms,
    };
    w->network = w->local;
    w->network.mechanisms = STR(SASL_MECHANISMS);
    w->book = (struct book){
        .find = shelf_find,
        .listed = shelf_listed,
        .ctx = w->shelf,
        .hostname = c->hostname,
        .postmaster = c->postmaster,
        .postmaster_delivery = arena_printf(
            &w->arena, "maildir:%.*s/postmaster", STR_ARG(c->state)),
    };
}

static bool
on_open(void *self, struct room *r, struct err *e)
{
    struct worker *w = self;
    w->room = r;
    w->shelf = shelf_new(r->loop, on_book, w);
    w->door = door_new(r, (size_t)r->conf->receive.body_memory, on_better, w);
    w->desk = login_desk_new(r->loop, on_ledger, w);
    shelf_expect_lists(w->shelf, r->conf);
    w->sasl = sasl_context_new();
    w->crowd = crowd_new();
    set_options(w);
    w->policy = policy_from(r->conf);
    loop_at_turn_end(r->loop, on_turn_end, w);
    return open_dns(w, e);
}

static void
on_peer(void *self, enum pipe pipe, enum role role, uint32_t slot,
        uint64_t incarnation, int fd)
{
    struct worker *w = self;
    (void)role;
    (void)slot;
    (void)incarnation;
    if (pipe == PIPE_BOOK)
        shelf_attach(w->shelf, fd);
    else if (pipe == PIPE_DOOR)
        door_attach(w->door, fd);
    else if (pipe == PIPE_LOGIN)
        login_desk_attach(w->desk, fd);
    else if (pipe == PIPE_LOOKUP)
        shelf_attach_lookups(w->shelf, fd);
    else
        (void)close(fd);
}

static void
on_listen(void *self, struct str name, int fd)
{
    listen_add(self, name, fd);
}

/* Master has looked at them; what it let through and we do not would be no
 * filter at all. */
static void
take_rules(struct worker *w, int fd)
{
    struct buf problems = {0};
    w->rules = rules_new(room_read_file(&w->arena, fd), &problems);
    if (w->rules == NULL)
        room_fail(w->room, buf_cstr(&problems));
    buf_fini(&problems);
}

static void
join_crowd(struct worker *w, int fd)
{
    if (!crowd_join(w->crowd, fd, w->room->incarnation))
        log_error("no seat for this process: it counts its clients alone");
}

static void
on_file(void *self, struct str name, int fd)
{
    struct worker *w = self;
    if (str_eq(name, STR("tls-certificate")))
        w->certificate = room_read_file(&w->arena, fd);
    else if (str_eq(name, STR("tls-key")))
        w->key = room_read_file(&w->arena, fd);
    else if (str_eq(name, STR("message-rules")))
        take_rules(w, fd);
    else if (str_eq(name, STR("crowd")))
        join_crowd(w, fd);
    else
        (void)close(fd);
}

/* false: the room has failed. */
static bool
make_tls(struct worker *w)
{
    struct err e;
    if (w->certificate.n > 0 || w->key.n > 0) {
        w->tls = tls_server_context(w->certificate, w->key, &e);
        if (w->tls == NULL) {
            room_fail(w->room, e.text);
            return false;
        }
        w->network.starttls = true;
    }
    for (const struct listener *l = w->listeners; l != NULL; l = l->next)
        if (w->tls == NULL && l->conf != NULL && l->conf->tls_implicit) {
            room_fail(w->room, "a listener with tls = implicit needs a "
                               "certificate and a key");
            return false;
        }
    return true;
}

static void
on_go(void *self)
{
    struct worker *w = self;
    if (!make_tls(w))
        return;
    w->go = true;
    worker_check(w);
}

static void
dismiss_all(struct worker *w)
{
    w->hurry = true;
    for (struct session *s = w->sessions, *next; s != NULL; s = next) {
        next = s->next;
        session_dismiss(s);
    }
}

static void
end_all(struct worker *w)
{
    for (struct session *s = w->sessions, *next; s != NULL; s = next) {
        next = s->next;
        session_end(s);
    }
    worker_check(w);
}

/* The time of a drain is up: first those who owe nothing, then all. */
static void
on_limit(void *ctx)
{
    struct worker *w = ctx;
    if (w->hurry) {
        end_all(w);
        return;
    }
    dismiss_all(w);
    timer_set(w->limit, loop_now(w->room->loop).mono_ms + HURRY_MS);
}

static void
on_drain(void *self, bool hurry)
{
    struct worker *w = self;
    int64_t now = loop_now(w->room->loop).mono_ms;
    w->draining = true;
    w->accepting = false;
    listen_stop(w);
    if (w->limit == NULL)
        w->limit = timer_new(w->room->loop, on_limit, w);
    if (hurry)
        dismiss_all(w);
    timer_set(w->limit, now + (hurry ? HURRY_MS : DRAIN_MS));
    worker_check(w);
}

int
receive_main(uint32_t slot, uint64_t incarnation)
{
    static const struct room_ops ops = {
        .role = ROLE_RECEIVE,
        .on_open = on_open,
        .on_peer = on_peer,
        .on_listen = on_listen,
        .on_file = on_file,
        .on_go = on_go,
        .on_drain = on_drain,
    };
    struct worker w = {0};
    return room_run(&ops, &w, slot, incarnation);
}
