/* SPDX-License-Identifier: ISC */
/* Any octets as a bounce: there is an answer, all of it is UTF-8 without
 * controls, no two records name one recipient, and each has a reason. */
#include <assert.h>
#include <stdint.h>

#include "base/ascii.h"
#include "base/utf8.h"
#include "explain/explain.h"

static void
check(struct str s, bool lines)
{
    assert(utf8_valid(s));
    for (size_t i = 0; i < s.n; i++)
        assert(!ascii_is_control((unsigned char)s.p[i]) ||
               (lines && s.p[i] == '\n'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct arena a = {0};
    struct explanation e;
    explain(&a, str_from_n(data, n), &e);
    assert(e.n > 0);
    for (size_t i = 0; i < e.n; i++) {
        const struct explained *x = &e.list[i];
        assert(x->reason != NULL);
        const struct str fields[] = {x->recipient, x->reply,  x->status,
                                     x->action,    x->stage,  x->remote_mta,
                                     x->agent,     x->sender, x->message_id,
                                     x->subject,   x->date,   x->reporting_mta};
        for (size_t f = 0; f < sizeof fields / sizeof fields[0]; f++)
            check(fields[f], false);
        check(x->said, true);
        for (size_t k = 0; k < i && k < 50; k++)
            assert(!str_eq_nocase(x->recipient, e.list[k].recipient));
    }
    arena_fini(&a);
    return 0;
}
