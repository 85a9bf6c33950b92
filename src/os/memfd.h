/* SPDX-License-Identifier: ISC */
/* Anonymous files that are handed to another process and never change. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

/* A sealed memfd with these octets, positioned at 0; -1 with *e. */
int memfd_sealed(const char *name, struct str bytes, struct err *e);

/* Everything in fd from its start, at most `max` octets. false: *e. */
bool memfd_read(int fd, size_t max, struct buf *to, struct err *e);
