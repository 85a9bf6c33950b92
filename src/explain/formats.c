/* SPDX-License-Identifier: ISC */
#include "explain/formats.h"

#include "base/ascii.h"
#include "explain/formats_internal.h"

/* From the first letter, digit or octet beyond ASCII on. */
static struct str
plain(struct str line)
{
    while (line.n > 0 && (unsigned char)line.p[0] < 128 &&
           !ascii_is_alnum((unsigned char)line.p[0]))
        line = str_from_pos(line, 1);
    return line;
}

/* The longest entry that line begins with; a table is in order of its entries'
 * first octets. */
static const struct format *
begins_with(const struct format *table, size_t n, struct str line)
{
    line = plain(line);
    if (line.n == 0)
        return NULL;
    unsigned char first = ascii_lower((unsigned char)line.p[0]);
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if ((unsigned char)table[middle].text.p[0] < first)
            low = middle + 1;
        else
            high = middle;
    }
    // Most lines differ from all of them in the next two.
    unsigned char next = line.n > 1 ? (unsigned char)line.p[1] : 0;
    for (; low < n && (unsigned char)table[low].text.p[0] == first; low++)
        if ((table[low].text.n < 2 ||
             (((unsigned char)table[low].text.p[1] ^ next) & ~0x20) == 0) &&
            str_starts_nocase(line, table[low].text))
            return &table[low];
    return NULL;
}

bool
formats_is_sign(struct str line, struct str *agent)
{
    const struct format *f = begins_with(formats_sign, formats_n_sign, line);
    if (f != NULL)
        *agent = f->agent;
    return f != NULL;
}

/* What may stand behind "Original message" in a line that is a border: no
 * sentence that goes on. */
static bool
ends_border(struct str rest)
{
    rest = str_trim(rest);
    if (rest.n == 0 || rest.p[0] == ':' || rest.p[0] == '-' ||
        rest.p[0] == '.' || rest.p[0] == '=' || rest.p[0] == '*' ||
        rest.p[0] == ',')
        return true;
    return str_starts_nocase(rest, STR("follow")) ||
           str_starts_nocase(rest, STR("is ")) || rest.p[0] == '(' ||
           str_starts_nocase(rest, STR("you sent")) ||
           str_starts_nocase(rest, STR("including")) ||
           str_starts_nocase(rest, STR("below")) ||
           str_starts_nocase(rest, STR("header")) ||
           str_starts_nocase(rest, STR("text"));
}

bool
formats_is_returned(struct str line)
{
    const struct format *f =
        begins_with(formats_returned, formats_n_returned, line);
    return f != NULL && ends_border(str_from_pos(plain(line), f->text.n));
}

bool
formats_is_aside(struct str line)
{
    return begins_with(formats_aside, formats_n_aside, line) != NULL;
}

static struct str
trim_brackets(struct str s)
{
    while (s.n > 0 && strchr(" <'\"(>", s.p[s.n - 1]) != NULL)
        s.n--;
    return s;
}

static bool
ends_nocase(struct str s, struct str end)
{
    return s.n >= end.n && str_eq_nocase(str_from_pos(s, s.n - end.n), end) &&
           (s.n == end.n ||
            !ascii_is_alnum((unsigned char)s.p[s.n - end.n - 1]));
}

bool
formats_names_recipient(struct str before, struct str after)
{
    before = trim_brackets(before);
    while (after.n > 0 && strchr(" >'\",", after.p[0]) != NULL)
        after = str_from_pos(after, 1);
    for (size_t i = 0; i < formats_n_recipient; i++)
        if (ends_nocase(before, formats_recipient[i].text) &&
            str_starts_nocase(after, formats_recipient[i].rest))
            return true;
    return false;
}

bool
formats_is_subject(struct str subject)
{
    for (size_t i = 0; i < formats_n_subject; i++) {
        ssize_t at = str_find_nocase(subject, formats_subject[i].text);
        if (at == 0 || (at > 0 && formats_subject[i].text.n > 8))
            return true;
    }
    return false;
}

bool
formats_is_sender(struct str from)
{
    for (size_t i = 0; i < formats_n_sender; i++)
        if (str_find_nocase(from, formats_sender[i].text) >= 0)
            return true;
    return false;
}

bool
formats_is_header(struct str name, struct str value, struct str *agent)
{
    for (size_t i = 0; i < formats_n_header; i++) {
        const struct format *f = &formats_header[i];
        if (str_eq_nocase(name, f->text) &&
            (f->rest.n == 0 || str_find_nocase(value, f->rest) >= 0)) {
            *agent = f->agent;
            return true;
        }
    }
    return false;
}
