/* SPDX-License-Identifier: ISC */
#include "conf/options.h"

#include "conf/value.h"

enum {
    MASTER_ONLY = 0,
    RECEIVE = 1 << ROLE_RECEIVE,
    DIRECTORY = 1 << ROLE_DIRECTORY,
    QUEUE = 1 << ROLE_QUEUE,
    SEND = 1 << ROLE_SEND,
    MAILBOX = 1 << ROLE_MAILBOX,
    NOTIFY = 1 << ROLE_NOTIFY,
    JOURNAL = 1 << ROLE_JOURNAL,
    ALL = RECEIVE | DIRECTORY | QUEUE | SEND | MAILBOX | NOTIFY | JOURNAL,
};

#define SECOND 1000ULL
#define HOUR (3600 * SECOND)
#define DAY (24 * HOUR)
#define MEGA (1ULL << 20)
#define TERA (1ULL << 40)

#define AT(member) .offset = offsetof(struct conf, member)
#define IN(type, member) .offset = offsetof(struct type, member)
#define COUNT(type, member) .count_offset = offsetof(struct type, member)

/* Wide enough that neither a typing error nor a fuzzer asks for the absurd. */
#define WORKERS(section_, member, fallback_, role_, help_)                     \
    {                                                                          \
        .section = (section_), .type = OPTION_NUMBER, .name = "workers",       \
        AT(member), .fallback = (fallback_), .min = 1, .max = 64,              \
        .roles = (role_), .help = (help_)                                      \
    }

/* What one account may send; `gatepost user limit` says otherwise for one. */
#define LIMIT(name_, member_, what_)                                           \
    {                                                                          \
        .section = SECTION_LOGIN, .type = OPTION_NUMBER, .name = (name_),      \
        AT(login.member_), .roles = RECEIVE, .fallback = "0", .min = 0,        \
        .max = 4000000000,                                                     \
        .help = what_ " that an account may send, then 450 until the time "    \
                      "said in it; 0: any number"                              \
    }

/* A list of the admin's. Receive needs to know that there is one, and the queue
 * that there is a list of mailboxes. */
#define LIST(name_, member_, roles_, help_)                                    \
    {                                                                          \
        .section = SECTION_GATE, .type = OPTION_SOURCE, .name = (name_),       \
        AT(gate.member_), .roles = DIRECTORY | RECEIVE | (roles_),             \
        .help = (help_)                                                        \
    }

