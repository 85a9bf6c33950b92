/* SPDX-License-Identifier: ISC */
/* Any octets as a message: its fields and its body are all of it, addresses
 * lie inside, and what is written again is a header. */
#include <assert.h>
#include <stdint.h>

#include "mail/field.h"
#include "mail/header.h"

static void
check_written(struct field f)
{
    struct buf unfolded = {0}, written = {0};
    struct field again;
    header_unfold(&unfolded, f.value);
    field_add(&written, f.name, buf_str(&unfolded));
    struct str rest = buf_str(&written);
    assert(field_is_ascii(rest));
    assert(header_next(&rest, &again) && rest.n == 0);
    assert(str_eq(again.name, f.name));
    buf_fini(&unfolded);
    buf_fini(&written);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str message = str_from_n(data, n), rest = message, body, a;
    struct field f;
    size_t header = 0;

    while (header_next(&rest, &f)) {
        assert(f.name.n > 0 && f.whole.n > f.name.n);
        struct str value = f.value;
        while (header_next_address(&value, &a))
            assert(a.n > 0 && a.p >= f.value.p &&
                   a.p + a.n <= f.value.p + f.value.n);
        check_written(f);
        header += f.whole.n;
    }
    assert(header_of(message, &body).n == header);
    assert(body.n == rest.n && header + body.n + 2 >= n);
    (void)header_has_token(message, STR("precedence"), STR("list"));
    return 0;
}
