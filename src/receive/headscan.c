/* SPDX-License-Identifier: ISC */
#include "receive/headscan.h"

#include "base/ascii.h"

/* field-name ":"                                   RFC 5322, 2.2; blanks
 * before the colon are of its obsolete form, 4.5.8. */
static bool
take_name(struct str line, struct str *name)
{
    if (!str_cut(line, ':', name, &line))
        return false;
    while (name->n > 0 && ascii_is_blank((unsigned char)name->p[name->n - 1]))
        name->n--;
    for (size_t i = 0; i < name->n; i++) {
        unsigned char c = (unsigned char)name->p[i];
        if (c <= ' ' || c == 127)
            return false;
    }
    return name->n > 0;
}

static void
end_at(struct headscan *h, size_t end, bool no_gap)
{
    h->ended = true;
    h->end = end;
    h->no_gap = no_gap;
}

/* line: without CR LF. */
static void
judge(struct headscan *h, struct str line)
{
    struct str name;
    if (line.n == 0) {
        end_at(h, h->at, false);
        return;
    }
    if (ascii_is_blank((unsigned char)line.p[0]) && h->at > 0)
        return; // a folded field goes on
    if (!take_name(line, &name)) {
        end_at(h, h->at, true);
        return;
    }
    if (str_eq_nocase(name, STR("Received")))
        h->received++;
    else if (str_eq_nocase(name, STR("Message-ID")))
        h->has_id = true;
    else if (str_eq_nocase(name, STR("Date")))
        h->has_date = true;
}

bool
headscan_look(struct headscan *h, struct str text)
{
    while (!h->ended) {
        struct str rest = str_from_pos(text, h->at);
        ssize_t lf = str_find_char(rest, '\n');
        if (lf < 0)
            break;
        size_t n = (size_t)lf;
        judge(h, str_first(rest, n > 0 && rest.p[n - 1] == '\r' ? n - 1 : n));
        if (!h->ended)
            h->at += n + 1;
    }
    if (!h->ended && text.n > HEADSCAN_MAX) {
        h->cut_off = true;
        end_at(h, h->at, false);
    }
    return h->ended;
}

void
headscan_finish(struct headscan *h, struct str text)
{
    if (headscan_look(h, text))
        return;
    // A last line without its end can only be a field or nothing.
    if (h->at < text.n)
        judge(h, str_from_pos(text, h->at));
    if (!h->ended)
        end_at(h, text.n, true);
}
