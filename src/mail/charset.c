/* SPDX-License-Identifier: ISC */
#include "mail/charset.h"

#include <errno.h>
#include <iconv.h>
#include <stdlib.h>

#include "base/ascii.h"
#include "base/math.h"
#include "base/utf8.h"
#include "mail/charset_internal.h"

#define REPLACEMENT STR("\357\277\275") /* U+FFFD */

enum {
    ESC = 0x1B,
    SO = 0x0E,
    SI = 0x0F,
    KEY_LONGEST = 24,
    ERRORS_MAX = 1000, /* of one text, before its name is not believed */
};

/* ---- names --------------------------------------------------------------- */

enum kind {
    KIND_ICONV = 0, /* ASCII but for octets above 127, ESC, SO and SI */
    KIND_GUESS,
    KIND_LATIN, /* with what Windows-1252 adds */
    KIND_UTF7,  /* a "+" means something else */
    KIND_UTF8,
    KIND_UTF16,   /* of either byte order */
    KIND_WIDE,    /* units of two or four octets */
    KIND_ISO2022, /* Japanese, and what goes under that name */
};

/* Sets that mail uses, by their key; sorted. Only these are ever asked of
 * iconv, so no message can name a thing that is none, or have each of its words
 * open another. An entry is opened at its first use and stays open. */
