/* SPDX-License-Identifier: ISC */
/* All checks, stage by stage: the tables are the policy. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "catalogue/catalogue.h"
#include "gate/gate.h"

/* ours.example: ann, her alias sales, a catch-all at all.example */
static const char *const ann_is[] = {"@all.example", "list1@ours.example",
                                     "list2@ours.example", "list3@ours.example",
                                     "listwithalongname@ours.example"};
static size_t n_ann_is;

static void
encode_names(struct buf *to)
{
    struct str names[sizeof ann_is / sizeof *ann_is];
    for (size_t i = 0; i < n_ann_is; i++)
        names[i] = str_from(ann_is[i]);
    book_names_encode(to, names, n_ann_is);
}

static bool
find(void *ctx, struct str key, struct str *value)
{
    struct buf b = {0};
    struct str ann[] = {STR("ann@ours.example")};
    if (str_eq(key, STR("d:ours.example")) ||
        str_eq(key, STR("d:all.example")) ||
        str_eq(key, STR("d:xn--bcher-kva.example")))
        book_domain_encode(&b,
                           &(struct book_domain){STR("maildir:/m/%{user}")});
    else if (str_eq(key, STR("a:ann@ours.example")) ||
             str_eq(key, STR("a:bob@ours.example")))
        book_account_encode(&b, &(struct book_account){0});
    else if (str_eq(key, STR("a:sue@ours.example")))
        book_account_encode(&b, &(struct book_account){.state = BOOK_SUSPENDED,
                                                       .note = STR("unpaid")});
    else if (str_eq(key, STR("a:dan@ours.example")))
        book_account_encode(&b, &(struct book_account){.state = BOOK_DISABLED});
    else if (str_eq(key, STR("l:sales@ours.example")) ||
             str_eq(key, STR("l:@all.example")))
        book_alias_encode(&b,
                          &(struct book_alias){.targets = ann, .n_targets = 1});
    else if (n_ann_is > 0 && str_eq(key, STR("n:ann@ours.example")))
        encode_names(&b);
    else if (str_starts(key, STR("l:list")))
        book_alias_encode(&b,
                          &(struct book_alias){.targets = ann, .n_targets = 1});
    else
        return false;
    *value = arena_dup(ctx, buf_str(&b));
    buf_fini(&b);
    return true;
}

static struct arena arena; /* of one test; values live in it */
static const struct book book = {
    .find = find, .ctx = &arena, .hostname = {"mx.ours.example", 15}
};
static const struct gate_policy policy = {.max_size = 100, .max_recipients = 3};

static struct gate_facts
facts_of(const struct gate_session *s)
{
    return (struct gate_facts){
        .policy = &policy, .session = s, .book = &book, .arena = &arena};
}

#define STRANGER                                                               \
    {                                                                          \
        0                                                                      \
    }
#define NETWORK                                                                \
    {                                                                          \
        .in_networks = true                                                    \
    }
#define SUBMISSION                                                             \
    {                                                                          \
        .auth_required = true                                                  \
    }
#define SUBMISSION_NETWORK                                                     \
    {                                                                          \
        .auth_required = true, .in_networks = true                             \
    }
#define ANN                                                                    \
    {                                                                          \
        .auth_required = true, .user = { "ann@ours.example", 16 }              \
    }
#define ANN_ON_MX                                                              \
    {                                                                          \
        .user = { "ann@ours.example", 16 }                                     \
    }
#define LOCAL                                                                  \
    {                                                                          \
        .local = true                                                          \
    }

static void
expect(const char *name, struct str got, const char *want)
{
    if (!str_eq(got, str_from(want)))
        fail_msg("%s: \"%.*s\" instead of \"%s\"", name, STR_ARG(got), want);
    if (got.n > 0)
        assert_non_null(catalogue_find(got));
}

