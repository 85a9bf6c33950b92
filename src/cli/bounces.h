/* SPDX-License-Identifier: ISC */
/*
 * Messages from wherever somebody keeps them: a file, an mbox, a Maildir, a
 * folder of files, standard input; one after the other, in memory that does
 * not grow with their number.
 */
#pragma once

#include "base/str.h"

struct bounces_one {
    const char *file;  /* as named, "-": standard input; NULL: from nowhere */
    uint64_t number;   /* in an mbox of several; else 0 */
    bool several;      /* not the only one of what was named */
    struct str octets; /* until the function returns */
    bool cut;          /* the front of what is longer */
};

typedef void (*bounces_fn)(void *ctx, const struct bounces_one *one);

/* Calls fn for each message of a path, "-" being standard input. false: not
 * all could be read; said so on stderr. */
bool bounces_each(const char *path, bounces_fn fn, void *ctx);

/* No file, nor a name that was meant as one: the text of a reply. */
bool bounces_is_text(const char *word);
