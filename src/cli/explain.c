/* SPDX-License-Identifier: ISC */
/*
 * gatepost explain [FILE|MBOX|MAILDIR|-|TEXT]...: what a bounce, a reply or a
 * line of a log means, who must act, what to do. The answer is explain/'s;
 * here is who gets it.
 */
#include "cli/commands.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/ascii.h"
#include "cli/bounces.h"
#include "cli/explain_view.h"
#include "cli/lang.h"
#include "os/terminal.h"

enum {
    PLAIN_COLUMNS = 80,
    FLUSH = 64 << 10, /* of output that is kept back */
};

/* The command while it reads. */
struct run {
    struct explain_view view;
    bool json, summary;
    bool several;       /* more than one thing was named */
    struct str only;    /* classes between commas; empty: all */
    bool found;         /* something was explained */
    struct arena arena; /* of a message */
    struct buf out;
    uint64_t blocks; /* shown as text */
    struct explain_summary sum;
};

static void
flush(struct run *r)
{
    if (r->out.n > 0)
        (void)fwrite(r->out.p, 1, r->out.n, stdout);
    buf_clear(&r->out);
}

static bool
is_wanted(const struct run *r, const struct explained *e)
{
    struct str list = r->only, one;
    while (list.n > 0) {
        (void)str_cut(list, ',', &one, &list);
        if (str_eq(str_trim(one), e->reason->klass))
            return true;
    }
    return r->only.n == 0;
}

/* Drops the records that --only does not ask for. */
static void
choose(const struct run *r, struct explanation *e)
{
    size_t n = 0;
    for (size_t i = 0; i < e->n; i++)
        if (is_wanted(r, &e->list[i]))
            e->list[n++] = e->list[i];
    e->n = n;
}

static void
show_text(struct run *r, const struct explanation *e, struct str place,
          bool headed)
{
    if (headed) {
        buf_add(&r->out, r->blocks > 0 ? STR("\n") : STR_EMPTY);
        explain_add_head(&r->out, &r->view, place);
    }
    for (size_t i = 0; i < e->n; i++) {
        if (r->blocks++ > 0 && (i > 0 || !headed))
            buf_add_char(&r->out, '\n');
        explain_add_record(&r->out, &r->view, &e->list[i]);
    }
    if (e->cut)
        explain_add_cut(&r->out, &r->view);
}

static void
show(struct run *r, const struct explanation *e, const struct bounces_one *one)
{
    struct buf place = {0};
    if (one->file != NULL)
        explain_add_place(&place, one->file, one->number);
    if (e->cut && (r->json || r->summary)) {
        flush(r);
        (void)command_fail(0,
                           "%s: too long or nested too deep, the rest was not "
                           "read",
                           buf_cstr(&place));
    }
    if (r->summary) {
        explain_summary_message(&r->sum, e->list[0].kind);
        for (size_t i = 0; i < e->n; i++)
            explain_summary_count(&r->sum, &e->list[i]);
    } else if (r->json) {
        for (size_t i = 0; i < e->n; i++)
            explain_add_json(&r->out, r->view.lang, &e->list[i],
                             buf_str(&place));
    } else {
        show_text(r, e, buf_str(&place),
                  one->file != NULL && (r->several || one->several));
    }
    buf_fini(&place);
    if (r->out.n >= FLUSH)
        flush(r);
}

static void
on_message(void *ctx, const struct bounces_one *one)
{
    struct run *r = ctx;
    struct explanation e;

    if (str_trim(one->octets).n == 0)
        return;
    arena_reset(&r->arena);
    explain(&r->arena, one->octets, &e);
    e.cut = e.cut || one->cut;
    choose(r, &e);
    if (e.n == 0)
        return;
    for (size_t i = 0; i < e.n; i++)
        r->found = r->found || e.list[i].kind != EXPLAIN_OTHER;
    show(r, &e, one);
}

/* --only class=A,B */
static bool
take_only(struct run *r, const char *value)
{
    struct str list = str_from(value), one;
    if (!str_skip(&list, STR("class="))) {
        (void)command_fail(0,
                           "explain: --only %s: expected class= and classes "
                           "with commas between them",
                           value);
        return false;
    }
    r->only = list;
    do {
        bool known = false;
        (void)str_cut(list, ',', &one, &list);
        one = str_trim(one);
        for (size_t i = 0; i < catalogue_count() && !known; i++)
            known = str_eq(catalogue_at(i)->klass, one);
        if (!known) {
            (void)command_fail(0,
                               "explain: --only: unknown class \"%.*s\"; "
                               "gatepost reasons lists them",
                               STR_ARG(one));
            return false;
        }
    } while (list.n > 0);
    return true;
}

