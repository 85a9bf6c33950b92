/* SPDX-License-Identifier: ISC */
/*
 * directory -> receive and queue: the snapshot of who exists, by descriptor,
 * and the changes since. Readers map it (book/book.h) and acknowledge, so that
 * directory knows when an old one is out of use and when a change is in force.
 * The admin's lists that are files (book/lists.h) come the same way.
 */
#pragma once

#include "base/buf.h"
#include "base/str.h"

enum book_type {
    BOOK_NONE = 0,
    /* directory -> reader */
    BOOK_SNAPSHOT, /* + fd: all up to `version`; forget earlier changes */
    BOOK_CHANGE,   /* key now means value (empty: gone); makes `version` */
    /* reader -> directory */
    BOOK_ACK, /* `version` is in force here */
    /* directory -> reader */
    BOOK_LIST, /* + fd: the list named `key` from now on. Without a
                  descriptor: there is none yet that could be asked */
};

struct book_msg {
    enum book_type type;
    uint64_t version;
    struct str key, value;
};

void book_msg_encode(struct buf *to, const struct book_msg *m);
bool book_msg_decode(struct str frame, struct book_msg *m);
