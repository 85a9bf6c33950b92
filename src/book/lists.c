/* SPDX-License-Identifier: ISC */
#include "book/lists.h"

#include "base/ascii.h"
#include "base/utf8.h"
#include "book/network.h"
#include "mail/address.h"

/* The forms of entries; each list knows some of them. */
enum form {
    ADDRESS = 1,   /* bob@example.com */
    AT_DOMAIN = 2, /* @example.com: every address there */
    DOMAIN = 4,    /* example.com: that name */
    SUBDOMAIN = 8, /* .example.com: every name below it */
    CLIENT = 16,   /* 192.0.2.1, 192.0.2.0/24, 2001:db8::/32 */
};

static const struct {
    const char *name;
    unsigned forms;
    const char *expects;
} table[LIST_COUNT] = {
    [LIST_CLIENTS_REFUSED] = {"clients-refused", CLIENT,
                              "an IP address or network"                                               },
    [LIST_BADMAILFROM] = {"badmailfrom",     ADDRESS | AT_DOMAIN | SUBDOMAIN,
                              "an address, @domain or .domain"                                         },
    [LIST_SENDER_DENY] = {"sender-deny",     ADDRESS | AT_DOMAIN | SUBDOMAIN,
                              "an address, @domain or .domain"                                         },
    [LIST_RCPTHOSTS] = {"rcpthosts",       DOMAIN | SUBDOMAIN,              "a domain or .domain"},
    [LIST_VALIDRCPTTO] = {"validrcptto",     ADDRESS | AT_DOMAIN,
                              "an address or @domain"                                                  },
};

struct str
list_name(enum list_id list)
{
    return str_from(table[list].name);
}

enum list_id
list_from_name(struct str name)
{
    unsigned i = 0;

    while (i < LIST_COUNT && !str_eq(name, str_from(table[i].name)))
        i++;
    return (enum list_id)i;
}

struct str
list_expects(enum list_id list)
{
    return str_from(table[list].expects);
}

/* The entry off the front of a line: up to the first blank outside quotes. */
static struct str
take_word(struct str *line)
{
    bool quoted = false;
    size_t n = 0;

    while (n < line->n &&
           (quoted || !ascii_is_blank((unsigned char)line->p[n]))) {
        if (quoted && line->p[n] == '\\' && n + 1 < line->n)
            n++;
        else if (line->p[n] == '"')
            quoted = !quoted;
        n++;
    }
    struct str word = str_first(*line, n);
    *line = str_from_pos(*line, n);
    return word;
}

static struct str
prefixed_domain(struct arena *a, char prefix, struct str domain)
{
    if (!domain_valid(domain))
        return STR_EMPTY;
    struct str key = domain_key(a, domain);
    return key.n == 0 ? key : arena_printf(a, "%c%.*s", prefix, STR_ARG(key));
}

/* Empty: the word has none of the forms. */
static struct str
entry_key(struct arena *a, unsigned forms, struct str word)
{
    struct address address;

    if ((forms & CLIENT) != 0) {
        struct str key = network_key(a, word);
        if (key.n > 0)
            return key;
    }
    if (word.p[0] == '@')
        return (forms & AT_DOMAIN) != 0
                   ? prefixed_domain(a, '@', str_from_pos(word, 1))
                   : STR_EMPTY;
    if (word.p[0] == '.')
        return (forms & SUBDOMAIN) != 0
                   ? prefixed_domain(a, '.', str_from_pos(word, 1))
                   : STR_EMPTY;
    if (str_rfind_char(word, '@') < 0)
        return (forms & DOMAIN) != 0 && domain_valid(word) ? domain_key(a, word)
                                                           : STR_EMPTY;
    return (forms & ADDRESS) != 0 && address_parse(word, &address)
               ? address_key(a, &address)
               : STR_EMPTY;
}

/* Nothing that could break a log line or a reply. */
static bool
is_text(struct str s)
{
    if (!utf8_valid(s))
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (ascii_is_control((unsigned char)s.p[i]) && s.p[i] != '\t')
            return false;
    return true;
}

enum list_line
list_parse_line(enum list_id list, struct str line, struct arena *a,
                struct list_entry *entry, struct str *expected)
{
    struct str rest = str_trim(line);

    *entry = (struct list_entry){.key = STR_EMPTY, .remark = STR_EMPTY};
    if (rest.n == 0 || rest.p[0] == '#')
        return LIST_LINE_EMPTY;
    if (line.n > LIST_LINE_MAX) {
        *expected = STR("a line of at most 4096 octets");
        return LIST_LINE_BAD;
    }
    if (!is_text(rest)) {
        *expected = STR("UTF-8 text without control characters");
        return LIST_LINE_BAD;
    }
    entry->key = entry_key(a, table[list].forms, take_word(&rest));
    if (entry->key.n == 0) {
        *expected = list_expects(list);
        return LIST_LINE_BAD;
    }
    entry->remark = str_trim(rest);
    if (entry->remark.n > 0 && entry->remark.p[0] == '#')
        entry->remark = STR_EMPTY;
    return LIST_LINE_ENTRY;
}
