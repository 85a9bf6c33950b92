/* SPDX-License-Identifier: ISC */
#include "explain/report.h"

#include "base/ascii.h"
#include "explain/spot.h"

/* The fields of one recipient, RFC 3464, 2.3. */
struct group {
    struct str final, original, action, status, diagnostic, remote, text;
    bool local; /* the diagnostic is a program's, not a server's */
    bool any;
};

struct reader {
    struct claims *c;
    struct report *r;
    struct group g;
    struct claim *last;
};

/* "rfc822; <a@b.example>" and what has been seen instead of it. */
static struct str
address_of(struct str value)
{
    struct str type, rest;
    struct spot s;
    if (str_cut(value, ';', &type, &rest) && type.n < 20)
        value = rest;
    value = str_trim(value);
    if (str_find_char(value, '<') < 0 && str_find_char(value, '@') > 0 &&
        str_find_char(value, ' ') < 0)
        return value; // perhaps in UTF-8, RFC 6533
    if (spot_address(value, &s))
        return s.address;
    (void)str_skip_char(&value, '<');
    while (value.n > 0 && value.p[value.n - 1] == '>')
        value.n--;
    if (str_find_char(value, ' ') >= 0)
        (void)str_cut(value, ' ', &value, &rest);
    return value;
}

static struct str
without_type(struct str value)
{
    struct str type, rest;
    if (str_cut(value, ';', &type, &rest) && type.n < 24 &&
        str_find_char(str_trim(type), ' ') < 0)
        return str_trim(rest);
    return value;
}

/* "user@ims-ms-daemon": not a domain, but a channel of PMDF and the servers
 * that came of it. */
static bool
is_of_channel(struct str address)
{
    ssize_t at = str_find_char(address, '@');
    struct str domain = str_from_pos(address, at < 0 ? address.n : (size_t)at);
    return str_ends(domain, STR("-daemon")) && str_find_char(domain, '.') < 0;
}

static struct str
host_of(struct str value)
{
    struct str rest;
    value = without_type(value);
    if (str_find_char(value, ' ') > 0)
        (void)str_cut(value, ' ', &value, &rest);
    return value;
}

static void
end_group(struct reader *r)
{
    struct group g = r->g;
    // An O/R name of X.400, a file: the sender knows the original better.
    bool odd = str_find_char(g.final, '@') < 0 || is_of_channel(g.final);
    struct str address =
        odd && str_find_char(g.original, '@') > 0 ? g.original : g.final;
    if (address.n == 0)
        address = g.original;
    r->g = (struct group){0};
    // Fields without a recipient, cut off by an empty line, go on the last.
    struct claim *c = address.n > 0 ? claims_of(r->c, address)
                      : g.any       ? r->last
                                    : NULL;
    if (c == NULL)
        return;
    c->reported = true;
    if (address.n > 0 && g.original.n > 0 &&
        !str_eq_nocase(g.original, address))
        c->original = g.original;
    if (g.action.n > 0)
        c->action = g.action;
    if (g.status.n > 0)
        c->status = g.status;
    if (g.diagnostic.n > c->diagnostic.n) {
        c->diagnostic = g.diagnostic;
        c->local = g.local;
    }
    if (g.remote.n > 0)
        c->remote_mta = g.remote;
    if (g.text.n > 0)
        c->status_text = g.text;
    r->last = c;
}

static void
take_status(struct group *g, struct str value)
{
    struct str status;
    if (spot_status(value, &status))
        g->status = status;
    struct str rest = value;
    (void)str_skip(&rest, g->status);
    rest = str_trim(rest);
    if (rest.n > 2)
        g->text = rest; // "5.0.0 (permanent failure)", "553 too large"
}

enum field_id {
    F_NONE = 0,
    F_FINAL,
    F_ORIGINAL,
    F_ACTION,
    F_STATUS,
    F_DIAGNOSTIC,
    F_REMOTE,
    F_REPORTING,
    F_SENDER,
    F_ARRIVAL,
    F_OTHER
};

static const struct known {
    struct str name;
    enum field_id id;
} known[] = {
    {{"final-recipient", 15},              F_FINAL     },
    {{"original-recipient", 18},           F_ORIGINAL  },
    {{"x-actual-recipient", 18},           F_OTHER     },
    {{"action", 6},                        F_ACTION    },
    {{"status", 6},                        F_STATUS    },
    {{"diagnostic-code", 15},              F_DIAGNOSTIC},
    {{"remote-mta", 10},                   F_REMOTE    },
    {{"reporting-mta", 13},                F_REPORTING },
    {{"reporting-uas", 13},                F_REPORTING },
    {{"received-from-mta", 17},            F_OTHER     },
    {{"arrival-date", 12},                 F_ARRIVAL   },
    {{"last-attempt-date", 17},            F_OTHER     },
    {{"will-retry-until", 16},             F_OTHER     },
    {{"original-envelope-id", 20},         F_OTHER     },
    {{"dsn-gateway", 11},                  F_OTHER     },
    {{"final-log-id", 12},                 F_OTHER     },
    {{"x-postfix-sender", 16},             F_SENDER    },
    {{"x-outbound-mail-relay-sender", 28}, F_SENDER    },
    {{"x-sendgrid-sender", 17},            F_SENDER    },
    {{"x-display-name", 14},               F_OTHER     },
};

