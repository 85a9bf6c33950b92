/* SPDX-License-Identifier: ISC */
/*
 * Notes about texts that an admin chose: RFC 5321 gives each reply code a
 * meaning, and other servers carry an enhanced code into their bounces only
 * where it stands right after the reply code (RFC 2034).
 */
#include "catalogue/catalogue_internal.h"
#include "catalogue/code.h"

/* The codes of a text's first line. */
struct said {
    uint16_t reply;       /* 0: none, the reason's are put in front */
    struct status status; /* klass 0: none */
    bool leading;         /* the status stands right after the reply code */
    bool goes_on;         /* the text's last line is a continuation */
};

static void
next_note(struct buf *note, size_t start)
{
    if (note->n > start)
        buf_add(note, STR("; "));
}

static struct said
read_codes(struct str chosen)
{
    struct said s = {0};
    struct str line, rest, word, last;
    struct code c;
    char text[16];

    chosen = str_trim(chosen);
    (void)str_cut(chosen, '\n', &line, &rest);
    line = str_trim(line);
    ssize_t at = str_rfind_char(chosen, '\n');
    last = at < 0 ? chosen : str_from_pos(chosen, (size_t)at + 1);
    s.goes_on = catalogue_goes_on(str_trim(last));
    if (code_parse(str_first(line, 3), &c) && c.reply != 0)
        s.reply = c.reply;
    s.status = status_find(line);
    (void)str_cut(str_from_pos(line, 4), ' ', &word, &rest);
    s.leading =
        s.status.klass != 0 && str_eq(word, status_format(s.status, text));
    return s;
}

static bool
same_detail(struct status a, struct status b)
{
    return a.subject == b.subject && a.detail == b.detail;
}

/* The i-th pair of codes that fits; false: there are no more. */
static bool
fit_at(const struct reason *r, size_t i, struct catalogue_fit *fit)
{
    size_t index = (size_t)(r - catalogue_reasons), n = 0;
    for (size_t k = 0; k < catalogue_n_fit_codes; k++) {
        if (catalogue_fit_codes[k].reason != index)
            continue;
        if (n++ == i) {
            *fit = catalogue_fit_codes[k];
            return true;
        }
    }
    *fit = (struct catalogue_fit){(uint16_t)index, r->code, r->status};
    return n == 0 && i == 0;
}

/* One code of its own is a default and says nothing against others. */
static bool
reply_fits(const struct reason *r, uint16_t reply)
{
    struct catalogue_fit fit;
    bool listed = false;
    for (size_t k = 0; k < catalogue_n_fit_codes; k++)
        if (&catalogue_reasons[catalogue_fit_codes[k].reason] == r)
            listed = true;
    for (size_t i = 0; fit_at(r, i, &fit); i++)
        if (fit.code == reply)
            return true;
    return !listed;
}

static bool
status_fits(const struct reason *r, struct status s)
{
    struct catalogue_fit fit;
    for (size_t i = 0; fit_at(r, i, &fit); i++)
        if (same_detail(fit.status, s))
            return true;
    return same_detail(r->status, s);
}

static void
note_reply(const struct reason *r, uint16_t reply, struct buf *note)
{
    struct catalogue_fit fit;
    struct code c = {.reply = reply};
    struct str says = code_says(&c);
    for (size_t i = 0; fit_at(r, i, &fit); i++)
        buf_addf(note, "%s%u", i > 0 ? " or " : "", fit.code);
    buf_addf(note, " fits better than %u", reply);
    if (says.n > 0)
        buf_addf(note, ", which means: %.*s", STR_ARG(says));
}

static void
note_status(const struct reason *r, const struct said *s, struct buf *note)
{
    struct catalogue_fit fit;
    char good[16], bad[16];
    (void)fit_at(r, 0, &fit);
    fit.status.klass = (uint8_t)(s->reply / 100);
    struct str want = status_format(fit.status, good);
    if (s->status.klass == 0)
        buf_addf(note,
                 "put an enhanced code, %.*s, right after the reply code: it "
                 "goes into the sender's bounce (RFC 2034)",
                 STR_ARG(want));
    else if (!status_fits(r, s->status))
        buf_addf(note, "%.*s right after the reply code fits better than %.*s",
                 STR_ARG(want), STR_ARG(status_format(s->status, bad)));
    else
        buf_addf(note,
                 "put %.*s right after the reply code, where other servers "
                 "read it (RFC 2034)",
                 STR_ARG(want));
}

bool
catalogue_fits(const struct reason *r, struct str chosen, struct buf *note)
{
    struct said s = read_codes(chosen);
    size_t start = note->n;

    if (s.goes_on)
        buf_addf(note,
                 "its last line goes on (\"%u-\"), so a line with %.*s and the "
                 "incident's id is added",
                 s.reply, STR_ARG(r->id));
    if (s.reply == 0)
        return note->n == start;
    if (s.reply / 100 != r->code / 100) {
        next_note(note, start);
        buf_addf(note,
                 s.reply < 500
                     ? "%u makes the client try again, for days, what "
                       "is refused for good"
                     : "%u makes the client give up at once what "
                       "would pass later",
                 s.reply);
    } else if (!reply_fits(r, s.reply)) {
        next_note(note, start);
        note_reply(r, s.reply, note);
    }
    if (!s.leading || !status_fits(r, s.status)) {
        next_note(note, start);
        note_status(r, &s, note);
    }
    return note->n == start;
}
