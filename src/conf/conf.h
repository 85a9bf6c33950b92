/* SPDX-License-Identifier: ISC */
/*
 * The configuration: one text file, every key with a safe default. Each key is
 * one entry of the table in conf/options.c (name, type, range, default, one
 * line of help), from which parsing, checking, printing and the manual's table
 * follow.
 *
 * Parsing is pure: text in, a struct or a list of complaints out, each with
 * file and line, what is wrong, what was expected. conf_print() writes the
 * canonical text; master hands each room such a text without what it must not
 * know.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"
#include "book/lists.h"
#include "ipc/control.h"

struct conf_listen {
    struct str name;
    struct str *addresses; /* "*:25", "127.0.0.1:2525", "[::1]:25" */
    size_t n_addresses;
    bool auth_required;
    bool tls_implicit;
};

struct conf_domain {
    struct str name;    /* domain key */
    struct str deliver; /* "maildir:/var/mail/%{domain}/%{user}" */
};

struct conf_reply {
    struct str reason; /* catalogue id */
    struct str domain; /* domain key of the section it stands in, or empty */
    struct str text;   /* "553 sorry, … (#5.1.1)" */
    uint32_t line;     /* where it begins in this file */
};

struct conf {
    struct arena arena; /* owns everything below */
    struct str file;    /* for messages */
    uint32_t *lines;    /* of each option: conf_line() */

    struct str hostname;
    struct str state;
    bool run_as_caller;
    struct str postmaster;
    struct str deliver; /* default of domains made by `gatepost domain add` */
    bool log_json;

    struct conf_listen *listens;
    size_t n_listens;
    struct conf_domain *domains;
    size_t n_domains;
    struct conf_reply *replies;
    size_t n_replies;

    struct {
        struct str certificate, key; /* file names */
    } tls;

    struct {
        struct str *networks; /* "127.0.0.0/8", "::1" */
        size_t n_networks;
        struct str smarthost; /* "HOST[:PORT]", "[::1]:587" */
        struct str smarthost_user, smarthost_password_file;
        struct str smarthost_ca_file; /* default: the system's */
    } relay;

    struct {
        uint32_t workers;
        uint32_t max_connections;  /* of one worker */
        uint64_t max_message_size; /* octets */
        uint32_t max_recipients;
        uint32_t max_errors; /* refused commands, then 421 */
        int64_t command_timeout_ms, data_timeout_ms;
        uint64_t body_memory; /* octets in memory per worker, beyond: files */
    } receive;

    struct {
        uint32_t failures; /* from which on logins wait */
        uint32_t messages_hour, messages_day;
        uint32_t recipients_hour, recipients_day;
    } login;

    struct {
        uint64_t segment_size, reserve, min_free; /* octets */
    } spool;

    struct {
        int64_t retry_min_ms, retry_max_ms, give_up_ms;
        uint32_t max_in_flight;      /* recipients claimed at once */
        uint32_t destination_window; /* messages in hand per destination */
        bool paused;                 /* accept and keep, deliver nothing */
    } queue;

    struct {
        uint32_t workers;
        uint16_t port; /* of MX hosts; 25 */
        uint32_t connections_per_destination;
        uint32_t messages_per_connection;
        int64_t connect_timeout_ms, command_timeout_ms, data_timeout_ms;
        int64_t idle_timeout_ms; /* an unused connection stays that long */
        struct str helo;         /* default: hostname */
    } send;

    struct {
        /* Lists, by source (conf/value.h): "file:/etc/gatepost/badmailfrom";
         * empty: there is none. */
        struct str clients_refused, badmailfrom, sender_deny;
        struct str rcpthosts, validrcptto;

        bool sender_domain_must_exist;
        bool null_sender_refused;
        bool own_domain_open; /* our senders need no login on an mx port */
        bool recipient_mx_checked;
        bool hello_any;
        struct str message_rules; /* file name */
        int64_t greeting_delay_ms;
        uint32_t client_connections, client_rate; /* 0: no limit */
    } gate;

    struct {
        struct str *servers; /* "127.0.0.1@5300"; empty: /etc/resolv.conf */
        size_t n_servers;
        int64_t timeout_ms;
    } dns;

    struct {
        uint32_t workers;
        bool syncfs; /* one syncfs a group instead of a sync per file */
    } mailbox;

    struct {
        int64_t retention_ms;
        uint64_t min_free; /* octets */
    } journal;
};

struct conf_problem {
    uint32_t line;
    struct str text; /* "line 7: deliver: expected maildir:PATH, found …" */
};

struct conf_result {
    struct conf *conf;             /* NULL when there are problems */
    struct conf_problem *problems; /* in the conf's or a static arena */
    size_t n_problems;
    struct arena arena; /* owns the problems */
};

/* file is only for messages. The caller ends both arenas (conf_free and
 * arena_fini of the result). */
struct conf_result conf_parse(struct str text, const char *file);
void conf_free(struct conf *c);

/* The line on which an option of an untitled section ("gate.badmailfrom") was
 * set in the file that the admin wrote; 0: it was not. */
uint32_t conf_line(const struct conf *c, struct str option);

/* The text chosen for a reason, the domain's own first; empty: none. domain: a
 * domain key, may be empty. */
struct str conf_reply_text(const struct conf *c, struct str reason,
                           struct str domain);

/* A list that the config names. */
struct conf_list {
    enum list_id id;
    struct str source; /* "file:/etc/gatepost/badmailfrom" */
};

/* The i-th of the lists that are set; false: there are not so many. */
bool conf_list_at(const struct conf *c, size_t i, struct conf_list *l);

/* Canonical text for one role (ROLE_NONE: all of it). */
void conf_print(const struct conf *c, enum role role, struct buf *to);
