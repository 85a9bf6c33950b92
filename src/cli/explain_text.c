/* SPDX-License-Identifier: ISC */
/* One recipient as a block of labelled lines, wrapped to the terminal. */
#include "cli/explain_view.h"

#include "base/columns.h"
#include "base/math.h"
#include "base/utf8.h"
#include "catalogue/language.h"

enum {
    LABEL_COLUMN = 12,
    NARROWEST = 20, /* a column of text */
};

/* Select Graphic Rendition, ECMA-48 8.3.117. */
#define BOLD "1"
#define FAINT "2"

static const struct {
    const char *label, *color;
} kinds[] = {
    [EXPLAIN_OTHER] = {"Not a bounce",    "1;36"},
    [EXPLAIN_FAILURE] = {"Rejected",        "1;31"},
    [EXPLAIN_DELAY] = {"Delayed",         "1;33"},
    [EXPLAIN_SUCCESS] = {"Delivered",       "1;32"},
    [EXPLAIN_RELAYED] = {"Relayed",         "1;32"},
    [EXPLAIN_AUTOREPLY] = {"Auto-reply from", "1;36"},
    [EXPLAIN_COMPLAINT] = {"Complaint about", "1;35"},
};

/* Does the character at the front do more than be seen? Controls of C1, marks
 * that turn the direction of what follows, line separators. */
static bool
is_unsafe(struct str c)
{
    // Written as octets, they mislead nobody.
    // NOLINTBEGIN(misc-misleading-bidirectional)
    static const char *const marks[] = {"\342\200\250", "\342\200\256",
                                        "\342\201\246", "\342\201\251"};
    // NOLINTEND(misc-misleading-bidirectional)
    if (c.n == 1)
        return (unsigned char)c.p[0] < 0x20 || c.p[0] == 0x7F;
    if (c.n == 2)
        return c.p[0] == '\302' && (unsigned char)c.p[1] < 0xA0;
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i += 2)
        if (str_compare(c, str_from(marks[i])) >= 0 &&
            str_compare(c, str_from(marks[i + 1])) <= 0 && c.n == 3)
            return true;
    return false;
}

void
explain_add_safe(struct buf *to, struct str text)
{
    while (text.n > 0) {
        size_t n = utf8_first(text);
        struct str c = str_first(text, n == 0 ? 1 : n);
        bool tab = c.n == 1 && (c.p[0] == '\t' || c.p[0] == '\n');
        if (tab)
            buf_add_char(to, ' ');
        else if (n == 0 || is_unsafe(c))
            buf_add(to, STR("\357\277\275"));
        else
            buf_add(to, c);
        text = str_from_pos(text, c.n);
    }
}

void
explain_add_place(struct buf *to, const char *file, uint64_t number)
{
    explain_add_safe(to, str_from(file));
    if (number > 0)
        buf_addf(to, "#%llu", (unsigned long long)number);
}

static struct str
domain_of(struct str address)
{
    return str_from_pos(address, (size_t)(str_rfind_char(address, '@') + 1));
}

void
explain_add_text(struct buf *to, const struct explained *e, unsigned lang,
                 enum catalogue_which which)
{
    struct str text = catalogue_text(e->reason, lang, which);
    if (str_find(text, STR("%{")) < 0) {
        buf_add(to, text);
        return;
    }
    const struct reason_params p = {
        .sender = e->sender,
        .recipient = e->recipient,
        .recipient_domain = domain_of(e->recipient),
        .domain = e->remote_mta,
        .host = e->reporting_mta,
    };
    catalogue_fill(to, text, &p);
}

static void
add_blanks(struct buf *to, size_t n)
{
    while (n-- > 0)
        buf_add_char(to, ' ');
}

static void
add_colored(struct buf *to, const struct explain_view *v, const char *color,
            struct str text)
{
    if (v->colored)
        buf_addf(to, "\033[%sm%.*s\033[0m", color, STR_ARG(text));
    else
        buf_add(to, text);
}

/* A block being written: where its texts stand. */
struct block {
    struct buf *to;
    const struct explain_view *v;
    size_t column;
};

/* A label and its text, which may have several lines. */
static void
add_line(const struct block *b, const char *english, const char *color,
         struct str text)
{
    struct str label = catalogue_word(str_from(english), b->v->lang), line;
    size_t width = b->v->columns > b->column + NARROWEST
                       ? b->v->columns - b->column
                       : NARROWEST;
    size_t indent = b->column - math_min(columns_width(label), b->column - 1);

    if (text.n == 0)
        return;
    add_colored(b->to, b->v, color, label);
    while (text.n > 0) {
        (void)str_cut(text, '\n', &line, &text);
        while (line.n > 0) {
            add_blanks(b->to, indent);
            buf_add(b->to, columns_take(&line, width));
            buf_add_char(b->to, '\n');
            indent = b->column;
        }
    }
}

