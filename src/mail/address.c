/* SPDX-License-Identifier: ISC */
#include "mail/address.h"

#include <idn2.h>

#include "base/ascii.h"
#include "base/utf8.h"

enum { LABEL_MAX = 63 };

/* atext of RFC 5322 3.2.3, with UTF8-non-ascii of RFC 6531 3.3; its length */
static size_t
atext_length(struct str s)
{
    unsigned char c = (unsigned char)s.p[0];
    if (c >= 0x80)
        return utf8_first(s);
    return ascii_is_alnum(c) ||
           str_find_char(STR("!#$%&'*+-/=?^_`{|}~"), (char)c) >= 0;
}

/* Atom                                             RFC 5321, 4.1.2 */
static bool
take_atom(struct str *in)
{
    size_t before = in->n, n;
    while (in->n > 0 && (n = atext_length(*in)) > 0)
        *in = str_from_pos(*in, n);
    return in->n < before;
}

/* Dot-string = Atom *("." Atom)                    RFC 5321, 4.1.2 */
static bool
take_dot_string(struct str *in)
{
    do {
        if (!take_atom(in))
            return false;
    } while (str_skip_char(in, '.'));
    return true;
}

/* Quoted-string = DQUOTE *QcontentSMTP DQUOTE      RFC 5321, 4.1.2
 * Not empty, although the grammar has it so: "" names nobody. */
static bool
take_quoted_string(struct str *in)
{
    size_t content = 0;
    if (!str_skip_char(in, '"'))
        return false;
    while (in->n > 0 && in->p[0] != '"') {
        if (in->p[0] == '\\')
            *in = str_from_pos(*in, 1);
        if (in->n == 0 || ascii_is_control((unsigned char)in->p[0]))
            return false;
        size_t n = (unsigned char)in->p[0] < 0x80 ? 1 : utf8_first(*in);
        if (n == 0)
            return false;
        *in = str_from_pos(*in, n);
        content += n;
    }
    return content > 0 && str_skip_char(in, '"');
}

/* Local-part = Dot-string / Quoted-string          RFC 5321, 4.1.2 */
static bool
take_local_part(struct str *in, struct str *local)
{
    *local = *in;
    bool quoted = in->n > 0 && in->p[0] == '"';
    if (quoted ? !take_quoted_string(in) : !take_dot_string(in))
        return false;
    local->n -= in->n;
    return local->n <= LOCAL_PART_MAX;
}

/* sub-domain, with U-label of RFC 6531. The length of a U-label is not known
 * before it is converted; domain_key() finds those that are too long. */
static bool
label_valid(struct str label)
{
    bool utf8 = false;
    struct str rest = label;
    while (rest.n > 0) {
        unsigned char c = (unsigned char)rest.p[0];
        size_t n = c >= 0x80 ? utf8_first(rest)
                             : (size_t)(ascii_is_alnum(c) || c == '-');
        if (n == 0)
            return false;
        utf8 |= c >= 0x80;
        rest = str_from_pos(rest, n);
    }
    return label.n > 0 && (utf8 || label.n <= LABEL_MAX) && label.p[0] != '-' &&
           label.p[label.n - 1] != '-';
}

bool
domain_valid(struct str domain)
{
    struct str label, rest = domain;
    bool more;
    if (domain.n > DOMAIN_MAX)
        return false;
    do {
        more = str_cut(rest, '.', &label, &rest);
        if (!label_valid(label))
            return false;
    } while (more);
    return true;
}

/* IPv4-address-literal = Snum 3("." Snum)          RFC 5321, 4.1.3 */
static bool
ipv4_valid(struct str text)
{
    struct str number;
    uint64_t value;
    for (int i = 0; i < 4; i++) {
        if (str_cut(text, '.', &number, &text) != (i < 3) || number.n > 3 ||
            !str_to_u64(number, &value) || value > 255)
            return false;
    }
    return true;
}