static bool
take_color(struct run *r, const char *value)
{
    struct str when = str_from(value), term = str_from(getenv("TERM"));
    const char *none = getenv("NO_COLOR");
    if (value == NULL || str_eq(when, STR("auto"))) {
        r->view.colored = terminal_is(STDOUT_FILENO) &&
                          (none == NULL || none[0] == '\0') &&
                          !str_eq(term, STR("dumb"));
        return true;
    }
    r->view.colored = str_eq(when, STR("always"));
    if (r->view.colored || str_eq(when, STR("never")))
        return true;
    (void)command_fail(0, "explain: --color %s: expected auto, always or never",
                       value);
    return false;
}

static size_t
screen_columns(void)
{
    uint64_t said;
    size_t n = terminal_columns(STDOUT_FILENO);
    if (str_to_u64(str_from(getenv("COLUMNS")), &said) && said > 0 &&
        said < 10000)
        return (size_t)said;
    return n > 0 ? n : PLAIN_COLUMNS;
}

/* `gatepost explain 553 5.1.1 no such user`, where nobody wrote quotes. */
static bool
is_unquoted(const struct invocation *in)
{
    struct str first = str_from(in->objects[0]);
    return in->n_objects > 1 && first.n >= 3 &&
           ascii_is_digit((unsigned char)first.p[0]) &&
           bounces_is_text(in->objects[0]);
}

static void
explain_text(struct run *r, const char *const *words, size_t n)
{
    struct buf text = {0};
    for (size_t i = 0; i < n; i++)
        buf_addf(&text, "%s%s", i > 0 ? " " : "", words[i]);
    const struct bounces_one one = {.octets = buf_str(&text)};
    on_message(r, &one);
    buf_fini(&text);
}

/* false: not all could be read. */
static bool
explain_all(struct run *r, const struct invocation *in)
{
    bool ok = true;
    if (in->n_objects == 0) {
        if (terminal_is(STDIN_FILENO))
            (void)command_fail(0, "paste a bounce, a reply or a line of a mail "
                                  "log here and end it with Ctrl-D");
        return bounces_each("-", on_message, r);
    }
    if (is_unquoted(in)) {
        explain_text(r, in->objects, in->n_objects);
        return true;
    }
    for (size_t i = 0; i < in->n_objects; i++) {
        if (bounces_is_text(in->objects[i]))
            explain_text(r, &in->objects[i], 1);
        else
            ok = bounces_each(in->objects[i], on_message, r) && ok;
    }
    return ok;
}

static int
run_explain(struct invocation *in)
{
    struct run r = {
        .json = in->json,
        .summary = command_has(in, "--summary"),
        .several = in->n_objects > 1,
        .view.columns = screen_columns(),
    };
    const char *only = command_value(in, "--only");

    if (!lang_choose(in, &r.view.lang) ||
        !take_color(&r, command_value(in, "--color")) ||
        (only != NULL && !take_only(&r, only)))
        return COMMAND_USAGE;
    bool ok = explain_all(&r, in);
    if (r.summary)
        explain_summary_print(&r.out, &r.sum, &r.view, r.json);
    flush(&r);
    buf_fini(&r.out);
    arena_fini(&r.arena);
    explain_summary_fini(&r.sum);
    if (!ok)
        return COMMAND_USAGE;
    return r.found ? COMMAND_DONE : COMMAND_NOTHING;
}

static const struct command_option options[] = {
    LANG_OPTION,
    {"--only",                                   "class=C,...", "only those of these classes"},
    {"--summary",             NULL, "counts: by class, domain, remote server"},
    {"--color",                                "WHEN", "auto, always or never"},
    {0},
};

const struct command explain_commands[] = {
    {.noun = "explain",
     .objects = "[FILE|MBOX|MAILDIR|-|\"TEXT\"]...",
     .max = SIZE_MAX,
     .help = "what a bounce, a reply or a log line means, and what to do",
     .options = options,
     .run = run_explain},
    {0  },
};
