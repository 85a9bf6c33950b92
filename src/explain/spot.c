/* SPDX-License-Identifier: ISC */
#include "explain/spot.h"

#include "base/ascii.h"

enum { LOCAL_LONGEST = 320, DOMAIN_LONGEST = 255 };

static bool
is_local_char(unsigned char c)
{
    return ascii_is_alnum(c) ||
           (c < 128 && c > 32 && strchr("!#$%&'*+-/=?^_`{|}~.", c) != NULL);
}

static bool
is_domain_char(unsigned char c)
{
    return ascii_is_alnum(c) || c == '-' || c == '.' || c == '_';
}

/* "[192.0.2.1]" behind the @; 0: none. */
static size_t
literal_length(struct str s)
{
    if (s.n == 0 || s.p[0] != '[')
        return 0;
    ssize_t end = str_find_char(str_first(s, DOMAIN_LONGEST), ']');
    return end < 0 ? 0 : (size_t)end + 1;
}

static size_t
domain_length(struct str s)
{
    size_t n = literal_length(s);
    if (n > 0)
        return n;
    while (n < s.n && n < DOMAIN_LONGEST &&
           is_domain_char((unsigned char)s.p[n]))
        n++;
    while (n > 0 && !ascii_is_alnum((unsigned char)s.p[n - 1]))
        n--; // the stop behind a sentence
    return n;
}

/* "SMTP=jim", an address of a gateway to X.400: what stands before it. */
static size_t
keyword_length(struct str local)
{
    static const char *const words[] = {"smtp=", "rfc822=", "rfc-822="};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (str_starts_nocase(local, str_from(words[i])))
            return strlen(words[i]);
    return 0;
}

/* The local part that ends before position at; 0: none. */
static size_t
local_length(struct str line, size_t at)
{
    size_t n = 0;
    if (at > 1 && line.p[at - 1] == '"') {
        ssize_t open = str_rfind_char(str_first(line, at - 1), '"');
        if (open >= 0 && at - (size_t)open <= LOCAL_LONGEST)
            return at - (size_t)open;
    }
    while (n < at && n < LOCAL_LONGEST &&
           is_local_char((unsigned char)line.p[at - n - 1]))
        n++;
    // What stands in front of an address in prose and is none of it.
    while (n > 0 && strchr("'`*=!|/.", line.p[at - n]) != NULL) {
        if (n > 1 && line.p[at - n] == '/')
            break; // X.400: /G=Jim/S=...
        if (n > 1 && line.p[at - n] == '=' && line.p[at - n + 1] == '?')
            break; // an encoded word
        n--;
    }
    return n - keyword_length(str_from_n(line.p + at - n, n));
}

static void
take_brackets(struct spot *s)
{
    static const char open[] = "<\"'(", close[] = ">\"')";
    for (unsigned turn = 0; turn < 2; turn++) {
        if (s->before.n == 0 || s->after.n == 0)
            return;
        const char *o = strchr(open, s->before.p[s->before.n - 1]);
        if (o == NULL || *o == '\0' || s->after.p[0] != close[o - open])
            return;
        s->angled = s->angled || *o == '<';
        s->before.n--;
        s->after = str_from_pos(s->after, 1);
    }
}

/* <anything without a blank>, with UTF-8 or without an @: given the position of
 * the bracket. */
static bool
angled_at(struct str line, size_t at, struct spot *out)
{
    struct str rest = str_first(str_from_pos(line, at + 1), LOCAL_LONGEST);
    ssize_t end = str_find_char(rest, '>');
    if (end <= 0)
        return false;
    struct str inside = str_first(rest, (size_t)end);
    if (str_find_char(inside, ' ') >= 0 || str_find_char(inside, '<') >= 0 ||
        str_find_char(inside, ':') >= 0 || str_find_char(inside, '/') >= 0)
        return false;
    ssize_t sign = str_rfind_char(inside, '@');
    if (sign == 0 || sign == (ssize_t)inside.n - 1)
        return false;
    *out = (struct spot){.address = inside,
                         .before = str_first(line, at),
                         .after = str_from_pos(line, at + inside.n + 2),
                         .angled = true};
    return true;
}

bool
spot_address(struct str line, struct spot *out)
{
    for (size_t i = 0; i < line.n; i++) {
        if (line.p[i] == '<' && angled_at(line, i, out))
            return true;
        if (line.p[i] != '@')
            continue;
        size_t local = local_length(line, i);
        size_t domain = domain_length(str_from_pos(line, i + 1));
        if (local == 0 || domain == 0)
            continue;
        *out = (struct spot){
            .address = {line.p + i - local, local + 1 + domain},
            .before = str_first(line, i - local),
            .after = str_from_pos(line, i + 1 + domain),
        };
        take_brackets(out);
        return true;
    }
    return false;
}

