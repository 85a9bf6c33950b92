/* SPDX-License-Identifier: ISC */
#include "explain/explain.h"

struct str
explain_kind_name(enum explain_kind k)
{
    static const char *const names[] = {
        [EXPLAIN_OTHER] = "other",         [EXPLAIN_FAILURE] = "failure",
        [EXPLAIN_DELAY] = "delay",         [EXPLAIN_SUCCESS] = "success",
        [EXPLAIN_RELAYED] = "relayed",     [EXPLAIN_AUTOREPLY] = "autoreply",
        [EXPLAIN_COMPLAINT] = "complaint",
    };
    return str_from(names[k]);
}

struct str
explain_confidence_name(enum explain_confidence c)
{
    static const char *const names[] = {
        [EXPLAIN_LOW] = "low",
        [EXPLAIN_MEDIUM] = "medium",
        [EXPLAIN_HIGH] = "high",
    };
    return str_from(names[c]);
}

/* One bare reply: what the catalogue makes of all of it. */
void
explain(struct arena *a, struct str octets, struct explanation *out)
{
    struct explained *e = arena_alloc(a, sizeof *e);
    const struct reason *r = catalogue_recognise(octets);
    bool found = r != NULL;
    if (!found)
        r = catalogue_find(STR("unclear"));
    *e = (struct explained){.kind = EXPLAIN_FAILURE, .reason = r};
    e->confidence = found ? EXPLAIN_HIGH : EXPLAIN_LOW;
    *out = (struct explanation){.list = e, .n = 1};
}
