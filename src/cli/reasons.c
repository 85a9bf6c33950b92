/* SPDX-License-Identifier: ISC */
/* gatepost reasons [ID|CODE]: the catalogue, as a list or an entry at a time.
 */
#include "cli/commands.h"

#include <jansson.h>

#include "catalogue/catalogue.h"

enum { WRAP_AT = 76 };

static bool
has_code(const struct reason *r, struct str code)
{
    char text[16];
    struct buf own = {0};
    buf_addf(&own, "%u", r->code);
    bool same = str_eq(code, buf_str(&own)) ||
                str_eq(code, status_format(r->status, text));
    buf_fini(&own);
    return same;
}

/* "553 ..." and "553-...", or "5.1.1" anywhere in front. */
static bool
wording_has(struct str wording, struct str code)
{
    ssize_t at = str_find(str_first(wording, 12), code);
    if (at < 0)
        return false;
    struct str rest = str_from_pos(wording, (size_t)at + code.n);
    return rest.n > 0 && (rest.p[0] == ' ' || rest.p[0] == '-');
}

static bool
is_wanted(const struct reason *r, struct str what)
{
    if (what.n == 0 || str_eq(r->id, what) || str_eq(r->klass, what) ||
        has_code(r, what))
        return true;
    for (size_t i = 0; i < r->n_wordings; i++)
        if (wording_has(r->wordings[i], what))
            return true;
    return false;
}

static json_t *
json_str(struct str s)
{
    return json_stringn(s.p, s.n);
}

static void
print_json(const struct reason *r)
{
    char status[16];
    json_t *wordings = json_array();
    for (size_t i = 0; i < r->n_wordings; i++)
        (void)json_array_append_new(wordings, json_str(r->wordings[i]));
    json_t *o = json_pack("{s:o, s:o, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
                          "id", json_str(r->id), "class", json_str(r->klass),
                          "code", (int)r->code, "status",
                          json_str(status_format(r->status, status)), "who",
                          json_str(r->who), "meaning", json_str(r->meaning),
                          "next", json_str(r->next), "text", json_str(r->text),
                          "advice", json_str(r->advice), "wordings", wordings);
    (void)json_dumpf(o, stdout, JSON_COMPACT);
    (void)putchar('\n');
    json_decref(o);
}

static void
print_line(const struct reason *r)
{
    char status[16];
    (void)printf("%-22.*s %u %-7.*s %-20.*s %.*s\n", STR_ARG(r->id), r->code,
                 STR_ARG(status_format(r->status, status)), STR_ARG(r->klass),
                 STR_ARG(r->who));
}

static void
print_wrapped(const char *label, struct str text)
{
    int column = printf("  %-9s", label);
    struct str word;
    while (text.n > 0) {
        (void)str_cut(text, ' ', &word, &text);
        if (column + 1 + (int)word.n > WRAP_AT)
            column = printf("\n           ");
        column += printf(" %.*s", STR_ARG(word));
    }
    (void)putchar('\n');
}

static void
print_entry(const struct reason *r, struct str what)
{
    char status[16];
    bool by_code = what.n > 0 && !str_eq(r->id, what);

    (void)printf("%.*s\n", STR_ARG(r->id));
    (void)printf("  class     %.*s\n  reply     %u %.*s\n", STR_ARG(r->klass),
                 r->code, STR_ARG(status_format(r->status, status)));
    print_wrapped("who", r->who);
    print_wrapped("meaning", r->meaning);
    print_wrapped("next", r->next);
    print_wrapped("says", r->text);
    print_wrapped("", r->advice);
    for (size_t i = 0; i < r->n_wordings; i++)
        if (!by_code || has_code(r, what) || wording_has(r->wordings[i], what))
            (void)printf("  known as   %.*s\n", STR_ARG(r->wordings[i]));
    (void)putchar('\n');
}

static int
run_reasons(struct invocation *in)
{
    struct str what = in->n_objects == 0 ? STR_EMPTY : str_from(in->objects[0]);
    size_t n = 0;

    for (size_t i = 0; i < catalogue_count(); i++) {
        const struct reason *r = catalogue_at(i);
        if (!is_wanted(r, what))
            continue;
        n++;
        if (in->json)
            print_json(r);
        else if (what.n == 0)
            print_line(r);
        else
            print_entry(r, what);
    }
    if (n > 0)
        return COMMAND_DONE;
    return command_fail(COMMAND_NOTHING,
                        "no reason \"%.*s\": expected an id, a class, a reply "
                        "code or an enhanced code; gatepost reasons lists them",
                        STR_ARG(what));
}

const struct command reasons_commands[] = {
    {.noun = "reasons",
     .objects = "[ID|CODE]",
     .max = 1,
     .help = "why mail is refused: the catalogue of reasons",
     .run = run_reasons},
    {0         },
};
