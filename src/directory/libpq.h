/* SPDX-License-Identifier: ISC */
/*
 * libpq, loaded by the first list that is kept in PostgreSQL. It brings two
 * dozen libraries along, and every room and command of this binary would wait
 * for them at its start. The functions are those of <libpq-fe.h>; here they
 * pass the call on.
 */
#pragma once

#include <libpq-fe.h>

/* Before any other, not on a thread. NULL, or what is wrong; then there is no
 * connection to be had. */
const char *libpq_load(void);
