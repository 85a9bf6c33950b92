/* SPDX-License-Identifier: ISC */
#include "mailbox/content.h"

#include <string.h>

#include "base/ascii.h"
#include "mail/date.h"

enum {
    NAME = 0, /* at the beginning of a header line, its name held back */
    KEEP,     /* in a header line that stays */
    DROP,     /* in a field that goes, folded lines included */
    DROPPED,  /* at the line end behind one: is the next folded? */
    BODY,
};

static const struct str ours[] = {
    {"return-path",   11},
    {"envelope-to",   11},
    {"delivery-date", 13},
};

void
content_begin(struct content *c, const struct content_facts *f, struct buf *out)
{
    *c = (struct content){.state = NAME, .binary = f->binary};
    buf_add(out, STR("Return-Path: <"));
    buf_add(out, f->sender);
    buf_add(out, STR(">\nEnvelope-to: "));
    buf_add(out, f->recipient);
    buf_add(out, STR("\nDelivery-date: "));
    date_add_mail(out, f->now_ms, 0);
    buf_add_char(out, '\n');
}

/* "Return-Path", as far as held; blanks may stand before the colon. */
static bool
is_ours(const struct content *c)
{
    struct str name = str_trim(str_from_n(c->held, c->n));
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (str_eq_nocase(name, ours[i]))
            return true;
    return false;
}

static void
release(struct content *c, struct buf *out)
{
    buf_add(out, str_from_n(c->held, c->n));
    c->n = 0;
}

/* One octet of the header, CRLF already turned into LF. */
static void
header_octet(struct content *c, char octet, struct buf *out)
{
    if (c->state == DROPPED) {
        /* RFC 5322 2.2.3: a line that begins with a blank goes on. */
        c->state = ascii_is_blank((unsigned char)octet) ? DROP : NAME;
    }
    switch (c->state) {
    case DROP:
        if (octet == '\n')
            c->state = DROPPED;
        return;
    case KEEP:
        buf_add_char(out, octet);
        if (octet == '\n')
            c->state = NAME;
        return;
    case NAME:
    default:
        break;
    }
    if (octet == ':' && is_ours(c)) {
        c->n = 0;
        c->state = DROP;
        return;
    }
    if (octet == '\n') {
        c->state = c->n == 0 ? BODY : NAME; // an empty line ends the header
        release(c, out);
        buf_add_char(out, octet);
        return;
    }
    if (octet == ':' || c->n == sizeof c->held ||
        (c->n == 0 && ascii_is_blank((unsigned char)octet))) { // a folded line
        release(c, out);
        buf_add_char(out, octet);
        c->state = KEEP;
        return;
    }
    c->held[c->n++] = octet;
}

static void
add_octet(struct content *c, char octet, struct buf *out)
{
    if (c->state == BODY)
        buf_add_char(out, octet);
    else
        header_octet(c, octet, out);
}

/* Most of a message: whole runs between line ends. */
static size_t
body_run(struct str bytes, struct buf *out)
{
    const char *cr = memchr(bytes.p, '\r', bytes.n);
    size_t n = cr == NULL ? bytes.n : (size_t)(cr - bytes.p);
    buf_add(out, str_first(bytes, n));
    return n;
}

void
content_feed(struct content *c, struct str bytes, struct buf *out)
{
    while (bytes.n > 0) {
        size_t used = 1;
        char octet = bytes.p[0];
        if (c->state == BODY && c->binary) {
            buf_add(out, bytes);
            used = bytes.n;
        } else if (c->cr) {
            /* A CR that no LF follows is content, of a binary message. */
            c->cr = false;
            add_octet(c, octet == '\n' ? '\n' : '\r', out);
            used = octet == '\n';
        } else if (octet == '\r') {
            c->cr = true;
        } else if (c->state == BODY) {
            used = body_run(bytes, out);
        } else {
            header_octet(c, octet, out);
        }
        bytes = str_from_pos(bytes, used);
    }
}

void
content_end(struct content *c, struct buf *out)
{
    if (c->cr)
        add_octet(c, '\r', out);
    c->cr = false;
    if (c->state == NAME)
        release(c, out);
}
