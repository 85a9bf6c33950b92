/* SPDX-License-Identifier: ISC */
/*
 * Run by the build: prints the database of all wordings as a C table, in the
 * form in which the library uses it in memory. That form holds no address, only
 * distances from an octet at a multiple of CATALOGUE_ALIGNED: the program scans
 * with it where it lies in its own file, and copies, checks and pays nothing at
 * its start.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catalogue/catalogue_internal.h"
#include "catalogue/compile.h"

static void
print_table(const char *bytes, size_t n)
{
    printf("/* Made by tools/catalogue_database.c from the wordings. */\n"
           "#include \"catalogue/catalogue_internal.h\"\n\n"
           "alignas(CATALOGUE_ALIGNED) const uint64_t catalogue_database[] = "
           "{\n");
    for (size_t i = 0; i < n; i += sizeof(uint64_t)) {
        uint64_t word = 0;
        memcpy(&word, bytes + i, n - i < sizeof word ? n - i : sizeof word);
        printf("    0x%" PRIx64 ",\n", word);
    }
    printf("};\nconst size_t catalogue_n_database = %zu;\n", n);
}

/* What hs_deserialize_database_at() makes of it; NULL: *e says why. */
static char *
lay_out(const char *bytes, size_t n, size_t *size, hs_error_t *e)
{
    char *image = NULL;
    *e = hs_serialized_database_size(bytes, n, size);
    if (*e != HS_SUCCESS)
        return NULL;
    *size += CATALOGUE_ALIGNED - *size % CATALOGUE_ALIGNED;
    image = aligned_alloc(CATALOGUE_ALIGNED, *size);
    if (image == NULL) {
        *e = HS_NOMEM;
        return NULL;
    }
    memset(image, 0, *size);
    *e = hs_deserialize_database_at(bytes, n, (hs_database_t *)image);
    return image;
}

int
main(void)
{
    const hs_platform_info_t any = {.tune = HS_TUNE_FAMILY_GENERIC};
    hs_database_t *db = NULL;
    hs_compile_error_t *error = NULL;
    char *bytes = NULL, *image = NULL;
    size_t n = 0, size = 0;

    hs_error_t e = compile_wordings(hs_compile_lit_multi, &any, &db, &error);
    if (e == HS_SUCCESS)
        e = hs_serialize_database(db, &bytes, &n);
    if (e == HS_SUCCESS)
        image = lay_out(bytes, n, &size, &e);
    if (e == HS_SUCCESS)
        print_table(image, size);
    else
        (void)fprintf(stderr, "catalogue: Vectorscan says %d: %s\n", e,
                      error != NULL ? error->message : "no more");
    if (error != NULL)
        (void)hs_free_compile_error(error);
    free(bytes);
    free(image);
    (void)hs_free_database(db);
    return e == HS_SUCCESS && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
