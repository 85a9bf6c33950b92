/* SPDX-License-Identifier: ISC */
/*
 * Filling a domain's delivery pattern. What a stranger wrote in RCPT TO ends
 * in a path here, so a name that could leave its place, "../x", "a/b", ".x"
 * (hidden, and a Maildir++ folder), is no name of a mailbox.
 */
#include "book/book_internal.h"

#include "base/ascii.h"

bool
book_user_valid(struct str user)
{
    if (user.n == 0 || user.p[0] == '.')
        return false;
    for (size_t i = 0; i < user.n; i++)
        if (user.p[i] == '/' || ascii_is_control((unsigned char)user.p[i]))
            return false;
    return true;
}

/* The next piece of a pattern: text as it is, or one of the two names. */
enum piece { PIECE_END = 0, PIECE_TEXT, PIECE_DOMAIN, PIECE_USER };

static enum piece
take_piece(struct str *in, struct str *text)
{
    if (in->n == 0)
        return PIECE_END;
    if (str_skip(in, STR("%{domain}")))
        return PIECE_DOMAIN;
    if (str_skip(in, STR("%{user}")))
        return PIECE_USER;
    ssize_t next = str_find_char(str_from_pos(*in, 1), '%');
    *text = next < 0 ? *in : str_first(*in, (size_t)next + 1);
    *in = str_from_pos(*in, text->n);
    return PIECE_TEXT;
}

bool
book_fill_pattern(struct arena *a, struct str pattern, struct str domain,
                  struct str user, struct str *out)
{
    struct buf b = {0};
    struct str text = STR_EMPTY;
    enum piece piece;

    if (!book_user_valid(user) || !book_user_valid(domain) || pattern.n == 0)
        return false;
    while ((piece = take_piece(&pattern, &text)) != PIECE_END)
        buf_add(&b, piece == PIECE_DOMAIN ? domain
                    : piece == PIECE_USER ? user
                                          : text);
    *out = arena_dup(a, buf_str(&b));
    buf_fini(&b);
    return true;
}
