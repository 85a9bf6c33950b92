/* SPDX-License-Identifier: ISC */
#include <assert.h>
#include <stdint.h>

#include "mail/envelope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* There is one form of each envelope: decoded and encoded again it is the
 * same octets. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str in = str_from_n(data, n);
    struct arena arena = {0};
    struct envelope e;
    struct buf b = {0};

    if (envelope_decode(&arena, in, &e)) {
        envelope_encode(&b, &e);
        assert(str_eq(buf_str(&b), in));
    }
    buf_fini(&b);
    arena_fini(&arena);
    return 0;
}
