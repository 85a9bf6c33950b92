/* SPDX-License-Identifier: ISC */
/*
 * PIPE_LOOKUP: receive asks for lists that are kept in databases. Each question
 * goes to its table (directory/table.h) and gets one answer.
 */
#pragma once

#include "conf/conf.h"
#include "os/loop.h"

struct lookups;

struct lookups *lookups_new(struct loop *l);
void lookups_free(struct lookups *s); /* after loop_run() has returned */

/* The lists of conf from now on; one whose source is the same stays. */
void lookups_configure(struct lookups *s, const struct conf *conf);

/* Takes fd, the pipe to a receive process. */
void lookups_attach(struct lookups *s, int fd);
