/* SPDX-License-Identifier: ISC */
/* The room that keeps the accounts. */
#pragma once

#include <stdint.h>

/* The whole life of the process; returns its exit status. */
int directory_main(uint32_t slot, uint64_t incarnation);
