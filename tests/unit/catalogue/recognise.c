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
        {"invalid username",                                                NULL               },
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

/* The generator and the recogniser agree about what a wording is. */
static void
each_wording_is_its_own_reason(void **state)
{
    static const struct reason_params p = {
        .sender = {"ann@acme.example", 16},
        .recipient = {"bob@far.example",  15},
        .recipient_domain = {"far.example",      11},
        .domain = {"mx.acme.example",  15},
        .user = {"ann@acme.example", 16},
        .host = {"192.0.2.1",        9 },
        .detail = {"7",                1 },
    };
    size_t n = 0;
    (void)state;
    for (size_t i = 0; i < catalogue_count(); i++) {
        const struct reason *r = catalogue_at(i);
        for (size_t k = 0; k < r->n_wordings; k++, n++) {
            struct buf b = {0};
            catalogue_fill(&b, r->wordings[k], &p);
            if (catalogue_recognise(buf_str(&b)) != r)
                print_error("%.*s: not recognised as %.*s\n",
                            STR_ARG(buf_str(&b)), STR_ARG(r->id));
            assert_ptr_equal(catalogue_recognise(buf_str(&b)), r);
            buf_fini(&b);
        }
    }
    assert_true(n > 300);
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
        cmocka_unit_test(each_wording_is_its_own_reason),
        cmocka_unit_test(finding),
        cmocka_unit_test(spoken_reasons),
    };
    return cmocka_run_group_tests_name("catalogue/recognise", tests, NULL,
                                       NULL);
}
