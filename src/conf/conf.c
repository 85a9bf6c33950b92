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
