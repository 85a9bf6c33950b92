/* SPDX-License-Identifier: ISC */
#include "os/digest.h"

#include <assert.h>
#include <limits.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/buf.h"
#include "base/wire.h"

void
digest_keyed(struct str key, const struct str *parts, size_t n,
             unsigned char out[DIGEST_OCTETS])
{
    struct buf b = {0};
    size_t room = 0;

    assert(key.n <= INT_MAX);
    for (size_t i = 0; i < n; i++)
        room += parts[i].n + sizeof(uint32_t);
    (void)buf_reserve(&b, room); // no copy is left behind by growing
    for (size_t i = 0; i < n; i++)
        wire_add_str(&b, parts[i]);
    const unsigned char *done =
        HMAC(EVP_sha256(), key.p, (int)key.n, (const unsigned char *)b.p, b.n,
             out, NULL);
    assert(done != NULL);
    buf_wipe(&b);
}
