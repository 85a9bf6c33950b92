/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/outgoing.h"

#define FROM "From: cron@mx.example\r\n"

/* -t: t, -i: i, -f SENDER, -F NAME; recipients of the line, of the envelope. */
static void
messages(void **state)
{
    static const struct {
        const char *name, *options, *sender, *full_name, *rcpt, *input;
        const char *want_sender, *want_rcpts, *want;
    } cases[] = {
        {"plain",               "",  NULL,          "",            "ann@acme.example", "Subject: x\n\nbody\n",
         "cron@mx.example",                                                                                                         "ann@acme.example ",
         "Subject: x\r\n" FROM "\r\nbody\r\n"                                                                                                                                                                                },
        {"bare names",          "",  "root",        "",            "postmaster",       "\nbody",
         "root@mx.example",                                                                                                         "postmaster@mx.example ",
         "From: root@mx.example\r\n\r\nbody\r\n"                                                                                                                                                                             },
        {"null sender",         "",  "",            "",            "a@b.example",      "\nbody\n",               "",
         "a@b.example ",                                                                                                                                        FROM "\r\nbody\r\n"                                          },
        {"From is there",       "",  "x@y.example", "Ann",         "a@b.example",
         "from: me@x.example\n\nbody\n",                                                                         "x@y.example",     "a@b.example ",
         "from: me@x.example\r\n\r\nbody\r\n"                                                                                                                                                                                },
        {"a name",              "",  "x@y.example", "Ann \"B\" C", "a@b.example",      "\nbody\n",
         "x@y.example",                                                                                                             "a@b.example ",
         "From: \"Ann \\\"B\\\" C\" <x@y.example>\r\n\r\nbody\r\n"                                                                                                                                                           },
        {"a foreign name",      "",  "x@y.example", "J\303\266rg", "a@b.example",
         "\nbody\n",                                                                                             "x@y.example",     "a@b.example ",
         "From: =?UTF-8?Q?J=C3=B6rg?= <x@y.example>\r\n\r\nbody\r\n"                                                                                                                                                         },
        {"from the header",     "t", NULL,          "",            "",
         "To: Ann <a@b.example>,\n  c@d.example\nBcc: e@f.example\n"
         "bCC: g@h.example\nCc: root, a@b.example\nSubject: x\n\nbody\n",                                        "cron@mx.example",
         "a@b.example c@d.example e@f.example g@h.example root@mx.example ",                                                                                    "To: Ann <a@b.example>,\r\n  c@d.example\r\nCc: root, a@b.example\r\n"
         "Subject: x\r\n" FROM "\r\nbody\r\n"                                                                                                    },
        {"line and header",     "t", NULL,          "",            "x@y.example",
         "To: a@b.example\n\nbody\n",                                                                            "cron@mx.example",
         "x@y.example a@b.example ",                                                                                                                            "To: a@b.example\r\n" FROM "\r\nbody\r\n"                    },
        {"resent",              "t", NULL,          "",            "",
         "To: a@b.example\nResent-To: c@d.example\nResent-Bcc: e@f.example\n"
         "\nbody\n",                                                                                             "cron@mx.example", "c@d.example e@f.example ",
         "To: a@b.example\r\nResent-To: c@d.example\r\n" FROM "\r\nbody\r\n"                                                                                                                                                 },
        {"Bcc without -t",      "",  NULL,          "",            "a@b.example",
         "Bcc: c@d.example\n\nbody\n",                                                                           "cron@mx.example", "a@b.example ",
         "Bcc: c@d.example\r\n" FROM "\r\nbody\r\n"                                                                                                                                                                          },
        {"a dot ends",          "",  NULL,          "",            "a@b.example",      "\none\n.\ntwo\n",
         "cron@mx.example",                                                                                                         "a@b.example ",             FROM "\r\none\r\n"                                           },
        {"a dot does not",      "i", NULL,          "",            "a@b.example",      "\none\n.\n..\ntwo",
         "cron@mx.example",                                                                                                         "a@b.example ",
         FROM "\r\none\r\n.\r\n..\r\ntwo\r\n"                                                                                                                                                                                },
        {"no header",           "",  NULL,          "",            "a@b.example",      "just text here\nmore\n",
         "cron@mx.example",                                                                                                         "a@b.example ",
         FROM "\r\njust text here\r\nmore\r\n"                                                                                                                                                                               },
        {"header without body", "",  NULL,          "",            "a@b.example",      "Subject: x",
         "cron@mx.example",                                                                                                         "a@b.example ",             "Subject: x\r\n" FROM "\r\n"                                 },
        {"mailbox line",        "",  NULL,          "",            "a@b.example",
         "From cron Tue Nov 24\nSubject: x\n\nbody\n",                                                           "cron@mx.example",
         "a@b.example ",                                                                                                                                        "Subject: x\r\n" FROM "\r\nbody\r\n"                         },
        {"all line ends",       "",  NULL,          "",            "a@b.example",
         "Subject: x\r\nX: y\n\r\n10%\r20%\r\n\rend\n",                                                          "cron@mx.example",
         "a@b.example ",                                                                                                                                        "Subject: x\r\nX: y\r\n" FROM "\r\n10%\r\n20%\r\n\r\nend\r\n"},
        {"nothing",             "",  NULL,          "",            "a@b.example",      "",                       "cron@mx.example",
         "a@b.example ",                                                                                                                                        FROM "\r\n"                                                  },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *sender = cases[i].sender;
        const struct outgoing_options o = {
            .from_header = strchr(cases[i].options, 't') != NULL,
            .dot_ends = strchr(cases[i].options, 'i') == NULL,
            .sender_given = sender != NULL,
            .sender = str_from(sender),
            .full_name = str_from(cases[i].full_name),
            .user = STR("cron"),
            .hostname = STR("mx.example"),
        };
        struct outgoing out;
        struct buf rcpts = {0};
        struct str rcpt = str_from(cases[i].rcpt);
        struct err e;
        if (!outgoing_make(&out, &o, str_from(cases[i].input), &rcpt,
                           rcpt.n > 0, &e))
            fail_msg("%s: %s", cases[i].name, e.text);
        for (size_t k = 0; k < out.envelope.n_rcpts; k++)
            buf_addf(&rcpts, "%.*s ", STR_ARG(out.envelope.rcpts[k].address));
        assert_string_equal(buf_cstr(&rcpts), cases[i].want_rcpts);
        assert_string_equal(buf_cstr(&out.content), cases[i].want);
        assert_true(
            str_eq(out.envelope.sender, str_from(cases[i].want_sender)));
        assert_int_equal(out.envelope.body, BODY_7BIT);
        buf_fini(&rcpts);
        outgoing_fini(&out);
    }
}

