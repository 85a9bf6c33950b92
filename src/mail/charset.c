/* SPDX-License-Identifier: ISC */
#include "mail/charset.h"

#include <assert.h>
#include <errno.h>
#include <iconv.h>

#include "base/math.h"
#include "base/utf8.h"
#include "mail/charset_internal.h"

#define REPLACEMENT STR("\357\277\275") /* U+FFFD */

enum {
    ESC = 0x1B,
    SO = 0x0E,
    SI = 0x0F,
    ERRORS_MAX = 1000, /* of one text, before its name is not believed */
};

/* ---- conversions --------------------------------------------------------- */

/* The characters of Windows-1252 from 0x80 on; 0: none. */
static const uint16_t windows_1252[32] = {
    0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
    0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0,      0x017D, 0,
    0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
    0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178,
};

uint32_t
charset_windows(unsigned char octet)
{
    return octet < 0x80 || octet > 0x9F ? octet : windows_1252[octet - 0x80];
}

static void
add_latin(struct buf *to, struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c < 0x80)
            buf_add_char(to, (char)c);
        else
            utf8_add(to, charset_windows(c));
    }
}

static size_t
unit_size(enum charset_kind kind)
{
    if (kind == CHARSET_UTF16 || kind == CHARSET_WIDE2)
        return 2;
    return kind == CHARSET_WIDE4 ? 4 : 1;
}

/* Opened at the first use, then kept. (iconv_t)-1: this system does not know
 * the name. */
static iconv_t
open_set(const struct charset_name *c, size_t index)
{
    static struct {
        bool asked;
        iconv_t cd;
    } sets[CHARSET_NAMES];
    if (!sets[index].asked)
        sets[index].cd = iconv_open("UTF-8", c->iconv);
    sets[index].asked = true;
    return sets[index].cd;
}

/* The last character, where an accent might have followed it. */
static void
add_held_back(struct buf *to, iconv_t cd)
{
    char *out = buf_reserve(to, 64);
    size_t room = 64;
    if (iconv(cd, NULL, NULL, &out, &room) != (size_t)-1)
        to->n += 64 - room;
}

/* By iconv; what it does not like becomes U+FFFD, unit by unit. */
static void
add_converted(struct buf *to, struct str name, struct str text)
{
    size_t errors = 0, left = text.n, index = 0;
    char *in;
    const struct charset_name *c = charset_find(name, &index);
    iconv_t cd = c == NULL ? (iconv_t)-1 : open_set(c, index);
    if (cd == (iconv_t)-1) {
        add_latin(to, text);
        return;
    }
    memcpy(&in, &text.p, sizeof in); // iconv writes nothing there
    (void)iconv(cd, NULL, NULL, NULL, NULL);
    while (left > 0 && errors < ERRORS_MAX) {
        char *out = buf_reserve(to, left + left / 2 + 16);
        size_t room = to->cap - to->n, before = room;
        size_t got = iconv(cd, &in, &left, &out, &room);
        int why = got == (size_t)-1 ? errno : 0;
        to->n += before - room;
        if (why == 0)
            break;
        if (why == E2BIG)
            continue;
        buf_add(to, REPLACEMENT);
        errors++;
        if (why == EINVAL) // cut in the middle of a character
            break;
        size_t step = math_min(left, unit_size(c->kind));
        in += step;
        left -= step;
    }
    add_held_back(to, cd);
    if (errors == ERRORS_MAX)
        add_latin(to, str_from_n(in, left));
}

/* ---- looking at text ----------------------------------------------------- */

static bool
is_plain_octet(unsigned char c)
{
    return c < 0x80 && c != ESC && c != SO && c != SI;
}

/* Is any of the eight octets zero? */
static bool
has_zero(uint64_t eight)
{
    return ((eight - 0x0101010101010101U) & ~eight & 0x8080808080808080U) != 0;
}

/* ASCII, and no ISO-2022 of any kind. Eight octets at once: this is asked of
 * every text. */
static bool
is_plain(struct str s)
{
    size_t i = 0;
    uint64_t eight;
    static_assert(SI == (SO | 1), "found by one comparison");
    for (; i + sizeof eight <= s.n; i += sizeof eight) {
        memcpy(&eight, s.p + i, sizeof eight);
        if ((eight & 0x8080808080808080U) != 0 ||
            has_zero(eight ^ ESC * 0x0101010101010101U) ||
            has_zero((eight & 0xFEFEFEFEFEFEFEFEU) ^ SO * 0x0101010101010101U))
            return false;
    }
    while (i < s.n && is_plain_octet((unsigned char)s.p[i]))
        i++;
    return i == s.n;
}

/* Does the text end in the middle of this character? */
static bool
is_cut(struct str s)
{
    if (s.n > 3 || (unsigned char)s.p[0] < 0xC2)
        return false;
    for (size_t i = 1; i < s.n; i++)
        if (((unsigned char)s.p[i] & 0xC0) != 0x80)
            return false;
    return true;
}

/* Is it damaged UTF-8 rather than anything else? An octet or two do not matter
 * where others are right. */
static bool
mostly_utf8(struct str s)
{
    size_t good = 0, bad = 0;
    while (s.n > 0) {
        size_t n = utf8_first(s);
        if (n == 0 && good > 0 && is_cut(s))
            break;
        good += n > 1;
        bad += n == 0;
        s = str_from_pos(s, n == 0 ? 1 : n);
    }
    return good >= 2 * bad && (good > 0 || bad == 0);
}

