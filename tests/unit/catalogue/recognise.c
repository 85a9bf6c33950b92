/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "catalogue/catalogue.h"

struct known {
    const char *reply, *reason; /* NULL: not known */
};

static void
check(const struct known *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct reason *r = catalogue_recognise(str_from(cases[i].reply));
        const char *want = cases[i].reason;
        bool same = want == NULL ? r == NULL
                                 : r != NULL && str_eq(r->id, str_from(want));
        if (!same)
            print_error("%s: expected %s, got %.*s\n", cases[i].reply,
                        want == NULL ? "nothing" : want,
                        STR_ARG(r == NULL ? STR("nothing") : r->id));
        assert_true(same);
    }
}

/* The replies of the document that Gatepost grew from, each under what it
 * truly says. */
static const struct known replies[] = {
    {"553 5.7.1 Not an open relay, so get lost",                           "relay-denied"         },
    {"553 Invalid user.",                                                  "unknown-recipient"    },
    {"553 message blocked, you are not authorized to send mail, "
     "authentication is required.",                                   "login-needed"         },
    {"553 Null Sender is not allowed.",                                    "null-sender"          },
    {"553 5.1.1 sorry, no mailbox here by that name.",                     "unknown-recipient"    },
    {"553 #5.1.8 Domain of sender address <sender@example.com> does not "
     "exist",                                                         "sender-domain-missing"},
    {"553 5.3.0 <recipient@RemoteDomain.com>... Address does not exist",
     "unknown-recipient"                                                                          },
    {"553 5.3.0 <recipient@RemoteDomain.com>... No such user",
     "unknown-recipient"                                                                          },
    {"553 5.3.0 <recipient@RemoteDomain.com>... No such user here",
     "unknown-recipient"                                                                          },
    {"553 5.3.0 <recipient@RemoteDomain.com>... User unknown, not local "
     "address",                                                       "relay-denied"         },
    {"553-Message filtered. Please see the FAQs section on spam",
     "message-filtered"                                                                           },
    {"553 <recipient@RemoteDomain.com> does not have a mailbox here",
     "unknown-recipient"                                                                          },
    {"553 RemoteDomain.com does not accept mail sent to "
     "recipient@OtherRemoteDomain.com",                               "domain-not-here"      },
    {"553 sorry, no mail-box here by that name. (#5.1.1)",                 "unknown-recipient"    },
    {"553 sorry, no mailbox here by that name (#5.1.1)",                   "unknown-recipient"    },
    {"553 sorry, rcpt user invalid (#5.7.1)",                              "unknown-recipient"    },
    {"553 sorry, that domain isn't in my list of allowed rcpthosts",
     "not-in-rcpthosts"                                                                           },
    {"553 sorry, that domain isn't in my list of allowed rcpthosts "
     "(#5.7.1)",                                                      "not-in-rcpthosts"     },
    {"553 sorry, the recipient is not a valid user on this domain "
     "(#5.7.1)",                                                      "unknown-recipient"    },
    {"553 sorry, this recipient doesn't exist.",                           "unknown-recipient"    },
    {"553 sorry, this recipient is not in my validrcptto list (#5.7.1)",
     "not-in-validrcptto"                                                                         },
    {"553 sorry, your envelope sender is in my badmailfrom list (#5.7.1)",
     "badmailfrom"                                                                                },
    {"553 Your email address is denied.",                                  "sender-denied"        },
};

enum { N_REPLIES = sizeof replies / sizeof *replies };

static void
the_23_replies(void **state)
{
    (void)state;
    assert_int_equal(N_REPLIES, 23);
    check(replies, N_REPLIES);
}

/* The words alone: no reply code, no enhanced code in front or behind. */
static struct str
bare_words(const char *reply, struct buf *b)
{
    struct str s = str_from_pos(str_from(reply), 4), word;
    buf_clear(b);
    while (s.n > 0) {
        (void)str_cut(s, ' ', &word, &s);
        struct str code = word;
        (void)str_skip_char(&code, '(');
        (void)str_skip_char(&code, '#');
        if (code.n > 2 && code.p[0] == '5' && code.p[1] == '.')
            continue;
        if (b->n > 0)
            buf_add_char(b, ' ');
        buf_add(b, word);
    }
    return buf_str(b);
}

