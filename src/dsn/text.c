/* SPDX-License-Identifier: ISC */
/* The words for people: what happened, who must act, what to do, and then the
 * remote's own words, whole and unwrapped. */
#include "dsn/dsn_internal.h"

enum { WRAP_AT = 72 };

/* The next word of text with the blanks before it; 0: none. */
static size_t
word_length(struct str text)
{
    size_t n = 0;
    while (n < text.n && text.p[n] == ' ')
        n++;
    while (n < text.n && text.p[n] != ' ')
        n++;
    return n;
}

static void
add_wrapped(struct buf *to, struct str text)
{
    size_t column = 0;
    text = str_trim(text);
    while (text.n > 0) {
        size_t n = word_length(text);
        struct str word = str_first(text, n);
        if (column > 0 && column + n > WRAP_AT) {
            buf_add_char(to, '\n');
            column = 0;
            word = str_trim(word);
        }
        buf_add(to, word);
        column += word.n;
        text = str_from_pos(text, n);
    }
    buf_add_char(to, '\n');
}

static void
add_sentence(struct buf *to, struct str label, struct str text,
             const struct reason_params *p)
{
    struct buf line = {0};
    buf_add(&line, label);
    catalogue_fill(&line, text, p);
    add_wrapped(to, buf_str(&line));
    buf_fini(&line);
}

/* Recipients that failed alike share one explanation. */
static bool
failed_alike(const struct dsn_rcpt *a, const struct dsn_rcpt *b)
{
    return a->verdict.outcome == b->verdict.outcome &&
           str_eq(a->verdict.reason, b->verdict.reason) &&
           str_eq(a->verdict.text, b->verdict.text) &&
           str_eq(a->verdict.remote, b->verdict.remote) &&
           str_eq(a->verdict.command, b->verdict.command);
}

static void
add_who_answered(struct buf *to, const struct verdict *v)
{
    struct buf line = {0};
    if (v->remote.n > 0) {
        buf_add(&line, STR("The server "));
        dsn_add_clean(&line, v->remote, true);
        buf_add(&line, v->code != 0 ? STR(" answered") : STR(""));
    } else {
        buf_add(&line, STR("This server says"));
    }
    if (v->command.n > 0 && v->code != 0) {
        buf_add(&line, STR(" to "));
        dsn_add_clean(&line, v->command, true);
    }
    buf_add_char(&line, ':');
    add_wrapped(to, buf_str(&line));
    buf_fini(&line);
}

static void
add_remote_lines(struct buf *to, const struct verdict *v)
{
    struct str text = str_trim(v->text), line;
    if (text.n == 0)
        return;
    buf_add_char(to, '\n');
    add_who_answered(to, v);
    buf_add_char(to, '\n');
    while (text.n > 0) {
        (void)str_cut(text, '\n', &line, &text);
        dsn_add_clean(to, str_trim(line), true);
        buf_add_char(to, '\n');
    }
}

static void
add_explanation(struct buf *to, const struct dsn_report *r,
                const struct dsn_rcpt *rcpt)
{
    const struct reason *reason = dsn_reason(&rcpt->verdict);
    const struct reason *expired = catalogue_find(STR("expired"));
    struct reason_params p = {
        .sender = r->to,
        .recipient = rcpt->address,
        .domain = r->hostname,
        .host = rcpt->verdict.remote,
    };
    ssize_t at = str_rfind_char(rcpt->address, '@');
    if (at >= 0)
        p.recipient_domain = str_from_pos(rcpt->address, (size_t)at + 1);
    if (rcpt->verdict.outcome == OUTCOME_LATER && expired != NULL &&
        expired != reason)
        add_sentence(to, STR_EMPTY, expired->meaning, &p);
    add_sentence(to, STR("What happened: "), reason->meaning, &p);
    add_sentence(to, STR("Who must act: "), reason->who, &p);
    add_sentence(to, STR("What to do: "), reason->next, &p);
    add_remote_lines(to, &rcpt->verdict);
    buf_add_char(to, '\n');
}

static struct str
opening(const struct verdict *v)
{
    if (v->outcome == OUTCOME_DELIVERED)
        return STR("Your message was delivered to:\n\n");
    if (v->outcome == OUTCOME_RELAYED)
        return STR("Your message was passed on to a server that does not "
                   "report\nwhat becomes of it, for:\n\n");
    return STR("Your message could not be delivered to:\n\n");
}

void
dsn_add_text(struct buf *to, const struct dsn_report *r, bool whole_copy)
{
    buf_add(to, STR("This message was written by the mail server "));
    dsn_add_clean(to, r->hostname, true);
    buf_add(to, STR(".\n\n"));
    for (size_t i = 0; i < r->n_rcpts; i++) {
        const struct dsn_rcpt *rcpt = &r->rcpts[i];
        if (i == 0 || !failed_alike(rcpt - 1, rcpt))
            buf_add(to, opening(&rcpt->verdict));
        buf_add(to, STR("  "));
        dsn_add_clean(to, rcpt->address, true);
        buf_add_char(to, '\n');
        if (i + 1 == r->n_rcpts || !failed_alike(rcpt, rcpt + 1)) {
            buf_add_char(to, '\n');
            if (!dsn_is_success(&rcpt->verdict))
                add_explanation(to, r, rcpt);
        }
    }
    buf_add(to, whole_copy
                    ? STR("------ This is a copy of the message, including "
                          "all the headers. ------\n")
                    : STR("------ This is a copy of the headers of the "
                          "message. ------\n"));
}
