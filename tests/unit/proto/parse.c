/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/smtp/parse.h"

#define ENVID100                                                               \
    "0123456789012345678901234567890123456789012345678901234567890"            \
    "123456789012345678901234567890123456789"

static const struct {
    const char *name, *args;
    enum smtp_parse want;
    const char *sender;
    uint64_t size;
    enum body_type body;
} mails[] = {
    {"null sender",           "FROM:<>",                            SMTP_PARSE_OK,      "",            0,          BODY_7BIT    },
    {"size",                  "FROM:<a@b.example> SIZE=42",         SMTP_PARSE_OK,      "a@b.example", 42,
     BODY_7BIT                                                                                                                  },
    {"8 bits",                "from:<a@b.example> body=8BitMime",   SMTP_PARSE_OK,      "a@b.example",
     0,                                                                                                            BODY_8BITMIME},
    {"7 bits",                "FROM:<a@b.example>  BODY=7BIT",      SMTP_PARSE_OK,      "a@b.example", 0,
     BODY_7BIT                                                                                                                  },
    {"space before path",     "FROM: <a@b.example>",                SMTP_BAD_ADDRESS,   NULL,          0,          0            },
    {"bare",                  "FROM:<postmaster>",                  SMTP_BAD_ADDRESS,   NULL,          0,          0            },
    {"size is 2^64",          "FROM:<> SIZE=18446744073709551616",  SMTP_PARSE_OK,      "",
     UINT64_MAX,                                                                                                   BODY_7BIT    },
    {"size of 20 digits",     "FROM:<> SIZE=99999999999999999999",  SMTP_PARSE_OK,
     "",                                                                                               UINT64_MAX, BODY_7BIT    },
    {"size of 21 digits",     "FROM:<> SIZE=999999999999999999999", SMTP_BAD_PARAM,
     NULL,                                                                                             0,          0            },
    {"envid with a line end", "FROM:<> ENVID=a+0Ab",                SMTP_BAD_PARAM,     NULL,          0,
     0                                                                                                                          },
    {"envid with DEL",        "FROM:<> ENVID=a+7Fb",                SMTP_BAD_PARAM,     NULL,          0,          0            },
    {"envid with a blank",    "FROM:<> ENVID=a+20b",                SMTP_PARSE_OK,      "",            0,
     BODY_7BIT                                                                                                                  },
    {"auth not xtext",        "FROM:<> AUTH=a+4",                   SMTP_BAD_PARAM,     NULL,          0,          0            },
    {"size twice",            "FROM:<> SIZE=1 SIZE=1",              SMTP_BAD_PARAM,     NULL,          0,          0            },
    {"size without",          "FROM:<> SIZE",                       SMTP_BAD_PARAM,     NULL,          0,          0            },
    {"unknown parameter",     "FROM:<> XYZZY=1",                    SMTP_UNKNOWN_PARAM, NULL,          0,          0            },
    {"rcpt's parameter",      "FROM:<> NOTIFY=NEVER",               SMTP_UNKNOWN_PARAM, NULL,          0,
     0                                                                                                                          },
    {"binary",                "FROM:<> BODY=BinaryMIME",            SMTP_PARSE_OK,      "",            0,
     BODY_BINARYMIME                                                                                                            },
    {"body twice",            "FROM:<> BODY=7BIT BODY=7BIT",        SMTP_BAD_PARAM,     NULL,          0,          0            },
    {"body without",          "FROM:<> BODY",                       SMTP_BAD_PARAM,     NULL,          0,          0            },
    {"no space",              "FROM:<>SIZE=1",                      SMTP_BAD_SYNTAX,    NULL,          0,          0            },
    {"no key",                "FROM:<> =1",                         SMTP_BAD_SYNTAX,    NULL,          0,          0            },
    {"two equal signs",       "FROM:<> SIZE=1=2",                   SMTP_BAD_SYNTAX,    NULL,          0,          0            },
    {"longest envid",         "FROM:<> ENVID=" ENVID100,            SMTP_PARSE_OK,      "",            0,
     BODY_7BIT                                                                                                                  },
    {"envid too long",        "FROM:<> ENVID=" ENVID100 "x",        SMTP_BAD_PARAM,     NULL,          0,
     0                                                                                                                          },
    {"envid not xtext",       "FROM:<> ENVID=a+4",                  SMTP_BAD_PARAM,     NULL,          0,          0            },
    {"envid not ascii",       "FROM:<> ENVID=\xc3\xb6",             SMTP_BAD_PARAM,     NULL,          0,          0            },
    {"ret",                   "FROM:<> RET=HALF",                   SMTP_BAD_PARAM,     NULL,          0,          0            },
    {"auth",                  "FROM:<> AUTH=<>",                    SMTP_PARSE_OK,      "",            0,          BODY_7BIT    },
    {"envid twice",           "FROM:<> ENVID=a ENVID=b",            SMTP_BAD_PARAM,     NULL,          0,          0            },
    {"envid without",         "FROM:<> ENVID",                      SMTP_BAD_PARAM,     NULL,          0,          0            },
    {"auth twice",            "FROM:<> AUTH=<> AUTH=<>",            SMTP_BAD_PARAM,     NULL,          0,          0            },
    {"auth without",          "FROM:<> AUTH",                       SMTP_BAD_PARAM,     NULL,          0,          0            },
    {"ret twice",             "FROM:<> RET=FULL RET=FULL",          SMTP_BAD_PARAM,     NULL,          0,          0            },
    {"first hex digit",       "FROM:<> ENVID=+G0",                  SMTP_BAD_PARAM,     NULL,          0,          0            },
    {"second hex digit",      "FROM:<> ENVID=+0G",                  SMTP_BAD_PARAM,     NULL,          0,          0            },
    {"DEL in a value",        "FROM:<> RET=\x7f",                   SMTP_BAD_SYNTAX,    NULL,          0,          0            },
    {"hyphen in a key",       "FROM:<> X-A=1",                      SMTP_UNKNOWN_PARAM, NULL,          0,          0            },
    {"empty",                 "",                                   SMTP_BAD_SYNTAX,    NULL,          0,          0            },
};

