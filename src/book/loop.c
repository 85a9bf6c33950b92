/* SPDX-License-Identifier: ISC */
/*
 * Finding aliases that lead in a circle, by walking depth first. Lists may be
 * large and nested, so the way is kept in memory, not on the stack, and an
 * alias once walked through is not walked again.
 */
#include "book/book_internal.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/map.h"

struct step {
    struct str said; /* the target that led here, as written */
    struct str alias;
    struct str *targets;
    size_t n_targets, next;
};

struct walk {
    struct step *way;
    size_t n, room;
    struct map seen; /* keys of aliases, on the way or done with */
};

static void
enter(struct walk *w, struct str said, const struct book_route *r)
{
    if (w->n == w->room) {
        w->room = w->room == 0 ? 16 : w->room * 2;
        w->way = alloc_resize(w->way, w->room * sizeof *w->way);
    }
    w->way[w->n++] = (struct step){.said = said,
                                   .alias = r->alias,
                                   .targets = r->targets,
                                   .n_targets = r->n_targets};
    (void)map_put(&w->seen, r->alias, w);
}

static bool
on_the_way(const struct walk *w, struct str alias)
{
    for (size_t i = 0; i < w->n; i++)
        if (str_eq(w->way[i].alias, alias))
            return true;
    return false;
}

static void
describe(const struct walk *w, struct str last, struct buf *way)
{
    for (size_t i = 0; i < w->n; i++)
        buf_addf(way, "%.*s -> ", STR_ARG(w->way[i].said));
    buf_add(way, last);
}

/* Takes the next target of the step we are at; true: it closes a circle. */
static bool
advance(const struct book *b, struct arena *a, struct walk *w, struct buf *way)
{
    struct step *at = &w->way[w->n - 1];
    struct address target;
    struct book_route r;

    if (at->next == at->n_targets) {
        w->n--;
        return false;
    }
    struct str said = at->targets[at->next++];
    if (!address_parse(said, &target))
        return false;
    book_resolve(b, a, &target, &r);
    if (r.answer != BOOK_ALIAS)
        return false;
    if (on_the_way(w, r.alias)) {
        describe(w, said, way);
        return true;
    }
    if (map_get(&w->seen, r.alias) == NULL)
        enter(w, said, &r);
    return false;
}

bool
book_find_loop(const struct book *b, struct arena *a, struct str alias,
               struct buf *way)
{
    struct walk w = {0};
    struct book_route r;
    bool found = false;

    if (book_find_alias(b, a, alias, &r))
        enter(&w, alias, &r);
    while (w.n > 0 && !found)
        found = advance(b, a, &w, way);
    map_fini(&w.seen);
    free(w.way);
    return found;
}