static struct set {
    const char *key, *name;
    enum kind kind;
    bool asked;
    iconv_t cd; /* (iconv_t)-1: this system does not know it */
} sets[] = {
    {"ansi",                "CP1252",            KIND_LATIN,   false, NULL},
    {"arabic",              "ISO-8859-6",        KIND_ICONV,   false, NULL},
    {"armscii8",            "ARMSCII-8",         KIND_ICONV,   false, NULL},
    {"big5",                "BIG5",              KIND_ICONV,   false, NULL},
    {"big5eten",            "BIG5",              KIND_ICONV,   false, NULL},
    {"big5hkscs",           "BIG5-HKSCS",        KIND_ICONV,   false, NULL},
    {"chinese",             "GB18030",           KIND_ICONV,   false, NULL},
    {"cnbig5",              "BIG5",              KIND_ICONV,   false, NULL},
    {"cngb",                "GB18030",           KIND_ICONV,   false, NULL},
    {"cp1250",              "CP1250",            KIND_ICONV,   false, NULL},
    {"cp1251",              "CP1251",            KIND_ICONV,   false, NULL},
    {"cp1252",              "CP1252",            KIND_LATIN,   false, NULL},
    {"cp1253",              "CP1253",            KIND_ICONV,   false, NULL},
    {"cp1254",              "CP1254",            KIND_ICONV,   false, NULL},
    {"cp1255",              "CP1255",            KIND_ICONV,   false, NULL},
    {"cp1256",              "CP1256",            KIND_ICONV,   false, NULL},
    {"cp1257",              "CP1257",            KIND_ICONV,   false, NULL},
    {"cp1258",              "CP1258",            KIND_ICONV,   false, NULL},
    {"cp437",               "CP437",             KIND_ICONV,   false, NULL},
    {"cp50220",             "EUC-JP-MS",         KIND_ISO2022, false, NULL},
    {"cp50221",             "EUC-JP-MS",         KIND_ISO2022, false, NULL},
    {"cp50222",             "EUC-JP-MS",         KIND_ISO2022, false, NULL},
    {"cp737",               "CP737",             KIND_ICONV,   false, NULL},
    {"cp775",               "CP775",             KIND_ICONV,   false, NULL},
    {"cp819",               "CP1252",            KIND_LATIN,   false, NULL},
    {"cp850",               "CP850",             KIND_ICONV,   false, NULL},
    {"cp852",               "CP852",             KIND_ICONV,   false, NULL},
    {"cp855",               "CP855",             KIND_ICONV,   false, NULL},
    {"cp857",               "CP857",             KIND_ICONV,   false, NULL},
    {"cp858",               "CP858",             KIND_ICONV,   false, NULL},
    {"cp860",               "CP860",             KIND_ICONV,   false, NULL},
    {"cp862",               "CP862",             KIND_ICONV,   false, NULL},
    {"cp863",               "CP863",             KIND_ICONV,   false, NULL},
    {"cp864",               "CP864",             KIND_ICONV,   false, NULL},
    {"cp865",               "CP865",             KIND_ICONV,   false, NULL},
    {"cp866",               "CP866",             KIND_ICONV,   false, NULL},
    {"cp874",               "CP874",             KIND_ICONV,   false, NULL},
    {"cp932",               "CP932",             KIND_ICONV,   false, NULL},
    {"cp936",               "GB18030",           KIND_ICONV,   false, NULL},
    {"cp949",               "CP949",             KIND_ICONV,   false, NULL},
    {"cp950",               "BIG5",              KIND_ICONV,   false, NULL},
    {"csbig5",              "BIG5",              KIND_ICONV,   false, NULL},
    {"cseuckr",             "CP949",             KIND_ICONV,   false, NULL},
    {"cseucpkdfmtjapanese", "EUC-JP-MS",         KIND_ICONV,   false, NULL},
    {"csgb2312",            "GB18030",           KIND_ICONV,   false, NULL},
    {"csiso2022jp",         "EUC-JP-MS",         KIND_ISO2022, false, NULL},
    {"csiso2022kr",         "ISO-2022-KR",       KIND_ICONV,   false, NULL},
    {"cskoi8r",             "KOI8-R",            KIND_ICONV,   false, NULL},
    {"csshiftjis",          "CP932",             KIND_ICONV,   false, NULL},
    {"csunicode",           "UTF-16LE",          KIND_UTF16,   false, NULL},
    {"csunicode11utf7",     "UTF-7",             KIND_UTF7,    false, NULL},
    {"csviscii",            "VISCII",            KIND_ICONV,   false, NULL},
    {"cswindows31j",        "CP932",             KIND_ICONV,   false, NULL},
    {"cyrillic",            "ISO-8859-5",        KIND_ICONV,   false, NULL},
    {"euccn",               "GB18030",           KIND_ICONV,   false, NULL},
    {"eucjp",               "EUC-JP-MS",         KIND_ICONV,   false, NULL},
    {"eucjpms",             "EUC-JP-MS",         KIND_ICONV,   false, NULL},
    {"euckr",               "CP949",             KIND_ICONV,   false, NULL},
    {"euctw",               "EUC-TW",            KIND_ICONV,   false, NULL},
    {"gb18030",             "GB18030",           KIND_ICONV,   false, NULL},
    {"gb2312",              "GB18030",           KIND_ICONV,   false, NULL},
    {"gb231280",            "GB18030",           KIND_ICONV,   false, NULL},
    {"gbk",                 "GB18030",           KIND_ICONV,   false, NULL},
    {"georgianps",          "GEORGIAN-PS",       KIND_ICONV,   false, NULL},
    {"greek",               "ISO-8859-7",        KIND_ICONV,   false, NULL},
    {"hebrew",              "ISO-8859-8",        KIND_ICONV,   false, NULL},
    {"ibm437",              "CP437",             KIND_ICONV,   false, NULL},
    {"ibm737",              "CP737",             KIND_ICONV,   false, NULL},
    {"ibm775",              "CP775",             KIND_ICONV,   false, NULL},
    {"ibm819",              "CP1252",            KIND_LATIN,   false, NULL},
    {"ibm850",              "CP850",             KIND_ICONV,   false, NULL},
    {"ibm852",              "CP852",             KIND_ICONV,   false, NULL},
    {"ibm855",              "CP855",             KIND_ICONV,   false, NULL},
    {"ibm857",              "CP857",             KIND_ICONV,   false, NULL},
    {"ibm858",              "CP858",             KIND_ICONV,   false, NULL},
    {"ibm860",              "CP860",             KIND_ICONV,   false, NULL},
    {"ibm862",              "CP862",             KIND_ICONV,   false, NULL},
    {"ibm863",              "CP863",             KIND_ICONV,   false, NULL},
    {"ibm864",              "CP864",             KIND_ICONV,   false, NULL},
    {"ibm865",              "CP865",             KIND_ICONV,   false, NULL},
    {"ibm866",              "CP866",             KIND_ICONV,   false, NULL},
    {"iso10646ucs2",        "UTF-16LE",          KIND_UTF16,   false, NULL},
    {"iso10646ucs4",        "UTF-32",            KIND_WIDE,    false, NULL},
    {"iso2022cn",           "ISO-2022-CN",       KIND_ICONV,   false, NULL},
    {"iso2022jp",           "EUC-JP-MS",         KIND_ISO2022, false, NULL},
    {"iso2022jp1",          "EUC-JP-MS",         KIND_ISO2022, false, NULL},
    {"iso2022jp2",          "EUC-JP-MS",         KIND_ISO2022, false, NULL},
    {"iso2022jp3",          "EUC-JP-MS",         KIND_ISO2022, false, NULL},
    {"iso2022jpms",         "EUC-JP-MS",         KIND_ISO2022, false, NULL},
    {"iso2022kr",           "ISO-2022-KR",       KIND_ICONV,   false, NULL},
    {"iso88591",            "CP1252",            KIND_LATIN,   false, NULL},
    {"iso885910",           "ISO-8859-10",       KIND_ICONV,   false, NULL},
    {"iso885911",           "CP874",             KIND_ICONV,   false, NULL},
    {"iso885911987",        "CP1252",            KIND_LATIN,   false, NULL},
    {"iso885913",           "ISO-8859-13",       KIND_ICONV,   false, NULL},
    {"iso885914",           "ISO-8859-14",       KIND_ICONV,   false, NULL},
    {"iso885915",           "ISO-8859-15",       KIND_ICONV,   false, NULL},
    {"iso885916",           "ISO-8859-16",       KIND_ICONV,   false, NULL},
    {"iso88592",            "ISO-8859-2",        KIND_ICONV,   false, NULL},
    {"iso88593",            "ISO-8859-3",        KIND_ICONV,   false, NULL},
    {"iso88594",            "ISO-8859-4",        KIND_ICONV,   false, NULL},
    {"iso88595",            "ISO-8859-5",        KIND_ICONV,   false, NULL},
    {"iso88596",            "ISO-8859-6",        KIND_ICONV,   false, NULL},
    {"iso88596e",           "ISO-8859-6",        KIND_ICONV,   false, NULL},
    {"iso88596i",           "ISO-8859-6",        KIND_ICONV,   false, NULL},
    {"iso88597",            "ISO-8859-7",        KIND_ICONV,   false, NULL},
    {"iso88598",            "ISO-8859-8",        KIND_ICONV,   false, NULL},
    {"iso88598e",           "ISO-8859-8",        KIND_ICONV,   false, NULL},
    {"iso88598i",           "ISO-8859-8",        KIND_ICONV,   false, NULL},
    {"iso88599",            "CP1254",            KIND_ICONV,   false, NULL},
    {"isolatin1",           "CP1252",            KIND_LATIN,   false, NULL},
    {"jis",                 "EUC-JP-MS",         KIND_ISO2022, false, NULL},
    {"johab",               "JOHAB",             KIND_ICONV,   false, NULL},
    {"koi8",                "KOI8-R",            KIND_ICONV,   false, NULL},
    {"koi8r",               "KOI8-R",            KIND_ICONV,   false, NULL},
    {"koi8ru",              "KOI8-RU",           KIND_ICONV,   false, NULL},
    {"koi8u",               "KOI8-U",            KIND_ICONV,   false, NULL},
    {"korean",              "CP949",             KIND_ICONV,   false, NULL},
    {"ksc5601",             "CP949",             KIND_ICONV,   false, NULL},
    {"ksc56011987",         "CP949",             KIND_ICONV,   false, NULL},
    {"l1",                  "CP1252",            KIND_LATIN,   false, NULL},
    {"l2",                  "ISO-8859-2",        KIND_ICONV,   false, NULL},
    {"latin0",              "ISO-8859-15",       KIND_ICONV,   false, NULL},
    {"latin1",              "CP1252",            KIND_LATIN,   false, NULL},
    {"latin2",              "ISO-8859-2",        KIND_ICONV,   false, NULL},
    {"latin3",              "ISO-8859-3",        KIND_ICONV,   false, NULL},
    {"latin4",              "ISO-8859-4",        KIND_ICONV,   false, NULL},
    {"latin5",              "CP1254",            KIND_ICONV,   false, NULL},
    {"latin6",              "ISO-8859-10",       KIND_ICONV,   false, NULL},
    {"latin9",              "ISO-8859-15",       KIND_ICONV,   false, NULL},
    {"mac",                 "MACINTOSH",         KIND_ICONV,   false, NULL},
    {"macce",               "MAC-CENTRALEUROPE", KIND_ICONV,   false, NULL},
    {"maccentraleurope",    "MAC-CENTRALEUROPE", KIND_ICONV,   false, NULL},
    {"maccyrillic",         "MAC-CYRILLIC",      KIND_ICONV,   false, NULL},
    {"macintosh",           "MACINTOSH",         KIND_ICONV,   false, NULL},
    {"macroman",            "MACINTOSH",         KIND_ICONV,   false, NULL},
    {"ms932",               "CP932",             KIND_ICONV,   false, NULL},
    {"ms936",               "GB18030",           KIND_ICONV,   false, NULL},
    {"ms949",               "CP949",             KIND_ICONV,   false, NULL},
    {"mskanji",             "CP932",             KIND_ICONV,   false, NULL},
    {"shiftjis",            "CP932",             KIND_ICONV,   false, NULL},
    {"sjis",                "CP932",             KIND_ICONV,   false, NULL},
    {"tcvn",                "TCVN",              KIND_ICONV,   false, NULL},
    {"tcvn57121",           "TCVN",              KIND_ICONV,   false, NULL},
    {"tis620",              "CP874",             KIND_ICONV,   false, NULL},
    {"ucs2",                "UTF-16LE",          KIND_UTF16,   false, NULL},
    {"ucs2be",              "UTF-16BE",          KIND_WIDE,    false, NULL},
    {"ucs2le",              "UTF-16LE",          KIND_UTF16,   false, NULL},
    {"ucs4",                "UTF-32",            KIND_WIDE,    false, NULL},
    {"uhc",                 "CP949",             KIND_ICONV,   false, NULL},
    {"ujis",                "EUC-JP-MS",         KIND_ICONV,   false, NULL},
    {"unicode",             "UTF-16LE",          KIND_UTF16,   false, NULL},
    {"unicode11utf7",       "UTF-7",             KIND_UTF7,    false, NULL},
    {"unicode11utf8",       "UTF-8",             KIND_UTF8,    false, NULL},
    {"unicode20utf8",       "UTF-8",             KIND_UTF8,    false, NULL},
    {"utf16",               "UTF-16LE",          KIND_UTF16,   false, NULL},
    {"utf16be",             "UTF-16BE",          KIND_WIDE,    false, NULL},
    {"utf16le",             "UTF-16LE",          KIND_UTF16,   false, NULL},
    {"utf32",               "UTF-32",            KIND_WIDE,    false, NULL},
    {"utf32be",             "UTF-32",            KIND_WIDE,    false, NULL},
    {"utf32le",             "UTF-32LE",          KIND_WIDE,    false, NULL},
    {"utf7",                "UTF-7",             KIND_UTF7,    false, NULL},
    {"utf8",                "UTF-8",             KIND_UTF8,    false, NULL},
    {"utf8mb4",             "UTF-8",             KIND_UTF8,    false, NULL},
    {"viscii",              "VISCII",            KIND_ICONV,   false, NULL},
    {"win1250",             "CP1250",            KIND_ICONV,   false, NULL},
    {"win1251",             "CP1251",            KIND_ICONV,   false, NULL},
    {"win1252",             "CP1252",            KIND_LATIN,   false, NULL},
    {"win1253",             "CP1253",            KIND_ICONV,   false, NULL},
    {"win1254",             "CP1254",            KIND_ICONV,   false, NULL},
    {"win1255",             "CP1255",            KIND_ICONV,   false, NULL},
    {"win1256",             "CP1256",            KIND_ICONV,   false, NULL},
    {"win1257",             "CP1257",            KIND_ICONV,   false, NULL},
    {"win1258",             "CP1258",            KIND_ICONV,   false, NULL},
    {"windows1250",         "CP1250",            KIND_ICONV,   false, NULL},
    {"windows1251",         "CP1251",            KIND_ICONV,   false, NULL},
    {"windows1252",         "CP1252",            KIND_LATIN,   false, NULL},
    {"windows1253",         "CP1253",            KIND_ICONV,   false, NULL},
    {"windows1254",         "CP1254",            KIND_ICONV,   false, NULL},
    {"windows1255",         "CP1255",            KIND_ICONV,   false, NULL},
    {"windows1256",         "CP1256",            KIND_ICONV,   false, NULL},
    {"windows1257",         "CP1257",            KIND_ICONV,   false, NULL},
    {"windows1258",         "CP1258",            KIND_ICONV,   false, NULL},
    {"windows31j",          "CP932",             KIND_ICONV,   false, NULL},
    {"windows874",          "CP874",             KIND_ICONV,   false, NULL},
    {"windows936",          "GB18030",           KIND_ICONV,   false, NULL},
    {"windows949",          "CP949",             KIND_ICONV,   false, NULL},
    {"windows950",          "BIG5",              KIND_ICONV,   false, NULL},
};

