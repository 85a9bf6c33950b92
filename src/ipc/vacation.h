/* SPDX-License-Identifier: ISC */
/*
 * notify <-> directory: is this account on vacation, and may this sender be
 * told (once in seven days)? A yes is remembered with the notice's key, so
 * that asking again after a crash gives the same answer.
 */
#pragma once

#include "base/buf.h"
#include "base/str.h"

enum vacation_type { VACATION_NONE = 0, VACATION_ASK, VACATION_ANSWER };

enum vacation_result {
    VACATION_NOT_AWAY = 0,
    VACATION_REPLY,
    VACATION_TOLD_ALREADY,
    VACATION_NOT_NAMED, /* none of `named` is the account's; not remembered */
};

struct vacation_msg {
    enum vacation_type type;
    uint64_t seq;
    struct str account, sender, key; /* ASK: address keys, notice key */
    /* ASK: address keys that the message names as its recipients, separated by
     * "\n": who is not among them is not answered for (RFC 3834, 2). */
    struct str named;
    enum vacation_result result;
    struct str subject, body; /* UTF-8 */
    /* ANSWER: all addresses that are this account's, separated by "\n". */
    struct str addresses;
};

void vacation_encode(struct buf *to, const struct vacation_msg *m);
bool vacation_decode(struct str frame, struct vacation_msg *m);
