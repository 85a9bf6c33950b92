/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mail/header.h"
#include "notify/autoreply.h"

static void
forbidden(void **state)
{
    static const struct {
        const char *name, *sender, *header, *why; /* NULL: may be answered */
    } cases[] = {
        {"a person",                  "bob@far.example",                   "To: ann@acme.example\r\n",         NULL            },
        {"no header",                 "bob@far.example",                   "",                                 NULL            },
        {"Auto-Submitted: no",        "b@far.example",                     "Auto-Submitted: no\r\n",           NULL            },
        {"no, with a comment",        "b@far.example",
         "Auto-Submitted: No (said so)\r\n",                                                                   NULL            },
        {"some other header",         "b@far.example",
         "Listen: to me\r\nPrecedence: first-class\r\nX-Spam-Flag: NO\r\n",                                    NULL            },
        {"a name with request in it", "request@far.example",               "",                                 NULL            },
        {"null sender",               "",                                  "",                                 "empty sender"  },
        {"no address",                "b@@x",                              "",                                 "not one"       },
        {"noreply",                   "noreply@far.example",               "",                                 "nobody reads"  },
        {"No-Reply",                  "No-Reply@far.example",              "",                                 "nobody reads"  },
        {"no_reply+x",                "no_reply+x@far.example",            "",                                 "nobody reads"  },
        {"do-not-reply",              "shop.do-not-reply@far.example",     "",                                 "nobody reads"  },
        {"MAILER-DAEMON",             "MAILER-DAEMON@far.example",         "",                                 "nobody reads"  },
        {"owner-",                    "owner-list@far.example",            "",                                 "nobody reads"  },
        {"-request",                  "list-REQUEST@far.example",          "",                                 "nobody reads"  },
        {"-bounces",                  "list-bounces+ann=acme@far.example", "",                                 "nobody reads"  },
        {"List-Id",                   "b@far.example",                     "List-Id: <l.example>\r\n",
         "mailing list"                                                                                                        },
        {"List-Unsubscribe",          "b@far.example",                     "list-unsubscribe: <x>\r\n",
         "mailing list"                                                                                                        },
        {"Precedence: bulk",          "b@far.example",                     "Precedence: bulk\r\n",             "many"          },
        {"Precedence: LIST",          "b@far.example",                     "precedence: LIST\r\n",             "many"          },
        {"Precedence: junk",          "b@far.example",                     "Precedence: junk\r\n",             "many"          },
        {"auto-replied",              "b@far.example",                     "Auto-Submitted: auto-replied\r\n",
         "Auto-Submitted"                                                                                                      },
        {"auto-generated; x",         "b@far.example",
         "AUTO-SUBMITTED: auto-generated; owner-email=x\r\n",                                                  "Auto-Submitted"},
        {"empty Auto-Submitted",      "b@far.example",                     "Auto-Submitted:\r\n",
         "Auto-Submitted"                                                                                                      },
        {"X-Autorespond",             "b@far.example",                     "X-Autorespond: On vacation\r\n",
         "X-Autorespond"                                                                                                       },
        {"X-Loop",                    "b@far.example",                     "X-Loop: x\r\n",                    "X-Loop"        },
        {"X-Auto-Response-Suppress",  "b@far.example",
         "X-Auto-Response-Suppress: DR, OOF\r\n",                                                              "asks for no"   },
        {"Return-Path",               "b@far.example",                     "Return-Path: <>\r\n",              "notice"        },
        {"spam flag",                 "b@far.example",                     "X-Spam-Flag: YES\r\n",             "spam"          },
        {"spam status",               "b@far.example",                     "X-Spam-Status: Yes, score=9\r\n",
         "spam"                                                                                                                },
        {"report",                    "b@far.example",
         "Content-Type: multipart/report; boundary=x\r\n",                                                     "report"        },
        {"folded",                    "b@far.example",                     "Precedence:\r\n bulk\r\n",         "many"          },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *why = autoreply_forbidden(str_from(cases[i].sender),
                                              str_from(cases[i].header));
        bool same = cases[i].why == NULL
                        ? why == NULL
                        : why != NULL && strstr(why, cases[i].why) != NULL;
        if (!same)
            print_error("%s: %s\n", cases[i].name, why == NULL ? "-" : why);
        assert_true(same);
    }
}

static void
named(void **state)
{
    static const struct {
        const char *header, *want;
    } cases[] = {
        {"To: Ann <Ann@Acme.Example>, b@c.example\r\n",
         "ann@acme.example\nb@c.example\n"                                       },
        {"Cc: ann+x@acme.example\r\n",                     "ann+x@acme.example\n"},
        {"Resent-To: a@b.example\r\nBcc: c@d.example\r\n",
         "a@b.example\nc@d.example\n"                                            },
        {"From: a@b.example\r\nReply-To: a@b.example\r\n", ""                    },
        {"To: undisclosed-recipients:;\r\n",               ""                    },
        {"To: team: a@b.example;, not an address\r\n",     "a@b.example\n"       },
        {"To: +x@b.example\r\n",                           "+x@b.example\n"      },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf b = {0};
        autoreply_named(&b, str_from(cases[i].header));
        assert_string_equal(buf_cstr(&b), cases[i].want);
        buf_fini(&b);
    }
}

