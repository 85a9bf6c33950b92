/* SPDX-License-Identifier: ISC */
/*
 * Reasons put into words. Parameters come from strangers: in a reply they
 * become printable ASCII, in a text for people UTF-8 without controls, so that
 * neither can begin a line of its own.
 */
#include "catalogue/catalogue.h"

#include <string.h>

#include "base/ascii.h"
#include "base/id.h"
#include "base/math.h"
#include "base/utf8.h"
#include "catalogue/catalogue_internal.h"

enum {
    LINE_DEFAULT = 198, /* 200 with CRLF */
    LINE_CHOSEN = 510,  /* 512 with CRLF: RFC 5321, 4.5.3.1.5 */
    PARAM_READ = 1024,  /* octets of a parameter that are looked at */
    OWN_TEXT = 0,       /* "no parameter" where its greatest length stands */
};

/* What parameters are shortened to, step by step, until the line fits.
 * tools/catalogue.py checks that the last step does. */
static const size_t lengths[] = {PARAM_READ, 128, 80, 64, 48, 32, 24, 16};

static const struct {
    struct str name;
    size_t offset;
} params[] = {
    {{"sender", 6},            offsetof(struct reason_params, sender)          },
    {{"recipient", 9},         offsetof(struct reason_params, recipient)       },
    {{"recipient-domain", 16},
     offsetof(struct reason_params,                           recipient_domain)},
    {{"domain", 6},            offsetof(struct reason_params, domain)          },
    {{"user", 4},              offsetof(struct reason_params, user)            },
    {{"host", 4},              offsetof(struct reason_params, host)            },
    {{"detail", 6},            offsetof(struct reason_params, detail)          },
};

static bool
find_param(const struct reason_params *p, struct str name, struct str *value)
{
    for (size_t i = 0; i < sizeof params / sizeof *params; i++) {
        if (!str_eq(name, params[i].name))
            continue;
        memcpy(value, (const char *)p + params[i].offset, sizeof *value);
        return true;
    }
    return false;
}

/* "%{name}" at the front of *text. */
static bool
take_param(struct str *text, struct str *name)
{
    struct str rest = *text;
    if (!str_skip(&rest, STR("%{")) || !str_cut(rest, '}', name, &rest))
        return false;
    *text = rest;
    return true;
}

typedef void (*add_fn)(struct buf *to, struct str s, size_t longest);

/* Up to the next "%"; at least one octet. */
static struct str
first_plain(struct str text)
{
    ssize_t next = str_find_char(str_from_pos(text, 1), '%');
    return next < 0 ? text : str_first(text, (size_t)next + 1);
}

static void
fill(struct buf *to, struct str text, const struct reason_params *p, add_fn add,
     size_t longest)
{
    struct str name, value;
    while (text.n > 0) {
        struct str rest = text;
        if (take_param(&rest, &name) && find_param(p, name, &value)) {
            add(to, value, longest);
            text = rest;
        } else {
            struct str plain = first_plain(text);
            add(to, plain, OWN_TEXT);
            text = str_from_pos(text, plain.n);
        }
    }
}

/* So many octets of printable ASCII begin it. */
static size_t
printable(struct str s)
{
    size_t n = 0;
    while (n < s.n && s.p[n] >= ' ' && s.p[n] <= '~')
        n++;
    return n;
}

/* One '?' for each character that is not printable ASCII; beyond `longest`
 * octets the middle goes. */
static void
add_ascii(struct buf *to, struct str s, size_t longest)
{
    size_t start = to->n;
    s = str_first(s, PARAM_READ);
    while (s.n > 0) {
        size_t n = printable(s);
        buf_add(to, str_first(s, n));
        if (n == s.n)
            break;
        buf_add_char(to, '?');
        s = str_from_pos(s, n);
        s = str_from_pos(s, math_max(utf8_first(s), 1));
    }
    size_t n = to->n - start;
    if (longest == OWN_TEXT || n <= longest)
        return;
    size_t head = (longest - 2) / 2, tail = longest - 3 - head;
    memcpy(to->p + start + head, "...", 3);
    memmove(to->p + start + head + 3, to->p + start + n - tail, tail);
    to->n = start + longest;
}

/* Copies the text itself, which is UTF-8; mends a parameter. */
static void
add_utf8(struct buf *to, struct str s, size_t longest)
{
    if (longest == OWN_TEXT) {
        buf_add(to, s);
        return;
    }
    s = str_first(s, longest);
    size_t start = to->n;
    utf8_add_mended(to, s);
    for (size_t i = start; i < to->n; i++)
        if (ascii_is_control((unsigned char)to->p[i]))
            to->p[i] = '?';
}

void
catalogue_fill(struct buf *to, struct str text, const struct reason_params *p)
{
    fill(to, text, p, add_utf8, PARAM_READ);
}

/* One line, its beginning already written at `start`; no longer than `limit`
 * octets without CRLF. */
static void
add_line(struct buf *to, size_t start, struct str text,
         const struct reason_params *p, size_t limit)
{
    size_t head = to->n;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        to->n = head;
        fill(to, text, p, add_ascii, lengths[i]);
        if (to->n - start <= limit)
            break;
    }
    to->n = math_min(to->n, start + limit);
    // A bare "550" is legal, but "550 " is what every client reads.
    while (to->n > head && to->p[to->n - 1] == ' ')
        to->n--;
    buf_add(to, STR("\r\n"));
}

