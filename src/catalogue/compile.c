/* SPDX-License-Identifier: ISC */
#include "catalogue/compile.h"

#include <stdlib.h>

#include "catalogue/catalogue_internal.h"

hs_error_t
compile_wordings(compile_fn compile, const hs_platform_info_t *platform,
                 hs_database_t **db, hs_compile_error_t **error)
{
    size_t n = catalogue_n_wordings;
    const char **texts = calloc(n, sizeof *texts);
    unsigned *ids = calloc(n, sizeof *ids), *flags = calloc(n, sizeof *flags);
    size_t *sizes = calloc(n, sizeof *sizes);
    hs_error_t result = HS_NOMEM;

    *error = NULL;
    if (texts != NULL && ids != NULL && flags != NULL && sizes != NULL) {
        for (size_t i = 0; i < n; i++) {
            const struct catalogue_wording *w = &catalogue_wordings[i];
            texts[i] = pool_str(w->pattern).p + w->anchor;
            sizes[i] = w->anchor_n;
            ids[i] = (unsigned)i;
        }
        result = compile(texts, flags, ids, sizes, (unsigned)n, HS_MODE_BLOCK,
                         platform, db, error);
    }
    free(texts);
    free(ids);
    free(flags);
    free(sizes);
    return result;
}