static enum field_id
field_id(struct str name)
{
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (str_eq_nocase(name, known[i].name))
            return known[i].id;
    return F_NONE;
}

/* A field whose name is its own, of the message or of a recipient: does it open
 * a new recipient where one is complete? */
static void
take_field(struct reader *r, struct str name, struct str value)
{
    struct group *g = &r->g;
    switch (field_id(name)) {
    case F_FINAL:
        if (g->final.n > 0)
            end_group(r);
        g->final = address_of(value);
        break;
    case F_ORIGINAL:
        if (g->original.n > 0)
            end_group(r);
        g->original = address_of(value);
        break;
    case F_ACTION:
        g->action = value;
        break;
    case F_STATUS:
        take_status(g, value);
        break;
    case F_DIAGNOSTIC:
        g->diagnostic = without_type(value);
        g->local = str_starts_nocase(value, STR("x-unix"));
        break;
    case F_REMOTE:
        g->remote = host_of(value);
        break;
    case F_REPORTING:
        if (r->r->reporting_mta.n == 0)
            r->r->reporting_mta = host_of(value);
        break;
    case F_SENDER:
        r->r->sender = address_of(value);
        break;
    case F_ARRIVAL:
        r->r->arrival_date = value;
        break;
    case F_NONE:
    case F_OTHER:
    default:
        return;
    }
    g->any = true;
    r->r->found = true;
}

static bool
is_name(struct str name)
{
    if (name.n == 0 || name.n > 60 || !ascii_is_alpha((unsigned char)name.p[0]))
        return false;
    for (size_t i = 0; i < name.n; i++)
        if (!ascii_is_alnum((unsigned char)name.p[i]) && name.p[i] != '-')
            return false;
    return true;
}

/* "Name: value" of any name; the names of prose ("Note: …") have no hyphen and
 * are none of ours. */
static bool
split(struct str line, struct str *name, struct str *value)
{
    if (!str_cut(line, ':', name, value))
        return false;
    *name = str_trim(*name);
    *value = str_trim(*value);
    return is_name(*name) &&
           (field_id(*name) != F_NONE || str_find_char(*name, '-') > 0);
}

bool
report_begins(struct str line)
{
    struct str name, value;
    if (!split(line, &name, &value))
        return false;
    enum field_id id = field_id(name);
    return id == F_FINAL || id == F_REPORTING || id == F_DIAGNOSTIC ||
           (id == F_ORIGINAL && str_find_char(value, ';') > 0);
}

static bool
ends_report(struct str line)
{
    return str_starts(line, STR("--")) ||
           str_starts_nocase(line, STR("Received:")) ||
           str_starts_nocase(line, STR("Return-Path:")) ||
           str_starts_nocase(line, STR("Message-ID:"));
}

/* Text that goes on a field: folded, or wrapped by a program that did not know
 * what it wrapped; what a page of HTML made of a folded reply. */
static bool
goes_on(struct str line, size_t last_length, bool reply)
{
    struct str name, value;
    if (line.n == 0)
        return false;
    if (ascii_is_blank((unsigned char)line.p[0]))
        return true;
    return (reply || last_length > 30) && str_trim(line).n > 0 &&
           !split(line, &name, &value);
}

struct str
report_read(struct str text, struct claims *c, struct report *out)
{
    struct reader r = {.c = c, .r = out};
    struct str line, rest, name, value;
    struct buf folded = {0};
    while (text.n > 0) {
        (void)str_cut(text, '\n', &line, &rest);
        size_t length = line.n;
        if (ends_report(line))
            break;
        text = rest;
        struct str bare = str_trim(line);
        if (bare.n == 0) {
            // An empty line within a group happens; the next field tells.
            if (r.g.final.n > 0 && (r.g.action.n > 0 || r.g.status.n > 0))
                end_group(&r);
            continue;
        }
        if (!split(bare, &name, &value))
            continue;
        buf_clear(&folded);
        buf_add(&folded, value);
        while (text.n > 0) {
            (void)str_cut(text, '\n', &line, &rest);
            if (!goes_on(line, length, field_id(name) == F_DIAGNOSTIC) ||
                ends_report(line) || folded.n > CLAIM_TEXT_LONGEST)
                break;
            length = line.n;
            buf_add_char(&folded, ' ');
            buf_add(&folded, str_trim(line));
            text = rest;
        }
        take_field(&r, name, arena_dup(c->a, buf_str(&folded)));
    }
    end_group(&r);
    buf_fini(&folded);
    return text;
}
