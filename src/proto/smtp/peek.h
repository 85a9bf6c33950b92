/* SPDX-License-Identifier: ISC */
/*
 * What a client that pipelines (RFC 2920) has said behind the command that the
 * machine is at: read ahead, so that what it will need can be asked for at once
 * and not a command at a time.
 *
 *     while ((what = smtp_peek(&rest, &mail, &rcpt)) != SMTP_PEEK_END)
 *         ...
 *
 * It changes nothing and promises nothing: whether a command is legal where it
 * stands is found out when the machine comes to it.
 */
#pragma once

#include "proto/smtp/parse.h"

enum smtp_peek {
    SMTP_PEEK_END = 0, /* no whole line, or none that leaves commands behind it
                          as they are: content, STARTTLS, AUTH, QUIT, ... */
    SMTP_PEEK_MAIL,    /* mail */
    SMTP_PEEK_RCPT,    /* rcpt */
    SMTP_PEEK_OTHER,   /* RSET, NOOP, or a line that is refused as it stands */
};

/* Takes one line from the input, but for END; slices borrow from it. */
enum smtp_peek smtp_peek(struct str *input, struct smtp_mail *mail,
                         struct smtp_rcpt *rcpt);