// One row an option; clang-format would spread each over many columns.
// clang-format off
const struct option option_table[] = {
    {.name = "hostname", AT(hostname), .roles = ALL,
     .check = value_check_hostname,
     .help = "full name of this host, for the greeting, Received fields and "
             "notices; required"},
    {.name = "state", AT(state), .roles = ALL, .fallback = "/var/lib/gatepost",
     .check = value_check_state,
     .help = "folder of spool, directory, mailboxes and control sockets"},
    {.name = "run-as", .type = OPTION_WORD, AT(run_as_caller), .roles = ALL,
     .fallback = "accounts", .words = "accounts|caller",
     .help = "accounts: each process under its installed account; caller: "
             "all keep the user that started the server"},
    {.name = "postmaster", AT(postmaster),
     .roles = DIRECTORY | RECEIVE | QUEUE, .check = value_check_address,
     .help = "where mail for postmaster goes that has no account or alias; "
             "empty: the Maildir STATE/postmaster"},
    {.name = "deliver", AT(deliver), .roles = DIRECTORY | RECEIVE | QUEUE,
     .check = value_check_deliver,
     .help = "mailboxes of domains without a deliver of their own; empty: "
             "maildir:STATE/mail/%{domain}/%{user}"},
    {.name = "log", .type = OPTION_WORD, AT(log_json), .roles = ALL,
     .fallback = "text", .words = "text|json",
     .help = "form of the log on standard error"},

    {.section = SECTION_LISTEN, .type = OPTION_LIST, .name = "address",
     IN(conf_listen, addresses), COUNT(conf_listen, n_addresses),
     .roles = RECEIVE | SEND, .check = value_check_listen,
     .help = "addresses and ports to listen on, \"*:25\"; required"},
    {.section = SECTION_LISTEN, .type = OPTION_WORD, .name = "auth",
     IN(conf_listen, auth_required), .roles = RECEIVE, .fallback = "no",
     .words = "no|required",
     .help = "required: for submission, nobody sends without a login"},
    {.section = SECTION_LISTEN, .type = OPTION_WORD, .name = "tls",
     IN(conf_listen, tls_implicit), .roles = RECEIVE, .fallback = "starttls",
     .words = "starttls|implicit",
     .help = "implicit: TLS from the first octet (port 465)"},

    {.section = SECTION_TLS, .name = "certificate", AT(tls.certificate),
     .roles = RECEIVE, .is_path = true, .help = "certificate chain, PEM"},
    {.section = SECTION_TLS, .name = "key", AT(tls.key), .roles = RECEIVE,
     .is_path = true, .help = "its private key, PEM"},

    {.section = SECTION_DOMAIN, .name = "deliver", IN(conf_domain, deliver),
     .roles = DIRECTORY, .check = value_check_deliver,
     .help = "mailboxes of this domain; default: deliver of the top level"},

    {.section = SECTION_RELAY, .type = OPTION_LIST, .name = "networks",
     AT(relay.networks), COUNT(conf, relay.n_networks), .roles = RECEIVE,
     .check = value_check_network,
     .help = "clients that may relay without a login; empty: nobody"},
    {.section = SECTION_RELAY, .name = "smarthost", AT(relay.smarthost),
     .roles = QUEUE | SEND, .check = value_check_smarthost,
     .help = "HOST[:PORT] that takes all mail for other hosts; empty: "
             "deliver to their MX"},
    {.section = SECTION_RELAY, .name = "smarthost-user",
     AT(relay.smarthost_user), .roles = SEND,
     .help = "login at the smarthost; TLS with a valid certificate is then "
             "required"},
    {.section = SECTION_RELAY, .name = "smarthost-password-file",
     AT(relay.smarthost_password_file), .roles = SEND, .is_path = true,
     .help = "file whose first line is the password"},
    {.section = SECTION_RELAY, .name = "smarthost-ca-file",
     AT(relay.smarthost_ca_file), .roles = SEND, .is_path = true,
     .help = "issuers trusted for the smarthost, PEM; empty: the system's"},

    {.section = SECTION_REPLY, .name = "text", IN(conf_reply, text),
     .roles = RECEIVE, .check = value_check_reply,
     .help = "reply for this reason of the catalogue (gatepost reasons), "
             "sent as it is; required"},

    WORKERS(SECTION_RECEIVE, receive.workers, "2", ALL,
     "processes that talk to clients"),
    {.section = SECTION_RECEIVE, .type = OPTION_NUMBER,
     .name = "max-connections", AT(receive.max_connections), .roles = RECEIVE,
     .fallback = "20000", .min = 1, .max = 1000000,
     .help = "clients at once, per process"},
    {.section = SECTION_RECEIVE, .type = OPTION_SIZE,
     .name = "max-message-size", AT(receive.max_message_size),
     .roles = RECEIVE | QUEUE, .fallback = "50M", .min = 65536, .max = TERA,
     .help = "larger messages are refused"},
    {.section = SECTION_RECEIVE, .type = OPTION_NUMBER,
     .name = "max-recipients", AT(receive.max_recipients), .roles = RECEIVE,
     .fallback = "1000", .min = 100, .max = 100000,
     .help = "recipients of one message"},
    {.section = SECTION_RECEIVE, .type = OPTION_NUMBER, .name = "max-errors",
     AT(receive.max_errors), .roles = RECEIVE, .fallback = "20", .min = 1,
     .max = 1000000,
     .help = "refused commands without a message accepted between them, then "
             "421 and the end; clients on this host may ask for any number of "
             "recipients"},
    {.section = SECTION_RECEIVE, .type = OPTION_DURATION,
     .name = "command-timeout", AT(receive.command_timeout_ms),
     .roles = RECEIVE, .fallback = "5m", .min = SECOND, .max = DAY,
     .help = "wait for the client's next command"},
    {.section = SECTION_RECEIVE, .type = OPTION_DURATION,
     .name = "data-timeout", AT(receive.data_timeout_ms), .roles = RECEIVE,
     .fallback = "5m", .min = SECOND, .max = DAY,
     .help = "wait for more of a message"},
    {.section = SECTION_RECEIVE, .type = OPTION_SIZE, .name = "body-memory",
     AT(receive.body_memory), .roles = RECEIVE, .fallback = "64M", .min = MEGA,
     .max = TERA,
     .help = "messages held in memory while they come in, per process"},

    LIST("clients-refused", clients_refused, 0, "clients that are not served"),
    LIST("badmailfrom", badmailfrom, 0, "senders that are refused"),
    LIST("sender-deny", sender_deny, 0,
         "senders that are refused, too, with the words of sender-denied"),
    LIST("rcpthosts", rcpthosts, 0,
         "the only domains that mail of strangers may go to; one that is not "
         "ours is passed on to its MX"),
    LIST("validrcptto", validrcptto, QUEUE,
         "the only recipients in our domains and those of rcpthosts; one in our "
         "domains has a mailbox even without an account"),
    {.section = SECTION_GATE, .type = OPTION_WORD, .name = "sender-domain",
     AT(gate.sender_domain_must_exist), .roles = RECEIVE, .fallback = "any",
     .words = "any|must-exist",
     .help = "must-exist: a sender's domain needs an MX, A or AAAA record"},
    {.section = SECTION_GATE, .type = OPTION_WORD, .name = "null-sender",
     AT(gate.null_sender_refused), .roles = RECEIVE, .fallback = "allow",
     .words = "allow|refuse",
     .help = "refuse: take no mail with an empty sender, which loses all "
             "bounces and receipts"},
    {.section = SECTION_GATE, .type = OPTION_WORD, .name = "own-domain",
     AT(gate.own_domain_open), .roles = RECEIVE, .fallback = "login",
     .words = "login|open",
     .help = "login: senders of our domains log in or are in relay.networks; "
             "open: strangers may use them, too"},
    {.section = SECTION_GATE, .type = OPTION_WORD, .name = "recipient-mx",
     AT(gate.recipient_mx_checked), .roles = RECEIVE, .fallback = "ignore",
     .words = "ignore|check",
     .help = "check: where relaying is denied, ask the DNS whether the "
             "domain's MX is this host, and say so"},
    {.section = SECTION_GATE, .type = OPTION_WORD, .name = "hello",
     AT(gate.hello_any), .roles = RECEIVE, .fallback = "valid",
     .words = "valid|any",
     .help = "valid: other servers greet with a host name or address literal "
             "that is not our name"},
    {.section = SECTION_GATE, .type = OPTION_DURATION, .name = "greeting-delay",
     AT(gate.greeting_delay_ms), .roles = RECEIVE, .fallback = "0s", .min = 0,
     .max = 300 * SECOND,
     .help = "who speaks before a greeting that comes so late is refused"},
    {.section = SECTION_GATE, .type = OPTION_NUMBER,
     .name = "client-connections", AT(gate.client_connections),
     .roles = RECEIVE, .fallback = "200", .min = 0, .max = 1000000,
     .help = "connections at once of one client network (/24, IPv6 /56); 0: "
             "no limit"},
    {.section = SECTION_GATE, .type = OPTION_NUMBER, .name = "client-rate",
     AT(gate.client_rate), .roles = RECEIVE, .fallback = "0", .min = 0,
     .max = 1000000,
     .help = "new connections a minute of one client network; 0: no limit"},
    {.section = SECTION_GATE, .name = "message-rules", AT(gate.message_rules),
     .roles = RECEIVE, .is_path = true,
     .help = "file of regular expressions for header and body; what one "
             "matches is refused as message-filtered"},

    {.section = SECTION_SPOOL, .type = OPTION_SIZE, .name = "segment-size",
     AT(spool.segment_size), .roles = QUEUE, .fallback = "64M", .min = MEGA,
     .max = 1024 * MEGA, .help = "size of one log file of the spool"},
    {.section = SECTION_SPOOL, .type = OPTION_SIZE, .name = "reserve",
     AT(spool.reserve), .roles = QUEUE, .fallback = "16M", .min = 65536,
     .max = TERA, .help = "disk space kept back for outcomes and notices"},
    {.section = SECTION_SPOOL, .type = OPTION_SIZE, .name = "min-free",
     AT(spool.min_free), .roles = QUEUE, .fallback = "32M", .min = 0,
     .max = TERA,
     .help = "below this much free disk space mail is refused with 452"},

    {.section = SECTION_QUEUE, .type = OPTION_DURATION, .name = "retry-min",
     AT(queue.retry_min_ms), .roles = QUEUE, .fallback = "5m", .min = 100,
     .max = 30 * DAY,
     .help = "wait before the second attempt; doubles each time"},
    {.section = SECTION_QUEUE, .type = OPTION_DURATION, .name = "retry-max",
     AT(queue.retry_max_ms), .roles = QUEUE, .fallback = "4h", .min = 100,
     .max = 30 * DAY, .help = "longest wait between attempts"},
    {.section = SECTION_QUEUE, .type = OPTION_DURATION, .name = "give-up",
     AT(queue.give_up_ms), .roles = QUEUE, .fallback = "5d", .min = 100,
     .max = 365 * DAY, .help = "age at which a message returns to its sender"},
    {.section = SECTION_QUEUE, .type = OPTION_NUMBER, .name = "max-in-flight",
     AT(queue.max_in_flight), .roles = QUEUE, .fallback = "10000", .min = 1,
     .max = 10000000, .help = "recipients being delivered at once"},
    {.section = SECTION_QUEUE, .type = OPTION_NUMBER,
     .name = "destination-window", AT(queue.destination_window),
     .roles = QUEUE, .fallback = "1000", .min = 1, .max = 1000000,
     .help = "messages being delivered at once to one destination"},
    {.section = SECTION_QUEUE, .type = OPTION_WORD, .name = "paused",
     AT(queue.paused), .roles = QUEUE, .fallback = "no", .words = "no|yes",
     .help = "yes: accept and keep mail, deliver none until it is no again"},

    WORKERS(SECTION_SEND, send.workers, "2", ALL,
     "processes that talk to other hosts"),
    {.section = SECTION_SEND, .type = OPTION_PORT, .name = "port",
     AT(send.port), .roles = SEND, .fallback = "25", .min = 1, .max = 65535,
     .help = "port of MX hosts; for tests"},
    {.section = SECTION_SEND, .type = OPTION_NUMBER,
     .name = "connections-per-destination",
     AT(send.connections_per_destination), .roles = SEND, .fallback = "20",
     .min = 1, .max = 10000,
     .help = "connections to one destination at once, per process"},
    {.section = SECTION_SEND, .type = OPTION_NUMBER,
     .name = "messages-per-connection", AT(send.messages_per_connection),
     .roles = SEND, .fallback = "1000", .min = 1, .max = 1000000,
     .help = "messages over one connection before it is closed"},
    {.section = SECTION_SEND, .type = OPTION_DURATION,
     .name = "connect-timeout", AT(send.connect_timeout_ms), .roles = SEND,
     .fallback = "30s", .min = 100, .max = HOUR,
     .help = "wait for a connection"},
    {.section = SECTION_SEND, .type = OPTION_DURATION,
     .name = "command-timeout", AT(send.command_timeout_ms), .roles = SEND,
     .fallback = "5m", .min = 100, .max = DAY,
     .help = "wait for the reply to a command"},
    {.section = SECTION_SEND, .type = OPTION_DURATION, .name = "data-timeout",
     AT(send.data_timeout_ms), .roles = SEND, .fallback = "10m", .min = 100,
     .max = DAY, .help = "wait for the reply to a message"},
    {.section = SECTION_SEND, .type = OPTION_DURATION, .name = "idle-timeout",
     AT(send.idle_timeout_ms), .roles = SEND, .fallback = "2s", .min = 1,
     .max = HOUR, .help = "how long an unused connection is kept"},
    {.section = SECTION_SEND, .name = "helo", AT(send.helo), .roles = SEND,
     .check = value_check_hostname,
     .help = "name given in EHLO; empty: hostname"},

    {.section = SECTION_DNS, .type = OPTION_LIST, .name = "servers",
     AT(dns.servers), COUNT(conf, dns.n_servers), .roles = SEND | RECEIVE,
     .check = value_check_resolver,
     .help = "name servers, \"127.0.0.1@5300\"; empty: /etc/resolv.conf"},
    {.section = SECTION_DNS, .type = OPTION_DURATION, .name = "timeout",
     AT(dns.timeout_ms), .roles = SEND | RECEIVE, .fallback = "15s",
     .min = 100, .max = HOUR, .help = "wait for an answer"},

    WORKERS(SECTION_MAILBOX, mailbox.workers, "2", ALL,
     "processes that write mailboxes"),
    {.section = SECTION_MAILBOX, .type = OPTION_WORD, .name = "sync",
     AT(mailbox.syncfs), .roles = MAILBOX, .fallback = "filesystem",
     .words = "file|filesystem",
     .help = "file: sync each message; filesystem: one syncfs for a group, "
             "which waits for other writers too"},

    {.section = SECTION_JOURNAL, .type = OPTION_DURATION, .name = "retention",
     AT(journal.retention_ms), .roles = JOURNAL, .fallback = "30d",
     .min = DAY, .max = 3650 * DAY,
     .help = "how long what happened can be asked about; whole days are "
             "deleted"},
    {.section = SECTION_JOURNAL, .type = OPTION_SIZE, .name = "min-free",
     AT(journal.min_free), .roles = JOURNAL, .fallback = "256M", .min = 0,
     .max = TERA,
     .help = "space left free for others; with less, events are dropped and "
             "counted"},
    {.section = SECTION_LOGIN, .type = OPTION_NUMBER, .name = "failures",
     AT(login.failures), .roles = DIRECTORY, .fallback = "10", .min = 0,
     .max = 1000000,
     .help = "from which failed login of an account or a network on further "
             "ones wait; 0: never"},
    LIMIT("messages-per-hour", messages_hour, "messages"),
    LIMIT("messages-per-day", messages_day, "messages"),
    LIMIT("recipients-per-hour", recipients_hour, "recipients"),
    LIMIT("recipients-per-day", recipients_day, "recipients"),
};
// clang-format on

