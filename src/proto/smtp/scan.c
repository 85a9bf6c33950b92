/* SPDX-License-Identifier: ISC */
#include "proto/smtp/scan.h"

#include <string.h>

static void
count_line(struct smtp_scan *s, size_t n)
{
    s->line += n;
    if (s->line > SMTP_TEXT_LINE_MAX) {
        s->too_long = true;
        s->line = SMTP_TEXT_LINE_MAX + 1; // no overflow on endless lines
    }
}

/*
 * One line, or what there is of it. Two passes of memchr over a line that is
 * in the first cache level are faster than any loop of ours over its octets.
 */
static size_t
scan_line(struct smtp_scan *s, struct str in)
{
    const char *lf = memchr(in.p, '\n', in.n);
    size_t n = lf == NULL ? in.n : (size_t)(lf - in.p);
    const char *cr = n == 0 ? NULL : memchr(in.p, '\r', n);
    bool cr_last = n > 0 && in.p[n - 1] == '\r';

    if (cr != NULL && cr != in.p + n - 1)
        s->bare = true;
    count_line(s, n);
    if (lf == NULL) {
        s->at = cr_last ? SCAN_CR : SCAN_TEXT;
        return n;
    }
    if (!cr_last)
        s->bare = true;
    s->at = cr_last ? SCAN_LINE_START : SCAN_TEXT;
    if (cr_last)
        s->line = 0;
    return n + 1;
}

/* The octet behind a CR that ended an earlier slice. */
static size_t
scan_behind_cr(struct smtp_scan *s, char c)
{
    if (c != '\n') {
        s->bare = true;
        s->at = SCAN_TEXT;
        return 0;
    }
    s->at = SCAN_LINE_START;
    s->line = 0;
    return 1;
}

/* Content up to the end of the slice, or up to a dot at a line's start. */
static size_t
scan_text(struct smtp_scan *s, struct str in)
{
    size_t i = 0;
    while (i < in.n) {
        if (s->at == SCAN_CR)
            i += scan_behind_cr(s, in.p[i]);
        else if (s->at == SCAN_LINE_START && in.p[i] == '.')
            break;
        else
            i += scan_line(s, str_from_pos(in, i));
    }
    return i;
}

/* One octet of a line that begins with a dot, as long as it may still be the
 * end; false: it is content. */
static bool
scan_dot(struct smtp_scan *s, char c, bool *end)
{
    if (s->at == SCAN_LINE_START && c == '.') {
        s->at = SCAN_DOT;
        return true;
    }
    if (s->at == SCAN_DOT && c == '\r') {
        s->at = SCAN_DOT_CR;
        return true;
    }
    if (s->at == SCAN_DOT_CR && c == '\n') {
        *end = true;
        return true;
    }
    if (s->at == SCAN_DOT_CR)
        s->bare = true; // the withheld CR may get lost: nobody keeps this
    if (s->at == SCAN_DOT && c == '.')
        s->dots = true;
    if (s->at == SCAN_DOT || s->at == SCAN_DOT_CR)
        s->at = SCAN_TEXT;
    return false;
}

size_t
smtp_scan_data(struct smtp_scan *s, struct str in, struct str *out, bool *end)
{
    size_t i = 0;
    *out = STR_EMPTY;
    *end = false;
    while (i < in.n && scan_dot(s, in.p[i], end)) {
        i++;
        if (*end) {
            s->at = SCAN_LINE_START;
            return i;
        }
    }
    if (i == in.n)
        return i;
    struct str text = str_from_pos(in, i);
    *out = str_first(text, scan_text(s, text));
    return i + out->n;
}

void
smtp_scan_chunk(struct smtp_scan *s, struct str chunk)
{
    while (chunk.n > 0) {
        chunk = str_from_pos(chunk, scan_text(s, chunk));
        if (chunk.n > 0) { // stopped at a dot, which is content here
            s->dots = true;
            s->at = SCAN_TEXT;
        }
    }
}
