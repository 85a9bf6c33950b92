/* SPDX-License-Identifier: ISC */
/*
 * What a process gives up before it looks at anything foreign, and what it
 * shows of itself.
 */
#pragma once

#include <stddef.h>

/*
 * Descriptors above `last_fd` are closed; no core file, no debugger, no new
 * privileges through exec, as many descriptors as the hard limit allows; a
 * closed pipe is an error of write(), not a signal; the terminal's and the
 * service manager's signals are for master. Before the first thread.
 */
void sandbox_begin(int last_fd);

/* The process's line in ps: "gatepost: receive". */
void sandbox_title(const char *title);

/* Others have the processor first. */
void sandbox_yield(void);

/* n octets that nobody can guess. */
void sandbox_random(void *to, size_t n);
