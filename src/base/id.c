/* SPDX-License-Identifier: ISC */
#include "base/id.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#define BASE62 "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
static const char base62[] = BASE62;
static const char base32[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

bool
msgid_eq(struct msgid a, struct msgid b)
{
    return a.writer == b.writer && a.seq == b.seq;
}

static size_t
format62(uint64_t v, char *out)
{
    char digits[11];
    size_t n = 0;
    do {
        digits[n++] = base62[v % 62];
        v /= 62;
    } while (v > 0);
    for (size_t i = 0; i < n; i++)
        out[i] = digits[n - 1 - i];
    return n;
}

struct str
msgid_format(struct msgid id, char out[MSGID_TEXT])
{
    size_t n = format62(id.writer, out);
    out[n++] = '-';
    n += format62(id.seq, out + n);
    out[n] = '\0';
    return (struct str){out, n};
}

static bool
parse62(struct str text, uint64_t *out)
{
    uint64_t v = 0;
    if (text.n == 0 || text.n > 11)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        ssize_t digit = str_find_char(STR(BASE62), text.p[i]);
        if (digit < 0 || __builtin_mul_overflow(v, 62, &v) ||
            __builtin_add_overflow(v, (uint64_t)digit, &v))
            return false;
    }
    *out = v;
    return true;
}

bool
msgid_parse(struct str text, struct msgid *id)
{
    struct str writer, seq;
    return str_cut(text, '-', &writer, &seq) && parse62(writer, &id->writer) &&
           parse62(seq, &id->seq);
}

/* One round function of the Feistel network below: 25 bits of a keyed hash. */
static uint32_t
mix(const unsigned char key[16], uint32_t half, uint64_t round)
{
    unsigned char text[20];
    for (size_t i = 0; i < 16; i++)
        text[i] = key[i];
    for (size_t i = 0; i < 4; i++)
        text[16 + i] = (unsigned char)(half >> (8 * i));
    return (uint32_t)(XXH64(text, sizeof text, round) & 0x1ffffff);
}

struct str
incident_format(const unsigned char key[16], unsigned worker, uint64_t counter,
                char out[INCIDENT_TEXT])
{
    uint64_t v = ((uint64_t)(worker & 0x3ff) << 40) | (counter & 0xffffffffff);
    uint32_t left = (uint32_t)(v >> 25), right = (uint32_t)(v & 0x1ffffff);
    for (uint64_t round = 0; round < 4; round++) {
        uint32_t next = left ^ mix(key, right, round);
        left = right;
        right = next;
    }
    v = (uint64_t)left << 25 | right;
    size_t n = 0;
    for (int shift = 45; shift >= 0; shift -= 5) {
        if (n == 5)
            out[n++] = '-';
        out[n++] = base32[v >> shift & 31];
    }
    out[n] = '\0';
    return (struct str){out, n};
}
