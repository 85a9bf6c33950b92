/* SPDX-License-Identifier: ISC */
/* Single characters, for charset.c and html.c. */
#pragma once

#include "base/buf.h"

/* The character of an octet in Windows-1252; 0: it has none. */
uint32_t charset_windows(unsigned char octet);
