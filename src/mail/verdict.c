/* SPDX-License-Identifier: ISC */
#include "mail/verdict.h"

#include <stdio.h>

#include "base/ascii.h"
#include "base/wire.h"

void
verdict_encode(struct buf *to, const struct verdict *v)
{
    wire_add_u8(to, (uint8_t)v->outcome);
    wire_add_u16(to, v->code);
    wire_add_u8(to, v->status.klass);
    wire_add_u16(to, v->status.subject);
    wire_add_u16(to, v->status.detail);
    wire_add_str(to, v->reason);
    wire_add_str(to, v->text);
    wire_add_str(to, v->remote);
    wire_add_str(to, v->command);
}

/* Also the form inside other codecs: what follows the verdict is theirs, so
 * they hand over exactly its bytes as one string. */
bool
verdict_decode(struct str bytes, struct verdict *v)
{
    struct wire in = wire_from(bytes);
    uint8_t outcome = wire_u8(&in);

    *v = (struct verdict){.code = wire_u16(&in)};
    v->status.klass = wire_u8(&in);
    v->status.subject = wire_u16(&in);
    v->status.detail = wire_u16(&in);
    v->reason = wire_str(&in);
    v->text = wire_str(&in);
    v->remote = wire_str(&in);
    v->command = wire_str(&in);

    if (outcome > OUTCOME_REFUSED || v->code > 999 || v->status.klass > 9 ||
        v->status.subject > 999 || v->status.detail > 999)
        return false;
    v->outcome = (enum outcome)outcome;
    return wire_done(&in);
}

struct verdict
verdict_dup(struct arena *a, const struct verdict *v)
{
    struct verdict copy = *v;
    copy.reason = arena_dup(a, v->reason);
    copy.text = arena_dup(a, v->text);
    copy.remote = arena_dup(a, v->remote);
    copy.command = arena_dup(a, v->command);
    return copy;
}

struct str
status_format(struct status s, char out[16])
{
    out[0] = '\0';
    if (s.klass != 0)
        (void)snprintf(out, 16, "%u.%u.%u", s.klass, s.subject, s.detail);
    return str_from(out);
}

/* 1*3DIGIT */
static bool
take_number(struct str *in, uint16_t *out)
{
    uint16_t value = 0;
    size_t n = 0;

    while (n < in->n && ascii_is_digit((unsigned char)in->p[n])) {
        if (n == 3)
            return false;
        value = (uint16_t)(value * 10 + (in->p[n] - '0'));
        n++;
    }
    *in = str_from_pos(*in, n);
    *out = value;
    return n > 0;
}

/* class "." subject "." detail      RFC 3463 2. Not the start of an IP address
 * or of a version, which go on with a dot and a digit. */
static bool
take_status(struct str *in, struct status *s)
{
    struct str rest = *in;

    if (rest.n == 0 ||
        (rest.p[0] != '2' && rest.p[0] != '4' && rest.p[0] != '5'))
        return false;
    s->klass = (uint8_t)(rest.p[0] - '0');
    rest = str_from_pos(rest, 1);
    if (!str_skip_char(&rest, '.') || !take_number(&rest, &s->subject) ||
        !str_skip_char(&rest, '.') || !take_number(&rest, &s->detail))
        return false;
    if (rest.n > 1 && rest.p[0] == '.' &&
        ascii_is_digit((unsigned char)rest.p[1]))
        return false;
    *in = rest;
    return true;
}

/* "553 ", "553-" or "553" at the line's end; its first digit, or 0. */
static unsigned
skip_code(struct str *line)
{
    struct str rest = *line;
    uint16_t code;

    if (!take_number(&rest, &code) || code < 100 || rest.p != line->p + 3)
        return 0;
    if (rest.n > 0 && rest.p[0] != ' ' && rest.p[0] != '-')
        return 0;
    *line = str_from_pos(rest, 1);
    return code / 100;
}

static bool
find_in_line(struct str line, struct status *s)
{
    unsigned klass = skip_code(&line);
    struct str rest = str_trim(line);
    bool found;

    (void)str_skip_char(&rest, '#');
    found = take_status(&rest, s);
    while (!found) {
        ssize_t at = str_find(line, STR("(#"));
        if (at < 0)
            return false;
        line = str_from_pos(line, (size_t)at + 2);
        rest = line;
        found = take_status(&rest, s) && str_skip_char(&rest, ')');
    }
    // RFC 2034 4: the class must agree with the reply code; one that does not
    // is a number in a sentence or a slip, and would contradict the outcome.
    return klass == 0 || klass == s->klass;
}

struct status
status_find(struct str reply)
{
    struct status s;
    struct str line, rest = reply;
    bool more = true;

    while (more) {
        more = str_cut(rest, '\n', &line, &rest);
        if (find_in_line(line, &s))
            return s;
    }
    return (struct status){0};
}
