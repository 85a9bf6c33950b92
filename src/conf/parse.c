/* SPDX-License-Identifier: ISC */
/*
 * libConfuse reads the grammar; every value comes here as text with its line
 * and is judged by the option table. libConfuse's lexer is global state, so
 * there is one parse at a time and `current` is it.
 */
#include "conf/conf.h"

#include "base/alloc.h"
#include "base/ascii.h"
#include "catalogue/catalogue.h"
#include "conf/parse_internal.h"
#include "conf/scan.h"
#include "conf/value.h"
#include "mail/address.h"

#include <confuse.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { PROBLEMS_MAX = 100 };

static struct parse *current;

void
parse_problem(struct parse *p, uint32_t line, const char *format, ...)
{
    struct conf_result *r = p->result;
    struct buf text = {0};
    va_list args;

    if (r->n_problems == PROBLEMS_MAX)
        return;
    buf_addf(&text, "%.*s:%u: ", STR_ARG(p->file), line);
    va_start(args, format);
    buf_vaddf(&text, format, args);
    va_end(args);
    if (r->problems == NULL)
        r->problems = arena_array(&r->arena, PROBLEMS_MAX, sizeof *r->problems);
    r->problems[r->n_problems++] = (struct conf_problem){
        .line = line, .text = arena_dup(&r->arena, buf_str(&text))};
    buf_fini(&text);
}

uint32_t
parse_line(const struct parse *p, enum section s, struct str name)
{
    const struct option *o = option_find(s, name);
    uint32_t line = o == NULL ? 0 : p->seen[o - option_table];
    return line == 0 ? 1 : line;
}

/* `listen "mx": address`, for messages. */
static struct str
full_name(struct parse *p, const cfg_t *cfg, const char *name)
{
    struct arena *a = &p->result->arena;

    if (strcmp(cfg->name, "root") == 0)
        return str_from(name);
    if (cfg->title == NULL)
        return arena_printf(a, "%s.%s", cfg->name, name);
    return arena_printf(a, "%s \"%s\": %s", cfg->name, cfg->title, name);
}

static bool
assign_word(const struct option *o, void *at, struct str v)
{
    struct str no, yes;

    (void)str_cut(str_from(o->words), '|', &no, &yes);
    *(bool *)at = str_eq(v, yes);
    return str_eq(v, yes) || str_eq(v, no);
}

static bool
assign_quantity(const struct option *o, void *at, struct str v)
{
    uint64_t n;
    bool ok = o->type == OPTION_DURATION ? value_duration(v, &n)
              : o->type == OPTION_SIZE   ? value_size(v, &n)
                                         : str_to_u64(v, &n);

    if (!ok || n < o->min || n > o->max)
        return false;
    if (o->type == OPTION_PORT)
        *(uint16_t *)at = (uint16_t)n;
    else if (o->type == OPTION_NUMBER)
        *(uint32_t *)at = (uint32_t)n;
    else if (o->type == OPTION_SIZE)
        *(uint64_t *)at = n;
    else
        *(int64_t *)at = (int64_t)n;
    return true;
}

/* A path is relative to the config file here, too. */
static const char *
assign_source(struct parse *p, struct str *at, struct str v)
{
    struct arena *a = &p->conf->arena;
    const char *expected = value_check_source(v);
    struct value_source s;

    if (expected != NULL)
        return expected;
    if (value_source(v, &s) && s.kind != SOURCE_POSTGRES && s.place.p[0] != '/')
        *at = arena_printf(a, "%.*s%.*s%.*s", (int)(s.place.p - v.p), v.p,
                           STR_ARG(p->folder),
                           STR_ARG(str_from_pos(v, (size_t)(s.place.p - v.p))));
    else
        *at = arena_dup(a, v);
    return NULL;
}

/* The value into its place; NULL, or what was expected. */
static const char *
assign(struct parse *p, const struct option *o, void *base, struct str v)
{
    struct arena *a = &p->conf->arena;
    void *at = (char *)base + o->offset;

    if (o->type == OPTION_SOURCE)
        return assign_source(p, at, v);
    if (o->type == OPTION_TEXT || o->type == OPTION_LIST) {
        const char *expected = o->check == NULL ? NULL : o->check(v);
        if (expected != NULL)
            return expected;
        struct str copy =
            o->is_path && v.n > 0 && v.p[0] != '/'
                ? arena_printf(a, "%.*s%.*s", STR_ARG(p->folder), STR_ARG(v))
                : arena_dup(a, v);
        if (o->type == OPTION_TEXT) {
            *(struct str *)at = copy;
            return NULL;
        }
        size_t *n = (size_t *)((char *)base + o->count_offset);
        struct str **list = at;
        *list = parse_grow(a, *list, *n, sizeof **list);
        (*list)[(*n)++] = copy;
        return NULL;
    }
    if (o->type == OPTION_WORD ? assign_word(o, at, v)
                               : assign_quantity(o, at, v))
        return NULL;
    struct buf text = {0};
    option_describe(o, &text);
    const char *expected = arena_cstr(&p->result->arena, buf_str(&text));
    buf_fini(&text);
    return expected;
}

