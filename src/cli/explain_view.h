/* SPDX-License-Identifier: ISC */
/* How `gatepost explain` shows what was found: text, JSON, a summary. */
#pragma once

#include "base/buf.h"
#include "base/map.h"
#include "catalogue/language.h"
#include "explain/explain.h"

struct explain_view {
    unsigned lang;
    size_t columns; /* text is wrapped to these */
    bool colored;
};

/* "x.mbox#3": where a message comes from, fit for a terminal. number 0: the
 * file alone. */
void explain_add_place(struct buf *to, const char *file, uint64_t number);

/* Foreign octets for a terminal: valid UTF-8 in which no character moves the
 * cursor, changes colours or the order of what stands beside it. */
void explain_add_safe(struct buf *to, struct str text);

/* Meaning, who or next, its parameters filled in. */
void explain_add_text(struct buf *to, const struct explained *e, unsigned lang,
                      enum catalogue_which which);

void explain_add_head(struct buf *to, const struct explain_view *v,
                      struct str place);
void explain_add_record(struct buf *to, const struct explain_view *v,
                        const struct explained *e);
/* The rest of the message was not read. */
void explain_add_cut(struct buf *to, const struct explain_view *v);

/* One object, one line. place: empty: no field `file`. */
void explain_add_json(struct buf *to, unsigned lang, const struct explained *e,
                      struct str place);
/* A JSON string with its quotes. */
void explain_add_json_string(struct buf *to, struct str s);

/* Counts of many. {0} is an empty one. */
struct explain_summary {
    struct arena arena;
    uint64_t messages, recipients;
    uint64_t kinds[EXPLAIN_COMPLAINT + 1]; /* of messages */
    struct map classes, domains, remotes;  /* of recipients */
};

void explain_summary_fini(struct explain_summary *s);
void explain_summary_message(struct explain_summary *s, enum explain_kind kind);
void explain_summary_count(struct explain_summary *s,
                           const struct explained *e);
void explain_summary_print(struct buf *to, struct explain_summary *s,
                           const struct explain_view *v, bool json);