size_t
option_count(void)
{
    return sizeof option_table / sizeof *option_table;
}

static const char *const section_names[SECTION_COUNT] = {
    [SECTION_LISTEN] = "listen",   [SECTION_TLS] = "tls",
    [SECTION_DOMAIN] = "domain",   [SECTION_RELAY] = "relay",
    [SECTION_REPLY] = "reply",     [SECTION_RECEIVE] = "receive",
    [SECTION_SPOOL] = "spool",     [SECTION_QUEUE] = "queue",
    [SECTION_SEND] = "send",       [SECTION_DNS] = "dns",
    [SECTION_MAILBOX] = "mailbox", [SECTION_GATE] = "gate",
    [SECTION_JOURNAL] = "journal", [SECTION_LOGIN] = "login",
};

const char *
section_name(enum section s)
{
    return section_names[s];
}

bool
section_has_title(enum section s)
{
    return s == SECTION_LISTEN || s == SECTION_DOMAIN || s == SECTION_REPLY;
}

bool
section_within(enum section outer, enum section inner)
{
    return inner != SECTION_TOP &&
           (outer == SECTION_TOP ||
            (outer == SECTION_DOMAIN && inner == SECTION_REPLY));
}

enum section
section_from_name(struct str name)
{
    if (str_eq(name, STR("root")))
        return SECTION_TOP;
    for (unsigned s = SECTION_TOP + 1; s < SECTION_COUNT; s++)
        if (str_eq(name, str_from(section_names[s])))
            return (enum section)s;
    return SECTION_COUNT;
}

