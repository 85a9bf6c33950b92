/* SPDX-License-Identifier: ISC */
#include <assert.h>
#include <stdint.h>

#include "mail/address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* A key is a fixed point: what it was made from again gives the same key. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str in = str_from_n(data, n);
    struct arena arena = {0};
    struct address a, again;

    if (address_parse_recipient(in, &a)) {
        assert(a.whole.n <= ADDRESS_MAX && a.local.n > 0);
        struct str key = address_key(&arena, &a);
        if (address_parse_recipient(a.whole, &again))
            assert(str_eq(key, address_key(&arena, &again)));
        assert(str_eq(domain_key(&arena, a.domain),
                      domain_key(&arena, domain_key(&arena, a.domain))));
    }
    struct str path = in;
    if (address_take_path(&path, true, &a))
        assert(path.n < in.n && a.whole.n <= ADDRESS_MAX);
    arena_fini(&arena);
    return 0;
}