static void
upper(struct buf *b)
{
    for (size_t i = 0; i < b->n; i++)
        if (b->p[i] >= 'a' && b->p[i] <= 'z')
            b->p[i] = (char)(b->p[i] - 'a' + 'A');
}

/* Each blank a line end, each line with the code again. */
static void
add_folded(struct buf *to, struct str words)
{
    struct str word;
    while (words.n > 0) {
        (void)str_cut(words, ' ', &word, &words);
        buf_addf(to, "550%c5.7.1 %.*s\r\n", words.n > 0 ? '-' : ' ',
                 STR_ARG(word));
    }
}

/* Where a reply is found in bounces and logs, and what is done to it there:
 * its codes are lost or others, and the words still win. */
static void
the_23_replies_in_the_wild(void **state)
{
    static const struct {
        const char *before, *behind;
    } forms[] = {
        {"",                                                           ""                              },
        {"550 5.7.1 ",                                                 ""                              },
        {"554 5.1.1 ",                                                 ""                              },
        {"450 4.2.2 ",                                                 ""                              },
        {"553 ",                                                       " (#5.7.1)"                     },
        {"553 #5.3.0 ",                                                ""                              },
        {"553  5.1.0   ",                                              "  "                            },
        {"<",                                                          ">"                             },
        {"<recipient@RemoteDomain.com>: host mx.RemoteDomain.com[192.0.2.1] "
         "said: 553 5.7.1 ",                                  " (in reply to RCPT TO command)"},
        {"192.0.2.1 does not like recipient.\nRemote host said: 553 ",
         "\nGiving up on 192.0.2.1."                                                                   },
        {"SMTP error from remote mail server after RCPT "
         "TO:<recipient@RemoteDomain.com>:\n    host mx.RemoteDomain.com "
         "[192.0.2.1]:\n    553 ",                            ""                              },
        {"smtp; 553 ",                                                 ""                              },
        {"Diagnostic-Code: smtp;553 5.7.1 ",                           ""                              },
    };
    struct buf words = {0}, line = {0};
    size_t failed = 0;
    (void)state;
    for (size_t i = 0; i < N_REPLIES; i++) {
        struct str want = str_from(replies[i].reason);
        struct str bare = bare_words(replies[i].reply, &words);
        for (size_t f = 0; f < 3 * (sizeof forms / sizeof *forms); f++) {
            buf_clear(&line);
            if (f % 3 == 2)
                add_folded(&line, bare);
            else
                buf_addf(&line, "%s%.*s%s", forms[f / 3].before, STR_ARG(bare),
                         forms[f / 3].behind);
            if (f % 3 == 1)
                upper(&line);
            const struct reason *r = catalogue_recognise(buf_str(&line));
            if (r == NULL || !str_eq(r->id, want)) {
                print_error("%s\nexpected %.*s, got %.*s\n", buf_cstr(&line),
                            STR_ARG(want),
                            STR_ARG(r == NULL ? STR("nothing") : r->id));
                failed++;
            }
        }
    }
    buf_fini(&words);
    buf_fini(&line);
    assert_int_equal(failed, 0);
}

