/* SPDX-License-Identifier: ISC */
#include "conf/conf.h"

#include <assert.h>

#include "conf/options.h"
#include "conf/value.h"

/* A string as the parser reads it back: octet by octet the same. */
static void
add_quoted(struct buf *to, struct str s)
{
    buf_add_char(to, '"');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"' || s.p[i] == '\\' || s.p[i] == '$')
            buf_add_char(to, '\\');
        buf_add_char(to, s.p[i]);
    }
    buf_add_char(to, '"');
}

static void
add_list(struct buf *to, const struct str *list, size_t n)
{
    buf_add_char(to, '{');
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            buf_add(to, STR(", "));
        add_quoted(to, list[i]);
    }
    buf_add_char(to, '}');
}

static bool
is_empty(const struct option *o, const void *base)
{
    const char *at = (const char *)base + o->offset;

    if (o->type == OPTION_TEXT || o->type == OPTION_SOURCE)
        return ((const struct str *)(const void *)at)->n == 0;
    return o->type == OPTION_LIST &&
           *(const size_t *)(const void *)((const char *)base +
                                           o->count_offset) == 0;
}

/* Who does not ask a database does not learn its password. */
static void
add_source(struct buf *to, struct str v, enum role role)
{
    struct value_source s;

    if (role == ROLE_NONE || role == ROLE_DIRECTORY || !value_source(v, &s))
        add_quoted(to, v);
    else if (s.kind == SOURCE_POSTGRES)
        add_quoted(to, STR("postgres:"));
    else
        add_quoted(to, str_first(v, (size_t)(s.place.p - v.p) + s.place.n));
}

static void
add_value(struct buf *to, const struct option *o, const void *base,
          enum role role)
{
    const void *at = (const char *)base + o->offset;
    struct str no, yes;

    switch (o->type) {
    case OPTION_TEXT:
        add_quoted(to, *(const struct str *)at);
        break;
    case OPTION_WORD:
        (void)str_cut(str_from(o->words), '|', &no, &yes);
        buf_add(to, *(const bool *)at ? yes : no);
        break;
    case OPTION_NUMBER:
        buf_addf(to, "%u", *(const uint32_t *)at);
        break;
    case OPTION_PORT:
        buf_addf(to, "%u", *(const uint16_t *)at);
        break;
    case OPTION_SIZE:
        value_add_size(to, *(const uint64_t *)at);
        break;
    case OPTION_DURATION:
        value_add_duration(to, (uint64_t) * (const int64_t *)at);
        break;
    case OPTION_LIST:
        add_list(to, *(struct str *const *)at,
                 *(const size_t *)(const void *)((const char *)base +
                                                 o->count_offset));
        break;
    case OPTION_SOURCE:
        add_source(to, *(const struct str *)at, role);
        break;
    }
}

static bool
is_told(const struct option *o, enum role role)
{
    return role == ROLE_NONE || (o->roles & (1U << role)) != 0;
}

static void
add_indent(struct buf *to, unsigned depth)
{
    for (unsigned i = 0; i < depth; i++)
        buf_add(to, STR("    "));
}

static void
begin_section(struct buf *to, enum section s, struct str title, unsigned depth)
{
    add_indent(to, depth);
    buf_addf(to, "%s ", section_name(s));
    if (section_has_title(s)) {
        add_quoted(to, title);
        buf_add_char(to, ' ');
    }
    buf_add(to, STR("{\n"));
}

/* The options of one section, unless none of it is for that role. A room is
 * told where the admin wrote them (conf/lines.c). Returns whether the section
 * was begun. */
static bool
add_options(struct buf *to, enum section s, struct str title, const void *base,
            enum role role, unsigned depth)
{
    assert(base != NULL);
    bool open = s == SECTION_TOP;
    const struct conf *c = section_has_title(s) ? NULL : base;

    for (size_t i = 0; i < option_count(); i++) {
        const struct option *o = &option_table[i];
        if (o->section != s || is_empty(o, base) || !is_told(o, role))
            continue;
        if (!open)
            begin_section(to, s, title, depth);
        open = true;
        add_indent(to, s == SECTION_TOP ? 0 : depth + 1);
        buf_addf(to, "%s = ", o->name);
        add_value(to, o, base, role);
        if (role != ROLE_NONE && c != NULL && c->lines[i] > 0)
            buf_addf(to, " #@ %u", c->lines[i]);
        buf_add_char(to, '\n');
    }
    return open && s != SECTION_TOP;
}

static void
add_section(struct buf *to, enum section s, struct str title, const void *base,
            enum role role, unsigned depth)
{
    if (!add_options(to, s, title, base, role, depth))
        return;
    add_indent(to, depth);
    buf_add(to, STR("}\n"));
}

static void
add_domain(struct buf *to, const struct conf *c, const struct conf_domain *d,
           enum role role)
{
    bool open = add_options(to, SECTION_DOMAIN, d->name, d, role, 0);
    bool told = is_told(option_find(SECTION_REPLY, STR("text")), role);

    for (size_t i = 0; i < c->n_replies && told; i++) {
        const struct conf_reply *r = &c->replies[i];
        if (!str_eq(r->domain, d->name))
            continue;
        if (!open)
            begin_section(to, SECTION_DOMAIN, d->name, 0);
        open = true;
        add_section(to, SECTION_REPLY, r->reason, r, role, 1);
    }
    if (open)
        buf_add(to, STR("}\n"));
}

void
conf_print(const struct conf *c, enum role role, struct buf *to)
{
    for (unsigned i = SECTION_TOP; i < SECTION_COUNT; i++)
        if (!section_has_title((enum section)i))
            add_section(to, (enum section)i, STR_EMPTY, c, role, 0);
    for (size_t i = 0; i < c->n_listens; i++)
        add_section(to, SECTION_LISTEN, c->listens[i].name, &c->listens[i],
                    role, 0);
    for (size_t i = 0; i < c->n_domains; i++)
        add_domain(to, c, &c->domains[i], role);
    for (size_t i = 0; i < c->n_replies; i++)
        if (c->replies[i].domain.n == 0)
            add_section(to, SECTION_REPLY, c->replies[i].reason, &c->replies[i],
                        role, 0);
}