static void
add_head(struct buf *to, const struct reason *r, char separator)
{
    buf_add_number(to, r->code);
    buf_add_char(to, separator);
    buf_add_number(to, r->status.klass);
    buf_add_char(to, '.');
    buf_add_number(to, r->status.subject);
    buf_add_char(to, '.');
    buf_add_number(to, r->status.detail);
    buf_add_char(to, ' ');
}

/* The end of a last line. */
static void
add_id(struct buf *to, const struct reason *r, const struct reason_params *p)
{
    buf_add(to, r->id);
    if (p->incident.n > 0) {
        buf_add_char(to, ' ');
        add_ascii(to, p->incident, INCIDENT_TEXT);
    }
    buf_add(to, STR("\r\n"));
}

static void
default_reply(struct buf *to, const struct reason *r,
              const struct reason_params *p)
{
    size_t start = to->n;
    add_head(to, r, '-');
    add_line(to, start, r->text, p, LINE_DEFAULT);
    start = to->n;
    add_head(to, r, '-');
    add_line(to, start, r->advice, p, LINE_DEFAULT);
    add_head(to, r, ' ');
    add_id(to, r, p);
}

/* "553", "553 " or "553-" in front of a line; *code: "553". */
static bool
take_code(struct str *line, struct str *code)
{
    if (line->n < 3 || (line->n > 3 && line->p[3] != ' ' && line->p[3] != '-'))
        return false;
    for (size_t i = 0; i < 3; i++)
        if (!ascii_is_digit((unsigned char)line->p[i]))
            return false;
    *code = str_first(*line, 3);
    *line = str_from_pos(*line, 4);
    return true;
}

static bool
is_refusal(struct str code)
{
    return code.p[0] == '4' || code.p[0] == '5';
}

bool
catalogue_goes_on(struct str line)
{
    struct str code, rest = line;
    return line.n > 3 && line.p[3] == '-' && take_code(&rest, &code) &&
           is_refusal(code);
}

static bool
take_line(struct str *text, struct str *line)
{
    if (text->n == 0)
        return false;
    (void)str_cut(*text, '\n', line, text);
    *line = str_trim(*line);
    return true;
}

/* A text that ends in a continuation line gets the line that it waits for, with
 * the text's code, if its first line has one, and the reason's status in the
 * class of that code. */
static void
close_chosen(struct buf *to, const struct reason *r,
             const struct reason_params *p, struct str code)
{
    if (code.n > 0)
        buf_addf(to, "%.*s %c.%u.%u ", STR_ARG(code), code.p[0],
                 r->status.subject, r->status.detail);
    else
        add_head(to, r, ' ');
    add_id(to, r, p);
}

/* The first line's code speaks for all, so that the client never waits for a
 * line that does not come. */
static void
chosen_reply(struct buf *to, const struct reason *r,
             const struct reason_params *p, struct str chosen)
{
    struct str line, own, code = STR_EMPTY;
    bool first = true;
    chosen = str_trim(chosen);
    while (take_line(&chosen, &line)) {
        size_t start = to->n;
        bool goes_on = catalogue_goes_on(line);
        bool last = chosen.n == 0 && !goes_on;
        char separator = last ? ' ' : '-';
        if (take_code(&line, &own) && first && is_refusal(own))
            code = own;
        first = false;
        if (code.n > 0) {
            buf_add(to, code);
            buf_add_char(to, separator);
        } else {
            add_head(to, r, separator);
        }
        add_line(to, start, line, p, LINE_CHOSEN);
        if (chosen.n == 0 && goes_on)
            close_chosen(to, r, p, code);
    }
}

void
catalogue_reply(struct buf *to, const struct reason *r,
                const struct reason_params *p, struct str chosen)
{
    if (str_trim(chosen).n > 0)
        chosen_reply(to, r, p, chosen);
    else
        default_reply(to, r, p);
}

static const char *
check_line(struct str line)
{
    const struct reason_params none = {0};
    struct str name, value;
    if (line.n > LINE_CHOSEN)
        return "a line is longer than 510 octets";
    while (line.n > 0) {
        if (line.p[0] < ' ' || line.p[0] > '~')
            return "expected printable ASCII characters only";
        if (str_starts(line, STR("%{"))) {
            if (!take_param(&line, &name))
                return "%{ without }";
            if (!find_param(&none, name, &value))
                return "unknown parameter, expected one of %{sender}, "
                       "%{recipient}, %{recipient-domain}, %{domain}, "
                       "%{user}, %{host}, %{detail}";
        } else {
            line = str_from_pos(line, 1);
        }
    }
    return NULL;
}

const char *
catalogue_check_text(struct str chosen)
{
    struct str line, code, first = STR_EMPTY;
    bool started = false;
    chosen = str_trim(chosen);
    if (chosen.n == 0)
        return "empty, expected a reply like \"553 5.1.1 no such mailbox\"";
    while (take_line(&chosen, &line)) {
        const char *wrong = check_line(line);
        if (wrong != NULL)
            return wrong;
        bool coded = take_code(&line, &code);
        if (coded && !is_refusal(code))
            return "expected a reply code 4xx or 5xx";
        if (coded && started && !str_eq(code, first))
            return "expected the same reply code in each line";
        if (coded && !started)
            first = code;
        started = true;
    }
    return NULL;
}
