/* SPDX-License-Identifier: ISC */
/*
 * A code's page shows its wordings with addresses filled in, as they stand in a
 * bounce; an entry shows them with the %{...} that a `reply` section takes.
 */
#include "cli/reasons.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/columns.h"
#include "catalogue/language.h"

enum {
    SCREEN = 78,
    INDENT = 2,
};

static bool
is_shown(const struct reasons_view *v, struct str wording)
{
    return v->code == NULL || code_in_wording(v->code, wording);
}

size_t
reasons_count(const struct reason *r, const struct code *c)
{
    size_t n = 0;
    for (size_t i = 0; i < r->n_wordings; i++)
        if (c == NULL || code_in_wording(c, catalogue_wording(r, i)))
            n++;
    return n;
}

/* The wording as somebody gets it. Where it names this server's domain beside
 * the recipient, the two differ. */
static void
add_example(struct buf *to, struct str wording)
{
    bool other = str_find(wording, STR("%{domain}")) >= 0;
    const struct reason_params p = {
        .sender = STR("sender@example.com"),
        .recipient = other ? STR("recipient@OtherRemoteDomain.com")
                           : STR("recipient@RemoteDomain.com"),
        .recipient_domain =
            other ? STR("OtherRemoteDomain.com") : STR("RemoteDomain.com"),
        .domain = STR("RemoteDomain.com"),
        .user = STR("sender@example.com"),
        .host = STR("192.0.2.1"),
        .detail = STR("..."),
    };
    catalogue_fill(to, wording, &p);
}

static void
add_shown(struct buf *to, const struct reasons_view *v, struct str wording)
{
    if (v->code != NULL)
        add_example(to, wording);
    else
        buf_add(to, wording);
}

/* "553 5.7.1"; what is no failure has none. */
static void
add_reply_code(struct buf *to, const struct reason *r)
{
    char status[16];
    if (r->code != 0)
        buf_addf(to, "%u ", r->code);
    buf_add(to, r->code != 0 ? status_format(r->status, status) : STR("-"));
}

/* "553: the server does not allow this address" */
static void
add_title(struct buf *to, const struct reasons_view *v)
{
    char status[16];
    struct str says = catalogue_word(code_says(v->code), v->lang);
    if (v->code->reply != 0)
        buf_addf(to, "%u", v->code->reply);
    else
        buf_add(to, status_format(v->code->status, status));
    if (says.n > 0)
        buf_addf(to, ": %.*s", STR_ARG(says));
    buf_add_char(to, '\n');
}

static const struct {
    const char *label;
    enum catalogue_which which;
} people[] = {
    {"What it means", CATALOGUE_MEANING},
    {"Who must act",  CATALOGUE_WHO    },
    {"What to do",    CATALOGUE_NEXT   },
};

enum { N_PEOPLE = sizeof people / sizeof *people };

static struct str
label(const char *english, unsigned lang)
{
    return catalogue_word(str_from(english), lang);
}

static void
add_blanks(struct buf *to, size_t n)
{
    while (n-- > 0)
        buf_add_char(to, ' ');
}

/* A label and its text, wrapped in a column of its own. */
static void
add_labelled(struct buf *to, struct str name, struct str text, size_t column)
{
    add_blanks(to, INDENT);
    buf_add(to, name);
    size_t at = INDENT + columns_width(name);
    add_blanks(to, column > at ? column - at : 1);
    for (bool first = true; first || text.n > 0; first = false) {
        if (!first)
            add_blanks(to, column);
        buf_add(to, columns_take(&text, SCREEN - column));
        buf_add_char(to, '\n');
    }
}

static size_t
text_column(unsigned lang)
{
    size_t widest = columns_width(label("Class", lang));
    for (size_t i = 0; i < N_PEOPLE; i++) {
        size_t width = columns_width(label(people[i].label, lang));
        widest = width > widest ? width : widest;
    }
    return INDENT + widest + 2;
}

static void
add_people(struct buf *to, const struct reasons_view *v, const struct reason *r)
{
    for (size_t i = 0; i < N_PEOPLE; i++)
        add_labelled(to, label(people[i].label, v->lang),
                     catalogue_text(r, v->lang, people[i].which),
                     text_column(v->lang));
}