bool
spot_next(struct spot *s)
{
    return spot_address(s->after, s);
}

bool
spot_is_address(struct str text, struct str *address)
{
    struct spot s;
    if (!spot_address(text, &s) || s.before.n > 0 || s.after.n > 0)
        return false;
    *address = s.address;
    return true;
}

/* Those that servers give; 255 is the exit status of a program. */
static bool
is_code(const char *p)
{
    static const char known[] = "211 214 220 221 235 250 251 252 334 354";
    if (p[0] == '4' || p[0] == '5')
        return (p[1] <= '5' || p[1] == '7') && p[1] >= '0' &&
               ascii_is_digit((unsigned char)p[2]);
    for (size_t i = 0; i < sizeof known - 1; i += 4)
        if (memcmp(known + i, p, 3) == 0)
            return true;
    return false;
}

bool
spot_code_at(struct str text, struct str *code)
{
    if (text.n < 3 || !is_code(text.p))
        return false;
    if (text.n > 3 && strchr(" -:\n\t,]", text.p[3]) == NULL)
        return false;
    *code = str_first(text, 3);
    return true;
}

static bool
counts_something(struct str after)
{
    static const char *const units[] = {
        "byte", "kb",       "mb",        "sec",         "min",
        "hour", "day",      "messages ", "recipients ", "connections ",
        "k ",   "kilobyte", "megabyte",  "octet"};
    after = str_trim(after);
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (str_starts_nocase(after, str_from(units[i])))
            return true;
    return false;
}

static bool
may_follow(struct str before)
{
    if (before.n == 0)
        return true;
    char last = before.p[before.n - 1];
    if (strchr(":[(<>\"'=\n-", last) != NULL)
        return last != '-' || before.n == 1 || before.p[before.n - 2] == ' ';
    if (last != ' ' && last != '\t')
        return false;
    before = str_trim(before);
    return !str_ends(before, STR("port")) && !str_ends(before, STR("line")) &&
           !str_ends(before, STR("id")) && !str_ends(before, STR("after")) &&
           !str_ends(before, STR("than")) && !str_ends(before, STR("past"));
}

static ssize_t
find_reply(struct str text, bool refusal)
{
    struct str code;
    for (size_t i = 0; i + 3 <= text.n; i++) {
        if (!ascii_is_digit((unsigned char)text.p[i]))
            continue;
        if (spot_code_at(str_from_pos(text, i), &code) &&
            (code.p[0] >= '4') == refusal && may_follow(str_first(text, i)) &&
            !counts_something(str_from_pos(text, i + 3)))
            return (ssize_t)i;
        while (i < text.n && ascii_is_digit((unsigned char)text.p[i]))
            i++;
    }
    return -1;
}

ssize_t
spot_reply(struct str text)
{
    ssize_t at = find_reply(text, true);
    return at >= 0 ? at : find_reply(text, false);
}

static size_t
digits(struct str s)
{
    size_t n = 0;
    while (n < s.n && n < 4 && ascii_is_digit((unsigned char)s.p[n]))
        n++;
    return n;
}

/* "5.1.10" at the front; 0: none. */
static size_t
status_length(struct str s)
{
    size_t n = 1;
    if (s.n < 5 || (s.p[0] != '2' && s.p[0] != '4' && s.p[0] != '5'))
        return 0;
    for (unsigned part = 0; part < 2; part++) {
        size_t d =
            n < s.n && s.p[n] == '.' ? digits(str_from_pos(s, n + 1)) : 0;
        if (d == 0 || d > 3)
            return 0;
        n += d + 1;
    }
    struct str rest = str_from_pos(s, n);
    if (rest.n > 0 && (ascii_is_alnum((unsigned char)rest.p[0]) ||
                       (rest.p[0] == '-' && rest.n > 1 &&
                        ascii_is_digit((unsigned char)rest.p[1]))))
        return 0;
    return rest.n > 1 && rest.p[0] == '.' &&
                   ascii_is_digit((unsigned char)rest.p[1])
               ? 0
               : n;
}

bool
spot_status(struct str text, struct str *status)
{
    for (size_t i = 0; i + 5 <= text.n; i++) {
        unsigned char c = i > 0 ? (unsigned char)text.p[i - 1] : ' ';
        if (ascii_is_alnum(c) || c == '.' || c == '/' || c == '_')
            continue;
        size_t n = status_length(str_from_pos(text, i));
        if (n == 0)
            continue;
        *status = (struct str){text.p + i, n};
        return true;
    }
    return false;
}
