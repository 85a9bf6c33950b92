/* SPDX-License-Identifier: ISC */
#include "conf/conf.h"

#include <stdlib.h>

void
conf_free(struct conf *c)
{
    if (c == NULL)
        return;
    arena_fini(&c->arena);
    free(c);
}

struct str
conf_reply_text(const struct conf *c, struct str reason, struct str domain)
{
    struct str text = STR_EMPTY;
    for (size_t i = 0; i < c->n_replies; i++) {
        const struct conf_reply *r = &c->replies[i];
        if (!str_eq(r->reason, reason))
            continue;
        if (r->domain.n == 0)
            text = r->text;
        else if (str_eq(r->domain, domain))
            return r->text;
    }
    return text;
}
