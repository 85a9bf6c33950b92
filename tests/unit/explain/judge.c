/* SPDX-License-Identifier: ISC */
/* Which of the things that a notice says decides, where they differ. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "explain/explain.h"

#define NOTICE                                                                 \
    "From: MAILER-DAEMON@mx.example\nTo: me@x.example\n"                       \
    "Subject: Undelivered mail\n\n"
#define REPORT(words, fields)                                                  \
    "From: MAILER-DAEMON@mx.example\nTo: me@x.example\nContent-Type: "         \
    "multipart/report; report-type=delivery-status; "                          \
    "boundary=b\n\n--b\n\n" words                                              \
    "\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: "          \
    "dns; mx.example\n\nFinal-Recipient: rfc822; a@y.example\nAction: "        \
    "failed\n" fields "\n\n--b--\n"

/* want: "reason reply status". */
static void
judged(const char *name, const char *text, const char *want)
{
    struct arena a = {0};
    struct buf got = {0};
    struct explanation e;
    explain(&a, str_from(text), &e);
    const struct explained *x = &e.list[0];
    struct str reply = x->reply.n > 0 ? x->reply : STR("-");
    struct str status = x->status.n > 0 ? x->status : STR("-");
    buf_addf(&got, "%.*s %.*s %.*s", STR_ARG(x->reason->id), STR_ARG(reply),
             STR_ARG(status));
    if (!str_eq(buf_str(&got), str_from(want)))
        fail_msg("%s: got %s, want %s", name, buf_cstr(&got), want);
    buf_fini(&got);
    arena_fini(&a);
}

static void
lets_the_best_witness_decide(void **state)
{
    (void)state;
    judged(
        "a server's answer before what sendmail makes of it",
        REPORT("   ----- Transcript of session follows -----\n<<< 551 not our "
               "user\n550 5.1.1 <a@y.example>... User unknown\n",
               "Status: 5.1.6\nDiagnostic-Code: SMTP; 551 not our user"),
        "recipient-moved 551 5.1.6");
    judged("sendmail's own words where there are no others",
           REPORT("   ----- Transcript of session follows -----\n550 5.1.1 "
                  "<a@y.example>... User unknown\n",
                  "Status: 5.0.0"),
           "unknown-recipient 550 5.1.1");
    judged(
        "of two replies the one that the status fits",
        REPORT(
            "   ----- Transcript of session follows -----\n554 a@y.example... "
            "aliasing/forwarding loop broken\n550 a@y.example... User "
            "unknown\n",
            "Status: 5.1.1"),
        "unknown-recipient 550 5.1.1");
    judged(
        "the queue's time ran out while nobody answered",
        REPORT(
            "   ----- Transcript of session follows -----\na@y.example... "
            "Deferred: Connection refused by mx.y.example\nMessage could not "
            "be delivered for 5 days\n",
            "Status: 4.4.7"),
        "expired - 4.4.7");
    judged("the queue's time ran out while the answer was this",
           REPORT("a@y.example",
                  "Status: 4.4.7\nDiagnostic-Code: smtp; 452 4.2.2 "
                  "mailbox full"),
           "recipient-full 452 4.2.2");
    judged("later, says the server, and the queue: no more",
           NOTICE
           "<a@y.example>:\nResources temporarily unavailable, please try "
           "again later [#4.1.9].\nI'm not going to try again; this message "
           "has been in the queue too long.\n",
           "expired - 4.1.9");
    judged("a delivery program",
           REPORT("a@y.example",
                  "Status: 4.3.0\nDiagnostic-Code: x-unix; temporary failure"),
           "mailbox-trouble - 4.3.0");
    judged(
        "a server that says as little",
        REPORT("a@y.example",
               "Status: 4.0.0\nDiagnostic-Code: smtp; 450 Temporary failure"),
        "unclear 450 4.0.0");
    judged("a sentence of the notice that is closer",
           REPORT("The user(s) account is disabled.\n\n<a@y.example>: 550 user "
                  "unknown\n",
                  "Status: 5.0.0"),
           "recipient-disabled 550 5.0.0");
    judged(
        "advice on what it may be is not closer",
        REPORT(
            "The address may be misspelt, or the recipient's mailbox is "
            "unavailable, or it has been moved elsewhere by its owner, or by "
            "the administrator of that domain, and so on, and so on.\n\n"
            "<a@y.example>: 550 user unknown\n",
            "Status: 5.0.0"),
        "unknown-recipient 550 5.0.0");
    judged(
        "the reason behind \"recipient rejected\"",
        "550 5.0.0 <a@y.example>: Recipient address rejected: policy violation",
        "policy 550 5.0.0");
    judged("a code that says of what kind \"rejected\" is",
           "550 5.7.9 Rejected", "policy 550 5.7.9");
    judged(
        "refused before a word was said",
        REPORT("<a@y.example>: host mx.y.example[192.0.2.1] refused to talk to "
               "me: 421 Service not available, closing transmission channel\n",
               "Status: 4.0.0"),
        "client-refused 421 4.0.0");
    judged("the server stops in the middle",
           "421 Service not available, closing transmission channel (in reply "
           "to RCPT TO)",
           "server-stopping 421 -");
    judged("the status of the report, in words",
           REPORT("a@y.example",
                  "Status: 4.4.1 (Persistent transient failure - "
                  "routing/network: no answer from host)"),
           "timeout - 4.4.1");
    judged("the words of an abuse report that was handed on",
           "From: me@x.example\nTo: you@x.example\nSubject: Fwd: what is "
           "this?\n\n---------- Forwarded message ---------\nFrom: "
           "<abuse@y.example>\nSubject: Email Feedback Report\nTo: "
           "<fbl@x.example>\n\nThis is an email abuse report for an email "
           "message received from IP 192.0.2.30.\n\nReceived: from "
           "mx.x.example by mx.y.example\nFrom: news@x.example\nTo: "
           "a@y.example\nSubject: News\n\nRates.\n",
           "complaint - -");
}