/* "x-SJIS; format=flowed" is "sjis": letters and digits, in lower case. */
static struct str
name_key(struct str name, char key[KEY_LONGEST])
{
    size_t n = 0;
    while (name.n > 0 && (name.p[0] == '"' || name.p[0] == '\'' ||
                          ascii_is_blank((unsigned char)name.p[0])))
        name = str_from_pos(name, 1);
    (void)str_skip_nocase(&name, STR("x-"));
    for (size_t i = 0; i < name.n; i++) {
        unsigned char c = ascii_lower((unsigned char)name.p[i]);
        if (c == '-' || c == '_' || c == '.' || c == ':')
            continue;
        if (!ascii_is_alnum(c))
            break;
        if (n == KEY_LONGEST)
            return STR_EMPTY;
        key[n++] = (char)c;
    }
    return str_from_n(key, n);
}

static int
compare_key(const void *key, const void *entry)
{
    const struct str *k = key;
    const struct set *s = entry;
    return str_compare(*k, str_from(s->key));
}

/* NULL: not in the table. */
static struct set *
find_set(struct str name)
{
    char room[KEY_LONGEST];
    struct str key = name_key(name, room);
    return bsearch(&key, sets, sizeof sets / sizeof *sets, sizeof *sets,
                   compare_key);
}

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

