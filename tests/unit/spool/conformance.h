/* SPDX-License-Identifier: ISC */
/*
 * What spool.h promises, as tests that know nothing of the back end: the
 * fixture brings a door and a store that share one spool.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "spool/spool.h"

struct fixture {
    struct spool_door *door;
    struct spool_store *store;
    struct instant now;
    struct arena arena;
    void *self;
};

/* Provided by each back end's test. */
void fixture_open(struct fixture *f);
void fixture_close(struct fixture *f);
/* Turns both sides and runs all tasks until nothing is under way. */
void fixture_settle(struct fixture *f);

int conformance_setup(void **state);
int conformance_teardown(void **state);

extern const struct CMUnitTest conformance_tests[];
extern const size_t conformance_count;
