/* SPDX-License-Identifier: ISC */
/* The room that writes into mailboxes; its security profile is in main.c. */
#pragma once

#include <stdint.h>

int mailbox_main(uint32_t slot, uint64_t incarnation);
