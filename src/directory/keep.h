/* SPDX-License-Identifier: ISC */
/*
 * A small file in the directory's folder that is written anew now and then,
 * off the loop: what is better remembered after a restart, and may be some
 * seconds old. It is renamed into place, never half there, but not synced: a
 * power cut may cost the last minutes.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "os/loop.h"

struct keep;

/* folder is an open directory that stays the caller's; name lives for ever. */
struct keep *keep_new(struct loop *l, int folder, const char *name);
void keep_free(struct keep *k); /* after loop_free(): no task runs */

/* What it held; empty if there is none. false with *e. */
bool keep_read(struct keep *k, size_t max, struct buf *to, struct err *e);

/* May something be written now? */
bool keep_idle(const struct keep *k);
/* Takes the octets, which leaves *octets empty. Only when idle. */
void keep_write(struct keep *k, struct buf *octets);
/* The same at once, waiting: at the end of the process. */
void keep_write_now(struct keep *k, const struct buf *octets);
