/* SPDX-License-Identifier: ISC */
/* The front door: talks SMTP with clients. docs/ARCHITECTURE.md. */
#pragma once

#include <stdint.h>

/* A process of this room, start to end; its exit status. */
int receive_main(uint32_t slot, uint64_t incarnation);
