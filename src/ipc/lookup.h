/* SPDX-License-Identifier: ISC */
/*
 * receive <-> directory: is one of these keys on a list that is kept in a
 * database? Lists that are files are not asked for here: receive has them
 * mapped (ipc/bookpipe.h).
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"
#include "book/lists.h"

enum lookup_type { LOOKUP_NONE = 0, LOOKUP_ASK, LOOKUP_ANSWER };

struct lookup_msg {
    enum lookup_type type;
    uint64_t seq; /* chosen by receive, comes back in the answer */
    /* ASK */
    enum list_id list;
    const struct str *keys;
    size_t n_keys; /* the first that is there counts */
    /* ANSWER */
    enum list_found found; /* NO, YES or TROUBLE */
    uint32_t key;          /* YES: which of them */
    struct str value;      /* YES: the remark beside the entry, or empty */
};

void lookup_encode(struct buf *to, const struct lookup_msg *m);
/* The keys' array lies in the arena, all else borrows from the frame. */
bool lookup_decode(struct arena *a, struct str frame, struct lookup_msg *m);