void
parse_defaults(struct parse *p, enum section s, void *base)
{
    for (size_t i = 0; i < option_count(); i++) {
        const struct option *o = &option_table[i];
        if (o->section != s && !(s == SECTION_TOP && o->section != s &&
                                 !section_has_title(o->section)))
            continue;
        p->seen[i] = 0;
        if (o->fallback != NULL)
            (void)assign(p, o, base, str_from(o->fallback));
    }
}

static void
check_value(struct parse *p, const cfg_t *cfg, const struct option *o,
            void *base, struct str v)
{
    uint32_t line = (uint32_t)cfg->line;
    struct str name = full_name(p, cfg, o->name);

    for (size_t i = 0; i < v.n; i++) {
        if (ascii_is_control((unsigned char)v.p[i])) {
            parse_problem(p, line, "%.*s: a control character in the value",
                          STR_ARG(name));
            return;
        }
    }
    const char *expected = assign(p, o, base, v);
    if (expected != NULL)
        parse_problem(p, line, "%.*s: expected %s, found \"%.*s\"",
                      STR_ARG(name), expected, STR_ARG(v));
}

/* libConfuse: one value, a list's one by one. Always taken; what is wrong with
 * it becomes a problem, so that one run shows them all. */
static int
take_value(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result,
           bool nested)
{
    struct parse *p = current;
    bool *open = nested ? &p->in_nested : &p->in_section;
    enum section s = section_from_name(str_from(cfg->name));
    const struct option *o = option_find(s, str_from(opt->name));
    uint32_t line = (uint32_t)cfg->line;

    *(const char **)result = value;
    if (o == NULL) { // libConfuse also knows SECTION|KEY; we do not
        parse_problem(p, line, "%s: expected inside its section, not here",
                      opt->name);
        return 0;
    }
    if (section_has_title(s) && !*open) {
        parse_begin(p, s, cfg->title, line, nested);
        *open = true;
    }

    // The first value of a list that was set before: libConfuse dropped those.
    uint32_t *seen = &p->seen[o - option_table];
    if (*seen != 0 && (o->type != OPTION_LIST || opt->nvalues == 1))
        parse_problem(p, line, "%.*s: given twice, first on line %u",
                      STR_ARG(full_name(p, cfg, o->name)), *seen);
    else if (*seen == 0)
        *seen = line;
    check_value(p, cfg, o, section_has_title(s) ? parse_record(p, s) : p->conf,
                str_from(value));
    return 0;
}

static int
on_value(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
    return take_value(cfg, opt, value, result, false);
}

static int
on_nested_value(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
    return take_value(cfg, opt, value, result, true);
}

static void
end_section(cfg_t *cfg, cfg_opt_t *opt, bool nested)
{
    struct parse *p = current;
    cfg_t *section = cfg_opt_getnsec(opt, cfg_opt_size(opt) - 1);
    enum section s = section_from_name(str_from(opt->name));
    bool *open = nested ? &p->in_nested : &p->in_section;

    if (!*open)
        parse_begin(p, s, section->title, (uint32_t)cfg->line, nested);
    parse_check_section(p, s);
    *open = false;
}

/* libConfuse: a titled section is read. One without a single value has not
 * begun for us yet. */
static int
on_section(cfg_t *cfg, cfg_opt_t *opt)
{
    end_section(cfg, opt, false);
    return 0;
}

static int
on_nested_section(cfg_t *cfg, cfg_opt_t *opt)
{
    end_section(cfg, opt, true);
    return 0;
}

static void
unknown_key(struct parse *p, const cfg_t *cfg, struct str name)
{
    enum section s = section_from_name(str_from(cfg->name));
    const char *near = option_nearest(s, name);
    struct buf known = {0};

    if (near != NULL)
        buf_addf(&known, "did you mean %s?", near);
    else {
        buf_add(&known, STR("expected one of"));
        for (size_t i = 0; i < option_count(); i++)
            if (option_table[i].section == s)
                buf_addf(&known, " %s", option_table[i].name);
        for (unsigned i = SECTION_TOP + 1; i < SECTION_COUNT; i++)
            if (section_within(s, (enum section)i))
                buf_addf(&known, " %s", section_name((enum section)i));
    }
    parse_problem(p, (uint32_t)cfg->line, "unknown key \"%.*s\"%s%s, %.*s",
                  STR_ARG(name), s == SECTION_TOP ? "" : " in section ",
                  s == SECTION_TOP ? "" : cfg->name, STR_ARG(buf_str(&known)));
    buf_fini(&known);
}