/* IPv6-hex = 1*4HEXDIG */
static bool
ipv6_hex_valid(struct str group)
{
    for (size_t i = 0; i < group.n; i++)
        if (ascii_hex((unsigned char)group.p[i]) < 0)
            return false;
    return group.n >= 1 && group.n <= 4;
}

/* The groups of 16 bits on one side of "::", which may be none; -1: it is no
 * such thing. last: an IPv4 address may be the end. */
static int
ipv6_groups(struct str text, bool last)
{
    struct str group;
    int n = 0;
    bool more = text.n > 0;
    while (more) {
        more = str_cut(text, ':', &group, &text);
        if (last && !more && ipv4_valid(group))
            return n + 2;
        if (!ipv6_hex_valid(group))
            return -1;
        n++;
    }
    return n;
}

/* IPv6-addr                                        RFC 5321, 4.1.3 */
static bool
ipv6_valid(struct str text)
{
    ssize_t gap = str_find(text, STR("::"));
    if (gap < 0)
        return ipv6_groups(text, true) == 8;
    int left = ipv6_groups(str_first(text, (size_t)gap), false);
    int right = ipv6_groups(str_from_pos(text, (size_t)gap + 2), true);
    return left >= 0 && right >= 0 && left + right < 8;
}

/* address-literal, without the brackets            RFC 5321, 4.1.3
 * Behind another tag than IPv6 the content is only checked for its characters:
 * none is registered. */
static bool
literal_valid(struct str text)
{
    struct str tag, content;
    if (!str_cut(text, ':', &tag, &content))
        return ipv4_valid(text);
    if (str_eq_nocase(tag, STR("IPv6")))
        return ipv6_valid(content);
    for (size_t i = 0; i < content.n; i++) {
        unsigned char c = (unsigned char)content.p[i];
        if (c < 33 || c > 126 || c == '[' || c == ']' || c == '\\')
            return false;
    }
    return content.n > 0 && label_valid(tag) && tag.n <= LABEL_MAX;
}

static bool
is_domain_octet(unsigned char c)
{
    return ascii_is_alnum(c) || c == '-' || c == '.' || c >= 0x80;
}

/* Domain / address-literal                         RFC 5321, 4.1.2 */
static bool
take_domain(struct str *in, struct str *domain, bool *literal)
{
    size_t n = 0;
    *literal = in->n > 0 && in->p[0] == '[';
    if (*literal) {
        ssize_t end = str_find_char(*in, ']');
        if (end < 0 || end > DOMAIN_MAX)
            return false;
        *domain = str_first(*in, (size_t)end + 1);
        *in = str_from_pos(*in, domain->n);
        return literal_valid(
            str_first(str_from_pos(*domain, 1), domain->n - 2));
    }
    while (n < in->n && is_domain_octet((unsigned char)in->p[n]))
        n++;
    *domain = str_first(*in, n);
    *in = str_from_pos(*in, n);
    // The root's dot is not SMTP's, but it names the same domain.
    if (n > 1 && domain->p[n - 1] == '.')
        domain->n--;
    return domain_valid(*domain);
}

static bool
has_utf8(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] >= 0x80)
            return true;
    return false;
}

/* Mailbox = Local-part "@" ( Domain / address-literal ), or <Postmaster> */
static bool
take_mailbox(struct str *in, bool bare, struct address *a)
{
    *a = (struct address){.whole = *in, .domain = STR_EMPTY};
    if (!take_local_part(in, &a->local))
        return false;
    if (str_skip_char(in, '@')) {
        if (!take_domain(in, &a->domain, &a->literal))
            return false;
        a->whole.n = a->local.n + 1 + a->domain.n;
    } else if (bare && str_eq_nocase(a->local, STR("postmaster"))) {
        a->whole.n = a->local.n;
    } else {
        return false;
    }
    a->utf8 = has_utf8(a->whole);
    return a->whole.n <= ADDRESS_MAX;
}

