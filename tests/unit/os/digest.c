/* SPDX-License-Identifier: ISC */
#include "os/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Wanted: HMAC-SHA-256 as Python's hmac has it, of each part behind its length
 * as u32, little-endian. */
static void
keyed(void **state)
{
    static char long_key[200];
    const struct {
        const char *name;
        struct str key, parts[2];
        size_t n;
        const char *want;
    } cases[] = {
        {"two parts",
         STR("key"),
         {STR("ab"), STR("c")},
         2, "986bdd6b26d5f357ab5d5d9e114dccc60f3554e624f045903e58bdee3e8ef81f"},
        {"nothing at all",
         STR_EMPTY,                   {STR_EMPTY, STR_EMPTY},
         0, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"},
        {"a key beyond a block, a part of no octets",
         {long_key, sizeof long_key},
         {STR_EMPTY, {"", 1}},
         2, "a37a1d031dac52dcd1314b9b99584923d69de78fa060c6fc7957786ecc768840"},
    };
    (void)state;

    memset(long_key, 'k', sizeof long_key);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unsigned char out[DIGEST_OCTETS];
        char hex[2 * DIGEST_OCTETS + 1];
        digest_keyed(cases[i].key, cases[i].parts, cases[i].n, out);
        for (size_t k = 0; k < sizeof out; k++)
            (void)snprintf(hex + 2 * k, 3, "%02x", out[k]);
        if (strcmp(hex, cases[i].want) != 0)
            fail_msg("%s: %s", cases[i].name, hex);
    }
}

/* Where a part ends counts: "ab", "c" is not "a", "bc". */
static void
borders(void **state)
{
    const struct str one[] = {STR("ab"), STR("c")};
    const struct str other[] = {STR("a"), STR("bc")};
    unsigned char x[DIGEST_OCTETS], y[DIGEST_OCTETS];
    (void)state;

    digest_keyed(STR("key"), one, 2, x);
    digest_keyed(STR("key"), other, 2, y);
    assert_memory_not_equal(x, y, sizeof x);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keyed),
        cmocka_unit_test(borders),
    };
    return cmocka_run_group_tests_name("os/digest", tests, NULL, NULL);
}
