/* SPDX-License-Identifier: ISC */
/*
 * The arguments of SMTP commands: one function per production. Pure; slices
 * borrow from the line.
 */
#pragma once

#include "mail/address.h"
#include "mail/envelope.h"

enum smtp_parse {
    SMTP_PARSE_OK = 0,
    SMTP_BAD_SYNTAX,
    SMTP_BAD_ADDRESS,
    SMTP_BAD_PARAM,     /* known, but its value is not, or given twice */
    SMTP_UNKNOWN_PARAM, /* 555 */
};

struct smtp_mail {
    struct address sender; /* whole is empty: the null reverse-path */
    uint64_t size;         /* RFC 1870; 0: not given */
    enum body_type body;
    bool smtputf8;
    enum dsn_ret ret;
    struct str envid;
};

struct smtp_rcpt {
    struct address recipient; /* domain is empty: bare postmaster */
    unsigned notify;
    struct str orcpt;
    bool orcpt_utf8; /* some of it is not ASCII: for SMTPUTF8 only */
};

struct smtp_bdat {
    uint64_t size;
    bool last;
};

enum smtp_parse smtp_parse_mail(struct str args, struct smtp_mail *mail);
enum smtp_parse smtp_parse_rcpt(struct str args, struct smtp_rcpt *rcpt);
/* BAD_PARAM: the size is known, what follows it is not. */
enum smtp_parse smtp_parse_bdat(struct str args, struct smtp_bdat *bdat);

/* The argument of EHLO and HELO: one word of ASCII. Stricter is unkind: it only
 * ends up in a trace field, and many machines do not know their name. */
bool smtp_parse_hello(struct str args);