static void
not_messages(void **state)
{
    static const struct {
        const char *name, *rcpt, *sender, *input, *why;
        bool from_header;
    } cases[] = {
        {"no recipient",          "",            "x@y.example", "\nbody\n",            "no recipient",   false},
        {"none in the header",    "",            "x@y.example", "Subject: x\n\n",
         "no recipient in To",                                                                           true },
        {"bad recipient",         "a@@b",        "x@y.example", "\n",                  "not an address", false},
        {"bad one in the header", "",            "x@y.example", "To: a b <c d@e>\n\n",
         "not an address",                                                                               true },
        {"bad sender",            "a@b.example", "x y",         "\n",                  "sender",         false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct outgoing_options o = {
            .from_header = cases[i].from_header,
            .sender_given = true,
            .sender = str_from(cases[i].sender),
            .user = STR("cron"),
            .hostname = STR("mx.example"),
        };
        struct outgoing out;
        struct str rcpt = str_from(cases[i].rcpt);
        struct err e;
        assert_false(outgoing_make(&out, &o, str_from(cases[i].input), &rcpt,
                                   rcpt.n > 0, &e));
        if (strstr(e.text, cases[i].why) == NULL)
            fail_msg("%s: %s", cases[i].name, e.text);
        outgoing_fini(&out);
    }
}

static void
what_the_envelope_needs(void **state)
{
    const struct outgoing_options o = {
        .user = STR("cron"),
        .hostname = STR("mx.example"),
        .ret = DSN_RET_HDRS,
        .envid = STR("id"),
        .notify = NOTIFY_NEVER,
    };
    struct outgoing out;
    struct err e;
    struct str rcpt = STR("a@b.example");
    (void)state;
    assert_true(
        outgoing_make(&out, &o, STR("Subject: \303\244\n\nx\n"), &rcpt, 1, &e));
    assert_int_equal(out.envelope.body, BODY_8BITMIME);
    assert_false(out.envelope.smtputf8);
    assert_int_equal(out.envelope.ret, DSN_RET_HDRS);
    assert_int_equal(out.envelope.rcpts[0].notify, NOTIFY_NEVER);
    assert_true(str_eq(out.envelope.envid, STR("id")));
    outgoing_fini(&out);
    rcpt = STR("\303\244@b.example");
    assert_true(outgoing_make(&out, &o, STR("\nx\n"), &rcpt, 1, &e));
    assert_true(out.envelope.smtputf8);
    outgoing_fini(&out);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages),
        cmocka_unit_test(not_messages),
        cmocka_unit_test(what_the_envelope_needs),
    };
    return cmocka_run_group_tests_name("cli/outgoing", tests, NULL, NULL);
}