bool
address_parse(struct str text, struct address *a)
{
    return take_mailbox(&text, false, a) && text.n == 0;
}

bool
address_parse_recipient(struct str text, struct address *a)
{
    return take_mailbox(&text, true, a) && text.n == 0;
}

/* A-d-l = At-domain *( "," At-domain )             RFC 5321, 4.1.2 */
static bool
skip_source_route(struct str *in)
{
    struct str domain;
    bool literal;
    do {
        if (!str_skip_char(in, '@') || !take_domain(in, &domain, &literal))
            return false;
    } while (str_skip_char(in, ','));
    return str_skip_char(in, ':');
}

bool
address_take_path(struct str *in, bool bare, struct address *a)
{
    *a = (struct address){
        .whole = STR_EMPTY, .local = STR_EMPTY, .domain = STR_EMPTY};
    if (!str_skip_char(in, '<'))
        return false;
    if (str_skip_char(in, '>'))
        return true;
    if (in->n > 0 && in->p[0] == '@' && !skip_source_route(in))
        return false;
    return take_mailbox(in, bare, a) && str_skip_char(in, '>');
}

static bool
is_quoted(struct str local)
{
    return local.n >= 2 && local.p[0] == '"';
}

/* Appends the local part's meaning to `to`, which has room for local.n. */
static size_t
unquote(struct str local, char *to)
{
    size_t n = 0;
    struct str in = str_first(str_from_pos(local, 1), local.n - 2);
    for (size_t i = 0; i < in.n; i++) {
        if (in.p[i] == '\\' && i + 1 < in.n)
            i++;
        to[n++] = in.p[i];
    }
    return n;
}

struct str
address_unquote(struct arena *arena, struct str local)
{
    if (!is_quoted(local))
        return arena_dup(arena, local);
    char *p = arena_alloc(arena, local.n);
    return str_from_n(p, unquote(local, p));
}

/* RFC 5891, by way of UTS 46; non-transitional, as the DNS is asked today. */
static struct str
to_a_labels(struct arena *arena, struct str domain)
{
    uint8_t *ascii = NULL;
    const char *text = arena_cstr(arena, domain);
    int rc = idn2_lookup_u8((const uint8_t *)text, &ascii,
                            IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
    if (rc != IDN2_OK)
        return STR_EMPTY;
    struct str key = arena_dup_lower(arena, str_from((const char *)ascii));
    idn2_free(ascii);
    return key;
}

struct str
domain_key(struct arena *arena, struct str domain)
{
    if (domain.n > 0 && domain.p[domain.n - 1] == '.')
        domain.n--;
    if (domain.n == 0 || domain.n > DOMAIN_MAX)
        return STR_EMPTY;
    bool utf8 = has_utf8(domain);
    struct str key =
        utf8 ? to_a_labels(arena, domain) : arena_dup_lower(arena, domain);
    // An ideographic full stop at the end is the root's dot as well.
    if (key.n > 0 && key.p[key.n - 1] == '.')
        key.n--;
    // Of a label whose characters are all mapped to nothing, nothing is left.
    return !utf8 || domain_valid(key) ? key : STR_EMPTY;
}

struct str
address_key(struct arena *arena, const struct address *a)
{
    struct str domain = domain_key(arena, a->domain);
    if (domain.n == 0 && a->domain.n > 0)
        return STR_EMPTY;
    struct str local =
        is_quoted(a->local) ? address_unquote(arena, a->local) : a->local;
    char *p = arena_alloc(arena, local.n + 1 + domain.n);
    size_t n = 0;
    for (size_t i = 0; i < local.n; i++)
        p[n++] = (char)ascii_lower((unsigned char)local.p[i]);
    if (domain.n > 0)
        p[n++] = '@';
    for (size_t i = 0; i < domain.n; i++)
        p[n++] = domain.p[i];
    return str_from_n(p, n);
}
