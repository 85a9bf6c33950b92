/* SPDX-License-Identifier: ISC */
/*
 * Sessions over real sockets, on a spool in memory and a directory made up
 * here: what the tests of receive/ that need whole sessions share. The
 * functions of room/door.h are this file's own: they put the spool in memory
 * where the pipe to queue would be.
 */
#pragma once

#include <string.h>
#include <sys/socket.h>

#include "../os/cert.h"
#include "conf/conf.h"
#include "os/channel.h"
#include "os/log.h"
#include "receive/session.h"
#include "room/crowd.h"
#include "spool/memory.h"

struct door {
    struct memory_spool *memory;
    struct spool_door *spool;
    struct spool_store *store;
    struct worker *worker;
    bool slow;
};

struct spool_door *
door_spool(struct door *d)
{
    return d->spool;
}

bool
door_slow(const struct door *d)
{
    return d->slow;
}

bool
door_opened(const struct door *d)
{
    return d->spool != NULL;
}

bool
door_idle(const struct door *d)
{
    return d->spool != NULL;
}

struct door *
door_new(struct room *r, size_t body_memory, loop_fn on_better, void *ctx)
{
    (void)r;
    (void)body_memory;
    (void)on_better;
    (void)ctx;
    return NULL;
}

void
door_attach(struct door *d, int fd)
{
    (void)d;
    (void)fd;
}

void
door_free(struct door *d)
{
    (void)d;
}

static inline void
on_ready(void *ctx)
{
    struct door *d = ctx;
    for (struct session *s = d->worker->sessions; s != NULL; s = s->next)
        session_resume(s);
}

/* ours.example: ann, bob; everything else is far away */
static inline bool
find(void *ctx, struct str key, struct str *value)
{
    struct buf b = {0};
    if (str_eq(key, STR("d:ours.example")))
        book_domain_encode(&b,
                           &(struct book_domain){STR("maildir:/m/%{user}")});
    else if (str_eq(key, STR("a:ann@ours.example")) ||
             str_eq(key, STR("a:bob@ours.example")))
        book_account_encode(&b, &(struct book_account){0});
    else
        return false;
    *value = arena_dup(ctx, buf_str(&b));
    buf_fini(&b);
    return true;
}

struct house {
    struct loop *loop;
    struct room room;
    struct worker worker;
    struct door door;
    struct listener mx, submission, submit;
    struct arena values;
    struct channel *directory;
    struct timer *patience;
    bool late;
};

static const char config[] =
    "hostname = \"mx.ours.example\"\n"
    "run-as = caller\n"
    "listen \"mx\" { address = {\"127.0.0.1:2525\"} }\n"
    "listen \"submission\" { address = {\"127.0.0.1:2587\"} auth = required }\n"
    "tls { certificate = \"/c\" key = \"/k\" }\n"
    "domain \"ours.example\" { deliver = \"maildir:/m/%{user}\" }\n"
    "reply \"unknown-recipient\" { text = \"553 sorry, no mailbox here by that "
    "name (#5.1.1)\" }\n"
    "receive { max-connections = 3 }\n";

static inline void
on_turn_end(void *ctx)
{
    struct house *h = ctx;
    spool_turn(h->door.spool);
}

static inline void
on_patience(void *ctx)
{
    struct house *h = ctx;
    h->late = true;
    loop_stop(h->loop);
}

/* Directory: ann with "secret". */
static inline void
on_login(void *ctx, struct str frame, int fd)
{
    struct house *h = ctx;
    struct login_msg m, out = {.type = LOGIN_ANSWER, .account = STR_EMPTY};
    struct buf b = {0};
    assert_true(fd < 0 && login_decode(frame, &m));
    out.seq = m.seq;
    if (str_eq(m.user, STR("ann")) && str_eq(m.password, STR("secret"))) {
        out.result = LOGIN_OK;
        out.account = STR("ann@ours.example");
    }
    login_encode(&b, &out);
    channel_send(h->directory, buf_str(&b));
    buf_fini(&b);
}

static inline void
on_gone(void *ctx)
{
    (void)ctx;
}

