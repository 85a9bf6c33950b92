/* SPDX-License-Identifier: ISC */
/*
 * gatepost reasons [ID|CODE]: the catalogue as a list, one reason whole, or the
 * page of a code: every wording that brings it, what it means, who must act,
 * what to do. Text, Markdown or JSON is the matter of reasons_print.c.
 */
#include "cli/commands.h"

#include "catalogue/code.h"
#include "cli/lang.h"
#include "cli/reasons.h"
#include "conf/value.h"

static bool
has_wording(const struct reason *r, const struct code *c)
{
    for (size_t i = 0; i < r->n_wordings; i++)
        if (code_in_wording(c, catalogue_wording(r, i)))
            return true;
    return false;
}

/* Those that `fits` chooses, in the order of their ids. */
static size_t
collect(struct reasons_view *v, struct arena *a,
        bool (*fits)(const struct reason *r, const void *arg), const void *arg)
{
    v->reasons = arena_array(a, catalogue_count(), sizeof *v->reasons);
    for (size_t i = 0; i < catalogue_count(); i++) {
        const struct reason *r = catalogue_at(i);
        if (fits(r, arg))
            v->reasons[v->n++] = r;
    }
    return v->n;
}

static bool
every_reason(const struct reason *r, const void *arg)
{
    (void)r;
    (void)arg;
    return true;
}

static bool
is_of_class(const struct reason *r, const void *arg)
{
    return str_eq(r->klass, *(const struct str *)arg);
}

static bool
goes_with_code(const struct reason *r, const void *arg)
{
    const struct code *c = arg;
    return code_fits(c, r) || has_wording(r, c);
}

/* What most servers mean by the code stands first. */
static int
by_wordings(const void *a, const void *b, const struct code *c)
{
    const struct reason *const *x = a, *const *y = b;
    size_t n[2] = {reasons_count(*x, c), reasons_count(*y, c)};
    if (n[0] != n[1])
        return n[0] > n[1] ? -1 : 1;
    return str_compare((*x)->id, (*y)->id);
}

static void
sort_by_wordings(struct reasons_view *v)
{
    for (size_t i = 1; i < v->n; i++) {
        const struct reason *r = v->reasons[i];
        size_t at = i;
        for (; at > 0 && by_wordings(&r, &v->reasons[at - 1], v->code) < 0;
             at--)
            v->reasons[at] = v->reasons[at - 1];
        v->reasons[at] = r;
    }
}

static bool
find_one(struct reasons_view *v, struct arena *a, struct str what)
{
    const struct reason *r = catalogue_find(what);
    if (r == NULL)
        return collect(v, a, is_of_class, &what) > 0;
    v->reasons = arena_array(a, 1, sizeof *v->reasons);
    v->reasons[v->n++] = r;
    return true;
}

static int
unknown_reason(struct str what)
{
    size_t best = 4;
    struct str nearest = STR_EMPTY;

    for (size_t i = 0; i < catalogue_count() && what.n <= 64; i++) {
        struct str id = catalogue_at(i)->id;
        size_t n = value_distance(what, id, best);
        // Half of an id is as good as one letter wrong.
        if (what.n >= 4 && str_find(id, what) >= 0)
            n = 1;
        if (n < best) {
            best = n;
            nearest = id;
        }
    }
    if (nearest.n > 0)
        return command_fail(COMMAND_NOTHING,
                            "no reason \"%.*s\", did you mean %.*s?",
                            STR_ARG(what), STR_ARG(nearest));
    return command_fail(COMMAND_NOTHING,
                        "no reason \"%.*s\": expected an id, a class, a reply "
                        "code such as 553 or an enhanced code such as 5.1.1; "
                        "gatepost reasons lists them",
                        STR_ARG(what));
}

static int
run_reasons(struct invocation *in)
{
    struct str what = in->n_objects == 0 ? STR_EMPTY : str_from(in->objects[0]);
    struct reasons_view v = {.format = REASONS_TEXT};
    struct code code;

    if (in->json && command_has(in, "--markdown"))
        return command_fail(COMMAND_USAGE,
                            "reasons: expected --json or --markdown, not both");
    if (!lang_choose(in, &v.lang))
        return COMMAND_USAGE;
    if (in->json)
        v.format = REASONS_JSON;
    else if (command_has(in, "--markdown"))
        v.format = REASONS_MARKDOWN;

    if (in->n_objects == 0) {
        (void)collect(&v, &in->arena, every_reason, NULL);
        v.list = true;
    } else if (code_parse(what, &code)) {
        v.code = &code;
        if (collect(&v, &in->arena, goes_with_code, &code) == 0)
            return command_fail(COMMAND_NOTHING,
                                "no reason goes with the code %.*s",
                                STR_ARG(what));
        sort_by_wordings(&v);
    } else if (!find_one(&v, &in->arena, what)) {
        return unknown_reason(what);
    }
    reasons_print(&v);
    return COMMAND_DONE;
}

static const struct command_option options[] = {
    {"--markdown",      NULL, "print Markdown"},
    LANG_OPTION,
    {0},
};

const struct command reasons_commands[] = {
    {.noun = "reasons",
     .objects = "[ID|CODE]",
     .max = 1,
     .help = "why mail is refused: the catalogue of reasons",
     .options = options,
     .run = run_reasons},
    {0         },
};
