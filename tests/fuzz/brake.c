/* SPDX-License-Identifier: ISC */
/* What was counted of failed logins, as a disk may have garbled it. */
#include <stdint.h>

#include "directory/brake.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const struct instant now = {.wall_ms = 1795500000000, .mono_ms = 1000};
    struct brake b = {.failures = BRAKE_FAILURES};

    if (brake_load(&b, str_from_n(data, n))) {
        struct buf again = {0};
        int64_t wait = brake_begin(&b, STR("ann"), STR("192.0.2.1"), now);
        if (wait < -1 || wait > BRAKE_WAIT_MS)
            __builtin_trap();
        brake_succeeded(&b, STR("ann"), STR("192.0.2.1"), now);
        brake_save(&b, &again);
        struct brake c = {0};
        if (!brake_load(&c, buf_str(&again)) ||
            c.entries.count != b.entries.count)
            __builtin_trap();
        brake_fini(&c);
        buf_fini(&again);
    } else if (b.entries.count != 0) {
        __builtin_trap();
    }
    brake_fini(&b);
    return 0;
}
