/* SPDX-License-Identifier: ISC */
/*
 * Asks directory whether a name and a password belong together (PIPE_LOGIN).
 * Each question gets exactly one answer, later, unless it is cancelled; a
 * directory that goes away answers LOGIN_TROUBLE.
 */
#pragma once

#include "ipc/login.h"
#include "os/loop.h"

struct login_desk;
struct login_question;

typedef void (*login_fn)(void *ctx, enum login_result result,
                         struct str account);

struct login_desk *login_desk_new(struct loop *l);
void login_desk_free(struct login_desk *d); /* with no question open */

/* Takes ownership of fd, a pipe to directory; an earlier one is closed. */
void login_desk_attach(struct login_desk *d, int fd);

/* client, session: for its log. NULL: directory is away, no answer comes. */
struct login_question *login_ask(struct login_desk *d, struct str user,
                                 struct str password, struct str client,
                                 struct str session, login_fn fn, void *ctx);
void login_cancel(struct login_question *q);