static struct autoreply
sample(void)
{
    return (struct autoreply){
        .hostname = STR("mx1.acme.example"),
        .account = STR("ann@acme.example"),
        .to = STR("bob@far.example"),
        .subject = STR("On vacation"),
        .body = STR("Back on Monday.\n.\n"),
        .header = STR("Message-ID: <m1@far.example>\r\n"
                      "References: <a@x> junk <b@x>\r\n\t<bro ken> <c@x>\r\n"),
        .id = STR("3-7"),
        .message_id = STR("3-7.reply@mx1.acme.example"),
        .now_ms = 1795499263123,
    };
}

static void
whole_message(void **state)
{
    struct buf b = {0};
    const struct autoreply a = sample();
    (void)state;
    autoreply_write(&b, &a);
    assert_string_equal(
        buf_cstr(&b),
        "Received: by mx1.acme.example (Gatepost)\r\n"
        "\tid 3-7\r\n"
        "\tfor <bob@far.example>; Tue, 24 Nov 2026 05:47:43 +0000\r\n"
        "To: bob@far.example\r\n"
        "X-Autorespond: On vacation\r\n"
        "X-Loop: \"On vacation\" <ann@acme.example>\r\n"
        "Precedence: auto_reply\r\n"
        "X-Precedence: auto_reply\r\n"
        "Auto-Submitted: auto-replied\r\n"
        "From: ann@acme.example\r\n"
        "Subject: On vacation\r\n"
        "In-Reply-To: <m1@far.example>\r\n"
        "References: <a@x> <b@x> <c@x> <m1@far.example>\r\n"
        "Date: Tue, 24 Nov 2026 05:47:43 +0000\r\n"
        "Message-ID: <3-7.reply@mx1.acme.example>\r\n"
        "MIME-Version: 1.0\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n"
        "Content-Transfer-Encoding: 7bit\r\n"
        "\r\n"
        "Back on Monday.\r\n"
        ".\r\n");
    assert_false(autoreply_needs_utf8(&a));
    buf_fini(&b);
}

/* What we write ourselves is never answered by the like of us. */
static void
not_answered_again(void **state)
{
    struct buf b = {0};
    const struct autoreply a = sample();
    (void)state;
    autoreply_write(&b, &a);
    assert_non_null(autoreply_forbidden(STR("bob@far.example"), buf_str(&b)));
    buf_fini(&b);
}

static void
beyond_ascii(void **state)
{
    struct buf b = {0};
    struct autoreply a = sample();
    struct str v;
    (void)state;
    a.subject = STR("\303\234ber Mittag");
    a.body = STR("Sch\303\266n\n");
    a.header = STR("Subject: no id\r\n");
    autoreply_write(&b, &a);
    assert_true(header_find(buf_str(&b), STR("Subject"), &v));
    assert_true(str_eq(v, STR("=?UTF-8?Q?=C3=9Cber?= Mittag")));
    assert_true(header_find(buf_str(&b), STR("X-Loop"), &v));
    assert_true(
        str_eq(v, STR("=?UTF-8?Q?=C3=9Cber_Mittag?= <ann@acme.example>")));
    assert_true(header_find(buf_str(&b), STR("Content-Transfer-Encoding"), &v));
    assert_true(str_eq(v, STR("quoted-printable")));
    assert_false(header_find(buf_str(&b), STR("In-Reply-To"), &v));
    assert_false(header_find(buf_str(&b), STR("References"), &v));
    assert_true(str_ends(buf_str(&b), STR("\r\n\r\nSch=C3=B6n\r\n")));
    a.to = STR("\303\244@far.example");
    assert_true(autoreply_needs_utf8(&a));
    buf_fini(&b);
}

static void
long_threads(void **state)
{
    struct buf header = {0}, b = {0};
    struct autoreply a = sample();
    struct str v, rest;
    size_t n = 0;
    (void)state;
    buf_add(&header, STR("Message-ID: <own@x>\r\nReferences:"));
    for (int i = 0; i < 100; i++)
        buf_addf(&header, " <%d@x>\r\n", i);
    a.header = buf_str(&header);
    autoreply_write(&b, &a);
    assert_true(header_find(buf_str(&b), STR("References"), &v));
    assert_true(str_starts(v, STR("<80@x>")));
    assert_true(str_ends(v, STR("<own@x>")));
    for (rest = v; str_cut(rest, '<', &v, &rest);)
        n++;
    assert_int_equal(n, 21);
    buf_fini(&header);
    buf_fini(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forbidden),          cmocka_unit_test(named),
        cmocka_unit_test(whole_message),      cmocka_unit_test(long_threads),
        cmocka_unit_test(not_answered_again), cmocka_unit_test(beyond_ascii),
    };
    return cmocka_run_group_tests_name("notify/autoreply", tests, NULL, NULL);
}
