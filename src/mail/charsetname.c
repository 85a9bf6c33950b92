/* SPDX-License-Identifier: ISC */
#include "mail/charset_internal.h"

#include <assert.h>
#include <stdlib.h>

#include "base/ascii.h"

enum { KEY_LONGEST = 24 };

/* The sets that mail uses, by their key; sorted. Only these are ever asked of
 * iconv, so no message can name a thing that is none, or have each of its words
 * open another. */
static const struct charset_name names[] = {
    {"ansi",                "CP1252",            CHARSET_LATIN  },
    {"arabic",              "ISO-8859-6",        CHARSET_ICONV  },
    {"armscii8",            "ARMSCII-8",         CHARSET_ICONV  },
    {"big5",                "BIG5",              CHARSET_ICONV  },
    {"big5eten",            "BIG5",              CHARSET_ICONV  },
    {"big5hkscs",           "BIG5-HKSCS",        CHARSET_ICONV  },
    {"chinese",             "GB18030",           CHARSET_ICONV  },
    {"cnbig5",              "BIG5",              CHARSET_ICONV  },
    {"cngb",                "GB18030",           CHARSET_ICONV  },
    {"cp1250",              "CP1250",            CHARSET_ICONV  },
    {"cp1251",              "CP1251",            CHARSET_ICONV  },
    {"cp1252",              "CP1252",            CHARSET_LATIN  },
    {"cp1253",              "CP1253",            CHARSET_ICONV  },
    {"cp1254",              "CP1254",            CHARSET_ICONV  },
    {"cp1255",              "CP1255",            CHARSET_ICONV  },
    {"cp1256",              "CP1256",            CHARSET_ICONV  },
    {"cp1257",              "CP1257",            CHARSET_ICONV  },
    {"cp1258",              "CP1258",            CHARSET_ICONV  },
    {"cp437",               "CP437",             CHARSET_ICONV  },
    {"cp50220",             "EUC-JP-MS",         CHARSET_ISO2022},
    {"cp50221",             "EUC-JP-MS",         CHARSET_ISO2022},
    {"cp50222",             "EUC-JP-MS",         CHARSET_ISO2022},
    {"cp737",               "CP737",             CHARSET_ICONV  },
    {"cp775",               "CP775",             CHARSET_ICONV  },
    {"cp819",               "CP1252",            CHARSET_LATIN  },
    {"cp850",               "CP850",             CHARSET_ICONV  },
    {"cp852",               "CP852",             CHARSET_ICONV  },
    {"cp855",               "CP855",             CHARSET_ICONV  },
    {"cp857",               "CP857",             CHARSET_ICONV  },
    {"cp858",               "CP858",             CHARSET_ICONV  },
    {"cp860",               "CP860",             CHARSET_ICONV  },
    {"cp862",               "CP862",             CHARSET_ICONV  },
    {"cp863",               "CP863",             CHARSET_ICONV  },
    {"cp864",               "CP864",             CHARSET_ICONV  },
    {"cp865",               "CP865",             CHARSET_ICONV  },
    {"cp866",               "CP866",             CHARSET_ICONV  },
    {"cp874",               "CP874",             CHARSET_ICONV  },
    {"cp932",               "CP932",             CHARSET_ICONV  },
    {"cp936",               "GB18030",           CHARSET_ICONV  },
    {"cp949",               "CP949",             CHARSET_ICONV  },
    {"cp950",               "BIG5",              CHARSET_ICONV  },
    {"csbig5",              "BIG5",              CHARSET_ICONV  },
    {"cseuckr",             "CP949",             CHARSET_ICONV  },
    {"cseucpkdfmtjapanese", "EUC-JP-MS",         CHARSET_ICONV  },
    {"csgb2312",            "GB18030",           CHARSET_ICONV  },
    {"csiso2022jp",         "EUC-JP-MS",         CHARSET_ISO2022},
    {"csiso2022kr",         "ISO-2022-KR",       CHARSET_ICONV  },
    {"cskoi8r",             "KOI8-R",            CHARSET_ICONV  },
    {"csshiftjis",          "CP932",             CHARSET_ICONV  },
    {"csunicode",           "UTF-16LE",          CHARSET_UTF16  },
    {"csunicode11utf7",     "UTF-7",             CHARSET_UTF7   },
    {"csviscii",            "VISCII",            CHARSET_ICONV  },
    {"cswindows31j",        "CP932",             CHARSET_ICONV  },
    {"cyrillic",            "ISO-8859-5",        CHARSET_ICONV  },
    {"euccn",               "GB18030",           CHARSET_ICONV  },
    {"eucjp",               "EUC-JP-MS",         CHARSET_ICONV  },
    {"eucjpms",             "EUC-JP-MS",         CHARSET_ICONV  },
    {"euckr",               "CP949",             CHARSET_ICONV  },
    {"euctw",               "EUC-TW",            CHARSET_ICONV  },
    {"gb18030",             "GB18030",           CHARSET_ICONV  },
    {"gb2312",              "GB18030",           CHARSET_ICONV  },
    {"gb231280",            "GB18030",           CHARSET_ICONV  },
    {"gbk",                 "GB18030",           CHARSET_ICONV  },
    {"georgianps",          "GEORGIAN-PS",       CHARSET_ICONV  },
    {"greek",               "ISO-8859-7",        CHARSET_ICONV  },
    {"hebrew",              "ISO-8859-8",        CHARSET_ICONV  },
    {"hz",                  "GB18030",           CHARSET_HZ     },
    {"hzgb2312",            "GB18030",           CHARSET_HZ     },
    {"ibm437",              "CP437",             CHARSET_ICONV  },
    {"ibm737",              "CP737",             CHARSET_ICONV  },
    {"ibm775",              "CP775",             CHARSET_ICONV  },
    {"ibm819",              "CP1252",            CHARSET_LATIN  },
    {"ibm850",              "CP850",             CHARSET_ICONV  },
    {"ibm852",              "CP852",             CHARSET_ICONV  },
    {"ibm855",              "CP855",             CHARSET_ICONV  },
    {"ibm857",              "CP857",             CHARSET_ICONV  },
    {"ibm858",              "CP858",             CHARSET_ICONV  },
    {"ibm860",              "CP860",             CHARSET_ICONV  },
    {"ibm862",              "CP862",             CHARSET_ICONV  },
    {"ibm863",              "CP863",             CHARSET_ICONV  },
    {"ibm864",              "CP864",             CHARSET_ICONV  },
    {"ibm865",              "CP865",             CHARSET_ICONV  },
    {"ibm866",              "CP866",             CHARSET_ICONV  },
    {"iso10646ucs2",        "UTF-16LE",          CHARSET_UTF16  },
    {"iso10646ucs4",        "UTF-32",            CHARSET_WIDE4  },
    {"iso2022cn",           "ISO-2022-CN",       CHARSET_ICONV  },
    {"iso2022jp",           "EUC-JP-MS",         CHARSET_ISO2022},
    {"iso2022jp1",          "EUC-JP-MS",         CHARSET_ISO2022},
    {"iso2022jp2",          "EUC-JP-MS",         CHARSET_ISO2022},
    {"iso2022jp3",          "EUC-JP-MS",         CHARSET_ISO2022},
    {"iso2022jpms",         "EUC-JP-MS",         CHARSET_ISO2022},
    {"iso2022kr",           "ISO-2022-KR",       CHARSET_ICONV  },
    {"iso88591",            "CP1252",            CHARSET_LATIN  },
    {"iso885910",           "ISO-8859-10",       CHARSET_ICONV  },
    {"iso885911",           "CP874",             CHARSET_ICONV  },
    {"iso885911987",        "CP1252",            CHARSET_LATIN  },
    {"iso885913",           "ISO-8859-13",       CHARSET_ICONV  },
    {"iso885914",           "ISO-8859-14",       CHARSET_ICONV  },
    {"iso885915",           "ISO-8859-15",       CHARSET_ICONV  },
    {"iso885916",           "ISO-8859-16",       CHARSET_ICONV  },
    {"iso88592",            "ISO-8859-2",        CHARSET_ICONV  },
    {"iso88593",            "ISO-8859-3",        CHARSET_ICONV  },
    {"iso88594",            "ISO-8859-4",        CHARSET_ICONV  },
    {"iso88595",            "ISO-8859-5",        CHARSET_ICONV  },
    {"iso88596",            "ISO-8859-6",        CHARSET_ICONV  },
    {"iso88596e",           "ISO-8859-6",        CHARSET_ICONV  },
    {"iso88596i",           "ISO-8859-6",        CHARSET_ICONV  },
    {"iso88597",            "ISO-8859-7",        CHARSET_ICONV  },
    {"iso88598",            "ISO-8859-8",        CHARSET_ICONV  },
    {"iso88598e",           "ISO-8859-8",        CHARSET_ICONV  },
    {"iso88598i",           "ISO-8859-8",        CHARSET_ICONV  },
    {"iso88599",            "CP1254",            CHARSET_ICONV  },
    {"isolatin1",           "CP1252",            CHARSET_LATIN  },
    {"jis",                 "EUC-JP-MS",         CHARSET_ISO2022},
    {"johab",               "JOHAB",             CHARSET_ICONV  },
    {"koi8",                "KOI8-R",            CHARSET_ICONV  },
    {"koi8r",               "KOI8-R",            CHARSET_ICONV  },
    {"koi8ru",              "KOI8-RU",           CHARSET_ICONV  },
    {"koi8u",               "KOI8-U",            CHARSET_ICONV  },
    {"korean",              "CP949",             CHARSET_ICONV  },
    {"ksc5601",             "CP949",             CHARSET_ICONV  },
    {"ksc56011987",         "CP949",             CHARSET_ICONV  },
    {"l1",                  "CP1252",            CHARSET_LATIN  },
    {"l2",                  "ISO-8859-2",        CHARSET_ICONV  },
    {"latin0",              "ISO-8859-15",       CHARSET_ICONV  },
    {"latin1",              "CP1252",            CHARSET_LATIN  },
    {"latin2",              "ISO-8859-2",        CHARSET_ICONV  },
    {"latin3",              "ISO-8859-3",        CHARSET_ICONV  },
    {"latin4",              "ISO-8859-4",        CHARSET_ICONV  },
    {"latin5",              "CP1254",            CHARSET_ICONV  },
    {"latin6",              "ISO-8859-10",       CHARSET_ICONV  },
    {"latin9",              "ISO-8859-15",       CHARSET_ICONV  },
    {"mac",                 "MACINTOSH",         CHARSET_ICONV  },
    {"macce",               "MAC-CENTRALEUROPE", CHARSET_ICONV  },
    {"maccentraleurope",    "MAC-CENTRALEUROPE", CHARSET_ICONV  },
    {"maccyrillic",         "MAC-CYRILLIC",      CHARSET_ICONV  },
    {"macintosh",           "MACINTOSH",         CHARSET_ICONV  },
    {"macroman",            "MACINTOSH",         CHARSET_ICONV  },
    {"ms932",               "CP932",             CHARSET_ICONV  },
    {"ms936",               "GB18030",           CHARSET_ICONV  },
    {"ms949",               "CP949",             CHARSET_ICONV  },
    {"mskanji",             "CP932",             CHARSET_ICONV  },
    {"shiftjis",            "CP932",             CHARSET_ICONV  },
    {"sjis",                "CP932",             CHARSET_ICONV  },
    {"tcvn",                "TCVN",              CHARSET_ICONV  },
    {"tcvn57121",           "TCVN",              CHARSET_ICONV  },
    {"tis620",              "CP874",             CHARSET_ICONV  },
    {"ucs2",                "UTF-16LE",          CHARSET_UTF16  },
    {"ucs2be",              "UTF-16BE",          CHARSET_WIDE2  },
    {"ucs2le",              "UTF-16LE",          CHARSET_UTF16  },
    {"ucs4",                "UTF-32",            CHARSET_WIDE4  },
    {"uhc",                 "CP949",             CHARSET_ICONV  },
    {"ujis",                "EUC-JP-MS",         CHARSET_ICONV  },
    {"unicode",             "UTF-16LE",          CHARSET_UTF16  },
    {"unicode11utf7",       "UTF-7",             CHARSET_UTF7   },
    {"unicode11utf8",       "UTF-8",             CHARSET_UTF8   },
    {"unicode20utf8",       "UTF-8",             CHARSET_UTF8   },
    {"utf16",               "UTF-16LE",          CHARSET_UTF16  },
    {"utf16be",             "UTF-16BE",          CHARSET_WIDE2  },
    {"utf16le",             "UTF-16LE",          CHARSET_UTF16  },
    {"utf32",               "UTF-32",            CHARSET_WIDE4  },
    {"utf32be",             "UTF-32",            CHARSET_WIDE4  },
    {"utf32le",             "UTF-32LE",          CHARSET_WIDE4  },
    {"utf7",                "UTF-7",             CHARSET_UTF7   },
    {"utf8",                "UTF-8",             CHARSET_UTF8   },
    {"utf8mb4",             "UTF-8",             CHARSET_UTF8   },
    {"viscii",              "VISCII",            CHARSET_ICONV  },
    {"win1250",             "CP1250",            CHARSET_ICONV  },
    {"win1251",             "CP1251",            CHARSET_ICONV  },
    {"win1252",             "CP1252",            CHARSET_LATIN  },
    {"win1253",             "CP1253",            CHARSET_ICONV  },
    {"win1254",             "CP1254",            CHARSET_ICONV  },
    {"win1255",             "CP1255",            CHARSET_ICONV  },
    {"win1256",             "CP1256",            CHARSET_ICONV  },
    {"win1257",             "CP1257",            CHARSET_ICONV  },
    {"win1258",             "CP1258",            CHARSET_ICONV  },
    {"windows1250",         "CP1250",            CHARSET_ICONV  },
    {"windows1251",         "CP1251",            CHARSET_ICONV  },
    {"windows1252",         "CP1252",            CHARSET_LATIN  },
    {"windows1253",         "CP1253",            CHARSET_ICONV  },
    {"windows1254",         "CP1254",            CHARSET_ICONV  },
    {"windows1255",         "CP1255",            CHARSET_ICONV  },
    {"windows1256",         "CP1256",            CHARSET_ICONV  },
    {"windows1257",         "CP1257",            CHARSET_ICONV  },
    {"windows1258",         "CP1258",            CHARSET_ICONV  },
    {"windows31j",          "CP932",             CHARSET_ICONV  },
    {"windows874",          "CP874",             CHARSET_ICONV  },
    {"windows936",          "GB18030",           CHARSET_ICONV  },
    {"windows949",          "CP949",             CHARSET_ICONV  },
    {"windows950",          "BIG5",              CHARSET_ICONV  },
};

