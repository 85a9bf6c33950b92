/* SPDX-License-Identifier: ISC */
/* The back door to other hosts; src/send/main.c has its security profile. */
#pragma once

#include <stdint.h>

/* The room's whole life; its exit status. */
int send_main(uint32_t slot, uint64_t incarnation);
