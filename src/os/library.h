/* SPDX-License-Identifier: ISC */
/* Shared libraries that only some processes need, loaded when they do. */
#pragma once

#include "base/err.h"

/* Stays until the process ends. NULL with *e: not there. */
void *library_open(const char *name, struct err *e);

/* Writes the function of that name to *to, a pointer to its type. */
bool library_find(void *library, const char *name, void *to, struct err *e);
