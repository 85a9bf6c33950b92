/* SPDX-License-Identifier: ISC */
/* Ways to write a recipient elsewhere that somebody once relayed by. */
#pragma once

#include "base/arena.h"
#include "base/str.h"

/* "victim%abroad.invalid@HERE"; 0..n-1, empty behind the last. here: a domain
 * or host name of ours. */
struct str relayform_at(struct arena *a, size_t i, struct str here);

/* Where all of them would like to go. */
#define RELAYFORM_ABROAD "abroad.invalid"
