/* SPDX-License-Identifier: ISC */
/* Hands one message to the running server: SMTP over `<state>/run/submit`, the
 * same door as everybody's. Blocks until the server has answered. */
#pragma once

#include "base/err.h"
#include "mail/envelope.h"
#include "mail/verdict.h"

/* A verdict for each recipient of the envelope, with slices in the arena.
 * false: nobody answers there; *e says why. */
bool submit(const char *socket, struct str helo, const struct envelope *e,
            struct str content, struct arena *arena, struct verdict *verdicts,
            struct err *err);
