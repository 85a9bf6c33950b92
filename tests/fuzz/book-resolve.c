/* SPDX-License-Identifier: ISC */
/*
 * Whatever a stranger writes in RCPT TO: a delivery path has its two names in
 * their two places and nothing else. In this book every domain is hosted and
 * every name is an account.
 */
#include <stdint.h>

#include "base/ascii.h"
#include "book/book.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static bool
find(void *ctx, struct str key, struct str *value)
{
    (void)ctx;
    if (str_starts(key, STR("d:")))
        *value = STR("\0\x1c\0\0\0maildir:/m/%{domain}/%{user}");
    else if (str_starts(key, STR("a:")))
        *value = STR("\0");
    else
        return false;
    return true;
}

static bool
is_one_name(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == '/' || ascii_is_control((unsigned char)s.p[i]))
            return false;
    return s.n > 0 && s.p[0] != '.';
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const struct book b = {.find = find, .hostname = STR("mx.example")};
    struct str in = str_from_n(data, n), domain, user;
    struct arena a = {0};
    struct address address;
    struct book_route route;

    if (address_take_path(&in, true, &address)) {
        book_resolve(&b, &a, &address, &route);
        if (route.answer == BOOK_ACCOUNT) {
            struct str path = route.delivery;
            if (!str_skip(&path, STR("maildir:/m/")) ||
                !str_cut(path, '/', &domain, &user) || !is_one_name(domain) ||
                !is_one_name(user))
                __builtin_trap();
        }
        (void)book_may_send_as(&b, &a, STR("ann@b.example"), &address);
    }
    arena_fini(&a);
    return 0;
}
