/* SPDX-License-Identifier: ISC */
/* What happened to each message, searchable. docs/journal.md. */
#pragma once

#include <stdint.h>

/* A process of this room, start to end; its exit status. */
int journal_main(uint32_t slot, uint64_t incarnation);
