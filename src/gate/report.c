/* SPDX-License-Identifier: ISC */
#include "gate/report.h"

#include "base/ascii.h"

static const char *const names[] = {
    [GATE_PASSED] = "passed",
    [GATE_SKIPPED] = "skipped",
    [GATE_REFUSED] = "refused",
};

const char *
gate_result_name(enum gate_result r)
{
    return names[r];
}

/* Entries of lists come from databases: no octet of theirs ends a field. */
static void
add_field(struct buf *to, struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        buf_add_char(to,
                     ascii_is_control((unsigned char)s.p[i]) ? '?' : s.p[i]);
}

static void
add_line(struct buf *to, const struct gate_report_line *l)
{
    add_field(to, l->check);
    buf_addf(to, "\t%s\t", gate_result_name(l->result));
    add_field(to, l->option);
    if (l->option.n > 0 && l->line > 0)
        buf_addf(to, ":%u", l->line);
    buf_add_char(to, '\t');
    add_field(to, l->reason);
    buf_add_char(to, '\t');
    add_field(to, l->note);
    buf_add(to, l->decided ? STR("\t*\n") : STR("\t\n"));
}

void
gate_report_add(struct buf *to, const struct gate_report *r)
{
    for (size_t i = 0; i < r->n; i++)
        add_line(to, &r->lines[i]);
}

static bool
take_option(struct str field, struct gate_report_line *l)
{
    struct str number;
    uint64_t line = 0;
    if (str_cut(field, ':', &l->option, &number) &&
        (!str_to_u64(number, &line) || line > UINT32_MAX))
        return false;
    l->line = (uint32_t)line;
    return true;
}

static bool
take_result(struct str field, enum gate_result *r)
{
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        *r = (enum gate_result)i;
        if (str_eq(field, str_from(names[i])))
            return true;
    }
    return false;
}

bool
gate_report_take(struct str *text, struct gate_report_line *l)
{
    struct str line, result, option;
    *l = (struct gate_report_line){.check = STR_EMPTY};
    if (!str_cut(*text, '\n', &line, text))
        return false;
    if (!str_cut(line, '\t', &l->check, &line) ||
        !str_cut(line, '\t', &result, &line) ||
        !str_cut(line, '\t', &option, &line) ||
        !str_cut(line, '\t', &l->reason, &line) ||
        !str_cut(line, '\t', &l->note, &line))
        return false;
    l->decided = str_eq(line, STR("*"));
    return (l->decided || line.n == 0) && take_result(result, &l->result) &&
           take_option(option, l);
}
