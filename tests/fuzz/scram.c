/* SPDX-License-Identifier: ISC */
/*
 * What a stranger says in SCRAM, which reaches the process that keeps the
 * passwords: whatever it is, it proves nothing. The first octet says what the
 * channel is like, each line is a message.
 */
#include <stdint.h>

#include "directory/scram.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static bool
find(void *ctx, struct str name, struct buf *verifier)
{
    (void)ctx;
    if (str_eq(name, STR("trouble")))
        return false;
    buf_add(verifier, STR("SCRAM-SHA-256$4096:AQIDAAAAAAAAAAAAAAAAAA==$"
                          "q2oZ5Xm0fZ1oY5s0bq0mC1q2oZ5Xm0fZ1oY5s0bq0mA=:"
                          "wfZ1oY5s0bq0mC1q2oZ5Xm0fZ1oY5s0bq0mq2oZ5Xm0="));
    return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct scram_context *context;
    struct str in = str_from_n(data, n), line;

    if (n == 0)
        return 0;
    if (context == NULL)
        context = scram_context_new();
    const struct scram_binding binding = {
        .unique = str_from(in.p[0] & 2 ? "unique" : ""),
        .exporter = str_from(in.p[0] & 4 ? "exporter" : "")};
    struct scram *s =
        scram_new(context, (in.p[0] & 1) != 0, &binding, find, NULL);
    enum scram_result r = SCRAM_MORE;

    in = str_from_pos(in, 1);
    while (in.n > 0 && r == SCRAM_MORE) {
        struct buf challenge = {0};
        (void)str_cut(in, '\n', &line, &in);
        r = scram_step(s, line, &challenge);
        if (r == SCRAM_PROVEN)
            __builtin_trap();
        buf_fini(&challenge);
    }
    scram_free(s);
    return 0;
}
