/* SPDX-License-Identifier: ISC */
#include "proto/smtp/peek.h"

#include "proto/smtp/server_internal.h"

static enum smtp_peek
look_at(struct str line, struct smtp_mail *mail, struct smtp_rcpt *rcpt)
{
    struct str verb, args;
    (void)str_cut(line, ' ', &verb, &args);
    if (str_eq_nocase(verb, STR("RCPT")))
        return smtp_parse_rcpt(args, rcpt) == SMTP_PARSE_OK ? SMTP_PEEK_RCPT
                                                            : SMTP_PEEK_OTHER;
    if (str_eq_nocase(verb, STR("MAIL")))
        return smtp_parse_mail(args, mail) == SMTP_PARSE_OK ? SMTP_PEEK_MAIL
                                                            : SMTP_PEEK_OTHER;
    return str_eq_nocase(verb, STR("RSET")) || str_eq_nocase(verb, STR("NOOP"))
               ? SMTP_PEEK_OTHER
               : SMTP_PEEK_END;
}

enum smtp_peek
smtp_peek(struct str *input, struct smtp_mail *mail, struct smtp_rcpt *rcpt)
{
    ssize_t lf = str_find_char(*input, '\n');
    if (lf < 0 || lf >= SERVER_LINE_MAX)
        return SMTP_PEEK_END;
    struct str line = str_first(*input, (size_t)lf + 1);
    bool proper = server_cut_end(&line) && !server_has_control(line);
    enum smtp_peek what = proper ? look_at(line, mail, rcpt) : SMTP_PEEK_OTHER;
    if (what != SMTP_PEEK_END)
        *input = str_from_pos(*input, (size_t)lf + 1);
    return what;
}