const struct option *
option_find(enum section s, struct str name)
{
    for (size_t i = 0; i < option_count(); i++)
        if (option_table[i].section == s &&
            str_eq(name, str_from(option_table[i].name)))
            return &option_table[i];
    return NULL;
}

const char *
option_nearest(enum section s, struct str name)
{
    size_t best = name.n / 3 + 1, n;
    const char *nearest = NULL;

    for (size_t i = 0; i < option_count(); i++) {
        const char *other = option_table[i].name;
        if (option_table[i].section != s)
            continue;
        n = value_distance(name, str_from(other), best);
        if (n <= best && (nearest == NULL || n < best)) {
            best = n;
            nearest = other;
        }
    }
    for (unsigned i = SECTION_TOP + 1; i < SECTION_COUNT; i++) {
        if (!section_within(s, (enum section)i))
            continue;
        n = value_distance(name, str_from(section_names[i]), best);
        if (n <= best && (nearest == NULL || n < best)) {
            best = n;
            nearest = section_names[i];
        }
    }
    return nearest;
}

static void
add_quantity(struct buf *to, enum option_type type, uint64_t value)
{
    if (type == OPTION_DURATION)
        value_add_duration(to, value);
    else if (type == OPTION_SIZE)
        value_add_size(to, value);
    else
        buf_addf(to, "%llu", (unsigned long long)value);
}

void
option_describe(const struct option *o, struct buf *to)
{
    static const char *const what[] = {
        [OPTION_TEXT] = "text",          [OPTION_NUMBER] = "number",
        [OPTION_PORT] = "port",          [OPTION_SIZE] = "size",
        [OPTION_DURATION] = "duration",  [OPTION_LIST] = "list of texts",
        [OPTION_SOURCE] = "list source",
    };
    struct str one, other;

    if (o->type == OPTION_WORD) {
        (void)str_cut(str_from(o->words), '|', &one, &other);
        buf_addf(to, "%.*s or %.*s", STR_ARG(one), STR_ARG(other));
        return;
    }
    buf_addf(to, "%s", what[o->type]);
    if (o->type == OPTION_TEXT || o->type == OPTION_LIST ||
        o->type == OPTION_SOURCE)
        return;
    buf_add(to, STR(" from "));
    add_quantity(to, o->type, o->min);
    buf_add(to, STR(" to "));
    add_quantity(to, o->type, o->max);
}