/* By iconv; what it does not like becomes U+FFFD, octet by octet. */
static void
add_converted(struct buf *to, struct set *set, struct str text)
{
    size_t errors = 0, left = text.n;
    char *in;
    if (!set->asked)
        set->cd = iconv_open("UTF-8", set->name);
    set->asked = true;
    if (set->cd == (iconv_t)-1) {
        add_latin(to, text);
        return;
    }
    memcpy(&in, &text.p, sizeof in); // iconv writes nothing there
    (void)iconv(set->cd, NULL, NULL, NULL, NULL);
    while (left > 0 && errors < ERRORS_MAX) {
        char *out = buf_reserve(to, left + left / 2 + 16);
        size_t room = to->cap - to->n, before = room;
        size_t got = iconv(set->cd, &in, &left, &out, &room);
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
        in++;
        left--;
    }
    if (errors == ERRORS_MAX)
        add_latin(to, str_from_n(in, left));
}

static void
add_by_key(struct buf *to, const char *key, struct str text)
{
    add_converted(to, find_set(str_from(key)), text);
}

/* ---- looking at text ----------------------------------------------------- */

static bool
is_plain(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c >= 0x80 || c == ESC || c == SO || c == SI)
            return false;
    }
    return true;
}

/* Is it mended UTF-8 rather than anything else? A cut character or two do not
 * matter where others are right. */
