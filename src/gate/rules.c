/* SPDX-License-Identifier: ISC */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "gate/rules.h"

#include <pcre2.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/ascii.h"

/* An expression that backtracks beyond this does not match: a stranger's line
 * must not hold up everybody's mail. */
enum { MATCH_LIMIT = 20000 };

struct rule {
    pcre2_code *code;
    struct str remark;
    uint32_t line;
    bool body;
};

struct rules {
    struct arena arena; /* of the remarks */
    struct rule *rules; /* in the order of the file */
    size_t n, n_body;
    pcre2_match_data *match;
    pcre2_match_context *limits;
};

/* ---- the file ---------------------------------------------------------- */

static uint32_t
option_of(char flag)
{
    static const struct {
        char flag;
        uint32_t option;
    } flags[] = {
        {'i', PCRE2_CASELESS },
        {'m', PCRE2_MULTILINE},
        {'s', PCRE2_DOTALL   },
        {'x', PCRE2_EXTENDED },
    };
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (flags[i].flag == flag)
            return flags[i].option;
    return 0;
}

/* "/" ... "/" with "\/" inside. */
static bool
take_expression(struct str *line, struct str *expression)
{
    if (!str_skip_char(line, '/'))
        return false;
    for (size_t i = 0; i < line->n; i++) {
        if (line->p[i] == '\\') {
            i++;
        } else if (line->p[i] == '/') {
            *expression = str_first(*line, i);
            *line = str_from_pos(*line, i + 1);
            return i > 0;
        }
    }
    return false;
}

/* NULL: the rule is in *r; else what was expected. */
static const char *
parse_rule(struct str line, struct rule *r, struct buf *why)
{
    static const char expected[] =
        "expected [header|body] /EXPRESSION/[imsx] [remark]";
    struct str expression;
    uint32_t options = PCRE2_NEVER_BACKSLASH_C, option;
    int code;
    size_t at;

    r->body = str_skip(&line, STR("body"));
    if (!r->body)
        (void)str_skip(&line, STR("header"));
    line = str_trim(line);
    if (!take_expression(&line, &expression))
        return expected;
    while (line.n > 0 && (option = option_of(line.p[0])) != 0) {
        options |= option;
        line = str_from_pos(line, 1);
    }
    if (line.n > 0 && !ascii_is_blank((unsigned char)line.p[0]))
        return expected;
    r->remark = str_trim(line);
    r->code = pcre2_compile((PCRE2_SPTR)expression.p, expression.n, options,
                            &code, &at, NULL);
    if (r->code != NULL)
        return NULL;
    PCRE2_UCHAR text[200];
    (void)pcre2_get_error_message(code, text, sizeof text);
    buf_addf(why, "%s at character %zu of the expression", (char *)text,
             at + 1);
    return buf_cstr(why);
}

static void
add_rule(struct rules *r, struct str line, uint32_t number,
         struct buf *problems)
{
    struct rule rule = {.line = number};
    struct buf why = {0};
    const char *wrong = r->n == RULES_MAX ? "expected at most 1000 rules"
                                          : parse_rule(line, &rule, &why);
    if (wrong != NULL) {
        if (r->n < RULES_MAX || problems->n == 0)
            buf_addf(problems, "%u: %s\n", number, wrong);
    } else {
        // Without a compiler at run time the same is matched, more slowly.
        (void)pcre2_jit_compile(rule.code, PCRE2_JIT_COMPLETE);
        rule.remark = arena_dup(&r->arena, rule.remark);
        r->rules[r->n++] = rule;
        r->n_body += rule.body;
    }
    buf_fini(&why);
}

