/* SPDX-License-Identifier: ISC */
/*
 * Asks directory who may come in (PIPE_LOGIN). Each question gets exactly one
 * LOGIN_ANSWER, later, unless it is cancelled; that of a SCRAM exchange gets a
 * LOGIN_CHALLENGE before it, now and then, to be followed by login_respond(). A
 * directory that goes away answers LOGIN_TROUBLE.
 */
#pragma once

#include "ipc/login.h"
#include "os/loop.h"

struct login_desk;
struct login_question;

/* The question is over when m is an ANSWER. */
typedef void (*login_fn)(void *ctx, const struct login_msg *m);

/* on_ledger takes over fd: what accounts have sent, room/ledger.h. */
typedef void (*login_ledger_fn)(void *ctx, int fd);
struct login_desk *login_desk_new(struct loop *l, login_ledger_fn on_ledger,
                                  void *ctx);
void login_desk_free(struct login_desk *d); /* with no question open */

/* Takes ownership of fd, a pipe to directory; an earlier one is closed. */
void login_desk_attach(struct login_desk *d, int fd);

/* m is an ASK or a START; its seq is chosen here. NULL: directory is away, no
 * answer comes. */
struct login_question *login_ask(struct login_desk *d,
                                 const struct login_msg *m, login_fn fn,
                                 void *ctx);
void login_respond(struct login_question *q, struct str bytes);
void login_cancel(struct login_question *q);