static void
words_then_codes(void **state)
{
    static const struct known cases[] = {
        {"553-Message filtered. Please see the FAQs section on spam\n"
         "553-at URL for more\n553 information. (#5.7.1)",         "message-filtered" },
        {"550-5.1.1 The email account that you tried to\r\n"
         "550-5.1.1 reach does not exist. Please try",             "unknown-recipient"},
        {"550 5.1.1 gibberish",                                             "unknown-recipient"},
        {"550 gibberish (#5.2.2)",                                          "recipient-full"   },
        {"452 4.2.2 gibberish",                                             "recipient-full"   },
        {"550 5.2.2 NO SUCH USER",                                          "unknown-recipient"},
        {"550 gibberish",                                                   "recipient-refused"},
        {"521 gibberish",                                                   "domain-no-mail"   },
        {"530",                                                             "login-needed"     },
        {"554 gibberish",                                                   NULL               },
        {"554 5.9.9 gibberish",                                             NULL               },
        {"554 5.7.1 gibberish",                                             "policy"           },
        {"250 2.1.5 fine",                                                  NULL               },
        {"",                                                                NULL               },
        {"\n\n\n",                                                          NULL               },
        {"550",                                                             "recipient-refused"},
        {"5501 gibberish",                                                  NULL               },
        {"User Unknown",                                                    "unknown-recipient"},
        {"superuser unknown",                                               NULL               },
        {"user unknowns",                                                   NULL               },
        {"invalid usernames",                                               NULL               },
        {"450 4.2.0 <a@b.example>: Recipient address rejected: Greylisted",
         "greylisted"                                                                          },
 // What says something wins over a longer wording that does not.
        {"552 5.2.2 <a@b.example>: Recipient address rejected: over quota",
         "recipient-full"                                                                      },
        {"550 <a@b.example>: Recipient address rejected: no",
         "recipient-refused"                                                                   },
        {"421 4.4.2 Service refused, please try later",                     "timeout"          },
        {"550 5.7.1 Administrative prohibition: contains a virus",          "virus"            },
        {"550 mail for b.example is not accepted here",                     "domain-not-here"  },
        {"550 mail for  is not accepted here",                              "recipient-refused"},
        {"550 mail for b c is not accepted here",                           "recipient-refused"},
    };
    (void)state;
    check(cases, sizeof cases / sizeof *cases);
}

static const struct {
    const char *says;
    enum catalogue_stage stage;
    enum recognised_by by;
    const char *reason, *wording, *stands; /* NULL: none */
    bool vague;
} readings[] = {
    {"550 5.7.1 bob@far.example: user unknown, sorry",             CATALOGUE_ANYWHERE,
     BY_WORDING,                                                                                      "unknown-recipient",
     "550 5.1.1 <%{recipient}>... User unknown",                                                                                                                       "user unknown",                              false},
    {"host said: 550-5.1.1  NO\r\n550 such\tuser 1",               CATALOGUE_RCPT,     BY_WORDING,
     "unknown-recipient",                                                                                                  "553 5.3.0 <%{recipient}>... No such user",
     "NO\r\n550 such\tuser",                                                                                                                                                                                        false},
    {"550-5.1.1 no such 550-5.1.1 user 550 5.1.1 here",            CATALOGUE_ANYWHERE,
     BY_WORDING,                                                                                      "unknown-recipient",
     "553 5.3.0 <%{recipient}>... No such user here",                                                                                                                  NULL,                                        false},
    {"550 recipient rejected",                                     CATALOGUE_ANYWHERE, BY_WORDING,
     "recipient-refused",                                                                                                  "550 recipient rejected",                   "recipient rejected",                        true },
    {"550 5.2.2 recipient rejected",                               CATALOGUE_ANYWHERE, BY_STATUS,
     "recipient-full",                                                                                                     NULL,                                       NULL,                                        false},
    {"550 5.7.1 no",                                               CATALOGUE_ANYWHERE, BY_STATUS,     "policy",            NULL,                                       NULL,                                        true },
    {"550 no",                                                     CATALOGUE_ANYWHERE, BY_REPLY_CODE, "recipient-refused", NULL,
     NULL,                                                                                                                                                                                                          true },
    {"no",                                                         CATALOGUE_ANYWHERE, BY_NOTHING,    NULL,                NULL,                                       NULL,                                        false},
    {"250 2.1.5 recipient rejected? no, ok",                       CATALOGUE_ANYWHERE, BY_WORDING,
     "recipient-refused",                                                                                                  "550 recipient rejected",                   "recipient rejected",                        true },
 // The same words about another: the stage tells.
    {"553 Invalid user.",                                          CATALOGUE_RCPT,     BY_WORDING,    "unknown-recipient",
     "553 Invalid user.",                                                                                                                                              "Invalid user",                              false},
    {"553 Invalid user.",                                          CATALOGUE_DATA,     BY_WORDING,    "unknown-recipient",
     "553 Invalid user.",                                                                                                                                              "Invalid user",                              false},
    {"553 Invalid user.",                                          CATALOGUE_MAIL,     BY_WORDING,    "sender-not-yours",
     "553 Invalid user.",                                                                                                                                              "Invalid user",                              false},
    {"553 5.3.0 <b@c.example>... User unknown, not local address",
     CATALOGUE_RCPT,                                                                   BY_WORDING,    "relay-denied",
     "553 5.3.0 <%{recipient}>... User unknown, not local address",                                                                                                    NULL,
     false                                                                                                                                                                                                               },
 // A wording with its own code stands before the same without.
    {"550 5.4.1 Recipient address rejected: Access denied.",       CATALOGUE_RCPT,
     BY_WORDING,                                                                                      "unknown-recipient",
     "550 5.4.1 Recipient address rejected: Access denied",                                                                                                            NULL,                                        false},
    {"554 5.7.1 Recipient address rejected: Access denied.",       CATALOGUE_RCPT,
     BY_WORDING,                                                                                      "unknown-recipient",
     "Recipient address rejected: Access denied",                                                                                                                      "Recipient address rejected: Access denied", false},
};

