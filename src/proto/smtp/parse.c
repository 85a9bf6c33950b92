/* SPDX-License-Identifier: ISC */
#include "proto/smtp/parse.h"

#include "base/ascii.h"
#include "base/utf8.h"

enum { SIZE_DIGITS = 20, ENVID_MAX = 100, ORCPT_MAX = 500, HELLO_MAX = 255 };

/* Each parameter may be given once. */
enum {
    SEEN_SIZE = 1,
    SEEN_BODY = 2,
    SEEN_UTF8 = 4,
    SEEN_RET = 8,
    SEEN_ENVID = 16,
    SEEN_AUTH = 32,
    SEEN_NOTIFY = 64,
    SEEN_ORCPT = 128,
};

static bool
is_keyword_octet(unsigned char c)
{
    return ascii_is_alnum(c) || c == '-';
}

static bool
is_value_octet(unsigned char c)
{
    return c > ' ' && c != '=' && c != 127;
}

/* SP esmtp-keyword [ "=" esmtp-value ]             RFC 5321, 4.1.2
 * Several spaces are read as one. */
static bool
take_param(struct str *in, struct str *key, struct str *value)
{
    size_t n = 0;
    struct str rest = *in;
    if (!str_skip_char(&rest, ' '))
        return false;
    while (str_skip_char(&rest, ' '))
        continue;
    while (n < rest.n && is_keyword_octet((unsigned char)rest.p[n]))
        n++;
    *key = str_first(rest, n);
    rest = str_from_pos(rest, n);
    *value = STR_EMPTY;
    if (n == 0)
        return false;
    if (str_skip_char(&rest, '=')) {
        for (n = 0; n < rest.n && is_value_octet((unsigned char)rest.p[n]);)
            n++;
        *value = str_first(rest, n);
        rest = str_from_pos(rest, n);
        if (n == 0)
            return false;
    }
    *in = rest;
    return true;
}

/* hexchar = "+" and two hexadecimal digits; -1: none */
static int
hexchar(struct str s)
{
    if (s.n < 3)
        return -1;
    int high = ascii_hex((unsigned char)s.p[1]);
    int low = ascii_hex((unsigned char)s.p[2]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/* xtext = *( xchar / hexchar )                     RFC 3461, 4
 * All that is written in it is printable ASCII: an id (4.4), an address. */
static bool
xtext_valid(struct str s)
{
    while (s.n > 0) {
        bool hex = s.p[0] == '+';
        int c = hex ? hexchar(s) : (unsigned char)s.p[0];
        if (c < ' ' || c > 126)
            return false;
        s = str_from_pos(s, hex ? 3 : 1);
    }
    return true;
}

static bool
first_time(unsigned *seen, unsigned bit)
{
    bool first = (*seen & bit) == 0;
    *seen |= bit;
    return first;
}

static enum smtp_parse
result(bool ok)
{
    return ok ? SMTP_PARSE_OK : SMTP_BAD_PARAM;
}

/* BODY=                                            RFC 6152, RFC 3030 */
static enum smtp_parse
parse_body(struct str value, enum body_type *body)
{
    *body = str_eq_nocase(value, STR("8BITMIME"))     ? BODY_8BITMIME
            : str_eq_nocase(value, STR("BINARYMIME")) ? BODY_BINARYMIME
                                                      : BODY_7BIT;
    return result(*body != BODY_7BIT || str_eq_nocase(value, STR("7BIT")));
}

/* size-value = 1*20DIGIT                           RFC 1870, 4
 * Beyond what we can count it is more than anybody takes, not wrong. */
static bool
parse_size(struct str value, uint64_t *size)
{
    if (str_to_u64(value, size))
        return true;
    for (size_t i = 0; i < value.n; i++)
        if (!ascii_is_digit((unsigned char)value.p[i]))
            return false;
    *size = UINT64_MAX;
    return value.n > 0 && value.n <= SIZE_DIGITS;
}

/* RET=                                             RFC 3461, 4.3 */
static enum smtp_parse
parse_ret(struct str value, enum dsn_ret *ret)
{
    *ret = str_eq_nocase(value, STR("FULL")) ? DSN_RET_FULL : DSN_RET_HDRS;
    return result(*ret == DSN_RET_FULL || str_eq_nocase(value, STR("HDRS")));
}

static enum smtp_parse
parse_mail_param(struct str key, struct str value, struct smtp_mail *mail,
                 unsigned *seen)
{
    if (str_eq_nocase(key, STR("SIZE"))) // RFC 1870
        return result(first_time(seen, SEEN_SIZE) &&
                      parse_size(value, &mail->size));
    if (str_eq_nocase(key, STR("BODY")))
        return first_time(seen, SEEN_BODY) ? parse_body(value, &mail->body)
                                           : SMTP_BAD_PARAM;
    if (str_eq_nocase(key, STR("SMTPUTF8"))) { // RFC 6531
        mail->smtputf8 = true;
        return result(first_time(seen, SEEN_UTF8) && value.n == 0);
    }
    if (str_eq_nocase(key, STR("RET")))
        return first_time(seen, SEEN_RET) ? parse_ret(value, &mail->ret)
                                          : SMTP_BAD_PARAM;
    if (str_eq_nocase(key, STR("ENVID"))) { // RFC 3461, 4.4
        mail->envid = value;
        return result(first_time(seen, SEEN_ENVID) && value.n > 0 &&
                      value.n <= ENVID_MAX && xtext_valid(value));
    }
    // RFC 4954, 5: nobody is trusted to speak for another; it is not kept.
    if (str_eq_nocase(key, STR("AUTH")))
        return result(first_time(seen, SEEN_AUTH) && value.n > 0 &&
                      xtext_valid(value));
    return SMTP_UNKNOWN_PARAM;
}

/* MAIL FROM:<reverse-path> [SP parameter]...       RFC 5321, 4.1.1.2 */
enum smtp_parse
smtp_parse_mail(struct str args, struct smtp_mail *mail)
{
    struct str key, value;
    unsigned seen = 0;

    *mail = (struct smtp_mail){.envid = STR_EMPTY};
    if (!str_skip_nocase(&args, STR("FROM:")))
        return SMTP_BAD_SYNTAX;
    if (!address_take_path(&args, false, &mail->sender))
        return SMTP_BAD_ADDRESS;
    while (take_param(&args, &key, &value)) {
        enum smtp_parse p = parse_mail_param(key, value, mail, &seen);
        if (p != SMTP_PARSE_OK)
            return p;
    }
    return args.n == 0 ? SMTP_PARSE_OK : SMTP_BAD_SYNTAX;
}

/* notify-esmtp-value                               RFC 3461, 4.1 */
static bool
parse_notify(struct str value, unsigned *notify)
{
    struct str word;
    bool more;
    if (str_eq_nocase(value, STR("NEVER"))) {
        *notify = NOTIFY_NEVER;
        return true;
    }
    do {
        more = str_cut(value, ',', &word, &value);
        if (str_eq_nocase(word, STR("SUCCESS")))
            *notify |= NOTIFY_SUCCESS;
        else if (str_eq_nocase(word, STR("FAILURE")))
            *notify |= NOTIFY_FAILURE;
        else if (str_eq_nocase(word, STR("DELAY")))
            *notify |= NOTIFY_DELAY;
        else
            return false;
    } while (more);
    return true;
}

/* utf-8-addr-unitext; its "\\x{HEX}" is taken as it stands. RFC 6533, 3 */
static bool
unitext_valid(struct str s)
{
    if (!utf8_valid(s))
        return false;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c <= ' ' || c == '+' || c == '=' || c == 0x7F)
            return false;
    }
    return true;
}

