/* SPDX-License-Identifier: ISC */
/* What accounts have sent, as a disk may have garbled it. */
#include <stdint.h>
#include <unistd.h>

#include "room/ledger.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const struct instant now = {.wall_ms = 1795521600000};
    const struct book_limits limits = {
        {1, 2, 3, 4}
    };
    const struct ledger_want want = {
        {1, 1, 1, 1}
    };
    struct ledger_full full;
    struct err e;
    int fd;
    struct ledger *l = ledger_make(&fd, &e);

    if (l == NULL)
        return 0;
    if (ledger_load(l, str_from_n(data, n), now)) {
        struct buf again = {0};
        if (!ledger_take(l, STR("ann@b.example"), &limits, &want, now, &full) &&
            full.limit != limits.n[full.which])
            __builtin_trap();
        ledger_save(l, now, &again);
        if (!ledger_load(l, buf_str(&again), now))
            __builtin_trap();
        buf_fini(&again);
    }
    ledger_free(l);
    (void)close(fd);
    return 0;
}
