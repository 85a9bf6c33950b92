/* SPDX-License-Identifier: ISC */
/* A config file of any content gives a config or problems, and what it prints
 * is read back as the same. */
#include <assert.h>
#include <stdint.h>

#include "conf/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct conf_result r = conf_parse(str_from_n(data, n), "fuzz.conf");

    assert((r.conf != NULL) == (r.n_problems == 0));
    if (r.conf != NULL) {
        struct buf once = {0}, again = {0};
        conf_print(r.conf, ROLE_NONE, &once);
        struct conf_result s = conf_parse(buf_str(&once), "print.conf");
        assert(s.conf != NULL);
        conf_print(s.conf, ROLE_NONE, &again);
        assert(str_eq(buf_str(&once), buf_str(&again)));
        conf_free(s.conf);
        arena_fini(&s.arena);
        buf_fini(&once);
        buf_fini(&again);
    }
    conf_free(r.conf);
    arena_fini(&r.arena);
    return 0;
}