/* original-recipient-address = addr-type ";" xtext RFC 3461, 4.2; RFC 6533, 3
 */
static bool
parse_orcpt(struct str value, struct smtp_rcpt *rcpt)
{
    struct str type, address;
    rcpt->orcpt = value;
    if (value.n > ORCPT_MAX || !str_cut(value, ';', &type, &address) ||
        type.n == 0 || address.n == 0)
        return false;
    if (xtext_valid(address))
        return true;
    rcpt->orcpt_utf8 = true;
    return str_eq_nocase(type, STR("utf-8")) && unitext_valid(address);
}

static enum smtp_parse
parse_rcpt_param(struct str key, struct str value, struct smtp_rcpt *rcpt,
                 unsigned *seen)
{
    if (str_eq_nocase(key, STR("NOTIFY")))
        return result(first_time(seen, SEEN_NOTIFY) &&
                      parse_notify(value, &rcpt->notify));
    if (str_eq_nocase(key, STR("ORCPT")))
        return result(first_time(seen, SEEN_ORCPT) && parse_orcpt(value, rcpt));
    return SMTP_UNKNOWN_PARAM;
}

/* RCPT TO:<forward-path> [SP parameter]...         RFC 5321, 4.1.1.3 */
enum smtp_parse
smtp_parse_rcpt(struct str args, struct smtp_rcpt *rcpt)
{
    struct str key, value;
    unsigned seen = 0;

    *rcpt = (struct smtp_rcpt){.orcpt = STR_EMPTY};
    if (!str_skip_nocase(&args, STR("TO:")))
        return SMTP_BAD_SYNTAX;
    if (!address_take_path(&args, true, &rcpt->recipient) ||
        rcpt->recipient.whole.n == 0)
        return SMTP_BAD_ADDRESS;
    while (take_param(&args, &key, &value)) {
        enum smtp_parse p = parse_rcpt_param(key, value, rcpt, &seen);
        if (p != SMTP_PARSE_OK)
            return p;
    }
    return args.n == 0 ? SMTP_PARSE_OK : SMTP_BAD_SYNTAX;
}

/* chunk-size [SP "LAST"]                           RFC 3030, 2 */
enum smtp_parse
smtp_parse_bdat(struct str args, struct smtp_bdat *bdat)
{
    struct str size, last;
    bdat->last = str_cut(args, ' ', &size, &last);
    if (!str_to_u64(size, &bdat->size))
        return SMTP_BAD_SYNTAX;
    return result(!bdat->last || str_eq_nocase(last, STR("LAST")));
}

/* RFC 6531, 3.7.1: whether we can do more than ASCII is said in our answer. */
bool
smtp_parse_hello(struct str args)
{
    for (size_t i = 0; i < args.n; i++)
        if (args.p[i] == ' ' || (unsigned char)args.p[i] > 126)
            return false;
    return args.n > 0 && args.n <= HELLO_MAX;
}