static_assert(sizeof names / sizeof *names <= CHARSET_NAMES, "no room");

/* "x-SJIS; format=flowed" is "sjis": letters and digits, in lower case. */
static struct str
name_key(struct str name, char key[KEY_LONGEST])
{
    size_t n = 0;
    while (name.n > 0 && (name.p[0] == '"' || name.p[0] == '\'' ||
                          ascii_is_blank((unsigned char)name.p[0])))
        name = str_from_pos(name, 1);
    (void)str_skip_nocase(&name, STR("x-"));
    for (size_t i = 0; i < name.n && n < KEY_LONGEST; i++) {
        unsigned char c = ascii_lower((unsigned char)name.p[i]);
        if (c == '-' || c == '_' || c == '.' || c == ':')
            continue;
        if (!ascii_is_alnum(c))
            break;
        key[n++] = (char)c;
    }
    return str_from_n(key, n);
}

static int
compare_key(const void *key, const void *entry)
{
    const struct str *k = key;
    const struct charset_name *c = entry;
    return str_compare(*k, str_from(c->key));
}

const struct charset_name *
charset_find(struct str name, size_t *index)
{
    char room[KEY_LONGEST];
    struct str key = name_key(name, room);
    const struct charset_name *found = bsearch(
        &key, names, sizeof names / sizeof *names, sizeof *names, compare_key);
    if (found != NULL)
        *index = (size_t)(found - names);
    return found;
}
