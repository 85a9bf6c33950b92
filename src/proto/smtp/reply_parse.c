/* SPDX-License-Identifier: ISC */
#include "proto/smtp/reply_parse.h"

#include "base/ascii.h"

void
smtp_reply_fini(struct smtp_reply *r)
{
    buf_fini(&r->text);
}

struct str
smtp_reply_text(const struct smtp_reply *r)
{
    return buf_str(&r->text);
}

bool
smtp_reply_empty(const struct smtp_reply *r)
{
    return r->text.n == 0 && !r->cr;
}

void
smtp_reply_next(struct smtp_reply *r)
{
    struct buf text = r->text;
    buf_clear(&text);
    *r = (struct smtp_reply){.text = text};
}

static void
fail(struct smtp_reply *r, const char *problem)
{
    r->state = SMTP_REPLY_BAD;
    r->problem = problem;
}

/* Reply-code [ SP / "-" text ]      RFC 5321 4.2; the code alone is allowed
 * for, as 4.2.1 asks of clients. */
static void
end_line(struct smtp_reply *r)
{
    struct str line = str_from_pos(buf_str(&r->text), r->line_at);
    uint16_t code = 0;

    for (size_t i = 0; i < 3; i++) {
        if (i >= line.n || !ascii_is_digit((unsigned char)line.p[i])) {
            fail(r, "the peer's answer is no SMTP reply");
            return;
        }
        code = (uint16_t)(code * 10 + (line.p[i] - '0'));
    }
    if (code < 200 || code > 599 ||
        (line.n > 3 && line.p[3] != ' ' && line.p[3] != '-')) {
        fail(r, "the peer's answer is no SMTP reply");
        return;
    }

    r->code = code;
    r->lines++;
    if (line.n == 3 || line.p[3] == ' ') {
        r->state = SMTP_REPLY_WHOLE;
    } else if (r->lines >= SMTP_REPLY_LINES_MAX) {
        fail(r, "the peer's reply has too many lines");
    } else {
        buf_add_char(&r->text, '\n');
        r->line_at = r->text.n;
    }
}

/* Octets that are neither CR nor LF. */
static void
add_text(struct smtp_reply *r, struct str bytes)
{
    if (bytes.n + r->text.n - r->line_at > SMTP_REPLY_LINE_MAX)
        fail(r, "the peer's reply has a line that is too long");
    else if (bytes.n + r->text.n > SMTP_REPLY_MAX)
        fail(r, "the peer's reply is too long");
    else
        buf_add(&r->text, bytes);
}

static size_t
plain_length(struct str s)
{
    size_t n = 0;
    while (n < s.n && s.p[n] != '\r' && s.p[n] != '\n')
        n++;
    return n;
}

size_t
smtp_reply_feed(struct smtp_reply *r, struct str input)
{
    size_t used = 0;

    while (used < input.n && r->state == SMTP_REPLY_PART) {
        struct str rest = str_from_pos(input, used);
        if (r->cr != (rest.p[0] == '\n')) {
            fail(r, "the peer's reply has a CR or LF that is no line end");
        } else if (r->cr) {
            r->cr = false;
            used++;
            end_line(r);
        } else if (rest.p[0] == '\r') {
            r->cr = true;
            used++;
        } else {
            size_t n = plain_length(rest);
            add_text(r, str_first(rest, n));
            used += n;
        }
    }
    return used;
}
