/* SPDX-License-Identifier: ISC */
/*
 * Which of some words stand in a text, whatever their case, in one pass over
 * it: by its two octets at each place it is seen which words could begin there.
 *
 *     static const char *const words[] = {"delayed", "still being retried"};
 *     static struct wordlist list = WORDLIST(words);
 *     if (wordlist_any(&list, text)) ...
 *
 * Words have two octets or more; a list has at most 64. One thread.
 */
#pragma once

#include "base/str.h"

struct wordlist {
    const char *const *words; /* the first; others follow `step` octets apart */
    size_t n, step;
    uint64_t first[256], second[256]; /* words with this octet there */
    bool ready;
};

#define WORDLIST(array)                                                        \
    {                                                                          \
        .words = (array), .n = sizeof(array) / sizeof((array)[0]),             \
        .step = sizeof((array)[0])                                             \
    }
/* Of a table of structs, whose member it is. */
#define WORDLIST_OF(array, member)                                             \
    {                                                                          \
        .words = &(array)[0].member, .n = sizeof(array) / sizeof((array)[0]),  \
        .step = sizeof((array)[0])                                             \
    }

bool wordlist_any(struct wordlist *l, struct str text);
/* The place in the list of the first word in it that stands in the text; -1:
 * none does. */
ssize_t wordlist_first(struct wordlist *l, struct str text);
