/* SPDX-License-Identifier: ISC */
/*
 * The admin's lists that are files: which there are, whether their sources
 * have changed, and what the readers have. The work of one is
 * directory/listfile.h's.
 *
 * Twice a second each source is looked at. One that has changed is read when it
 * has been at rest for a quarter of a second, so that a file that is being
 * written is not taken by halves. What cannot be read is said in the log, once,
 * and the last good version stays in force.
 */
#pragma once

#include "directory/publisher.h"

struct lists;

/* folder: of the databases; taken over, as the publisher is not. */
struct lists *lists_new(struct loop *l, struct publisher *p, int folder);
void lists_free(struct lists *s); /* after loop_run() has returned */

/* The lists of conf from now on; begins to read those that are new. */
void lists_configure(struct lists *s, const struct conf *conf);

/* What there is for a reader that is new. */
void lists_introduce(struct lists *s, struct reader *r);
