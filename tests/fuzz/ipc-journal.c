/* SPDX-License-Identifier: ISC */
/*
 * What rooms tell the journal: their texts are what strangers said. What
 * decodes must encode to the very same octets.
 */
#include <assert.h>
#include <stdint.h>

#include "ipc/journal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str frame = str_from_n(data, n);
    struct arena a = {0};
    struct journal_msg m;
    struct buf out = {0};

    if (journal_decode(&a, frame, &m)) {
        if (m.type == JOURNAL_MSG_EVENTS) {
            journal_begin(&out, m.seq);
            for (size_t i = 0; i < m.n; i++)
                journal_add(&out, &m.events[i]);
            journal_end(&out, (uint32_t)m.n);
        } else {
            journal_encode_taken(&out, m.seq);
        }
        assert(str_eq(frame, buf_str(&out)));
    }
    buf_fini(&out);
    arena_fini(&a);
    return 0;
}