static void
reading(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof readings / sizeof *readings; i++) {
        struct str says = str_from(readings[i].says);
        struct recognised r;
        bool found = catalogue_read(says, readings[i].stage, &r);
        if (r.by != readings[i].by)
            print_error("%s: by %d\n", readings[i].says, r.by);
        assert_int_equal(found, readings[i].by != BY_NOTHING);
        assert_int_equal(r.by, readings[i].by);
        assert_int_equal(r.vague, readings[i].vague);
        struct str id = r.reason != NULL ? r.reason->id : STR_EMPTY;
        if (!str_eq(id, str_from(readings[i].reason)) ||
            !str_eq(r.wording, str_from(readings[i].wording)))
            print_error("%s: %.*s by \"%.*s\"\n", readings[i].says, STR_ARG(id),
                        STR_ARG(r.wording));
        assert_true(str_eq(id, str_from(readings[i].reason)));
        assert_true(str_eq(r.wording, str_from(readings[i].wording)));
        if (readings[i].stands != NULL)
            assert_true(str_eq(str_from_n(says.p + r.at, r.ends - r.at),
                               str_from(readings[i].stands)));
    }
}

/* Prose in other scripts: folded, wrapped, with the signs of typesetters. */
static void
prose(void **state)
{
    static const struct known cases[] = {
        {"The email account that you tried to reach doesn\u2019t exist: user "
         "doesn\u2019t exist",       "unknown-recipient"},
        {"user\u00a0unknown",                 "unknown-recipient"},
        {"user\u3000unknown",                 "unknown-recipient"},
        {"EMPF\u00c4NGER UNBEKANNT",          "unknown-recipient"},
        {"empf\u00e4nger\n   unbekannt",      "unknown-recipient"},
        {"\u041d\u0415\u0422 \u0422\u0410\u041a\u041e\u0413\u041e "
         "\u041f\u041e\u041b\u042c\u0417\u041e\u0412\u0410\u0422"
         "\u0415\u041b\u042f",       "unknown-recipient"},
        {"\u5b9b\u5148\u304c\u898b\u3064\u304b\n "
         "\u308a\u307e\u305b\u3093", "unknown-recipient"},
    };
    (void)state;
    check(cases, sizeof cases / sizeof *cases);
}

