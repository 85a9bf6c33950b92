/* SPDX-License-Identifier: ISC */
#include "conf/value.h"

#include "base/arena.h"
#include "base/ascii.h"
#include "base/math.h"
#include "catalogue/catalogue.h"
#include "mail/address.h"

#include <arpa/inet.h>

struct unit {
    const char *name;
    uint64_t factor;
};

static const struct unit duration_units[] = {
    {"d",  86400000},
    {"h",  3600000 },
    {"m",  60000   },
    {"s",  1000    },
    {"ms", 1       },
};

static const struct unit size_units[] = {
    {"G", 1 << 30},
    {"M", 1 << 20},
    {"K", 1 << 10},
    {"",  1      },
};

static bool
number_with_unit(struct str text, const struct unit *units, size_t n,
                 uint64_t *out)
{
    size_t digits = 0;
    uint64_t value;

    while (digits < text.n && ascii_is_digit((unsigned char)text.p[digits]))
        digits++;
    if (!str_to_u64(str_first(text, digits), &value))
        return false;
    struct str unit = str_from_pos(text, digits);
    for (size_t i = 0; i < n; i++)
        if (str_eq_nocase(unit, str_from(units[i].name)))
            return math_mul_u64(value, units[i].factor, out) &&
                   *out <= INT64_MAX;
    return false;
}

/* In the largest unit that divides it. */
static void
add_with_unit(struct buf *to, uint64_t value, const struct unit *units)
{
    const struct unit *u = units;

    while (u->factor > 1 && (value % u->factor != 0 || value == 0))
        u++;
    buf_addf(to, "%llu%s", (unsigned long long)(value / u->factor), u->name);
}

bool
value_duration(struct str text, uint64_t *ms)
{
    return number_with_unit(text, duration_units,
                            sizeof duration_units / sizeof *duration_units, ms);
}

void
value_add_duration(struct buf *to, uint64_t ms)
{
    add_with_unit(to, ms, duration_units);
}

bool
value_size(struct str text, uint64_t *octets)
{
    return number_with_unit(text, size_units,
                            sizeof size_units / sizeof *size_units, octets);
}

void
value_add_size(struct buf *to, uint64_t octets)
{
    add_with_unit(to, octets, size_units);
}

static const struct {
    enum source_kind kind;
    const char *prefix;
} source_kinds[] = {
    {SOURCE_FILE,     "file:"    },
    {SOURCE_SQLITE,   "sqlite:"  },
    {SOURCE_POSTGRES, "postgres:"},
};

/* Cuts the query off *place, if there is one. */
static struct str
take_query(struct str *place)
{
    for (size_t i = 0; i < place->n; i++) {
        if (place->p[i] != '?')
            continue;
        struct str query = str_trim(str_from_pos(*place, i + 1)), rest = query;
        if ((str_skip_nocase(&rest, STR("SELECT")) ||
             str_skip_nocase(&rest, STR("WITH"))) &&
            rest.n > 0 && ascii_is_blank((unsigned char)rest.p[0])) {
            *place = str_first(*place, i);
            return query;
        }
    }
    return STR_EMPTY;
}

bool
value_source(struct str v, struct value_source *s)
{
    enum { KINDS = sizeof source_kinds / sizeof *source_kinds };

    *s = (struct value_source){.place = v, .query = STR_EMPTY};
    for (size_t i = 0; i < KINDS && s->kind == SOURCE_NONE; i++)
        if (str_skip(&s->place, str_from(source_kinds[i].prefix)))
            s->kind = source_kinds[i].kind;
    if (s->kind == SOURCE_SQLITE || s->kind == SOURCE_POSTGRES)
        s->query = take_query(&s->place);
    // libpq has defaults for all its parameters
    return s->kind == SOURCE_POSTGRES ||
           (s->kind != SOURCE_NONE && s->place.n > 0);
}

const char *
value_check_source(struct str v)
{
    struct value_source s;

    if (v.n == 0 || value_source(v, &s))
        return NULL;
    return "\"file:PATH\", \"sqlite:PATH?SELECT ...\" or "
           "\"postgres:CONNINFO?SELECT ...\"";
}

/* inet_pton() only reads a string; it makes no system call. */
static bool
is_ip(struct str v, int *family)
{
    char text[INET6_ADDRSTRLEN + 1] = "";
    unsigned char bytes[16];

    if (v.n >= sizeof text)
        return false;
    for (size_t i = 0; i < v.n; i++)
        text[i] = v.p[i];
    *family = str_find_char(v, ':') >= 0 ? AF_INET6 : AF_INET;
    return inet_pton(*family, text, bytes) == 1;
}

static bool
is_port(struct str v)
{
    uint64_t port;
    return str_to_u64(v, &port) && port >= 1 && port <= 65535;
}

/* A name that DNS can hold and nobody mistakes for an address. */
static bool
is_host_name(struct str v)
{
    int family;
    return domain_valid(v) && !is_ip(v, &family);
}

const char *
value_check_hostname(struct str v)
{
    if (is_host_name(v))
        return NULL;
    return "a host name such as \"mx1.example.com\"";
}

