/* SPDX-License-Identifier: ISC */
#include "conf/options.h"

bool
conf_list_at(const struct conf *c, size_t i, struct conf_list *l)
{
    for (size_t at = 0; at < option_count(); at++) {
        const struct option *o = &option_table[at];
        if (o->type != OPTION_SOURCE)
            continue;
        const void *source = (const char *)c + o->offset;
        *l = (struct conf_list){.id = list_from_name(str_from(o->name)),
                                .source = *(const struct str *)source};
        if (l->source.n > 0 && i-- == 0)
            return true;
    }
    return false;
}