static void
stages(void **state)
{
    static const struct {
        const char *command;
        enum catalogue_stage stage;
    } cases[] = {
        {"RCPT TO",                 CATALOGUE_RCPT    },
        {"rcpt to:<a@b.example>",   CATALOGUE_RCPT    },
        {"MAIL FROM",               CATALOGUE_MAIL    },
        {"end of data",             CATALOGUE_DATA    },
        {"end of DATA command",     CATALOGUE_DATA    },
        {"BDAT",                    CATALOGUE_DATA    },
        {"EHLO",                    CATALOGUE_HELLO   },
        {"connection establishing", CATALOGUE_CONNECT },
        {"QUIT",                    CATALOGUE_ANYWHERE},
        {"",                        CATALOGUE_ANYWHERE},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(catalogue_stage_find(str_from(cases[i].command)),
                         cases[i].stage);
}

/* Beyond the first words, and no further than the limit. */
static void
far_behind(void **state)
{
    struct buf b = {0};
    (void)state;
    while (b.n < 6000)
        buf_add(&b, STR("words and words "));
    buf_add(&b, STR("no such user"));
    assert_non_null(catalogue_recognise(buf_str(&b)));
    buf_clear(&b);
    while (b.n < 9000)
        buf_add(&b, STR("words and words "));
    buf_add(&b, STR("no such user"));
    assert_null(catalogue_recognise(buf_str(&b)));
    buf_fini(&b);
}

static void
finding(void **state)
{
    (void)state;
    for (size_t i = 0; i < catalogue_count(); i++)
        assert_ptr_equal(catalogue_find(catalogue_at(i)->id), catalogue_at(i));
    assert_null(catalogue_find(STR("relay")));
    assert_null(catalogue_find(STR("relay-denied-")));
    assert_null(catalogue_find(STR_EMPTY));
    assert_null(catalogue_find(STR("zzz")));
    assert_null(catalogue_at(catalogue_count()));
}

/* What the rooms ask for by name. */
static void
spoken_reasons(void **state)
{
    static const struct {
        const char *id;
        unsigned code, klass, subject, detail;
    } cases[] = {
        {"relay-denied",             553, 5, 7, 1 },
        {"unknown-recipient",        553, 5, 1, 1 },
        {"login-needed",             530, 5, 7, 0 },
        {"sender-not-yours",         553, 5, 7, 1 },
        {"too-many-recipients",      452, 4, 5, 3 },
        {"too-large",                552, 5, 3, 4 },
        {"loop",                     554, 5, 4, 6 },
        {"bare-line-ends",           554, 5, 6, 0 },
        {"spool-full",               452, 4, 3, 1 },
        {"spool-trouble",            451, 4, 3, 0 },
        {"login-failed",             535, 5, 7, 8 },
        {"no-connection",            451, 4, 4, 1 },
        {"domain-not-here",          553, 5, 7, 1 },
        {"not-in-rcpthosts",         553, 5, 7, 1 },
        {"tls-required",             530, 5, 7, 0 },
        {"client-refused",           554, 5, 7, 1 },
        {"too-many-connections",     421, 4, 7, 0 },
        {"connection-rate",          421, 4, 7, 0 },
        {"early-talker",             554, 5, 5, 1 },
        {"bad-hello",                501, 5, 5, 2 },
        {"own-name-forged",          550, 5, 7, 1 },
        {"own-domain-without-login", 553, 5, 7, 1 },
        {"null-sender",              550, 5, 7, 1 },
        {"badmailfrom",              550, 5, 7, 1 },
        {"sender-denied",            550, 5, 7, 1 },
        {"sender-domain-missing",    550, 5, 1, 8 },
        {"sender-domain-trouble",    450, 4, 4, 3 },
        {"not-in-validrcptto",       553, 5, 1, 1 },
        {"recipient-disabled",       550, 5, 2, 1 },
        {"recipient-suspended",      550, 5, 2, 1 },
        {"recipient-full",           452, 4, 2, 2 },
        {"recipient-moved",          551, 5, 1, 6 },
        {"members-only",             550, 5, 7, 2 },
        {"receive-only",             550, 5, 7, 1 },
        {"message-filtered",         554, 5, 7, 1 },
        {"list-trouble",             451, 4, 3, 0 },
        {"account-suspended",        525, 5, 7, 13},
        {"sending-limit",            450, 4, 7, 28},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct reason *r = catalogue_find(str_from(cases[i].id));
        assert_non_null(r);
        assert_int_equal(r->code, cases[i].code);
        assert_int_equal(r->status.klass, cases[i].klass);
        assert_int_equal(r->status.subject, cases[i].subject);
        assert_int_equal(r->status.detail, cases[i].detail);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_23_replies),
        cmocka_unit_test(the_23_replies_in_the_wild),
        cmocka_unit_test(words_then_codes),
        cmocka_unit_test(reading),
        cmocka_unit_test(prose),
        cmocka_unit_test(stages),
        cmocka_unit_test(far_behind),
        cmocka_unit_test(finding),
        cmocka_unit_test(spoken_reasons),
    };
    return cmocka_run_group_tests_name("catalogue/recognise", tests, NULL,
                                       NULL);
}
