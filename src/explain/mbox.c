/* SPDX-License-Identifier: ISC */
#include "explain/mbox.h"

#include "base/ascii.h"
#include "base/math.h"
#include "explain/explain.h"

/* A "From " line is shorter; one that is not whole yet is waited for. */
enum { LINE_MAX_OCTETS = 1000 };

void
mbox_fini(struct mbox *m)
{
    buf_fini(&m->in);
}

static bool
is_one_of(struct str word, const char *names)
{
    for (; *names != '\0'; names += 3)
        if (word.n >= 3 &&
            str_eq_nocase(str_first(word, 3), (struct str){names, 3}))
            return true;
    return false;
}

static size_t
digits(struct str s)
{
    size_t n = 0;
    while (n < s.n && ascii_is_digit((unsigned char)s.p[n]))
        n++;
    return n;
}

/* "8:05", "08:05:59" */
static bool
is_clock(struct str word)
{
    size_t n = digits(word);
    return (n == 1 || n == 2) && word.n >= n + 3 && word.p[n] == ':' &&
           digits(str_from_pos(word, n + 1)) == 2;
}

static bool
is_year(struct str word)
{
    return word.n == 4 && digits(word) == 4 &&
           (word.p[0] == '1' || word.p[0] == '2');
}

static bool
is_day(struct str word)
{
    size_t n = digits(word);
    return (n == 1 || n == 2) && n == word.n;
}

/* A weekday, and behind it month, day, clock and year in any order: what
 * ctime() writes, and what writes a zone or commas beside it. */
static bool
has_date(struct str line)
{
    bool weekday = false, month = false, day = false, clock = false,
         year = false;
    struct str word;

    while (line.n > 0) {
        (void)str_cut(line, ' ', &word, &line);
        word = str_trim(word);
        if (!weekday)
            weekday = is_one_of(word, "MonTueWedThuFriSatSun") && word.n <= 4;
        else if (is_one_of(word, "JanFebMarAprMayJunJulAugSepOctNovDec"))
            month = true;
        else if (is_clock(word))
            clock = true;
        else if (is_year(word))
            year = true;
        else if (is_day(word))
            day = true;
    }
    return month && day && clock && year;
}

/* A whole line, its end taken off. */
static bool
is_from_line(struct str line)
{
    return line.n < LINE_MAX_OCTETS && str_skip(&line, STR("From ")) &&
           has_date(line);
}

bool
mbox_begins(struct str front)
{
    struct str line, rest;
    (void)str_cut(front, '\n', &line, &rest);
    return is_from_line(line);
}

/* A line begins at `at`; is the one before it empty? */
static bool
follows_empty_line(struct str s, size_t at)
{
    at--;
    if (at > 0 && s.p[at - 1] == '\r')
        at--;
    return at == 0 || s.p[at - 1] == '\n';
}

/*
 * Where the next message begins, from m->searched on. -1: nowhere in what is
 * there; then all before m->searched needs no second look.
 */
static ssize_t
find_start(struct mbox *m)
{
    struct str all = buf_str(&m->in);

    while (m->searched < all.n) {
        struct str rest = str_from_pos(all, m->searched), line, behind;
        ssize_t found = str_find(rest, STR("\nFrom "));
        if (found < 0) {
            // The last octets may be the front of it.
            size_t keep = math_min(STR("\nFrom ").n - 1, rest.n);
            m->searched = all.n - (m->ended ? 0 : keep);
            return -1;
        }
        size_t at = m->searched + (size_t)found + 1;
        rest = str_from_pos(all, at);
        if (!str_cut(rest, '\n', &line, &behind) && !m->ended &&
            rest.n < LINE_MAX_OCTETS) {
            m->searched = at - 1;
            return -1;
        }
        m->searched = at;
        if (follows_empty_line(all, at) && is_from_line(line))
            return (ssize_t)at;
    }
    return -1;
}

/* The ">" that a writer set before a "From " of the text, in place. */
static struct str
unquote(char *p, size_t n)
{
    struct str rest = {p, n};
    char *to = p;

    for (;;) {
        ssize_t found = str_find(rest, STR(">From "));
        if (found < 0)
            break;
        size_t upto = (size_t)found, front = upto;
        while (front > 0 && rest.p[front - 1] == '>')
            front--;
        bool quoted =
            rest.p + front == p || (front > 0 && rest.p[front - 1] == '\n');
        // Behind a quote taken off, rest begins in the middle of a line.
        memmove(to, rest.p, upto);
        to += upto;
        if (!quoted)
            *to++ = '>';
        rest = str_from_pos(rest, upto + 1);
        memmove(to, rest.p, STR("From ").n);
        to += STR("From ").n;
        rest = str_from_pos(rest, STR("From ").n);
    }
    if (to != rest.p)
        memmove(to, rest.p, rest.n);
    return (struct str){p, (size_t)(to - p) + rest.n};
}

/* From m->used to end: a message and the empty line behind it. */
static void
give(struct mbox *m, size_t end, struct mbox_message *out)
{
    struct str all = str_first(buf_str(&m->in), end), line, message;

    (void)str_cut(str_from_pos(all, m->used), '\n', &line, &message);
    if (!is_from_line(line))
        message = str_from_pos(all, m->used); // the file begins without one
    out->cut = message.n > EXPLAIN_LONGEST;
    message = str_first(message, EXPLAIN_LONGEST);
    if (str_ends(message, STR("\n\n")))
        message.n -= 1;
    else if (str_ends(message, STR("\n\r\n")))
        message.n -= 2;
    out->octets = unquote(m->in.p + (message.p - m->in.p), message.n);
    out->number = ++m->n;
}

bool
mbox_next(struct mbox *m, struct mbox_message *out)
{
    for (;;) {
        ssize_t next = find_start(m);
        bool whole = next >= 0 || m->ended;
        size_t end = next >= 0 ? (size_t)next : m->in.n;
        bool long_enough = end - m->used > EXPLAIN_LONGEST + LINE_MAX_OCTETS;

        if (m->skipping && whole) {
            m->used = end;
            m->skipping = false;
            if (next >= 0)
                continue;
        }
        if (!m->skipping && end > m->used && (whole || long_enough)) {
            give(m, end, out);
            out->only = out->number == 1 && next < 0 && m->ended;
            m->used = end;
            m->skipping = !whole;
            return true;
        }
        // More is needed: what is behind us goes, but for a line end that the
        // next message may follow.
        if (m->skipping)
            m->used = m->searched - math_min(m->searched, STR("\n\r").n);
        buf_consume(&m->in, m->used);
        m->searched -= m->used;
        m->used = 0;
        return false;
    }
}
