/* SPDX-License-Identifier: ISC */
#include <assert.h>
#include <stdint.h>

#include "receive/headscan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* A header is the same in whatever pieces it comes. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str in = str_from_n(data, n);
    struct headscan whole = {0}, pieces = {0};

    headscan_finish(&whole, in);
    for (size_t i = 0; i < in.n && !pieces.ended; i += 1 + n % 5)
        (void)headscan_look(&pieces, str_first(in, i));
    headscan_finish(&pieces, in);
    assert(whole.ended && pieces.ended && whole.end <= in.n);
    assert(whole.end == pieces.end && whole.no_gap == pieces.no_gap);
    assert(whole.received == pieces.received);
    assert(whole.has_id == pieces.has_id && whole.has_date == pieces.has_date);
    return 0;
}