/* Two zeros of three octets that are first, or second: text of the West in two
 * octets each. */
static const char *
wide_key(struct str s)
{
    size_t zeros[2] = {0, 0}, half = math_min(s.n, 1024) / 2;
    if (str_starts(s, STR("\377\376")))
        return "utf16le";
    if (str_starts(s, STR("\376\377")))
        return "utf16be";
    if (half < 2)
        return NULL;
    for (size_t i = 0; i < 2 * half; i++)
        zeros[i % 2] += s.p[i] == '\0';
    if (zeros[1] * 3 > half * 2 && zeros[0] * 10 < half)
        return "utf16le";
    if (zeros[0] * 3 > half * 2 && zeros[1] * 10 < half)
        return "utf16be";
    return NULL;
}

static void
add_wide(struct buf *to, const char *key, struct str text)
{
    if (!str_skip(&text, STR("\377\376")))
        (void)str_skip(&text, STR("\376\377"));
    add_converted(to, str_from(key), text);
}

/* ---- Japanese ------------------------------------------------------------ */

/* Strictly: no octet that EUC-JP would not have there. */
static bool
is_euc_jp(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        size_t more = c < 0x80 ? 0 : c == 0x8F ? 2 : 1;
        if (c >= 0x80 && c != 0x8E && c != 0x8F && (c < 0xA1 || c == 0xFF))
            return false;
        if (more > s.n - i - 1)
            return false;
        for (; more > 0; more--)
            if ((unsigned char)s.p[++i] < 0xA1)
                return false;
    }
    return true;
}

/* By way of EUC-JP, which iconv knows with all that Windows adds; its
 * ISO-2022-JP has neither that nor half-width kana. */
static void
add_iso2022(struct buf *to, struct str text, bool bare)
{
    struct buf euc = {0};
    jis_add_euc(&euc, text, bare);
    add_converted(to, STR("eucjp"), buf_str(&euc));
    buf_fini(&euc);
}

/* What says that it is ISO-2022-JP, and need not be. */
static void
add_japanese(struct buf *to, struct str text)
{
    bool escapes = str_find_char(text, ESC) >= 0;
    bool high = false;
    for (size_t i = 0; i < text.n && !high; i++)
        high = (unsigned char)text.p[i] >= 0x80;
    if (escapes || !high)
        add_iso2022(to, text, !escapes);
    else if (utf8_valid(text))
        buf_add(to, text);
    else
        add_converted(to, is_euc_jp(text) ? STR("eucjp") : STR("sjis"), text);
}

/* ---- Chinese ------------------------------------------------------------- */

static void
add_hz(struct buf *to, struct str name, struct str text)
{
    struct buf euc = {0};
    hz_add_euc(&euc, text);
    add_converted(to, name, buf_str(&euc));
    buf_fini(&euc);
}

/* ---- the choice ---------------------------------------------------------- */

static void
add_utf8(struct buf *to, struct str text)
{
    (void)str_skip(&text, STR("\357\273\277"));
    if (utf8_valid(text))
        buf_add(to, text);
    else if (mostly_utf8(text))
        utf8_add_mended(to, text);
    else
        add_latin(to, text);
}

static void
add_guessed(struct buf *to, struct str text)
{
    const char *wide = wide_key(text);
    if (wide != NULL)
        add_wide(to, wide, text);
    else if (jis_escaped(text))
        add_japanese(to, text);
    else
        add_utf8(to, text);
}

static void
add_utf16(struct buf *to, struct str text)
{
    const char *wide = wide_key(text);
    add_wide(to, wide == NULL ? "utf16le" : wide, text);
}

/* Can plain octets of this kind be anything but ASCII? */
static bool
may_be_other(enum charset_kind kind, struct str text)
{
    if (kind == CHARSET_UTF7)
        return str_find_char(text, '+') >= 0;
    if (kind == CHARSET_ISO2022)
        return str_find_char(text, '$') >= 0;
    if (kind == CHARSET_HZ)
        return str_find_char(text, '~') >= 0;
    return (kind == CHARSET_GUESS || unit_size(kind) > 1) &&
           str_find_char(text, '\0') >= 0;
}

void
charset_to_utf8(struct buf *to, struct str charset, struct str text)
{
    size_t index;
    const struct charset_name *set =
        charset.n == 0 ? NULL : charset_find(charset, &index);
    enum charset_kind kind = set == NULL ? CHARSET_GUESS : set->kind;
    bool plain = is_plain(text);

    if (plain && !may_be_other(kind, text)) {
        buf_add(to, text);
        return;
    }
    switch (kind) {
    case CHARSET_GUESS:
        add_guessed(to, text);
        return;
    case CHARSET_LATIN:
    case CHARSET_UTF8: // each is often said where the other is meant
        add_utf8(to, text);
        return;
    case CHARSET_UTF16:
        add_utf16(to, text);
        return;
    case CHARSET_ISO2022:
        add_japanese(to, text);
        return;
    case CHARSET_HZ:
        add_hz(to, charset, text);
        return;
    case CHARSET_ICONV:
    case CHARSET_UTF7:
    case CHARSET_WIDE2:
    case CHARSET_WIDE4:
        break;
    }
    add_converted(to, charset, text);
}
