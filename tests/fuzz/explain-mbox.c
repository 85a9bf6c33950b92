/* SPDX-License-Identifier: ISC */
/* Any octets as an mbox: in whatever pieces it comes, its messages are the
 * same, and none is longer than the file. The first octet is the size of a
 * piece. */
#include <assert.h>
#include <stdint.h>

#include "base/math.h"
#include "explain/mbox.h"

/* Messages, each with its length in front. */
static void
split(struct buf *to, struct str file, size_t step)
{
    struct mbox m = {0};
    struct mbox_message one;
    do {
        struct str piece = str_first(file, step);
        file = str_from_pos(file, piece.n);
        buf_add(&m.in, piece);
        m.ended = piece.n == 0;
        while (mbox_next(&m, &one)) {
            buf_addf(to, "%zu %d ", one.octets.n, one.only);
            buf_add(to, one.octets);
        }
    } while (!m.ended);
    mbox_fini(&m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct buf whole = {0}, pieces = {0};
    if (n == 0)
        return 0;
    struct str file = str_from_n(data + 1, n - 1);
    split(&whole, file, file.n + 1);
    split(&pieces, file, math_max(data[0], 1));
    assert(str_eq(buf_str(&whole), buf_str(&pieces)));
    buf_fini(&whole);
    buf_fini(&pieces);
    return 0;
}