/* A phrase with %1, %2, %3 in it. */
static void
add_phrase(struct buf *to, const char *english, unsigned lang,
           const struct str *values)
{
    struct str phrase = catalogue_word(str_from(english), lang), part;
    for (;;) {
        bool more = str_cut(phrase, '%', &part, &phrase);
        buf_add(to, part);
        if (!more || phrase.n == 0)
            break;
        explain_add_safe(to, values[(phrase.p[0] - '1') & 3]);
        phrase = str_from_pos(phrase, 1);
    }
}

/* Who said it, to which command, and to whom. */
static void
add_by(const struct block *b, const struct explained *e)
{
    struct buf by = {0};
    struct str stage = catalogue_word(e->stage, b->v->lang);
    bool told = e->reporting_mta.n > 0 &&
                !str_eq_nocase(e->reporting_mta, e->remote_mta);
    const struct str values[4] = {e->remote_mta, stage, e->reporting_mta};

    if (e->remote_mta.n == 0)
        explain_add_safe(&by, e->reporting_mta);
    else if (stage.n > 0 && told)
        add_phrase(&by, "%1, answering %2 from %3", b->v->lang, values);
    else if (stage.n > 0)
        add_phrase(&by, "%1, answering %2", b->v->lang, values);
    else if (told)
        add_phrase(&by, "%1, to %3", b->v->lang, values);
    else
        explain_add_safe(&by, e->remote_mta);
    add_line(b, "By", FAINT, buf_str(&by));
    buf_fini(&by);
}

static void
add_said(const struct block *b, const struct explained *e)
{
    struct buf said = {0};
    struct str text = e->said, line;
    while (text.n > 0) {
        (void)str_cut(text, '\n', &line, &text);
        explain_add_safe(&said, str_trim(line));
        buf_add_char(&said, '\n');
    }
    add_line(b, "Said", FAINT, buf_str(&said));
    buf_fini(&said);
}

static void
add_certain(const struct block *b, const struct explained *e)
{
    struct buf text = {0};
    buf_addf(&text, "%.*s (%.*s",
             STR_ARG(catalogue_word(explain_confidence_name(e->confidence),
                                    b->v->lang)),
             STR_ARG(e->reason->id));
    if (e->wording_of.n > 0) {
        const struct str values[4] = {e->wording_of};
        buf_add(&text, STR("; "));
        add_phrase(&text, "wording of %1", b->v->lang, values);
    }
    if (e->agent.n > 0 && !str_eq(e->agent, e->wording_of)) {
        const struct str values[4] = {e->agent};
        buf_add(&text, STR("; "));
        add_phrase(&text, "notice by %1", b->v->lang, values);
    }
    buf_add_char(&text, ')');
    add_line(b, "Certain", FAINT, buf_str(&text));
    buf_fini(&text);
}

static const struct {
    const char *label;
    enum catalogue_which which;
} people[] = {
    {"Means",    CATALOGUE_MEANING},
    {"Who acts", CATALOGUE_WHO    },
    {"You can",  CATALOGUE_NEXT   },
};

static size_t
text_column(const struct explain_view *v, enum explain_kind kind)
{
    static const char *const labels[] = {"By",       "Said",    "Means",
                                         "Who acts", "You can", "Certain"};
    struct str first = catalogue_word(str_from(kinds[kind].label), v->lang);
    size_t widest = columns_width(first);
    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++)
        widest = math_max(widest, columns_width(catalogue_word(
                                      str_from(labels[i]), v->lang)));
    return math_max(widest + 2, LABEL_COLUMN);
}

void
explain_add_record(struct buf *to, const struct explain_view *v,
                   const struct explained *e)
{
    const struct block b = {to, v, text_column(v, e->kind)};
    struct buf text = {0};

    explain_add_safe(&text, e->recipient.n > 0 ? e->recipient : e->subject);
    if (text.n == 0)
        buf_add(&text, catalogue_word(STR("(no address given)"), v->lang));
    add_line(&b, kinds[e->kind].label, kinds[e->kind].color, buf_str(&text));
    add_by(&b, e);
    add_said(&b, e);
    for (size_t i = 0; i < sizeof people / sizeof *people; i++) {
        buf_clear(&text);
        explain_add_text(&text, e, v->lang, people[i].which);
        add_line(&b, people[i].label, FAINT, buf_str(&text));
    }
    add_certain(&b, e);
    buf_fini(&text);
}

void
explain_add_head(struct buf *to, const struct explain_view *v, struct str place)
{
    struct buf line = {0};
    buf_addf(&line, "== %.*s", STR_ARG(place));
    add_colored(to, v, BOLD, buf_str(&line));
    buf_add_char(to, '\n');
    buf_fini(&line);
}

void
explain_add_cut(struct buf *to, const struct explain_view *v)
{
    const struct block b = {to, v, text_column(v, EXPLAIN_FAILURE)};
    add_line(&b, "Note", FAINT,
             catalogue_word(STR("The message is too long or nested too deep: "
                                "the rest was not read."),
                            v->lang));
}