static const struct {
    struct gate_session session;
    const char *sender;
    uint64_t size;
    const char *want;
} mails[] = {
    {STRANGER,                            "<x@far.example>",         0,   ""                        },
    {STRANGER,                            "<>",                      0,   ""                        },
    {STRANGER,                            "<ann@ours.example>",      0,   "own-domain-without-login"},
    {STRANGER,                            "<Zed@OURS.example.>",     0,   "own-domain-without-login"},
    {STRANGER,                            "<x@sub.ours.example>",    0,   ""                        },
    {NETWORK,                             "<ann@ours.example>",      0,   ""                        },
    {STRANGER,                            "<x@far.example>",         100, ""                        },
    {STRANGER,                            "<x@far.example>",         101, "too-large"               },
    {NETWORK,                             "<x@far.example>",         0,   ""                        },
    {SUBMISSION,                          "<ann@ours.example>",      0,   "login-needed"            },
    {SUBMISSION,                          "<>",                      0,   "login-needed"            },
    {SUBMISSION,                          "<ann@ours.example>",      999, "login-needed"            },
    {SUBMISSION_NETWORK,                  "<ann@ours.example>",      0,   "login-needed"            },
    {ANN,                                 "<ann@ours.example>",      0,   ""                        },
    {ANN,                                 "<Ann@OURS.example.>",     0,   ""                        },
    {ANN,                                 "<\"ann\"@ours.example>",  0,   ""                        },
    {ANN,                                 "<ann+shop@ours.example>", 0,   ""                        },
    {ANN,                                 "<sales@ours.example>",    0,   ""                        },
    {ANN,                                 "<any@all.example>",       0,   ""                        },
    {ANN,                                 "<>",                      0,   ""                        },
    {ANN,                                 "<bob@ours.example>",      0,   "sender-not-yours"        },
    {ANN,                                 "<ann@far.example>",       0,   "sender-not-yours"        },
    {ANN,                                 "<nobody@ours.example>",   0,   "sender-not-yours"        },
    {ANN,                                 "<ann@ours.example>",      101, "too-large"               },
    {ANN_ON_MX,                           "<bob@ours.example>",      0,   "sender-not-yours"        },
    {LOCAL,                               "<bob@ours.example>",      0,   ""                        },
    {{.user = {"sue@ours.example", 16}},
     "<sue@ours.example>",                                           0,
     "account-suspended"                                                                            },
    {{.user = {"sue@ours.example", 16}},  "<>",                      0,   "account-suspended"       },
    {{.user = {"dan@ours.example", 16}},
     "<dan@ours.example>",                                           0,
     "account-suspended"                                                                            },
    {{.user = {"gone@ours.example", 17}},
     "<gone@ours.example>",                                          0,
     "sender-not-yours"                                                                             },
    {LOCAL,                               "<root@far.example>",      101, "too-large"               },
};

static void
mail(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof mails / sizeof *mails; i++) {
        struct address a;
        struct str in = str_from(mails[i].sender);
        assert_true(address_take_path(&in, false, &a));
        struct gate_facts f = facts_of(&mails[i].session);
        gate_facts_sender(&f, &a, mails[i].size);
        assert_int_equal(gate_needs(GATE_MAIL, &f), 0);
        expect(mails[i].sender, gate_judge(GATE_MAIL, &f, NULL).reason,
               mails[i].want);
    }
    arena_fini(&arena);
}

/* Who logged in reads which senders are theirs, in a line that is not too long;
 * the admin reads all. */
static void
senders_named(void **state)
{
    static const struct {
        size_t n;
        const char *want;
    } cases[] = {
        {0, ""                                                      },
        {1, ", @all.example"                                        },
        {3, ", @all.example, list1@ours.example, list2@ours.example"},
        {5, ", @all.example, list1@ours.example, list2@ours.example and 2 "
            "more"                                       },
    };
    const struct gate_session ann = ANN;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct address a;
        struct str in = STR("<bob@ours.example>");
        assert_true(address_take_path(&in, false, &a));
        n_ann_is = cases[i].n;
        struct gate_facts f = facts_of(&ann);
        gate_facts_sender(&f, &a, 0);
        struct gate_verdict v = gate_judge(GATE_MAIL, &f, NULL);
        assert_true(str_eq(v.reason, STR("sender-not-yours")));
        assert_true(str_eq(v.detail, str_from(cases[i].want)));
        assert_int_equal(v.rule.n, 0);
        f.thorough = true;
        v = gate_judge(GATE_MAIL, &f, NULL);
        assert_true(str_starts(v.rule, STR("may send as ann@ours.example")));
        for (size_t j = 0; j < cases[i].n; j++)
            assert_true(str_find(v.rule, str_from(ann_is[j])) > 0);
    }
    n_ann_is = 0;
    arena_fini(&arena);
}

#define RELAY "relay-denied"
#define UNKNOWN "unknown-recipient"

