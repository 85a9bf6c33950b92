/* SPDX-License-Identifier: ISC */
/* Anonymous files that are handed to other processes. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

/* A sealed memfd with these octets, positioned at 0; -1 with *e. */
int memfd_sealed(const char *name, struct str bytes, struct err *e);

/* Everything in fd from its start, at most `max` octets. false: *e. */
bool memfd_read(int fd, size_t max, struct buf *to, struct err *e);

/* One that its holders write to together: `size` octets of zeros that can
 * neither grow nor shrink, so that nobody's mapping loses its ground. */
int memfd_shared(const char *name, size_t size, struct err *e);
/* NULL: not of that size or not sealed so. */
void *memfd_map(int fd, size_t size);
void memfd_unmap(void *p, size_t size);
