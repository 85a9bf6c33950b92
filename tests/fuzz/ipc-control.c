/* SPDX-License-Identifier: ISC */
/*
 * What a room may say to master, which is root. What decodes must encode to
 * the very same octets.
 */
#include <assert.h>
#include <stdint.h>

#include "ipc/control.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str frame = str_from_n(data, n);
    struct control_msg m;
    struct buf out = {0};

    if (control_decode(frame, &m)) {
        control_encode(&out, &m);
        assert(str_eq(frame, buf_str(&out)));
    }
    buf_fini(&out);
    return 0;
}
