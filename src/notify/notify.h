/* SPDX-License-Identifier: ISC */
/* The room that writes what Gatepost writes itself: bounces and autoreplies. */
#pragma once

#include <stdint.h>

int notify_main(uint32_t slot, uint64_t incarnation);