const char *
value_check_address(struct str v)
{
    struct address a;
    if (address_parse(v, &a) && !a.literal && a.domain.n > 0)
        return NULL;
    return "a mail address such as \"ann@example.com\"";
}

const char *
value_check_listen(struct str v)
{
    static const char expected[] =
        "an address with a port from 1 to 65535: \"*:25\", \"192.0.2.1:25\" "
        "or \"[2001:db8::1]:25\"";
    ssize_t colon = str_rfind_char(v, ':');
    int family;

    if (colon < 0 || !is_port(str_from_pos(v, (size_t)colon + 1)))
        return expected;
    struct str host = str_first(v, (size_t)colon);
    if (str_eq(host, STR("*")))
        return NULL;
    if (str_skip_char(&host, '[')) {
        if (!str_ends(host, STR("]")))
            return expected;
        host = str_first(host, host.n - 1);
        return is_ip(host, &family) && family == AF_INET6 ? NULL : expected;
    }
    return is_ip(host, &family) && family == AF_INET ? NULL : expected;
}

const char *
value_check_network(struct str v)
{
    static const char expected[] =
        "a network such as \"192.0.2.0/24\", \"2001:db8::/32\" or \"::1\"";
    struct str host, bits;
    uint64_t n;
    int family;
    bool has_bits = str_cut(v, '/', &host, &bits);

    if (!is_ip(host, &family))
        return expected;
    if (!has_bits)
        return NULL;
    if (!str_to_u64(bits, &n) || n > (family == AF_INET ? 32 : 128))
        return expected;
    return NULL;
}

const char *
value_check_smarthost(struct str v)
{
    static const char expected[] =
        "HOST or HOST:PORT such as \"smtp.isp.example:587\", "
        "\"192.0.2.1:25\" or \"[2001:db8::1]:25\"";
    struct str host, port;
    int family;

    if (str_skip_char(&v, '[')) {
        if (!str_cut(v, ']', &host, &port) || !is_ip(host, &family) ||
            family != AF_INET6)
            return expected;
        if (port.n == 0)
            return NULL;
        return str_skip_char(&port, ':') && is_port(port) ? NULL : expected;
    }
    if (str_cut(v, ':', &host, &port) && !is_port(port))
        return expected;
    if (is_ip(host, &family) || domain_valid(host))
        return NULL;
    return expected;
}

const char *
value_check_resolver(struct str v)
{
    struct str host, port;
    int family;
    bool has_port = str_cut(v, '@', &host, &port);

    if (is_ip(host, &family) && (!has_port || is_port(port)))
        return NULL;
    return "the address of a name server, \"192.0.2.53\" or "
           "\"127.0.0.1@5300\"";
}

static bool
is_absolute_path(struct str v)
{
    return v.n > 1 && v.p[0] == '/' && str_find(v, STR("/../")) < 0 &&
           !str_ends(v, STR("/.."));
}

const char *
value_check_state(struct str v)
{
    // The sockets below it must fit into sockaddr_un: 107 octets.
    enum { LONGEST = 90 };

    if (is_absolute_path(v) && v.n <= LONGEST && str_find_char(v, '%') < 0)
        return NULL;
    return "an absolute path such as \"/var/lib/gatepost\", at most 90 octets "
           "and without %";
}

const char *
value_check_deliver(struct str v)
{
    static const char expected[] =
        "\"maildir:\" and an absolute path, in which %{domain} and %{user} "
        "stand for the recipient's";

    if (!str_skip(&v, STR("maildir:")) || !is_absolute_path(v))
        return expected;
    for (ssize_t at; (at = str_find_char(v, '%')) >= 0;) {
        v = str_from_pos(v, (size_t)at);
        if (!str_skip(&v, STR("%{domain}")) && !str_skip(&v, STR("%{user}")))
            return expected;
    }
    return NULL;
}

/* "553-" is taken as well: the catalogue makes the last line one with a blank.
 */
const char *
value_check_reply(struct str v)
{
    static const char expected[] =
        "printable ASCII that begins with a code from 400 to 599, in which "
        "%{sender}, %{recipient}, %{recipient-domain}, %{domain}, %{user}, "
        "%{host} and %{detail} stand for those: "
        "\"553 sorry, no mailbox here by that name (#5.1.1)\"";

    if (v.n < 5 || v.n > 480 || (v.p[0] != '4' && v.p[0] != '5') ||
        !ascii_is_digit((unsigned char)v.p[1]) || v.p[1] > '5' ||
        !ascii_is_digit((unsigned char)v.p[2]) ||
        (v.p[3] != ' ' && v.p[3] != '-') || catalogue_check_text(v) != NULL)
        return expected;
    return NULL;
}

size_t
value_distance(struct str a, struct str b, size_t limit)
{
    enum { LONGEST = 64 };
    size_t row[LONGEST + 1];

    if (a.n > LONGEST || b.n > LONGEST)
        return limit + 1;
    for (size_t j = 0; j <= b.n; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.n; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.n; j++) {
            size_t exchange = diagonal + (a.p[i - 1] != b.p[j - 1]);
            diagonal = row[j];
            row[j] = math_min(exchange, math_min(row[j], row[j - 1]) + 1);
        }
    }
    return math_min(row[b.n], limit + 1);
}
