/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "explain/logline.h"

static const struct {
    const char *line;
    enum logline_outcome outcome;
    const char *recipient, *sender, *remote, *status, *said;
} cases[] = {
    {"Nov 24 12:00:01 mx1 postfix/smtp[2211]: 4F1A2: to=<jo@acme.example>, "
     "relay=mx.acme.example[192.0.2.7]:25, delay=0.3, delays=0/0/0/0, "
     "dsn=5.1.1, status=bounced (host mx.acme.example[192.0.2.7] said: 550 "
     "5.1.1 <jo@acme.example>: no such user (in reply to RCPT TO command))",    LOGLINE_FAILED,   "jo@acme.example", "",               "mx.acme.example", "5.1.1",
     "host mx.acme.example[192.0.2.7] said: 550 5.1.1 <jo@acme.example>: no "
     "such user (in reply to RCPT TO command)"                                                                                                                                          },
    {"2026-11-24T12:00:01.123456+01:00 mx1 postfix/smtp[9]: A1: "
     "to=<jo@acme.example>, orig_to=<x@y.example>, relay=none, delay=9, "
     "dsn=4.4.1, status=deferred (connect to mx[192.0.2.7]:25: Connection "
     "timed out)",                                                              LOGLINE_DEFERRED, "jo@acme.example", "",               "",                "4.4.1",
     "connect to mx[192.0.2.7]:25: Connection timed out"                                                                                                                                },
    {"Nov  4 12:00:01 mx1 postfix/smtpd[7]: NOQUEUE: reject: RCPT from "
     "un.example[192.0.2.9]: 554 5.7.1 <jo@far.example>: Relay access denied; "
     "from=<eve@un.example> to=<jo@far.example> proto=ESMTP helo=<un.example>", LOGLINE_FAILED,   "jo@far.example",  "eve@un.example", "",                "",
     "554 5.7.1 <jo@far.example>: Relay access denied"                                                                                                                                  },
    {"Nov 24 12:00:01 mx1 postfix/smtp[1]: B2: to=<a@b.example>, "
     "relay=b.example[192.0.2.1]:25, dsn=2.0.0, status=sent (250 ok)",          LOGLINE_SENT,     "a@b.example",     "",               "b.example",       "2.0.0", "250 ok"        },
    {"Nov 24 12:00:01 mx1 sm-mta[99]: xAB1: to=<jo@acme.example>, "
     "delay=00:00:01, mailer=esmtp, relay=mx.acme.example. [192.0.2.7], "
     "dsn=5.1.1, stat=User unknown",                                            LOGLINE_FAILED,   "jo@acme.example", "",               "mx.acme.example", "5.1.1",
     "User unknown"                                                                                                                                                                     },
    {"Nov 24 12:00:01 mx1 sendmail[99]: xAB1: ruleset=check_rcpt, "
     "arg1=<jo@far.example>, relay=[192.0.2.9], reject=550 5.7.1 "
     "<jo@far.example>... Relaying denied",                                     LOGLINE_FAILED,   "jo@far.example",  "",               "",                "",
     "550 5.7.1 <jo@far.example>... Relaying denied"                                                                                                                                    },
    {"Nov 24 12:00:01 mx1 smtpd[5]: 4a mta delivery evpid=1f "
     "from=<a@b.example> "
     "to=<jo@acme.example> rcpt=<-> source=\"192.0.2.2\" relay=\"192.0.2.7 "
     "(mx)\" delay=1s result=\"PermFail\" stat=\"550 5.1.1 no such user\"",     LOGLINE_FAILED,   "jo@acme.example", "a@b.example",    "192.0.2.7 (mx)",  "",
     "550 5.1.1 no such user"                                                                                                                                                           },
    {"2026-11-24 12:00:01 1abCde-000001-AB ** jo@acme.example F=<a@b.example> "
     "R=dnslookup T=remote_smtp H=mx.acme.example [192.0.2.7]: SMTP error from "
     "remote mail server after RCPT TO:<jo@acme.example>: 550 No such user",    LOGLINE_FAILED,   "jo@acme.example", "a@b.example",    "mx.acme.example", "",
     "SMTP error from remote mail server after RCPT TO:<jo@acme.example>: 550 "
     "No such user"                                                                                                                                                                     },
    {"2026-11-24 12:00:01 1abCde-000001-AB == jo@acme.example R=dnslookup "
     "T=remote_smtp defer (-44): 451 greylisted",                               LOGLINE_DEFERRED, "jo@acme.example", "",               "",                "",      "451 greylisted"},
    {"2026-11-24 12:00:01 H=un.example (x) [192.0.2.9] F=<eve@un.example> "
     "rejected RCPT <jo@far.example>: relay not permitted",                     LOGLINE_FAILED,   "jo@far.example",  "eve@un.example", "",                "",
     "relay not permitted"                                                                                                                                                              },
};

static void
check(size_t i, const char *what, struct str got, const char *want)
{
    if (!str_eq(got, str_from(want)))
        fail_msg("line %zu, %s: got \"%.*s\", want \"%s\"", i, what,
                 STR_ARG(got), want);
}

static void
reads_lines(void **state)
{
    (void)state;
    struct logline l;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct str line = str_from(cases[i].line);
        assert_true(logline_is(line));
        assert_true(logline_read(line, &l));
        assert_int_equal(l.outcome, cases[i].outcome);
        check(i, "recipient", l.recipient, cases[i].recipient);
        check(i, "sender", l.sender, cases[i].sender);
        check(i, "remote", l.remote, cases[i].remote);
        check(i, "status", l.status, cases[i].status);
        check(i, "said", l.said, cases[i].said);
    }
}

static void
leaves_others(void **state)
{
    (void)state;
    static const char *const lines[] = {"550 5.1.1 no such user",
                                        "Subject: x",
                                        "",
                                        "Nov 24",
                                        "Tue, 24 Nov 2026 05:47:43 +0100",
                                        "Nov 24 12:00:01 and so on"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        if (logline_is(str_from(lines[i])))
            fail_msg("\"%s\" was taken for a log's", lines[i]);
    struct logline l;
    struct str connect = STR("Nov 24 12:00:01 mx1 postfix/smtpd[7]: connect "
                             "from un.example[192.0.2.9]");
    assert_true(logline_is(connect));
    assert_false(logline_read(connect, &l));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_lines),
        cmocka_unit_test(leaves_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