static void
mail(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof mails / sizeof *mails; i++) {
        struct smtp_mail m;
        enum smtp_parse got = smtp_parse_mail(str_from(mails[i].args), &m);
        if (got != mails[i].want)
            fail_msg("%s: got %d", mails[i].name, got);
        if (got != SMTP_PARSE_OK)
            continue;
        assert_true(str_eq(m.sender.whole, str_from(mails[i].sender)));
        assert_true(m.size == mails[i].size);
        assert_int_equal(m.body, mails[i].body);
    }
}

static const struct {
    const char *name, *args;
    enum smtp_parse want;
    const char *recipient, *orcpt;
    unsigned notify;
} rcpts[] = {
    {"plain",          "TO:<a@b.example>",                              SMTP_PARSE_OK,      "a@b.example", "",                       0                                             },
    {"postmaster",     "to:<POSTMASTER>",                               SMTP_PARSE_OK,      "POSTMASTER",  "",                       0                                             },
    {"route",          "TO:<@x.example:a@b.example>",                   SMTP_PARSE_OK,      "a@b.example", "",
     0                                                                                                                                                                             },
    {"never",          "TO:<a@b.example> NOTIFY=NEVER",                 SMTP_PARSE_OK,      "a@b.example", "",
     NOTIFY_NEVER                                                                                                                                                                  },
    {"all",            "TO:<a@b.example> NOTIFY=delay,SUCCESS,FAILURE", SMTP_PARSE_OK,
     "a@b.example",                                                                                        "",                       NOTIFY_SUCCESS | NOTIFY_FAILURE | NOTIFY_DELAY},
    {"orcpt",          "TO:<a@b.example> ORCPT=rfc822;a+2Bb@c.example", SMTP_PARSE_OK,
     "a@b.example",                                                                                        "rfc822;a+2Bb@c.example", 0                                             },
    {"null",           "TO:<>",                                         SMTP_BAD_ADDRESS,   NULL,          NULL,                     0                                             },
    {"never and more", "TO:<a@b.example> NOTIFY=NEVER,DELAY",           SMTP_BAD_PARAM,
     NULL,                                                                                                 NULL,                     0                                             },
    {"empty word",     "TO:<a@b.example> NOTIFY=DELAY,",                SMTP_BAD_PARAM,     NULL,          NULL,
     0                                                                                                                                                                             },
    {"no type",        "TO:<a@b.example> ORCPT=;a",                     SMTP_BAD_PARAM,     NULL,          NULL,                     0                                             },
    {"no address",     "TO:<a@b.example> ORCPT=rfc822;",                SMTP_BAD_PARAM,     NULL,          NULL,
     0                                                                                                                                                                             },
    {"mail's",         "TO:<a@b.example> SIZE=1",                       SMTP_UNKNOWN_PARAM, NULL,          NULL,                     0                                             },
    {"rest",           "TO:<a@b.example> ",                             SMTP_BAD_SYNTAX,    NULL,          NULL,                     0                                             },
};