struct rules *
rules_new(struct str text, struct buf *problems)
{
    struct rules *r = alloc_zero(sizeof *r);
    struct str line;
    r->rules = arena_array(&r->arena, RULES_MAX, sizeof *r->rules);
    r->match = pcre2_match_data_create(1, NULL);
    r->limits = pcre2_match_context_create(NULL);
    (void)pcre2_set_match_limit(r->limits, MATCH_LIMIT);
    (void)pcre2_set_depth_limit(r->limits, MATCH_LIMIT);
    for (uint32_t number = 1; text.n > 0; number++) {
        (void)str_cut(text, '\n', &line, &text);
        line = str_trim(line);
        if (line.n > 0 && line.p[0] != '#')
            add_rule(r, line, number, problems);
    }
    if (problems->n == 0)
        return r;
    rules_free(r);
    return NULL;
}

void
rules_free(struct rules *r)
{
    if (r == NULL)
        return;
    for (size_t i = 0; i < r->n; i++)
        pcre2_code_free(r->rules[i].code);
    pcre2_match_data_free(r->match);
    pcre2_match_context_free(r->limits);
    arena_fini(&r->arena);
    free(r);
}

size_t
rules_count(const struct rules *r)
{
    return r->n;
}

struct str
rules_remark(const struct rules *r, uint32_t line)
{
    for (size_t i = 0; i < r->n; i++)
        if (r->rules[i].line == line)
            return r->rules[i].remark;
    return STR_EMPTY;
}

/* ---- the message ------------------------------------------------------- */

static bool
matches(const struct rules *r, const struct rule *rule, struct str text)
{
    return pcre2_match(rule->code, (PCRE2_SPTR)text.p, text.n, 0, 0, r->match,
                       r->limits) >= 0;
}

static void
match_all(struct rules_scan *x, bool body, struct str text)
{
    const struct rules *r = x->rules;
    text = str_first(text, RULES_LINE_MAX);
    for (size_t i = 0; i < r->n; i++) {
        if (x->line > 0 && r->rules[i].line >= x->line)
            return;
        if (r->rules[i].body == body && matches(r, &r->rules[i], text))
            x->line = r->rules[i].line;
    }
}

/* A field that is folded ends before the first line that does not begin with a
 * blank; RFC 5322, 2.2.3. */
static void
end_field(struct rules_scan *x)
{
    if (x->piece.n > 0)
        match_all(x, false, buf_str(&x->piece));
    buf_clear(&x->piece);
}

void
rules_scan_header(struct rules_scan *x, struct str header)
{
    struct str line;
    if (x->rules == NULL || x->rules->n == x->rules->n_body)
        return;
    while (header.n > 0) {
        (void)str_cut(header, '\n', &line, &header);
        if (line.n > 0 && line.p[line.n - 1] == '\r')
            line.n--;
        if (line.n == 0 || !ascii_is_blank((unsigned char)line.p[0]))
            end_field(x);
        size_t room = RULES_LINE_MAX - x->piece.n;
        buf_add(&x->piece, str_first(line, room));
    }
    end_field(x);
}

static void
end_line(struct rules_scan *x)
{
    struct str line = buf_str(&x->piece);
    if (line.n > 0 && line.p[line.n - 1] == '\r')
        line.n--;
    match_all(x, true, line);
    buf_clear(&x->piece);
}

/* A line longer than what is matched goes in pieces of that length. */
void
rules_scan_body(struct rules_scan *x, struct str bytes)
{
    if (x->rules == NULL || x->rules->n_body == 0)
        return;
    bytes = str_first(bytes, RULES_BODY_MAX - x->body);
    x->body += bytes.n;
    while (bytes.n > 0) {
        struct str room = str_first(bytes, RULES_LINE_MAX - x->piece.n);
        ssize_t lf = str_find_char(room, '\n');
        size_t n = lf < 0 ? room.n : (size_t)lf;
        buf_add(&x->piece, str_first(bytes, n));
        bytes = str_from_pos(bytes, n + (lf < 0 ? 0 : 1));
        if (lf >= 0 || x->piece.n == RULES_LINE_MAX)
            end_line(x);
    }
}

void
rules_scan_end(struct rules_scan *x)
{
    if (x->piece.n > 0)
        end_line(x);
    buf_fini(&x->piece);
}
