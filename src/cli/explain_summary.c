/* SPDX-License-Identifier: ISC */
/* What a mailbox of bounces comes to: by kind, class, domain, remote host. */
#include "cli/explain_view.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/columns.h"
#include "base/math.h"
#include "catalogue/language.h"

enum {
    NAMES_MAX = 100000, /* of a table; more are counted together */
    NAME_MAX_OCTETS = 255,
    ROWS = 20, /* of a table as text */
    WIDEST = 50,
};

struct count {
    struct str name;
    uint64_t n;
};

void
explain_summary_fini(struct explain_summary *s)
{
    map_fini(&s->classes);
    map_fini(&s->domains);
    map_fini(&s->remotes);
    arena_fini(&s->arena);
}

void
explain_summary_message(struct explain_summary *s, enum explain_kind kind)
{
    s->messages++;
    s->kinds[kind]++;
}

static void
add_one(struct explain_summary *s, struct map *m, struct str name)
{
    struct buf lower = {0};
    buf_add_lower(&lower, str_first(name, NAME_MAX_OCTETS));
    struct count *c = map_get(m, buf_str(&lower));
    if (c == NULL && m->count >= NAMES_MAX) {
        buf_clear(&lower);
        buf_add(&lower, STR("..."));
        c = map_get(m, buf_str(&lower));
    }
    if (c == NULL) {
        c = arena_alloc(&s->arena, sizeof *c);
        c->name = arena_dup(&s->arena, buf_str(&lower));
        (void)map_put(m, c->name, c);
    }
    c->n++;
    buf_fini(&lower);
}

void
explain_summary_count(struct explain_summary *s, const struct explained *e)
{
    ssize_t at = str_rfind_char(e->recipient, '@');
    s->recipients += e->recipient.n > 0;
    add_one(s, &s->classes, e->reason->klass);
    if (at >= 0)
        add_one(s, &s->domains, str_from_pos(e->recipient, (size_t)at + 1));
    if (e->remote_mta.n > 0)
        add_one(s, &s->remotes, e->remote_mta);
}

static int
by_count(const void *a, const void *b)
{
    const struct count *const *x = a, *const *y = b;
    if ((*x)->n != (*y)->n)
        return (*x)->n > (*y)->n ? -1 : 1;
    return str_compare((*x)->name, (*y)->name);
}

/* The counts of a table, the largest first; free() the list. */
static struct count **
sorted(const struct map *m)
{
    struct count **list = alloc_array(m->count + 1, sizeof *list);
    size_t n = 0, i = 0;
    struct str key;
    void *value;
    while (map_next(m, &i, &key, &value))
        list[n++] = value;
    qsort(list, n, sizeof *list, by_count);
    return list;
}

static void
add_blanks(struct buf *to, size_t n)
{
    while (n-- > 0)
        buf_add_char(to, ' ');
}

static void
add_row(struct buf *to, struct str name, size_t width, uint64_t n, uint64_t all)
{
    struct buf safe = {0};
    explain_add_safe(&safe, name);
    buf_add(to, STR("  "));
    buf_add(to, buf_str(&safe));
    size_t used = columns_width(buf_str(&safe));
    add_blanks(to, width > used ? width - used : 0);
    buf_addf(to, " %9llu %3llu %%\n", (unsigned long long)n,
             (unsigned long long)((n * 100 + all / 2) / all));
    buf_fini(&safe);
}

static void
add_title(struct buf *to, const char *english, unsigned lang)
{
    buf_addf(to, "\n%.*s\n", STR_ARG(catalogue_word(str_from(english), lang)));
}

static void
add_table(struct buf *to, const char *title, unsigned lang, const struct map *m)
{
    struct count **list = sorted(m);
    size_t width = 0, shown = math_min(m->count, ROWS);
    uint64_t all = 0, rest = 0;

    for (size_t i = 0; i < m->count; i++) {
        all += list[i]->n;
        rest += i >= shown ? list[i]->n : 0;
        if (i < shown)
            width = math_max(width, columns_width(list[i]->name));
    }
    width = math_min(width, WIDEST);
    if (m->count > 0)
        add_title(to, title, lang);
    for (size_t i = 0; i < shown; i++)
        add_row(to, list[i]->name, width, list[i]->n, all);
    if (rest > 0) {
        struct buf more = {0};
        buf_addf(&more, "+ %zu", m->count - shown);
        add_row(to, buf_str(&more), width, rest, all);
        buf_fini(&more);
    }
    free(list);
}

static void
print_text(struct buf *to, struct explain_summary *s, unsigned lang)
{
    buf_addf(to, "%.*s: %llu, %.*s: %llu\n",
             STR_ARG(catalogue_word(STR("Messages"), lang)),
             (unsigned long long)s->messages,
             STR_ARG(catalogue_word(STR("Recipients"), lang)),
             (unsigned long long)s->recipients);
    if (s->messages == 0)
        return;
    add_title(to, "Kind", lang);
    for (unsigned k = 0; k <= EXPLAIN_COMPLAINT; k++)
        if (s->kinds[k] > 0)
            add_row(to, explain_kind_name((enum explain_kind)k),
                    STR("autoreply").n, s->kinds[k], s->messages);
    add_table(to, "Class", lang, &s->classes);
    add_table(to, "Domain", lang, &s->domains);
    add_table(to, "Server", lang, &s->remotes);
}

static void
json_table(struct buf *to, const char *name, const struct map *m)
{
    struct count **list = sorted(m);
    buf_addf(to, ",\"%s\":{", name);
    for (size_t i = 0; i < m->count; i++) {
        buf_add(to, i > 0 ? STR(",") : STR_EMPTY);
        explain_add_json_string(to, list[i]->name);
        buf_addf(to, ":%llu", (unsigned long long)list[i]->n);
    }
    buf_add_char(to, '}');
    free(list);
}

static void
print_json(struct buf *to, struct explain_summary *s)
{
    bool first = true;
    buf_addf(to, "{\"messages\":%llu,\"recipients\":%llu,\"kinds\":{",
             (unsigned long long)s->messages,
             (unsigned long long)s->recipients);
    for (unsigned k = 0; k <= EXPLAIN_COMPLAINT; k++) {
        if (s->kinds[k] == 0)
            continue;
        buf_addf(to, "%s\"%.*s\":%llu", first ? "" : ",",
                 STR_ARG(explain_kind_name((enum explain_kind)k)),
                 (unsigned long long)s->kinds[k]);
        first = false;
    }
    buf_add_char(to, '}');
    json_table(to, "classes", &s->classes);
    json_table(to, "domains", &s->domains);
    json_table(to, "remotes", &s->remotes);
    buf_add(to, STR("}\n"));
}

void
explain_summary_print(struct buf *to, struct explain_summary *s,
                      const struct explain_view *v, bool json)
{
    if (json)
        print_json(to, s);
    else
        print_text(to, s, v->lang);
}