static void
rcpt(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rcpts / sizeof *rcpts; i++) {
        struct smtp_rcpt r;
        enum smtp_parse got = smtp_parse_rcpt(str_from(rcpts[i].args), &r);
        if (got != rcpts[i].want)
            fail_msg("%s: got %d", rcpts[i].name, got);
        if (got != SMTP_PARSE_OK)
            continue;
        assert_true(str_eq(r.recipient.whole, str_from(rcpts[i].recipient)));
        assert_true(str_eq(r.orcpt, str_from(rcpts[i].orcpt)));
        assert_int_equal(r.notify, rcpts[i].notify);
    }
}

static void
bdat(void **state)
{
    static const struct {
        const char *args;
        enum smtp_parse want;
        bool last;
        uint64_t size;
    } cases[] = {
        {"0",                         SMTP_PARSE_OK,   false, 0         },
        {"10 LAST",                   SMTP_PARSE_OK,   true,  10        },
        {"18446744073709551615 last", SMTP_PARSE_OK,   true,  UINT64_MAX},
        {"18446744073709551616",      SMTP_BAD_SYNTAX, false, 0         },
        {"",                          SMTP_BAD_SYNTAX, false, 0         },
        {"-1",                        SMTP_BAD_SYNTAX, false, 0         },
        {"1 FIRST",                   SMTP_BAD_PARAM,  false, 0         },
        {"1  LAST",                   SMTP_BAD_PARAM,  false, 0         },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct smtp_bdat b;
        enum smtp_parse got = smtp_parse_bdat(str_from(cases[i].args), &b);
        assert_int_equal(got, cases[i].want);
        assert_true(got != SMTP_PARSE_OK ||
                    (b.size == cases[i].size && b.last == cases[i].last));
    }
}

static void
hello(void **state)
{
    char name[257];
    (void)state;
    for (size_t i = 0; i < sizeof name; i++)
        name[i] = 'x';
    assert_true(smtp_parse_hello(str_from_n(name, 255)));
    assert_false(smtp_parse_hello(str_from_n(name, 256)));
    assert_true(smtp_parse_hello(STR("[192.0.2.1]")));
    assert_false(smtp_parse_hello(STR("two words")));
    assert_false(smtp_parse_hello(STR_EMPTY));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mail),
        cmocka_unit_test(rcpt),
        cmocka_unit_test(bdat),
        cmocka_unit_test(hello),
    };
    return cmocka_run_group_tests_name("proto/smtp/parse", tests, NULL, NULL);
}
