/* SPDX-License-Identifier: ISC */
#include <assert.h>
#include <stdint.h>

#include "gate/rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static uint32_t
scan(const struct rules *r, struct str header, struct str body, size_t step)
{
    struct rules_scan x = {.rules = r};
    rules_scan_header(&x, header);
    for (size_t at = 0; at < body.n; at += step)
        rules_scan_body(&x, str_first(str_from_pos(body, at), step));
    rules_scan_end(&x);
    return x.line;
}

/* Rules, header and body, parted by octets 0. Whatever the pieces in which the
 * body comes, the same rule fits. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str in = str_from_n(data, n), file, header, body;
    struct buf problems = {0};

    (void)str_cut(in, '\0', &file, &in);
    (void)str_cut(in, '\0', &header, &body);
    struct rules *r = rules_new(file, &problems);
    assert((r == NULL) == (problems.n > 0));
    if (r != NULL) {
        uint32_t line = scan(r, header, body, body.n + 1);
        assert(scan(r, header, body, 1) == line);
        assert(scan(r, header, body, 1 + n % 7) == line);
        (void)rules_remark(r, line);
    }
    rules_free(r);
    buf_fini(&problems);
    return 0;
}
