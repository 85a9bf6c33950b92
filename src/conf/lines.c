/* SPDX-License-Identifier: ISC */
/*
 * On which line an option stands in the admin's file. A room reads a text that
 * conf_print() made: there each line ends with a mark, "#@ 17", that names the
 * original's.
 */
#include "conf/parse_internal.h"

#include <string.h>

static uint32_t
take_mark(struct str line)
{
    ssize_t at = str_rfind_char(line, '#');
    struct str mark = at < 0 ? STR_EMPTY : str_from_pos(line, (size_t)at);
    uint64_t n;
    if (!str_skip(&mark, STR("#@ ")) || !str_to_u64(str_trim(mark), &n) ||
        n > UINT32_MAX)
        return 0;
    return (uint32_t)n;
}

uint32_t *
parse_lines(const struct parse *p, struct str text)
{
    uint32_t *lines =
        arena_array(&p->conf->arena, option_count(), sizeof *lines);
    struct str line;

    memcpy(lines, p->seen, option_count() * sizeof *lines);
    if (str_find(text, STR("#@ ")) < 0)
        return lines;
    for (uint32_t number = 1; text.n > 0; number++) {
        (void)str_cut(text, '\n', &line, &text);
        uint32_t original = take_mark(line);
        for (size_t i = 0; original != 0 && i < option_count(); i++)
            if (p->seen[i] == number)
                lines[i] = original;
    }
    return lines;
}

uint32_t
conf_line(const struct conf *c, struct str option)
{
    struct str section, name;
    enum section s = SECTION_TOP;

    if (str_cut(option, '.', &section, &name))
        s = section_from_name(section);
    else
        name = option;
    const struct option *o = option_find(s, name);
    return o == NULL || section_has_title(s) ? 0 : c->lines[o - option_table];
}
