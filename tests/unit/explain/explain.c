/* SPDX-License-Identifier: ISC */
/* Which words of a notice speak of whom. Whole notices of each mail server are
 * in tests/samples/bounces; here are the turns that one of them rarely has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "explain/explain.h"

#define FROM "From: MAILER-DAEMON@mx.example\nTo: me@x.example\n"
#define NOTICE FROM "Subject: Undelivered mail\n\n"
#define REPORT                                                                 \
    FROM "Content-Type: message/delivery-status\n\n"                           \
         "Reporting-MTA: dns; mx.example\n\n"

/* Each record as "kind recipient class reply status stage", "-" for nothing. */
static const struct {
    const char *name, *text, *want;
} cases[] = {
    {"recipients in a row share what follows",
     NOTICE
     "The following failed:\n\n  a@y.example\n  b@y.example\n\n550 5.1.1 "
     "user unknown\n",                                                          "failure a@y.example recipient-unknown 550 5.1.1 -\n"
     "failure b@y.example recipient-unknown 550 5.1.1 -\n"                                                           },
    {"each has its own words",
     NOTICE "<a@y.example>:\nRemote host said: 552 5.2.2 mailbox full\n\n"
            "<b@y.example>:\nRemote host said: 550 user unknown\n",             "failure a@y.example recipient-full 552 5.2.2 -\n"
     "failure b@y.example recipient-unknown 550 - -\n"                  },
    {"a list in one line",
     NOTICE "a@y.example, <b@y.example>\n    user unknown\n",
     "failure a@y.example recipient-unknown - - -\n"
     "failure b@y.example recipient-unknown - - -\n"                                                                                       },
    {"the alias that led there is none",
     NOTICE "  a@y.example\n    (generated from all@x.example)\n    SMTP error "
            "from remote mail server after RCPT TO:<a@y.example>:\n    host "
            "mx.y.example [192.0.2.1]: 550 user unknown\n",                     "failure a@y.example recipient-unknown 550 - RCPT TO\n"    },
    {"the alias is all that is known",
     NOTICE "  an undisclosed address\n    (generated from all@x.example)\n    "
            "user unknown\n",                                                   "failure all@x.example recipient-unknown - - -\n"          },
    {"a wrapped reply goes on with an address",
     NOTICE "<a@y.example>: host mx.y.example[192.0.2.1] said: 550 5.1.1\n    "
            "<alias@z.example>: user unknown (in reply to RCPT TO command)\n",  "failure a@y.example recipient-unknown 550 5.1.1 RCPT TO\n"},
    {"a transcript without a list",
     NOTICE "   ----- Transcript of session follows -----\n>>> RCPT "
            "To:<a@y.example>\n<<< 550 user unknown\n550 <a@y.example>... "
            "User unknown\n554 <b@z.example>... 550 Host unknown\n",            "failure a@y.example recipient-unknown 550 - RCPT TO\n"
     "failure b@z.example domain-unknown 550 - -\n"                    },
    {"the message that came back has no say",
     NOTICE
     "<a@y.example>: user unknown\n\n--- Below this line is a copy of the "
     "message.\n\nReturn-Path: <me@x.example>\nTo: b@y.example\n\n"
     "c@y.example: mailbox full\n",                                             "failure a@y.example recipient-unknown - - -\n"            },
    {"the final recipient, not the original one",
     REPORT "Original-Recipient: rfc822; list@x.example\nFinal-Recipient: "
            "rfc822; a@y.example\nAction: failed\nStatus: 5.1.1\n",             "failure a@y.example recipient-unknown - 5.1.1 -\n"        },
    {"the original one where the final is no address",
     REPORT "Original-Recipient: rfc822; a@y.example\nFinal-Recipient: x400; "
            "/S=a/O=y/\nAction: failed\nStatus: 5.1.1\n",                       "failure a@y.example recipient-unknown - 5.1.1 -\n"        },
    {"fields that an empty line cut off",
     REPORT "Final-Recipient: rfc822; a@y.example\nAction: failed\n\nStatus: "
            "5.2.2\nDiagnostic-Code: smtp; 552 mailbox full\n",                 "failure a@y.example recipient-full 552 5.2.2 -\n"         },
    {"a reply in the report that lost its indentation",
     REPORT "Final-Recipient: rfc822; a@y.example\nStatus: 5.0.0\nAction: "
            "failed\nDiagnostic-Code: smtp;\n550 5.1.1 user unknown\n",         "failure a@y.example recipient-unknown 550 5.1.1 -\n"      },
    {"one that was delivered, one relayed, one delayed",
     REPORT "Final-Recipient: rfc822; a@y.example\nAction: delivered\nStatus: "
            "2.0.0\n\nFinal-Recipient: rfc822; b@y.example\nAction: "
            "relayed\nStatus: 2.0.0\n\nFinal-Recipient: rfc822; "
            "c@y.example\nAction: delayed\nStatus: 4.0.0\n",                    "success a@y.example delivered - 2.0.0 -\n"
     "relayed b@y.example delivered - 2.0.0 -\n"
     "delay c@y.example delayed - 4.0.0 -\n"                                   },
    {"words beat the code that contradicts them",
     REPORT
     "Final-Recipient: rfc822; a@y.example\nAction: failed\nStatus: "
     "5.7.1\nDiagnostic-Code: smtp; 553 5.7.1 sorry, rcpt user invalid\n",      "failure a@y.example recipient-unknown 553 5.7.1 -\n"      },
    {"nothing is guessed",
     REPORT "Final-Recipient: rfc822; a@y.example\nAction: failed\nStatus: "
            "5.0.0\nDiagnostic-Code: smtp; 554 xyzzy\n",                        "failure a@y.example unclear 554 5.0.0 -\n"                },
    {"relaying that the own server refuses",
     REPORT "Final-Recipient: rfc822; a@y.example\nRemote-MTA: dns; "
            "smtp.x.example\nAction: failed\nStatus: 5.7.1\nDiagnostic-Code: "
            "smtp; 554 5.7.1 Relay access denied\n",                            "failure a@y.example auth-required 554 5.7.1 -\n"          },
    {"relaying that the recipient's server refuses",
     REPORT "Final-Recipient: rfc822; a@y.example\nRemote-MTA: dns; "
            "mx.y.example\nAction: failed\nStatus: 5.7.1\nDiagnostic-Code: "
            "smtp; 554 5.7.1 Relay access denied\n",                            "failure a@y.example relay-denied 554 5.7.1 -\n"           },
    {"Amazon's JSON",
     "{\"notificationType\":\"Bounce\",\"bounce\":{\"bouncedRecipients\":[{"
     "\"emailAddress\":\"a@y.example\",\"action\":\"failed\",\"status\":"
     "\"5.1.1\",\"diagnosticCode\":\"smtp; 550 5.1.1 user unknown\"}]},"
     "\"mail\":{\"source\":\"me@x.example\"}}",                                 "failure a@y.example recipient-unknown 550 5.1.1 -\n"      },
    {"a log line in a letter",
     "From: me@x.example\nTo: you@x.example\nSubject: help\n\nWhat is "
     "this?\nNov 24 12:00:01 mx postfix/smtp[1]: A: to=<a@y.example>, "
     "relay=mx.y.example[192.0.2.1]:25, dsn=5.1.1, status=bounced (host "
     "mx.y.example[192.0.2.1] said: 550 5.1.1 user unknown (in reply to RCPT "
     "TO command))\n",                                                          "failure a@y.example recipient-unknown 550 5.1.1 RCPT TO\n"},
    {"a letter",
     "From: me@x.example\nTo: you@x.example\nSubject: lunch\n\nShall we meet "
     "at "
     "12:30? Write to jo@x.example.\n\njo@x.example\n",                         "other - not-a-bounce - - -\n"                             },
    {"an automatic reply",
     "From: jo@y.example\nTo: me@x.example\nSubject: Out of office: lunch\n"
     "Auto-Submitted: auto-replied\n\nI am away.\n",                            "autoreply jo@y.example auto-reply - - -\n"                },
    {"a reply about the sender",
     "553 #5.1.8 Domain of sender address <me@nowhere.example> does not exist", "failure - sender-domain 553 5.1.8 -\n"                    },
    {"nothing at all",                                   "",                    "other - not-a-bounce - - -\n"                             },
};

static void
add(struct buf *to, struct str field)
{
    buf_add(to, field.n > 0 ? field : STR("-"));
}

static void
tells_who_and_why(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct arena a = {0};
        struct buf got = {0};
        struct explanation e;
        explain(&a, str_from(cases[i].text), &e);
        for (size_t k = 0; k < e.n; k++) {
            const struct explained *x = &e.list[k];
            const struct str fields[] = {explain_kind_name(x->kind),
                                         x->recipient,
                                         x->reason->klass,
                                         x->reply,
                                         x->status,
                                         x->stage};
            for (size_t f = 0; f < sizeof fields / sizeof fields[0]; f++) {
                add(&got, fields[f]);
                buf_add_char(&got, f + 1 == sizeof fields / sizeof fields[0]
                                       ? '\n'
                                       : ' ');
            }
        }
        if (!str_eq(buf_str(&got), str_from(cases[i].want)))
            fail_msg("%s: got\n%swant\n%s", cases[i].name, buf_cstr(&got),
                     cases[i].want);
        buf_fini(&got);
        arena_fini(&a);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(tells_who_and_why)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
