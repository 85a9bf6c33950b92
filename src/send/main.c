/* SPDX-License-Identifier: ISC */
/*
 * send: takes messages to other hosts.
 *
 * user         gatepost-out
 * root         no
 * descriptors  3 master, 4 config, one pipe to queue, segments and large files
 *              read-only as the queue grants them, sockets to other hosts and
 *              to the name servers
 * opens        /etc/resolv.conf, at the start
 * files        CA bundle and the smarthost's password, by descriptor
 * peers        queue; SMTP hosts and name servers: strangers
 * system calls sockets out, reads; no listening, no file system
 * owned by an attacker: reads the mail of the segments it was given, the
 *              smarthost's password, says that mail was sent which was not;
 *              writes no spool, reads no password of our users
 *
 * It reloads by generation: a new process takes the work, this one finishes
 * what it has begun and gives back what waits.
 */
#include "send/send.h"

#include "os/log.h"
#include "os/net.h"
#include "os/sandbox.h"
#include "send/destination.h"
#include "send/sender.h"

static void
on_work(void *self, struct work *w)
{
    struct sender *s = self;
    const struct conf *conf = s->room->conf;
    // With a smarthost nothing goes anywhere else, also what was routed before
    // it was configured.
    struct destination *d =
        destination_find(s, conf->relay.smarthost.n > 0 ? conf->relay.smarthost
                                                        : w->msg.destination);

    destination_add(d, delivery_new(w));
    destination_pump(d);
}

static bool
same_host(struct str listen, struct str address, uint16_t port)
{
    struct net_address own, other;
    char a[NET_TEXT], b[NET_TEXT];
    ssize_t colon = str_rfind_char(listen, ':');
    uint64_t number;

    if (colon < 0 ||
        !str_to_u64(str_from_pos(listen, (size_t)colon + 1), &number) ||
        number != port || !net_parse(address, port, &other))
        return false;
    struct str host = str_first(listen, (size_t)colon);
    if (str_eq(host, STR("*")) || str_eq(host, STR("0.0.0.0")) ||
        str_eq(host, STR("[::]")))
        return net_is_own(&other);
    return net_parse(host, port, &own) &&
           str_eq(net_format(&own, a), net_format(&other, b));
}

static bool
is_self(void *ctx, struct str address, uint16_t port)
{
    const struct sender *s = ctx;
    const struct conf *conf = s->room->conf;

    for (size_t i = 0; i < conf->n_listens; i++)
        for (size_t j = 0; j < conf->listens[i].n_addresses; j++)
            if (same_host(conf->listens[i].addresses[j], address, port))
                return true;
    return false;
}

static bool
on_open(void *self, struct room *r, struct err *e)
{
    struct sender *s = self;
    const struct conf *conf = r->conf;

    s->room = r;
    s->jobs = jobs_new(r, on_work, s);
    s->self = (struct route_self){
        .hostname = conf->hostname, .is_self = is_self, .ctx = s};
    sandbox_random(&s->random, sizeof s->random);
    s->tls_any = tls_client_context(false, STR_EMPTY, e);
    if (s->tls_any == NULL)
        return false;
    s->dns = dns_new(r->loop, conf->dns.servers, conf->dns.n_servers,
                     conf->dns.timeout_ms, e);
    return s->dns != NULL;
}

static void
on_peer(void *self, enum pipe pipe, enum role role, uint32_t slot,
        uint64_t incarnation, int fd)
{
    struct sender *s = self;
    (void)pipe; // master gives this room no other
    (void)role;
    (void)slot;
    (void)incarnation;
    jobs_attach(s->jobs, fd);
}

static void
on_file(void *self, struct str name, int fd)
{
    struct sender *s = self;
    struct str content = room_read_file(&s->arena, fd);

    if (str_eq(name, STR("ca"))) {
        s->anchors = content;
    } else if (str_eq(name, STR("smarthost-password"))) {
        (void)str_cut(content, '\n', &s->password, &content);
        if (str_ends(s->password, STR("\r")))
            s->password = str_first(s->password, s->password.n - 1);
    }
}

static void
on_go(void *self)
{
    struct sender *s = self;
    struct err e;

    if (s->room->conf->relay.smarthost_user.n > 0) {
        s->tls_checked = tls_client_context(true, s->anchors, &e);
        if (s->tls_checked == NULL)
            log_error(e.text);
    }
    room_ready(s->room);
}

static void
on_drain(void *self, bool hurry)
{
    struct sender *s = self;
    struct str key;
    void *d;

    (void)hurry; // what is under way is finished in both cases
    jobs_drain(s->jobs);
    for (size_t i = 0; map_next(&s->destinations, &i, &key, &d);)
        destination_drain(d);
}

int
send_main(uint32_t slot, uint64_t incarnation)
{
    static const struct room_ops ops = {.role = ROLE_SEND,
                                        .on_open = on_open,
                                        .on_peer = on_peer,
                                        .on_file = on_file,
                                        .on_go = on_go,
                                        .on_drain = on_drain};
    struct sender s = {0};
    return room_run(&ops, &s, slot, incarnation);
}
