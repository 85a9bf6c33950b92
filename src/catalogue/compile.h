/* SPDX-License-Identifier: ISC */
/*
 * Makes the database of all wordings' anchors, whose ids are the places in
 * catalogue_wordings. At build time for any machine; at run time for this one,
 * should that not fit the library.
 */
#pragma once

#include <hs.h>

/* As hs_compile_lit_multi(): of a library that is linked or loaded. */
typedef hs_error_t (*compile_fn)(const char *const *texts,
                                 const unsigned *flags, const unsigned *ids,
                                 const size_t *sizes, unsigned n, unsigned mode,
                                 const hs_platform_info_t *platform,
                                 hs_database_t **db,
                                 hs_compile_error_t **error);

/* The caller frees *db; error is the library's, NULL where there is none. */
hs_error_t compile_wordings(compile_fn compile,
                            const hs_platform_info_t *platform,
                            hs_database_t **db, hs_compile_error_t **error);