static const struct {
    struct gate_session session;
    const char *rcpt, *want;
} rcpts[] = {
    {STRANGER,           "<ann@ours.example>",                          ""                     },
    {STRANGER,           "<ANN@OURS.EXAMPLE>",                          ""                     },
    {STRANGER,           "<ann@ours.example.>",                         ""                     },
    {STRANGER,           "<\"Ann\"@ours.example>",                      ""                     },
    {STRANGER,           "<ann+x@ours.example>",                        ""                     },
    {STRANGER,           "<sales@ours.example>",                        ""                     },
    {STRANGER,           "<any.thing@all.example>",                     ""                     },
    {STRANGER,           "<@far.example:ann@ours.example>",             ""                     },
    {STRANGER,           "<nobody@ours.example>",                       UNKNOWN                },
    {STRANGER,
     "<nobody@B\xc3\xbc"
     "cher.example>",                                                   UNKNOWN                },
 // postmaster is always there (RFC 5321, 4.5.1)
    {STRANGER,           "<postmaster>",                                ""                     },
    {STRANGER,           "<PostMaster@ours.example>",                   ""                     },
    {STRANGER,           "<POSTMASTER@all.example>",                    ""                     },
    {STRANGER,           "<postmaster@far.example>",                    RELAY                  },
 // the ways to relay that somebody once tried
    {STRANGER,           "<x@far.example>",                             RELAY                  },
    {STRANGER,           "<x@sub.ours.example>",                        RELAY                  },
    {STRANGER,           "<x@far.example.>",                            RELAY                  },
    {STRANGER,           "<@ours.example:x@far.example>",               RELAY                  },
    {STRANGER,           "<@ours.example,@ours.example:x@far.example>", RELAY                  },
    {STRANGER,           "<x%far.example@ours.example>",                UNKNOWN                },
    {STRANGER,           "<x%far.example@[127.0.0.1]>",                 RELAY                  },
    {STRANGER,           "<far.example!x@ours.example>",                UNKNOWN                },
    {STRANGER,           "<ours.example!ann@far.example>",              RELAY                  },
    {STRANGER,           "<\"x@far.example\"@ours.example>",            UNKNOWN                },
    {STRANGER,           "<\"ann@ours.example\"@far.example>",          RELAY                  },
    {STRANGER,           "<ann@[127.0.0.1]>",                           RELAY                  },
    {STRANGER,           "<postmaster@[127.0.0.1]>",                    RELAY                  },
    {STRANGER,           "<ann@[IPv6:::1]>",                            RELAY                  },
 // who may relay
    {NETWORK,            "<x@far.example>",                             ""                     },
    {NETWORK,            "<nobody@ours.example>",                       UNKNOWN                },
    {SUBMISSION_NETWORK, "<x@far.example>",                             RELAY                  },
    {SUBMISSION,         "<x@far.example>",                             RELAY                  },
    {ANN,                "<x@far.example>",                             ""                     },
    {ANN_ON_MX,          "<x@far.example>",                             ""                     },
    {ANN,                "<nobody@ours.example>",                       UNKNOWN                },
    {LOCAL,              "<x@far.example>",                             ""                     },
    {LOCAL,              "<nobody@ours.example>",                       UNKNOWN                },
    {ANN,                "<x@\xcc\x81.example>",                        "bad-recipient-address"},
};

static void
rcpt(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rcpts / sizeof *rcpts; i++) {
        struct address a;
        struct str in = str_from(rcpts[i].rcpt);
        if (!address_take_path(&in, true, &a))
            fail_msg("%s: no path", rcpts[i].rcpt);
        struct gate_facts f = facts_of(&rcpts[i].session);
        gate_facts_recipient(&f, &a, 2);
        assert_int_equal(gate_needs(GATE_RCPT, &f), 0);
        expect(rcpts[i].rcpt, gate_judge(GATE_RCPT, &f, NULL).reason,
               rcpts[i].want);
        gate_facts_recipient(&f, &a, 3);
        expect(rcpts[i].rcpt, gate_judge(GATE_RCPT, &f, NULL).reason,
               "too-many-recipients");
    }
    arena_fini(&arena);
}

static void
end(void **state)
{
    static const struct {
        const char *name;
        struct gate_content content;
        const char *want;
    } cases[] = {
        {"fine",      {.received = 49},                    ""              },
        {"loop",      {.received = 50},                    "loop"          },
        {"bare",      {.bare = true, .too_large = true},   "bare-line-ends"},
        {"large",     {.too_large = true, .received = 99}, "too-large"     },
        {"long line", {.long_line = true},                 "malformed"     },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct gate_session stranger = STRANGER;
        struct gate_facts f = facts_of(&stranger);
        f.content = cases[i].content;
        expect(cases[i].name, gate_judge(GATE_DATA, &f, NULL).reason,
               cases[i].want);
    }
}

/* What clients, tests and other servers rely on. */
static void
codes(void **state)
{
    static const struct {
        const char *reason;
        unsigned code;
        struct status status;
    } cases[] = {
        {"relay-denied",        553, {5, 7, 1}},
        {"unknown-recipient",   553, {5, 1, 1}},
        {"login-needed",        530, {5, 7, 0}},
        {"sender-not-yours",    553, {5, 7, 1}},
        {"too-many-recipients", 452, {4, 5, 3}},
        {"too-large",           552, {5, 3, 4}},
        {"loop",                554, {5, 4, 6}},
        {"bare-line-ends",      554, {5, 6, 0}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct reason *r = catalogue_find(str_from(cases[i].reason));
        assert_non_null(r);
        assert_int_equal(r->code, cases[i].code);
        assert_int_equal(r->status.klass, cases[i].status.klass);
        assert_int_equal(r->status.subject, cases[i].status.subject);
        assert_int_equal(r->status.detail, cases[i].status.detail);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mail),  cmocka_unit_test(senders_named),
        cmocka_unit_test(rcpt),  cmocka_unit_test(end),
        cmocka_unit_test(codes),
    };
    return cmocka_run_group_tests_name("gate", tests, NULL, NULL);
}
