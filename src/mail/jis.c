/* SPDX-License-Identifier: ISC */
/* ISO-2022-JP (RFC 1468, 2237) and what goes under that name: half-width kana
 * by three ways, escapes that lost their ESC or never came. */
#include "mail/charset_internal.h"

enum { ESC = 0x1B, SO = 0x0E, SI = 0x0F };

enum jis_mode { JIS_ASCII = 0, JIS_KANJI, JIS_KANA, JIS_SUPPLEMENT };

struct jis {
    enum jis_mode mode;
    bool shifted; /* SO: kana until SI */
    bool bare;    /* somebody took the ESC out of the escapes */
    size_t tried; /* up to there no "$B" without ESC has its end */
};

/* The designation at the front, without its ESC; its length or 0. */
static size_t
designation(struct str s, enum jis_mode *mode)
{
    static const struct {
        const char *octets;
        enum jis_mode mode;
    } all[] = {
        {"$B",  JIS_KANJI     },
        {"$@",  JIS_KANJI     },
        {"(B",  JIS_ASCII     },
        {"(J",  JIS_ASCII     },
        {"(H",  JIS_ASCII     },
        {"(I",  JIS_KANA      },
        {"$(B", JIS_KANJI     },
        {"$(@", JIS_KANJI     },
        {"$(D", JIS_SUPPLEMENT},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct str octets = str_from(all[i].octets);
        if (!str_starts(s, octets))
            continue;
        *mode = all[i].mode;
        return octets.n;
    }
    return 0;
}

static bool
is_jis(unsigned char c)
{
    return c > 0x20 && c < 0x7F;
}

/* Does "$B" at `at` begin pairs that end with "(B" or "(J"? */
static bool
bare_kanji(struct jis *j, struct str s, size_t at)
{
    struct str here = str_from_pos(s, at);
    if (!j->bare || at < j->tried ||
        !(str_starts(here, STR("$B")) || str_starts(here, STR("$@"))))
        return false;
    for (size_t i = at + 2; i + 1 < s.n; i += 2) {
        struct str pair = {s.p + i, 2};
        if (str_eq(pair, STR("(B")) || str_eq(pair, STR("(J")))
            return i > at + 2;
        j->tried = i;
        if (!is_jis((unsigned char)pair.p[0]) ||
            !is_jis((unsigned char)pair.p[1]))
            return false;
    }
    j->tried = s.n;
    return false;
}

/* Octets of the escape at `at`, which is carried out; 0: none is there. */
static size_t
jis_escape(struct jis *j, struct str s, size_t at)
{
    struct str here = str_from_pos(s, at);
    switch ((unsigned char)here.p[0]) {
    case ESC:
        return 1 + designation(str_from_pos(here, 1), &j->mode);
    case SO:
    case SI:
        j->shifted = here.p[0] == SO;
        return 1;
    case '\n': // RFC 1468: each line begins in ASCII
        j->mode = JIS_ASCII;
        j->shifted = false;
        return 0;
    default:
        break;
    }
    if (j->mode == JIS_ASCII ? bare_kanji(j, s, at)
                             : j->bare && (str_starts(here, STR("(B")) ||
                                           str_starts(here, STR("(J"))))
        return designation(here, &j->mode);
    return 0;
}

/* Appends one character in EUC-JP; its octets in s. */
static size_t
jis_character(struct buf *to, const struct jis *j, struct str s)
{
    unsigned char c = (unsigned char)s.p[0];
    unsigned char d = s.n > 1 ? (unsigned char)s.p[1] : 0;
    bool kana = j->mode == JIS_KANA || j->shifted;
    if ((kana && c > 0x20 && c < 0x60) || (c > 0xA0 && c < 0xE0)) {
        buf_add_char(to, '\216');
        buf_add_char(to, (char)(c | 0x80));
        return 1;
    }
    if (j->mode == JIS_ASCII || kana || !is_jis(c) || !is_jis(d)) {
        buf_add_char(to, (char)c);
        return 1;
    }
    if (j->mode == JIS_SUPPLEMENT)
        buf_add_char(to, '\217');
    buf_add_char(to, (char)(c | 0x80));
    buf_add_char(to, (char)(d | 0x80));
    return 2;
}

void
jis_add_euc(struct buf *to, struct str text, bool bare)
{
    struct jis j = {.bare = bare};
    for (size_t i = 0; i < text.n;) {
        size_t n = jis_escape(&j, text, i);
        i += n > 0 ? n : jis_character(to, &j, str_from_pos(text, i));
    }
}

bool
jis_escaped(struct str s)
{
    enum jis_mode mode;
    for (;;) {
        ssize_t at = str_find_char(s, ESC);
        if (at < 0)
            return false;
        s = str_from_pos(s, (size_t)at + 1);
        if (designation(s, &mode) > 0)
            return true;
    }
}
