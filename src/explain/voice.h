/* SPDX-License-Identifier: ISC */
/*
 * What was said of one failure, by whomever, the weightiest first: replies, and
 * the words around them. Which of them counts is for the judge.
 */
#pragma once

#include "base/arena.h"
#include "base/str.h"
#include "catalogue/catalogue.h"

enum { VOICES_MOST = 10 };

/* Slices borrow from the texts or live in the arena. */
struct voice {
    struct str text;
    bool reply; /* opens with a reply code */
    bool own;   /* what the program that wrote the notice makes of it */
    bool was_read;
    struct recognised reading;
};

struct voices {
    struct arena *a;
    struct voice list[VOICES_MOST];
    size_t n;
};

/* Words behind all others; nothing where they are empty or known already. */
void voices_add(struct voices *v, struct str words);

/* The replies that stand in a text, each with all its lines and without what
 * the program that quotes it puts around. false: there is none. */
bool voices_add_reply(struct voices *v, struct str text);

/* The same, paragraph by paragraph. */
void voices_add_replies(struct voices *v, struct str text);

/* The words: the first paragraph, which is about the failure, and the rest. */
void voices_add_words(struct voices *v, struct str text);

/* Behind a server's own answer, the first voice: marks lines of sendmail's that
 * tell what it makes of it, "550 5.1.1 <a@b.example>... User unknown". */
void voices_mark_own(struct voices *v);

/* What its words mean at this stage, looked up once: ask for one stage only.
 * Nothing found: by is BY_NOTHING. */
const struct recognised *voice_read(struct voice *v,
                                    enum catalogue_stage stage);
