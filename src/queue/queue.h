/* SPDX-License-Identifier: ISC */
/* The room that decides when and where next; its security profile is in
 * main.c. */
#pragma once

#include <stdint.h>

int queue_main(uint32_t slot, uint64_t incarnation);
