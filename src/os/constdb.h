/* SPDX-License-Identifier: ISC */
/* A constant database (TinyCDB), mapped: the form of the snapshot. */
#pragma once

#include "base/err.h"
#include "base/str.h"

struct constdb;

/* Maps fd, which may be closed afterwards; NULL with *e. */
struct constdb *constdb_open(int fd, struct err *e);
void constdb_close(struct constdb *c);
bool constdb_find(const struct constdb *c, struct str key, struct str *value);

struct constdb_maker;
struct constdb_maker *constdb_make(int fd, struct err *e);
bool constdb_add(struct constdb_maker *m, struct str key, struct str value,
                 struct err *e);
/* Writes the index; the caller syncs and renames. Frees m in any case. */
bool constdb_finish(struct constdb_maker *m, struct err *e);

/* One that is kept over restarts gets a checksum of all of it behind its end,
 * which look-ups do not see. */
bool constdb_seal(int fd, struct err *e);
/* Is it as it was when it was sealed? Reads all of it. */
bool constdb_intact(int fd);
