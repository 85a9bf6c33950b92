/* SPDX-License-Identifier: ISC */
/*
 * Notices that are owed go to notify, each with the octets of the one message
 * it is about. What notify writes comes back through the door and settles the
 * debt in the store; here only the hand-over is done.
 *
 * An original beyond NOTICE_FULL_MAX octets goes with its header section
 * only, as does one whose sender asked for that (RET=HDRS).
 */
#pragma once

#include "book/book.h"
#include "os/loop.h"
#include "spool/spool.h"

enum { NOTICE_FULL_MAX = 1 << 20 };

struct notices;

struct notices *notices_new(struct loop *l, const struct book *book);
void notices_use(struct notices *n, struct spool_store *store);

/* Takes fd, the pipe to a notify process, which gets what is owed from now on;
 * an earlier one finishes what it has. What one that ends had not written is
 * owed again. */
void notices_attach(struct notices *n, int fd);

/* Hands over what is owed, at the end of a turn. */
void notices_pump(struct notices *n);

/* The octets that a notice about this message gets, out of its whole content;
 * *headers_only says that the rest was cut. */
struct str notices_excerpt(struct str content, enum dsn_ret ret,
                           bool *headers_only);