static void on_error(cfg_t *cfg, const char *format, va_list args) PRINTF(2, 0);

/* libConfuse: the grammar is broken; it gives up after this. */
static void
on_error(cfg_t *cfg, const char *format, va_list args)
{
    static const struct {
        const char *about, *expected;
    } more[] = {
        {"missing equal sign",   ", expected NAME = VALUE"           },
        {"missing title",        ", expected its name in quotes: listen "
                          "\"mx\" { ... }"  },
        {"premature end",        ", expected a value or }"           },
        {"unexpected closing",   ", no section is open here"         },
        {"found duplicate",      ", expected each section once"      },
        {"attempt to append",    ", expected = instead of +="        },
        {"invalid octal number", ", expected \\\\ for a backslash"   },
        {"bad escape sequence",  ", expected \\\\ for a backslash"   },
        {"unexpected token",     ", expected a name, a value, { or }"},
    };
    struct buf text = {0};
    const char *expected = "";
    struct parse *p = current;

    buf_vaddf(&text, format, args);
    struct str what = buf_str(&text);
    if (str_skip(&what, STR("no such option '"))) {
        unknown_key(p, cfg, str_first(what, what.n - 1));
    } else {
        for (size_t i = 0; i < sizeof more / sizeof *more; i++)
            if (str_starts(what, str_from(more[i].about)))
                expected = more[i].expected;
        parse_problem(p, (uint32_t)cfg->line, "%.*s%s", STR_ARG(what),
                      expected);
    }
    buf_fini(&text);
}

/* The option table in libConfuse's form: everything is text to it. */
static cfg_opt_t *
grammar_of(struct arena *a, enum section s, bool nested)
{
    cfg_opt_t *opts =
        arena_array(a, option_count() + SECTION_COUNT + 1, sizeof *opts);
    size_t n = 0;

    for (size_t i = 0; i < option_count(); i++) {
        const struct option *o = &option_table[i];
        if (o->section != s)
            continue;
        opts[n++] = (cfg_opt_t){
            .name = o->name,
            .type = CFGT_STR,
            .flags = o->type == OPTION_LIST ? CFGF_LIST | CFGF_NODEFAULT
                                            : CFGF_NODEFAULT,
            .parsecb = nested ? on_nested_value : on_value,
        };
    }
    for (unsigned i = SECTION_TOP + 1; i < SECTION_COUNT; i++) {
        bool titled = section_has_title((enum section)i);
        if (nested || !section_within(s, (enum section)i))
            continue;
        opts[n++] = (cfg_opt_t){
            .name = section_name((enum section)i),
            .type = CFGT_SEC,
            .flags = titled ? CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES
                            : CFGF_NONE,
            .subopts = grammar_of(a, (enum section)i, s != SECTION_TOP),
            .validcb = !titled            ? NULL
                       : s == SECTION_TOP ? on_section
                                          : on_nested_section,
        };
    }
    return opts;
}

static bool
run_confuse(struct parse *p, const char *text)
{
    struct arena a = {0};
    cfg_t *cfg = cfg_init(grammar_of(&a, SECTION_TOP, false), CFGF_NONE);
    int status = CFG_PARSE_ERROR;

    if (cfg != NULL) {
        (void)cfg_set_error_function(cfg, on_error);
        current = p;
        status = cfg_parse_buf(cfg, text);
        current = NULL;
        (void)cfg_free(cfg);
    }
    arena_fini(&a);
    return status == CFG_SUCCESS;
}

static void
read_text(struct parse *p, struct str text)
{
    struct buf clean = {0};
    struct scan_problem bad = scan_clean(text, &clean);

    if (bad.what != NULL)
        parse_problem(p, bad.line, "%s", bad.what);
    else if (run_confuse(p, buf_cstr(&clean)))
        parse_check(p);
    else if (p->result->n_problems == 0)
        parse_problem(p, 1, "this is not a config file");
    buf_fini(&clean);
}

struct conf_result
conf_parse(struct str text, const char *file)
{
    struct conf_result r = {.conf = alloc_zero(sizeof *r.conf)};
    struct parse p = {.conf = r.conf, .result = &r, .file = str_from(file)};

    p.folder = str_first(p.file, (size_t)(str_rfind_char(p.file, '/') + 1));
    p.seen = arena_array(&r.arena, option_count(), sizeof *p.seen);
    r.conf->file = arena_dup(&r.conf->arena, p.file);
    parse_defaults(&p, SECTION_TOP, r.conf);
    read_text(&p, text);
    map_fini(&p.domains);
    map_fini(&p.addresses);
    r.conf->lines = parse_lines(&p, text);
    if (r.n_problems > 0) {
        conf_free(r.conf);
        r.conf = NULL;
    }
    return r;
}
