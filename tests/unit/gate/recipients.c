/* SPDX-License-Identifier: ISC */
/* States of recipients, lists for members, accounts that only receive, and who
 * is told which name was meant. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "catalogue/catalogue.h"
#include "gate/checks.h"

static struct arena arena;

static const struct {
    const char *key;
    struct book_account account;
} accounts[] = {
    {"a:ann@ours.example",    {.note = {"", 0}}                               },
    {"a:joseph@ours.example", {.note = {"", 0}}                               },
    {"a:off@ours.example",    {.state = BOOK_DISABLED}                        },
    {"a:sus@ours.example",    {.state = BOOK_SUSPENDED, .note = {"secret", 6}}},
    {"a:full@ours.example",   {.state = BOOK_FULL}                            },
    {"a:moved@ours.example",
     {.state = BOOK_MOVED, .note = {"new@far.example", 15}}                   },
    {"a:gone@ours.example",   {.state = BOOK_MOVED}                           },
    {"a:box@ours.example",    {.receive_only = true}                          },
};

static bool
find(void *ctx, struct str key, struct str *value)
{
    struct buf b = {0};
    struct str targets[] = {STR("ann@ours.example"), STR("bob@far.example")};
    if (str_eq(key, STR("d:ours.example")) || str_eq(key, STR("d:all.example")))
        book_domain_encode(&b,
                           &(struct book_domain){STR("maildir:/m/%{user}")});
    else if (str_eq(key, STR("l:club@ours.example")))
        book_alias_encode(&b, &(struct book_alias){.targets = targets,
                                                   .n_targets = 2,
                                                   .members_only = true});
    else if (str_eq(key, STR("l:sales@ours.example")) ||
             str_eq(key, STR("l:@all.example")))
        book_alias_encode(
            &b, &(struct book_alias){.targets = targets, .n_targets = 1});
    for (size_t i = 0; i < sizeof accounts / sizeof *accounts; i++)
        if (str_eq(key, str_from(accounts[i].key)))
            book_account_encode(&b, &accounts[i].account);
    *value = arena_dup(ctx, buf_str(&b));
    buf_fini(&b);
    return value->n > 0;
}

static const struct book book = {
    .find = find, .ctx = &arena, .hostname = {"mx.ours.example", 15}
};
static const struct gate_policy policy = {.max_size = 100, .max_recipients = 3};
static const struct gate_session stranger = {
    .client = {"192.0.2.1", 9}
};
static const struct gate_session ann = {
    .user = {"ann@ours.example", 16}
};
static const struct gate_session box = {
    .user = {"box@ours.example", 16}
};

static const struct {
    const struct gate_session *session;
    const char *sender, *recipient, *reason, *detail;
} cases[] = {
    {&stranger, "<x@far.example>",      "<ann@ours.example>",        "",                    ""},
    {&stranger, "<x@far.example>",      "<off@ours.example>",        "recipient-disabled",
     ""                                                                                       },
    {&stranger, "<x@far.example>",      "<Off+shop@OURS.example>",
     "recipient-disabled",                                                                  ""},
    {&stranger, "<x@far.example>",      "<sus@ours.example>",        "recipient-suspended",
     ""                                                                                       },
    {&ann,      "<ann@ours.example>",   "<sus@ours.example>",        "recipient-suspended",
     ""                                                                                       },
    {&stranger, "<x@far.example>",      "<full@ours.example>",       "recipient-full",      ""},
    {&stranger, "<x@far.example>",      "<moved@ours.example>",      "recipient-moved",
     "Please try <new@far.example>."                                                          },
    {&stranger, "<x@far.example>",      "<gone@ours.example>",       "recipient-moved",
     ""                                                                                       },
    {&stranger, "<x@far.example>",      "<box@ours.example>",        "",                    ""},
 // members: who is a target, or the account behind another name
    {&stranger, "<x@far.example>",      "<club@ours.example>",       "members-only",        ""},
    {&stranger, "<>",                   "<club@ours.example>",       "members-only",        ""},
    {&stranger, "<bob@far.example>",    "<club@ours.example>",       "",                    ""},
    {&stranger, "<Bob+x@far.example>",  "<club@ours.example>",       "",                    ""},
    {&ann,      "<ann@ours.example>",   "<club@ours.example>",       "",                    ""},
    {&ann,      "<sales@ours.example>", "<club@ours.example>",       "",                    ""},
 // did you mean: one letter wrong, missing, too many, exchanged
    {&ann,      "<ann@ours.example>",   "<amn@ours.example>",        "unknown-recipient",
     "Did you mean ann@ours.example?"                                                         },
    {&ann,      "<ann@ours.example>",   "<an@ours.example>",         "unknown-recipient",
     "Did you mean ann@ours.example?"                                                         },
    {&ann,      "<ann@ours.example>",   "<nann@ours.example>",       "unknown-recipient",
     "Did you mean ann@ours.example?"                                                         },
    {&ann,      "<ann@ours.example>",   "<jospeh@ours.example>",     "unknown-recipient",
     "Did you mean joseph@ours.example?"                                                      },
    {&ann,      "<ann@ours.example>",   "<Joesph+x@ours.example>",   "unknown-recipient",
     "Did you mean joseph@ours.example?"                                                      },
    {&ann,      "<ann@ours.example>",   "<sale@ours.example>",       "unknown-recipient",
     "Did you mean sales@ours.example?"                                                       },
    {&ann,      "<ann@ours.example>",   "<nobody@ours.example>",     "unknown-recipient",
     ""                                                                                       },
    {&ann,      "<ann@ours.example>",   "<postmastre@ours.example>",
     "unknown-recipient",                                                                   ""},
    {&stranger, "<x@far.example>",      "<amn@ours.example>",        "unknown-recipient",
     ""                                                                                       },
};

static void
recipients(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct address sender, recipient;
        struct str from = str_from(cases[i].sender);
        struct str to = str_from(cases[i].recipient);
        struct gate_facts f = {.policy = &policy,
                               .session = cases[i].session,
                               .book = &book,
                               .arena = &arena};
        assert_true(address_take_path(&from, false, &sender));
        assert_true(address_take_path(&to, true, &recipient));
        gate_facts_sender(&f, &sender, 0);
        gate_facts_recipient(&f, &recipient, 0);
        struct gate_verdict v = gate_judge(GATE_RCPT, &f, NULL);
        if (!str_eq(v.reason, str_from(cases[i].reason)) ||
            !str_eq(v.detail, str_from(cases[i].detail)))
            fail_msg("%s to %s: \"%.*s\", \"%.*s\"", cases[i].sender,
                     cases[i].recipient, STR_ARG(v.reason), STR_ARG(v.detail));
        if (v.reason.n > 0)
            assert_non_null(catalogue_find(v.reason));
    }
    arena_fini(&arena);
}

/* The longest name, and one beyond what is looked for. */
static void
nearest_of_long_names(void **state)
{
    (void)state;
    for (size_t n = 30; n <= 64; n++) {
        struct buf b = {0};
        struct address a;
        struct gate_facts f = {
            .policy = &policy, .session = &ann, .book = &book, .arena = &arena};
        for (size_t i = 0; i < n; i++)
            buf_add_char(&b, 'x');
        buf_add(&b, STR("@ours.example"));
        assert_true(address_parse(buf_str(&b), &a));
        gate_facts_recipient(&f, &a, 0);
        assert_int_equal(gate_nearest(&f).n, 0);
        buf_fini(&b);
    }
    arena_fini(&arena);
}

static void
receive_only(void **state)
{
    static const struct {
        const struct gate_session *session;
        const char *sender, *want;
    } mails[] = {
        {&box,      "<box@ours.example>", "receive-only"},
        {&box,      "<>",                 "receive-only"},
        {&ann,      "<ann@ours.example>", ""            },
        {&stranger, "<x@far.example>",    ""            },
    };
    (void)state;
    for (size_t i = 0; i < sizeof mails / sizeof *mails; i++) {
        struct address sender;
        struct str from = str_from(mails[i].sender);
        struct gate_facts f = {.policy = &policy,
                               .session = mails[i].session,
                               .book = &book,
                               .arena = &arena};
        assert_true(address_take_path(&from, false, &sender));
        gate_facts_sender(&f, &sender, 0);
        struct str reason = gate_judge(GATE_MAIL, &f, NULL).reason;
        if (!str_eq(reason, str_from(mails[i].want)))
            fail_msg("%s: \"%.*s\"", mails[i].sender, STR_ARG(reason));
    }
    arena_fini(&arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recipients),
        cmocka_unit_test(nearest_of_long_names),
        cmocka_unit_test(receive_only),
    };
    return cmocka_run_group_tests_name("gate/recipients", tests, NULL, NULL);
}
