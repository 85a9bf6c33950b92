/* SPDX-License-Identifier: ISC */
/*
 * Character classes of the mail protocols: ASCII only, no locale. A byte
 * above 127 belongs to no class and is never folded.
 */
#pragma once

#include <stdbool.h>

static inline bool
ascii_is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

static inline bool
ascii_is_upper(unsigned char c)
{
    return c >= 'A' && c <= 'Z';
}

static inline bool
ascii_is_alpha(unsigned char c)
{
    return ascii_is_upper(c) || (c >= 'a' && c <= 'z');
}

static inline bool
ascii_is_alnum(unsigned char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c);
}

/* WSP of RFC 5234: space or tab. */
static inline bool
ascii_is_blank(unsigned char c)
{
    return c == ' ' || c == '\t';
}

static inline bool
ascii_is_control(unsigned char c)
{
    return c < 32 || c == 127;
}

static inline unsigned char
ascii_lower(unsigned char c)
{
    return ascii_is_upper(c) ? (unsigned char)(c + ('a' - 'A')) : c;
}

/* The value of a hexadecimal digit, or -1. */
static inline int
ascii_hex(unsigned char c)
{
    if (ascii_is_digit(c))
        return c - '0';
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The six bits of a character of Base64 (RFC 4648, 4), or -1. */
static inline int
ascii_base64(unsigned char c)
{
    if (ascii_is_upper(c))
        return c - 'A';
    if (ascii_is_alpha(c))
        return c - 'a' + 26;
    if (ascii_is_digit(c))
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}
