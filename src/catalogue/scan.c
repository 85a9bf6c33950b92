/* SPDX-License-Identifier: ISC */
/*
 * The program is linked with Vectorscan's runtime alone: its compiler is C++
 * and would cost every start of every room several milliseconds. Only where the
 * library is not of the version that the database was made by is the compiler
 * loaded, too, and the database made again.
 */
#include "catalogue/scan.h"

#include <dlfcn.h>
#include <string.h>

#include "base/ascii.h"
#include "base/math.h"
#include "catalogue/compile.h"

enum {
    WILD_LONGEST = 320 /* an address, with what may stand around it */
};

static struct {
    bool open;
    const hs_database_t *db; /* NULL: no words are recognised */
    hs_database_t *made;     /* db, where it is not the program's own */
    hs_scratch_t *scratch;
    const char *warning;
} scanner;

static bool
is_word_char(char c)
{
    return ascii_is_alnum((unsigned char)c);
}

/* A wild card takes as little as it can and never a blank. */
static bool
skip_wild(struct str *text, struct str segment)
{
    size_t longest = math_min(text->n, WILD_LONGEST);
    for (size_t i = 1; i <= longest && text->p[i - 1] != ' '; i++) {
        struct str rest = str_from_pos(*text, i);
        if (str_skip(&rest, segment)) {
            *text = rest;
            return true;
        }
    }
    return false;
}

/* Does the pattern stand at `at`? Then *ends is behind it. */
static bool
fits_at(struct str whole, size_t at, struct str pattern, size_t *ends)
{
    struct str text = str_from_pos(whole, at), segment;
    if (at > 0 && is_word_char(whole.p[at]) && is_word_char(whole.p[at - 1]))
        return false;
    bool more = str_cut(pattern, CATALOGUE_WILD, &segment, &pattern);
    if (!str_skip(&text, segment))
        return false;
    while (more) {
        more = str_cut(pattern, CATALOGUE_WILD, &segment, &pattern);
        if (!skip_wild(&text, segment))
            return false;
    }
    *ends = whole.n - text.n;
    return text.n == 0 || !is_word_char(text.p[0]) || !is_word_char(text.p[-1]);
}

/* A wording whose anchor stands at `anchor` begins so many blanks before it as
 * there are in the wording. */
static bool
find_start(struct str text, size_t anchor, const struct catalogue_wording *w,
           struct scan_hit *hit)
{
    struct str pattern = pool_str(w->pattern);
    size_t blanks = 0;
    for (size_t i = 0; i < w->anchor; i++)
        blanks += pattern.p[i] == ' ';
    size_t first = anchor > w->anchor + 4 * (size_t)WILD_LONGEST
                       ? anchor - w->anchor - 4 * (size_t)WILD_LONGEST
                       : 0;
    for (size_t i = anchor - (w->anchor > 0); i < text.n && i >= first; i--) {
        if (blanks == 0 && fits_at(text, i, pattern, &hit->ends)) {
            hit->at = i;
            hit->wording = w;
            return true;
        }
        if (w->anchor == 0 || (text.p[i] == ' ' && blanks-- == 0))
            return false;
    }
    return false;
}

struct look {
    struct str text;
    struct status status;
    unsigned stage; /* as catalogue_wording's stages */
    struct scan_hit best;
};

static bool
counts_here(const struct catalogue_wording *w, const struct look *look)
{
    if (w->stages != 0 && (w->stages & look->stage) == 0)
        return false;
    return w->status.klass == 0 || (w->status.klass == look->status.klass &&
                                    w->status.subject == look->status.subject &&
                                    w->status.detail == look->status.detail);
}

static int
on_anchor(unsigned id, unsigned long long from, unsigned long long to,
          unsigned flags, void *arg)
{
    struct look *look = arg;
    const struct catalogue_wording *w = &catalogue_wordings[id];
    (void)from;
    (void)flags;
    if (look->best.wording != NULL && look->best.wording <= w)
        return 0;
    if (counts_here(w, look))
        (void)find_start(look->text, (size_t)to - w->anchor_n, w, &look->best);
    return 0;
}

static hs_database_t *
compile_again(void)
{
    hs_database_t *db = NULL;
    hs_compile_error_t *error = NULL;
    compile_fn compile;
    void *library = dlopen("libhs.so.5", RTLD_NOW | RTLD_LOCAL);
    void *symbol =
        library != NULL ? dlsym(library, "hs_compile_lit_multi") : NULL;
    if (symbol == NULL)
        return NULL;
    memcpy(&compile, &symbol, sizeof compile); // POSIX's own way, dlsym(3)
    if (compile_wordings(compile, NULL, &db, &error) != HS_SUCCESS)
        db = NULL;
    return db; // an error's text is left: its owner is the other library
}

/* The database where it lies; NULL: the library says that it is of another
 * version, or it is none. */
static const hs_database_t *
in_place(struct str database)
{
    const hs_database_t *db = (const void *)database.p;
    size_t size;
    if ((uintptr_t)database.p % CATALOGUE_ALIGNED != 0 ||
        hs_database_size(db, &size) != HS_SUCCESS || size > database.n)
        return NULL;
    return db;
}

void
scan_open(struct str database)
{
    (void)hs_free_database(scanner.made);
    scanner.open = true;
    scanner.warning = NULL;
    scanner.made = NULL;
    scanner.db = in_place(database);
    if (scanner.db == NULL) {
        scanner.db = scanner.made = compile_again();
        scanner.warning =
            scanner.db != NULL
                ? "the database of wordings was made for another version of "
                  "Vectorscan and is made again at every start; a gatepost "
                  "built for this version would start faster"
                : "the database of wordings does not fit this version of "
                  "Vectorscan, and libhs.so.5 could not make it again: replies "
                  "are recognised by their codes only";
    }
    if (scanner.db != NULL &&
        hs_alloc_scratch(scanner.db, &scanner.scratch) != HS_SUCCESS) {
        scanner.db = NULL;
        scanner.warning = "Vectorscan does not work on this machine: replies "
                          "are recognised by their codes only";
    }
}

struct scan_hit
scan(struct str text, struct status s, enum catalogue_stage stage)
{
    struct look look = {.text = text,
                        .status = s,
                        .stage = stage != CATALOGUE_ANYWHERE ? 1U << stage : 0};
    if (!scanner.open)
        scan_open(str_from_n(catalogue_database, catalogue_n_database));
    if (scanner.db != NULL)
        (void)hs_scan(scanner.db, text.p, (unsigned)text.n, 0, scanner.scratch,
                      on_anchor, &look);
    return look.best;
}

const char *
catalogue_warning(void)
{
    return scanner.warning;
}