static const struct {
    const char *reply, *origin;
} origins[] = {
    {"553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)",
     "qmail"                                                                    },
    {"550 user unknown",                                                      ""},
    {"554 5.7.0 Reject, id=12345-67 - SPAM",
     "amavis, SpamAssassin, rspamd, ClamAV"                                     },
};

static void
tells_whose_wording_it_is(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof origins / sizeof origins[0]; i++) {
        struct arena a = {0};
        struct explanation e;
        explain(&a, str_from(origins[i].reply), &e);
        struct str got = e.list[0].wording_of;
        if (!str_eq(got, str_from(origins[i].origin)))
            fail_msg("%s: got %.*s, want %s", origins[i].reply, STR_ARG(got),
                     origins[i].origin);
        arena_fini(&a);
    }
}

/* The reason that the notice gives is not the wording of the reply's. */
static void
takes_no_wording_for_another(void **state)
{
    (void)state;
    struct arena a = {0};
    struct explanation e;
    explain(&a,
            STR(REPORT("The user(s) account is disabled.\n\n<a@y.example>: 550 "
                       "sorry, no mailbox here by that name\n",
                       "Status: 5.0.0")),
            &e);
    assert_true(str_eq(e.list[0].reason->id, STR("recipient-disabled")));
    assert_int_equal(e.list[0].wording_of.n, 0);
    explain(&a,
            STR(REPORT("a@y.example", "Status: 5.0.0\nDiagnostic-Code: "
                                      "x-unix; xyzzy")),
            &e);
    assert_true(str_eq(e.list[0].reason->id, STR("mailbox-trouble")));
    assert_int_equal(e.list[0].confidence, EXPLAIN_MEDIUM);
    arena_fini(&a);
}

static void
tells_who_said_it_to_whom(void **state)
{
    (void)state;
    struct arena a = {0};
    struct explanation e;
    explain(&a,
            STR("From: MAILER-DAEMON@mx.x.example\nTo: me@x.example\n"
                "Subject: failure notice\n\nHi. This is the qmail-send "
                "program at mx.x.example.\n\n<a@y.example>:\n192.0.2.1 does "
                "not like recipient.\nRemote host said: 553 sorry, rcpt user "
                "invalid (#5.7.1)\nGiving up on 192.0.2.1.\n"),
            &e);
    const struct explained *x = &e.list[0];
    assert_true(str_eq(x->remote_mta, STR("192.0.2.1")));
    assert_true(str_eq(x->reporting_mta, STR("mx.x.example")));
    assert_true(str_eq(x->stage, STR("RCPT TO")));
    assert_true(str_eq(x->said, STR("553 sorry, rcpt user invalid (#5.7.1)")));
    arena_fini(&a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lets_the_best_witness_decide),
        cmocka_unit_test(tells_whose_wording_it_is),
        cmocka_unit_test(takes_no_wording_for_another),
        cmocka_unit_test(tells_who_said_it_to_whom),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
