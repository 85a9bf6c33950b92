/* SPDX-License-Identifier: ISC */
#include "catalogue/catalogue.h"

#include "catalogue/catalogue_internal.h"

size_t
catalogue_count(void)
{
    return catalogue_n_reasons;
}

const struct reason *
catalogue_at(size_t i)
{
    return i < catalogue_n_reasons ? &catalogue_reasons[i] : NULL;
}

struct str
catalogue_wording(const struct reason *r, size_t i)
{
    return i < r->n_wordings ? pool_str(catalogue_texts[r->first_wording + i])
                             : STR_EMPTY;
}

const struct reason *
catalogue_find(struct str id)
{
    size_t low = 0, high = catalogue_n_reasons;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = str_compare(catalogue_reasons[middle].id, id);
        if (order == 0)
            return &catalogue_reasons[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}