static inline void
build(struct house *h)
{
    struct cert cert = cert_new("DNS:mx.ours.example");
    struct err e;
    int fds[2];
    struct conf_result conf = conf_parse(str_from(config), "test");
    if (conf.conf == NULL)
        fail_msg("%.*s", STR_ARG(conf.problems[0].text));
    arena_fini(&conf.arena);
    *h = (struct house){.loop = loop_new()};
    log_open("test", false, LOG_ERROR);
    h->room = (struct room){.loop = h->loop, .conf = conf.conf};
    h->door = (struct door){.memory = memory_spool_new(), .worker = &h->worker};
    h->door.spool = memory_door_new(h->door.memory, on_ready, &h->door);
    h->door.store = memory_store_new(h->door.memory);
    h->worker = (struct worker){
        .room = &h->room,
        .book = {.find = find,
                 .ctx = &h->values,
                 .hostname = STR("mx.ours.example")},
        .door = &h->door,
        .desk = login_desk_new(h->loop, NULL, NULL),
        .sasl = sasl_context_new(),
        .crowd = crowd_new(),
        .policy = {.max_size = 1000000,            .max_recipients = 3}
    };
    h->worker.tls =
        tls_server_context(buf_str(&cert.certificate), buf_str(&cert.key), &e);
    assert_non_null(h->worker.tls);
    cert_fini(&cert);
    h->worker.local = (struct smtp_server_options){
        .hostname = STR("mx.ours.example"),
        .max_size = 1000000,
        .max_errors = 20,
        .command_timeout_ms = 5000,
        .data_timeout_ms = 5000,
    };
    h->worker.network = h->worker.local;
    h->worker.network.starttls = true;
    h->worker.network.mechanisms = STR(SASL_MECHANISMS);
    h->mx = (struct listener){.worker = &h->worker,
                              .conf = &h->room.conf->listens[0]};
    h->submission = (struct listener){.worker = &h->worker,
                                      .conf = &h->room.conf->listens[1]};
    h->submit = (struct listener){.worker = &h->worker};
    assert_true(channel_pair(fds));
    login_desk_attach(h->worker.desk, fds[0]);
    h->directory = channel_new(h->loop, fds[1], on_login, on_gone, h);
    h->patience = timer_new(h->loop, on_patience, h);
    loop_at_turn_end(h->loop, on_turn_end, h);
}

static inline void
tear_down(struct house *h)
{
    while (h->worker.sessions != NULL)
        session_end(h->worker.sessions);
    channel_free(h->directory);
    login_desk_free(h->worker.desk);
    sasl_context_free(h->worker.sasl);
    crowd_free(h->worker.crowd);
    tls_context_free(h->worker.tls);
    loop_free(h->loop);
    spool_door_free(h->door.spool);
    spool_store_free(h->door.store);
    memory_spool_free(h->door.memory);
    buf_fini(&h->worker.reply);
    arena_fini(&h->worker.scratch);
    arena_fini(&h->values);
    conf_free(h->room.conf);
}

/* ---- the client -------------------------------------------------------- */

struct client {
    struct house *house;
    struct conn *conn;
    struct buf heard;
    struct str until; /* the loop stops when this was heard */
    bool waits;
};

static inline void
on_client(void *ctx)
{
    struct client *c = ctx;
    buf_add(&c->heard, conn_input(c->conn));
    conn_consume(c->conn, conn_input(c->conn).n);
    bool done = c->until.n > 0 ? str_find(buf_str(&c->heard), c->until) >= 0
                               : conn_state(c->conn) != CONN_TLS_HANDSHAKE;
    if (!done || !c->waits)
        return;
    c->waits = false;
    loop_stop(c->house->loop);
}

static inline void
call(struct client *c, struct house *h, struct listener *at)
{
    struct net_address peer;
    int fds[2];
    *c = (struct client){.house = h};
    assert_true(net_parse(STR("192.0.2.7"), 4711, &peer));
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds),
                     0);
    session_admit(at, fds[0], &peer);
    c->conn = conn_new(h->loop, fds[1], on_client, c);
}

static inline void
run(struct client *c, int64_t ms)
{
    struct house *h = c->house;
    h->late = false;
    c->waits = true;
    timer_set(h->patience, loop_now(h->loop).mono_ms + ms);
    loop_run(h->loop);
    timer_clear(h->patience);
}

/* Says something and waits until something is heard. */
static inline void
talk(struct client *c, const char *say, const char *until)
{
    buf_clear(&c->heard);
    conn_write(c->conn, str_from(say));
    c->until = str_from(until);
    run(c, 10000);
    if (c->house->late)
        fail_msg("said \"%s\", heard \"%.*s\" and not \"%s\"", say,
                 STR_ARG(buf_str(&c->heard)), until);
}

/* Nothing comes for a while. */
static inline void
silence(struct client *c, const char *say)
{
    buf_clear(&c->heard);
    conn_write(c->conn, str_from(say));
    c->until = STR("\n");
    run(c, 60);
    if (!c->house->late)
        fail_msg("heard \"%.*s\"", STR_ARG(buf_str(&c->heard)));
}

static inline void
hang_up(struct client *c)
{
    conn_free(c->conn);
    buf_fini(&c->heard);
}

/* The content of the message due next, its envelope too. */
static inline struct str
stored(struct house *h, struct spool_claim *claim)
{
    struct buf b = {0};
    struct err e;
    assert_true(spool_claim(h->door.store, (struct instant){INT64_MAX / 2, 0},
                            &h->values, claim));
    assert_true(spool_read(h->door.store, &claim->at, &b, &e));
    struct str text = arena_dup(&h->values, buf_str(&b));
    buf_fini(&b);
    return text;
}

#define ENVELOPE                                                               \
    "MAIL FROM:<x@far.example> RET=HDRS ENVID=e1\r\n"                          \
    "RCPT TO:<ann@ours.example> NOTIFY=NEVER\r\n"
