/* SPDX-License-Identifier: ISC */
/* Is somebody looking, and how wide is the window? */
#pragma once

#include <stdbool.h>
#include <stddef.h>

bool terminal_is(int fd);

/* Of the terminal on fd; 0: it is none, or does not say. */
size_t terminal_columns(int fd);