static void
add_wordings(struct buf *to, const struct reasons_view *v,
             const struct reason *r, size_t indent)
{
    for (size_t i = 0; i < r->n_wordings; i++) {
        if (!is_shown(v, catalogue_wording(r, i)))
            continue;
        add_blanks(to, indent);
        add_shown(to, v, catalogue_wording(r, i));
        buf_add_char(to, '\n');
    }
}

/* The default reply, its parameters by name, in the form in which it is sent
 * but for the length of its lines. */
static void
add_default_reply(struct buf *to, const struct reason *r, size_t indent)
{
    char status[16];
    struct str s = status_format(r->status, status);
    add_blanks(to, indent);
    buf_addf(to, "%u-%.*s %.*s\n", r->code, STR_ARG(s), STR_ARG(r->text));
    add_blanks(to, indent);
    buf_addf(to, "%u-%.*s %.*s\n", r->code, STR_ARG(s), STR_ARG(r->advice));
    add_blanks(to, indent);
    buf_addf(to, "%u %.*s %.*s 7K3MQ-2DF9P\n", r->code, STR_ARG(s),
             STR_ARG(r->id));
}

/* On a code's page: no other server's wording brings the code, but ours. */
static bool
says_it_here(const struct reasons_view *v, const struct reason *r)
{
    const struct code *c = v->code;
    char own[16], asked[16];
    if (reasons_count(r, c) > 0)
        return false;
    return c->reply != 0 ? c->reply == r->code
                         : str_eq(status_format(r->status, own),
                                  status_format(c->status, asked));
}

/* One reason on a code's page. */
static void
text_of_code(struct buf *to, const struct reasons_view *v,
             const struct reason *r)
{
    buf_addf(to, "\n%.*s\n", STR_ARG(r->id));
    add_wordings(to, v, r, INDENT);
    if (says_it_here(v, r))
        add_default_reply(to, r, INDENT);
    add_people(to, v, r);
}

static void
text_entry(struct buf *to, const struct reasons_view *v, const struct reason *r)
{
    buf_addf(to, "%.*s: ", STR_ARG(r->id));
    add_reply_code(to, r);
    buf_add(to, STR("\n\n"));
    add_labelled(to, label("Class", v->lang), r->klass, text_column(v->lang));
    add_people(to, v, r);
    if (r->code != 0) {
        buf_addf(to, "\n  %.*s\n", STR_ARG(label("This server says", v->lang)));
        add_default_reply(to, r, 2 * (size_t)INDENT);
    }
    if (r->n_wordings > 0)
        buf_addf(to, "\n  %.*s\n", STR_ARG(label("Known wordings", v->lang)));
    add_wordings(to, v, r, 2 * (size_t)INDENT);
}

static void
text_line(struct buf *to, const struct reasons_view *v, const struct reason *r)
{
    char status[16];
    buf_addf(to, "%-25.*s ", STR_ARG(r->id));
    if (r->code != 0)
        buf_addf(to, "%u %-7.*s", r->code,
                 STR_ARG(status_format(r->status, status)));
    else
        buf_addf(to, "%-11s", "-"); // no failure, never replied
    buf_addf(to, " %-20.*s %.*s\n", STR_ARG(r->klass),
             STR_ARG(catalogue_text(r, v->lang, CATALOGUE_WHO)));
}

static void
add_text(struct buf *to, const struct reasons_view *v)
{
    if (v->code != NULL)
        add_title(to, v);
    for (size_t i = 0; i < v->n; i++) {
        if (v->list) {
            text_line(to, v, v->reasons[i]);
        } else if (v->code != NULL) {
            text_of_code(to, v, v->reasons[i]);
        } else {
            if (i > 0)
                buf_add_char(to, '\n');
            text_entry(to, v, v->reasons[i]);
        }
    }
}

/* Outside of code, "<" and "|" would be markup. */
static void
add_markdown_text(struct buf *to, struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '<' || text.p[i] == '|' || text.p[i] == '*' ||
            text.p[i] == '_')
            buf_add_char(to, '\\');
        buf_add_char(to, text.p[i]);
    }
}

static void
markdown_people(struct buf *to, const struct reasons_view *v,
                const struct reason *r)
{
    for (size_t i = 0; i < N_PEOPLE; i++) {
        buf_addf(to, "\n**%.*s.** ", STR_ARG(label(people[i].label, v->lang)));
        add_markdown_text(to, catalogue_text(r, v->lang, people[i].which));
        buf_add_char(to, '\n');
    }
}