static bool
mostly_utf8(struct str s)
{
    size_t good = 0, bad = 0;
    while (s.n > 0) {
        size_t n = utf8_first(s);
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
    add_by_key(to, key, text);
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

/* As EUC-JP, which iconv knows with all that Windows adds; its ISO-2022-JP has
 * neither that nor half-width kana (JIS X 0201), nor octets of its own. */
static void
add_iso2022(struct buf *to, struct str text, bool bare)
{
    struct buf euc = {0};
    struct jis j = {.bare = bare};
    for (size_t i = 0; i < text.n;) {
        size_t n = jis_escape(&j, text, i);
        i += n > 0 ? n : jis_character(&euc, &j, str_from_pos(text, i));
    }
    add_by_key(to, "eucjp", buf_str(&euc));
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
        add_by_key(to, is_euc_jp(text) ? "eucjp" : "sjis", text);
}

static bool
has_japanese_escape(struct str s)
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

/* ---- the choice ---------------------------------------------------------- */

static void
add_utf8(struct buf *to, struct str text)
{
    (void)str_skip(&text, STR("\357\273\277"));
    if (mostly_utf8(text))
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
    else if (has_japanese_escape(text))
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

void
charset_to_utf8(struct buf *to, struct str charset, struct str text)
{
    struct set *set = charset.n == 0 ? NULL : find_set(charset);
    enum kind kind = set == NULL ? KIND_GUESS : set->kind;
    bool plain = is_plain(text);

    if (plain && kind != KIND_GUESS) {
        bool other = false;
        if (kind == KIND_UTF7)
            other = str_find_char(text, '+') >= 0;
        else if (kind == KIND_UTF16 || kind == KIND_WIDE)
            other = str_find_char(text, '\0') >= 0;
        else if (kind == KIND_ISO2022)
            other = str_find_char(text, '$') >= 0;
        if (!other) {
            buf_add(to, text);
            return;
        }
    }
    switch (kind) {
    case KIND_GUESS:
        add_guessed(to, text);
        return;
    case KIND_LATIN:
    case KIND_UTF8: // each is often said where the other is meant
        add_utf8(to, text);
        return;
    case KIND_UTF16:
        add_utf16(to, text);
        return;
    case KIND_ISO2022:
        add_japanese(to, text);
        return;
    case KIND_ICONV:
    case KIND_UTF7:
    case KIND_WIDE:
        break;
    }
    add_converted(to, set, text);
}
