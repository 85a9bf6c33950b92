/* SPDX-License-Identifier: ISC */
/* The server's side against GNU SASL's client: what the exchange as a whole
 * does is in logins.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "directory/scram.h"
#include "scramclient.h"

static const unsigned char salt[SCRAM_SALT] = {1, 2, 3};

static bool
find(void *ctx, struct str name, struct buf *verifier)
{
    (void)name;
    if (ctx == NULL)
        return false;
    buf_add(verifier, buf_str(ctx));
    return true;
}

static void
verifiers(void **state)
{
    static const struct {
        const char *password;
        bool usable;
    } cases[] = {
        {"apple",                       true },
        {"p\xc3\xa4ssword with blanks", true },
        {"",                            false},
        {"\xff",                        false}, // no UTF-8
        {"a\x07",                       false}, // RFC 4013, 2.3
    };
    struct buf one = {0}, other = {0};
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        buf_clear(&one);
        assert_int_equal(
            scram_verifier(str_from(cases[i].password), salt, &one),
            cases[i].usable);
        assert_int_equal(
            str_starts(buf_str(&one), STR("SCRAM-SHA-256$20000:AQIDAA")),
            cases[i].usable);
    }
    assert_false(scram_verifier(STR("a\0b"), salt, &one));
    // the same password is the same, whatever the keyboard makes of it
    buf_clear(&one);
    assert_true(scram_verifier(STR("a\xc2\xaa"), salt, &one));
    assert_true(scram_verifier(STR("aa"), salt, &other));
    assert_true(str_eq(buf_str(&one), buf_str(&other)));
    // nobody's looks the same and is nobody's
    buf_clear(&one);
    scram_nobody(salt, &one);
    assert_int_equal(one.n, other.n);
    assert_false(str_eq(buf_str(&one), buf_str(&other)));
    buf_fini(&one);
    buf_fini(&other);
}

/* With what each side takes for the channel. */
static enum scram_result
talk(bool plus, const char *client_binding, const char *server_binding,
     struct buf *verifier)
{
    struct scram_context *context = scram_context_new();
    const struct scram_binding binding = {.exporter = str_from(server_binding)};
    struct scram *s = scram_new(context, plus, &binding, find, verifier);
    struct scramclient c;
    struct buf to_server = {0}, to_client = {0};
    enum scram_result r = SCRAM_MORE;

    assert_int_equal(gsasl_init(&c.gsasl), GSASL_OK);
    assert_int_equal(
        gsasl_client_start(
            c.gsasl, plus ? "SCRAM-SHA-256-PLUS" : "SCRAM-SHA-256", &c.session),
        GSASL_OK);
    (void)gsasl_property_set(c.session, GSASL_AUTHID, "ann");
    (void)gsasl_property_set(c.session, GSASL_PASSWORD, "apple");
    if (client_binding != NULL)
        (void)gsasl_property_set(c.session, GSASL_CB_TLS_EXPORTER,
                                 client_binding);
    while (r == SCRAM_MORE) {
        assert_true(scramclient_step(&c, buf_str(&to_client), &to_server));
        buf_clear(&to_client);
        r = scram_step(s, buf_str(&to_server), &to_client);
    }
    if (r == SCRAM_PROVEN)
        assert_true(scramclient_step(&c, buf_str(&to_client), &to_server));
    buf_fini(&to_server);
    buf_fini(&to_client);
    scramclient_fini(&c);
    scram_free(s);
    scram_context_free(context);
    return r;
}

static void
channels(void **state)
{
    struct buf verifier = {0}, broken = {0};
    (void)state;

    assert_true(scram_verifier(STR("apple"), salt, &verifier));
    assert_int_equal(talk(false, NULL, "", &verifier), SCRAM_PROVEN);
    assert_int_equal(talk(false, NULL, "abc", &verifier), SCRAM_PROVEN);
    assert_int_equal(talk(true, "YWJj", "abc", &verifier), SCRAM_PROVEN);
    assert_int_equal(talk(true, "YWJj", "abd", &verifier), SCRAM_DENIED);
    assert_int_equal(talk(true, "YWJj", "", &verifier), SCRAM_DENIED);
    assert_int_equal(talk(false, NULL, "", NULL), SCRAM_TROUBLE);
    buf_add(&broken, STR("SCRAM-SHA-256$1:"));
    assert_int_equal(talk(false, NULL, "", &broken), SCRAM_TROUBLE);
    buf_fini(&verifier);
    buf_fini(&broken);
}

/* It could have bound the channel, and was told that we cannot. */
static void
cut_offers(void **state)
{
    struct scram_context *context = scram_context_new();
    struct buf verifier = {0}, out = {0};
    (void)state;

    assert_true(scram_verifier(STR("apple"), salt, &verifier));
    for (int bound = 0; bound < 2; bound++) {
        const struct scram_binding binding = {.unique =
                                                  str_from(bound ? "u" : "")};
        struct scram *s = scram_new(context, false, &binding, find, &verifier);
        assert_int_equal(scram_step(s, STR("y,,n=ann,r=abcdefgh"), &out),
                         bound ? SCRAM_DENIED : SCRAM_MORE);
        scram_free(s);
    }
    scram_context_free(context);
    buf_fini(&verifier);
    buf_fini(&out);
}

static void
garbage(void **state)
{
    static const char *const first[] = {
        "",
        "n",
        "n,,",
        "n,,n=,r=x",
        "n,,n=ann",
        "n,a=eve,n=ann,r=abcdefgh",
        "p=tls-exporter,,n=ann,r=abcdefgh",
        "x,,n=ann,r=abcdefgh",
        "n,,m=ext,n=ann,r=abcdefgh",
    };
    struct scram_context *context = scram_context_new();
    struct buf verifier = {0}, out = {0};
    (void)state;

    assert_true(scram_verifier(STR("apple"), salt, &verifier));
    for (size_t i = 0; i < sizeof first / sizeof *first; i++) {
        struct scram *s = scram_new(context, false, &(struct scram_binding){0},
                                    find, &verifier);
        if (scram_step(s, str_from(first[i]), &out) != SCRAM_DENIED)
            fail_msg("%s", first[i]);
        scram_free(s);
    }
    scram_context_free(context);
    buf_fini(&verifier);
    buf_fini(&out);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verifiers),
        cmocka_unit_test(channels),
        cmocka_unit_test(cut_offers),
        cmocka_unit_test(garbage),
    };
    return cmocka_run_group_tests_name("directory/scram", tests, NULL, NULL);
}