static void
markdown_entry(struct buf *to, const struct reasons_view *v,
               const struct reason *r)
{
    if (v->code != NULL) {
        buf_addf(to, "\n## %.*s\n", STR_ARG(r->id));
        if (reasons_count(r, v->code) > 0 || says_it_here(v, r))
            buf_add_char(to, '\n');
        add_wordings(to, v, r, 4);
        if (says_it_here(v, r))
            add_default_reply(to, r, 4);
        markdown_people(to, v, r);
        return;
    }
    buf_addf(to, "# %.*s\n", STR_ARG(r->id));
    markdown_people(to, v, r);
    if (r->code != 0) {
        buf_addf(to, "\n**%.*s**\n\n",
                 STR_ARG(label("This server says", v->lang)));
        add_default_reply(to, r, 4);
    }
    if (r->n_wordings == 0)
        return;
    buf_addf(to, "\n**%.*s**\n\n", STR_ARG(label("Known wordings", v->lang)));
    add_wordings(to, v, r, 4);
}

static void
markdown_row(struct buf *to, const struct reasons_view *v,
             const struct reason *r)
{
    buf_addf(to, "| `%.*s` | ", STR_ARG(r->id));
    add_reply_code(to, r);
    for (size_t i = 0; i < N_PEOPLE; i++) {
        buf_add(to, STR(" | "));
        add_markdown_text(to, catalogue_text(r, v->lang, people[i].which));
    }
    buf_add(to, STR(" |\n"));
}

static void
add_markdown(struct buf *to, const struct reasons_view *v)
{
    if (v->code != NULL) {
        buf_add(to, STR("# "));
        add_title(to, v);
    }
    if (v->list) {
        buf_add(to, STR("| | "));
        for (size_t i = 0; i < N_PEOPLE; i++)
            buf_addf(to, " | %.*s", STR_ARG(label(people[i].label, v->lang)));
        buf_add(to, STR(" |\n|---|---|---|---|---|\n"));
    }
    for (size_t i = 0; i < v->n; i++) {
        if (v->list) {
            markdown_row(to, v, v->reasons[i]);
        } else {
            if (i > 0 && v->code == NULL)
                buf_add_char(to, '\n');
            markdown_entry(to, v, v->reasons[i]);
        }
    }
}

static json_t *
json_str(struct str s)
{
    return json_stringn(s.p, s.n);
}

static json_t *
json_wordings(const struct reasons_view *v, const struct reason *r,
              bool examples)
{
    json_t *list = json_array();
    struct buf b = {0};
    for (size_t i = 0; i < r->n_wordings; i++) {
        if (!is_shown(v, catalogue_wording(r, i)))
            continue;
        buf_clear(&b);
        if (examples)
            add_example(&b, catalogue_wording(r, i));
        else
            buf_add(&b, catalogue_wording(r, i));
        (void)json_array_append_new(list, json_str(buf_str(&b)));
    }
    buf_fini(&b);
    return list;
}

static void
add_json(struct buf *to, const struct reasons_view *v, const struct reason *r)
{
    char status[16];
    bool replied = r->code != 0;
    json_t *o = json_pack(
        "{s:o, s:o, s:o*, s:o*, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id",
        json_str(r->id), "class", json_str(r->klass), "code",
        replied ? json_integer(r->code) : NULL, "status",
        replied ? json_str(status_format(r->status, status)) : NULL, "lang",
        json_str(language_tag(v->lang)), "who",
        json_str(catalogue_text(r, v->lang, CATALOGUE_WHO)), "meaning",
        json_str(catalogue_text(r, v->lang, CATALOGUE_MEANING)), "next",
        json_str(catalogue_text(r, v->lang, CATALOGUE_NEXT)), "text",
        json_str(r->text), "advice", json_str(r->advice), "wordings",
        json_wordings(v, r, false), "examples", json_wordings(v, r, true));
    char *line = json_dumps(o, JSON_COMPACT);
    buf_addf(to, "%s\n", line);
    free(line);
    json_decref(o);
}

void
reasons_print(const struct reasons_view *v)
{
    struct buf out = {0};
    if (v->format == REASONS_MARKDOWN)
        add_markdown(&out, v);
    else if (v->format == REASONS_TEXT)
        add_text(&out, v);
    else
        for (size_t i = 0; i < v->n; i++)
            add_json(&out, v, v->reasons[i]);
    (void)fwrite(out.p, 1, out.n, stdout);
    buf_fini(&out);
}
