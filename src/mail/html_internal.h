/* SPDX-License-Identifier: ISC */
/* The characters that HTML has names for. */
#pragma once

#include "base/str.h"

/* Of "nbsp", without "&" and ";"; 0: no such name. */
uint32_t entity_find(struct str name);
