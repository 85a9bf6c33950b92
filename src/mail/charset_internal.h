/* SPDX-License-Identifier: ISC */
/* The parts of charset.c: names (charsetname.c), Japanese (jis.c) and HZ
 * (hz.c), which call no iconv; and single characters, for html.c. */
#pragma once

#include "base/buf.h"
#include "base/str.h"

enum charset_kind {
    CHARSET_ICONV = 0, /* ASCII but for octets above 127, ESC, SO and SI */
    CHARSET_GUESS,
    CHARSET_LATIN, /* with what Windows-1252 adds */
    CHARSET_UTF7,  /* a "+" means something else */
    CHARSET_UTF8,
    CHARSET_UTF16, /* of either byte order */
    CHARSET_WIDE2, /* units of two octets, this order */
    CHARSET_WIDE4,
    CHARSET_ISO2022, /* Japanese, and what goes under that name */
    CHARSET_HZ,      /* Chinese behind a "~", which iconv does not know */
};

enum { CHARSET_NAMES = 192 }; /* room for them */

struct charset_name {
    const char *key, *iconv;
    enum charset_kind kind;
};

/* NULL: not one that mail uses. *index is below CHARSET_NAMES. */
const struct charset_name *charset_find(struct str name, size_t *index);

/* The character of an octet in Windows-1252; 0: it has none. */
uint32_t charset_windows(unsigned char octet);

/* Has it an escape sequence of ISO-2022-JP? */
bool jis_escaped(struct str s);
/* Appends ISO-2022-JP as EUC-JP. bare: its ESC octets may have got lost. */
void jis_add_euc(struct buf *to, struct str text, bool bare);
/* Appends HZ as EUC-CN. */
void hz_add_euc(struct buf *to, struct str text);
