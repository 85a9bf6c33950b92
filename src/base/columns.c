/* SPDX-License-Identifier: ISC */
#include "base/columns.h"

#include "base/utf8.h"

struct range {
    uint32_t from, to;
};

/* Marks that stand on the character before them. */
static const struct range marks[] = {
    {0x0300, 0x036F},
    {0x0E31, 0x0E31},
    {0x0E34, 0x0E3A},
    {0x0E47, 0x0E4E},
    {0x200B, 0x200F},
    {0x3099, 0x309A},
    {0xFE00, 0xFE0F},
    {0xFEFF, 0xFEFF},
};

static const struct range wide[] = {
    {0x1100,  0x115F },
    {0x2E80,  0x303E },
    {0x3041,  0xA4CF },
    {0xAC00,  0xD7A3 },
    {0xF900,  0xFAFF },
    {0xFE30,  0xFE6F },
    {0xFF01,  0xFF60 },
    {0xFFE0,  0xFFE6 },
    {0x1F300, 0x1FAFF},
    {0x20000, 0x3FFFD},
};

/* Never at the front of a line (JIS X 4051): closing marks, small kana. */
static const struct range not_first[] = {
    {'!',    '!'   },
    {')',    ')'   },
    {',',    '.'   },
    {':',    ';'   },
    {'?',    '?'   },
    {']',    ']'   },
    {0x2026, 0x2026},
    {0x3001, 0x3002},
    {0x3005, 0x3005},
    {0x3009, 0x3009},
    {0x300B, 0x300B},
    {0x300D, 0x300D},
    {0x300F, 0x300F},
    {0x3011, 0x3011},
    {0x3041, 0x3041},
    {0x3043, 0x3043},
    {0x3045, 0x3045},
    {0x3047, 0x3047},
    {0x3049, 0x3049},
    {0x3063, 0x3063},
    {0x3083, 0x3083},
    {0x3085, 0x3085},
    {0x3087, 0x3087},
    {0x30A1, 0x30A1},
    {0x30A3, 0x30A3},
    {0x30A5, 0x30A5},
    {0x30A7, 0x30A7},
    {0x30A9, 0x30A9},
    {0x30C3, 0x30C3},
    {0x30E3, 0x30E3},
    {0x30E5, 0x30E5},
    {0x30E7, 0x30E7},
    {0x30FB, 0x30FC},
    {0xFF01, 0xFF01},
    {0xFF09, 0xFF09},
    {0xFF0C, 0xFF0C},
    {0xFF0E, 0xFF0E},
    {0xFF1A, 0xFF1B},
    {0xFF1F, 0xFF1F},
};

/* Never at the end of one. */
static const struct range not_last[] = {
    {'(',    '('   },
    {'[',    '['   },
    {0x3008, 0x3008},
    {0x300A, 0x300A},
    {0x300C, 0x300C},
    {0x300E, 0x300E},
    {0x3010, 0x3010},
    {0xFF08, 0xFF08},
};

#define IS(ranges, c) is_in(ranges, sizeof(ranges) / sizeof *(ranges), c)

static bool
is_in(const struct range *r, size_t n, uint32_t c)
{
    for (size_t i = 0; i < n; i++)
        if (c >= r[i].from && c <= r[i].to)
            return true;
    return false;
}

static size_t
width_of(uint32_t c)
{
    if (c < 0x0300)
        return 1;
    if (IS(marks, c))
        return 0;
    return IS(wide, c) ? 2 : 1;
}

size_t
columns_width(struct str s)
{
    size_t width = 0, octets;
    while (s.n > 0) {
        width += width_of(utf8_decode(s, &octets));
        s = str_from_pos(s, octets);
    }
    return width;
}

/* May a line end between these two, which no blank parts? */
static bool
parts(uint32_t before, uint32_t after)
{
    if (width_of(before) < 2 && width_of(after) < 2)
        return false;
    return width_of(after) > 0 && !IS(not_first, after) &&
           !IS(not_last, before);
}

struct str
columns_take(struct str *text, size_t width)
{
    struct str s = str_trim(*text);
    size_t at = 0, column = 0, end = 0, octets;
    uint32_t before = ' ';

    while (at < s.n) {
        uint32_t c = utf8_decode(str_from_pos(s, at), &octets);
        if (c == ' ' ? before != ' ' : parts(before, c))
            end = at;
        column += width_of(c);
        if (column > width && end > 0 && c != ' ')
            break;
        before = c;
        at += octets;
    }
    if (at >= s.n)
        end = s.n;
    *text = str_trim(str_from_pos(s, end));
    return str_trim(str_first(s, end));
}
