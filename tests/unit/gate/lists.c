/* SPDX-License-Identifier: ISC */
/* Checks that need look-ups, which are injected here: what is asked for, in
 * which order, and what becomes of each answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "catalogue/catalogue.h"
#include "gate/report.h"

/* ours.example: ann */
static bool
find(void *ctx, struct str key, struct str *value)
{
    struct buf b = {0};
    if (str_eq(key, STR("d:ours.example")))
        book_domain_encode(&b,
                           &(struct book_domain){STR("maildir:/m/%{user}")});
    else if (str_eq(key, STR("a:ann@ours.example")))
        book_account_encode(&b, &(struct book_account){.note = STR_EMPTY});
    else
        return false;
    *value = arena_dup(ctx, buf_str(&b));
    buf_fini(&b);
    return true;
}

static struct arena arena;
static const struct book book = {
    .find = find, .ctx = &arena, .hostname = {"mx.ours.example", 15}
};

static uint32_t
line_of(void *ctx, struct str option)
{
    (void)ctx;
    return str_eq(option, STR("gate.badmailfrom")) ? 17 : 0;
}

static const struct gate_policy everything = {
    .max_size = 100,
    .max_recipients = 3,
    .lists = (1U << LIST_COUNT) - 1,
    .sender_domain_must_exist = true,
    .recipient_mx_checked = true,
    .line = line_of,
};

static const struct gate_session stranger = {
    .client = {"192.0.2.1", 9}
};

static struct gate_facts
facts_of(const struct gate_policy *policy, const struct gate_session *s)
{
    return (struct gate_facts){
        .policy = policy, .session = s, .book = &book, .arena = &arena};
}

static void
set_sender(struct gate_facts *f, struct address *a, const char *path)
{
    struct str in = str_from(path);
    assert_true(address_take_path(&in, false, a));
    gate_facts_sender(f, a, 0);
}

static void
set_recipient(struct gate_facts *f, struct address *a, const char *path)
{
    struct str in = str_from(path);
    assert_true(address_take_path(&in, true, a));
    gate_facts_recipient(f, a, 0);
}

#define BIT(lookup) (1U << (lookup))

/* What is looked for: as the lists are written, the nearest entry first. */
static void
keys(void **state)
{
    static const struct {
        const char *path;
        enum gate_lookup lookup;
        const char *want;
    } cases[] = {
        {"<Bob@A.B.Example>",    (enum gate_lookup)LIST_BADMAILFROM,
         "bob@a.b.example @a.b.example .b.example .example "                     },
        {"<\"Bob\"@b.example.>", (enum gate_lookup)LIST_SENDER_DENY,
         "bob@b.example @b.example .example "                                    },
        {"<>",                   (enum gate_lookup)LIST_BADMAILFROM, ""          },
        {"<bob@[192.0.2.1]>",    (enum gate_lookup)LIST_BADMAILFROM,
         "bob@[192.0.2.1] @[192.0.2.1] "                                         },
        {"<bob@B.example>",      GATE_ASK_SENDER_DOMAIN,             "b.example "},
    };
    static const struct {
        const char *path;
        enum gate_lookup lookup;
        const char *want;
    } recipients[] = {
        {"<Ann+Shop@Ours.Example>", (enum gate_lookup)LIST_VALIDRCPTTO,
         "ann+shop@ours.example ann@ours.example @ours.example "                      },
        {"<ann@ours.example>",      (enum gate_lookup)LIST_VALIDRCPTTO,
         "ann@ours.example @ours.example "                                            },
        {"<x@Deep.far.example>",    (enum gate_lookup)LIST_RCPTHOSTS,
         "deep.far.example .far.example .example "                                    },
        {"<x@far.example>",         GATE_ASK_RECIPIENT_MX,              "far.example "},
        {"<postmaster>",            (enum gate_lookup)LIST_RCPTHOSTS,   ""            },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct gate_facts f = facts_of(&everything, &stranger);
        struct str found[GATE_KEYS_MAX];
        struct address a;
        struct buf b = {0};
        set_sender(&f, &a, cases[i].path);
        size_t n = gate_keys(&f, cases[i].lookup, found);
        for (size_t j = 0; j < n; j++)
            buf_addf(&b, "%.*s ", STR_ARG(found[j]));
        assert_string_equal(buf_cstr(&b), cases[i].want);
        buf_fini(&b);
    }
    for (size_t i = 0; i < sizeof recipients / sizeof *recipients; i++) {
        struct gate_facts f = facts_of(&everything, &stranger);
        struct str found[GATE_KEYS_MAX];
        struct address a;
        struct buf b = {0};
        set_recipient(&f, &a, recipients[i].path);
        size_t n = gate_keys(&f, recipients[i].lookup, found);
        for (size_t j = 0; j < n; j++)
            buf_addf(&b, "%.*s ", STR_ARG(found[j]));
        assert_string_equal(buf_cstr(&b), recipients[i].want);
        buf_fini(&b);
    }
    arena_fini(&arena);
}

/* A name of as many labels as the DNS allows leaves no room to hide in. */
static void
keys_of_the_deepest(void **state)
{
    struct buf b = {0};
    struct str found[GATE_KEYS_MAX];
    struct gate_facts f = facts_of(&everything, &stranger);
    struct address a;
    (void)state;
    buf_add(&b, STR("<b@"));
    for (size_t i = 0; i < 120; i++)
        buf_add(&b, STR("a."));
    buf_add(&b, STR("example>"));
    set_sender(&f, &a, buf_cstr(&b));
    size_t n = gate_keys(&f, (enum gate_lookup)LIST_BADMAILFROM, found);
    assert_int_equal(n, 122);
    assert_true(str_eq(found[n - 1], STR(".example")));
    buf_fini(&b);
    arena_fini(&arena);
}

static const struct gate_session ann = {
    .user = {"ann@ours.example", 16}
};
static const struct gate_session network = {
    .in_networks = true, .client = {"192.0.2.1", 9}
};
static const struct gate_session local = {.local = true};

#define SENDER_LISTS (BIT(LIST_BADMAILFROM) | BIT(LIST_SENDER_DENY))
#define RCPT_LISTS                                                             \
    (BIT(LIST_RCPTHOSTS) | BIT(LIST_VALIDRCPTTO) | BIT(GATE_ASK_RECIPIENT_MX))

static const struct {
    const struct gate_session *session;
    enum gate_stage stage;
    const char *path;
    unsigned needs;
} needs[] = {
    {&stranger, GATE_MAIL, "<x@far.example>",
     SENDER_LISTS | BIT(GATE_ASK_SENDER_DOMAIN)                       },
    {&network,  GATE_MAIL, "<x@far.example>",    SENDER_LISTS         },
    {&local,    GATE_MAIL, "<x@far.example>",    SENDER_LISTS         },
    {&ann,      GATE_MAIL, "<ann@ours.example>", SENDER_LISTS         },
    {&stranger, GATE_MAIL, "<>",                 0                    },
    {&stranger, GATE_MAIL, "<x@[192.0.2.1]>",    SENDER_LISTS         },
 // refused anyway: nothing is asked for
    {&stranger, GATE_MAIL, "<ann@ours.example>", 0                    },
    {&ann,      GATE_MAIL, "<x@far.example>",    0                    },
    {&stranger, GATE_RCPT, "<x@far.example>",    RCPT_LISTS           },
    {&stranger, GATE_RCPT, "<ann@ours.example>",
     BIT(LIST_RCPTHOSTS) | BIT(LIST_VALIDRCPTTO)                      },
    {&ann,      GATE_RCPT, "<x@far.example>",    0                    },
    {&ann,      GATE_RCPT, "<ann@ours.example>", BIT(LIST_VALIDRCPTTO)},
    {&stranger, GATE_RCPT, "<postmaster>",       0                    },
};

static void
look_ups(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof needs / sizeof *needs; i++) {
        struct gate_facts f = facts_of(&everything, needs[i].session);
        struct address a;
        if (needs[i].stage == GATE_MAIL)
            set_sender(&f, &a, needs[i].path);
        else
            set_recipient(&f, &a, needs[i].path);
        if (gate_needs(needs[i].stage, &f) != needs[i].needs)
            fail_msg("%s: %x", needs[i].path, gate_needs(needs[i].stage, &f));
    }
    arena_fini(&arena);
}

static const struct {
    enum gate_stage stage;
    const char *path;
    enum gate_lookup lookup;
    struct gate_answer answer;
    const char *want;
} answers[] = {
#define LIST(id) (enum gate_lookup) id
    {GATE_MAIL,
                                          "<x@far.example>",    LIST(LIST_BADMAILFROM),
                                          {.known = GATE_YES},
                                          "badmailfrom"          },
    {GATE_MAIL,
                                          "<x@far.example>",    LIST(LIST_BADMAILFROM),
                                          {.known = GATE_NO},
                                          ""                     },
    {GATE_MAIL,
                                          "<x@far.example>",    LIST(LIST_BADMAILFROM),
                                          {.known = GATE_TROUBLE},
                                          "list-trouble"         },
    {GATE_MAIL,
                                          "<x@far.example>",    LIST(LIST_SENDER_DENY),
                                          {.known = GATE_YES},
                                          "sender-denied"        },
    {GATE_MAIL,
                                          "<x@far.example>",    LIST(LIST_SENDER_DENY),
                                          {.known = GATE_TROUBLE},
                                          "list-trouble"         },
    {GATE_MAIL,
                                          "<x@far.example>",    GATE_ASK_SENDER_DOMAIN,
                                          {.known = GATE_YES},
                                          ""                     },
    {GATE_MAIL,
                                          "<x@far.example>",    GATE_ASK_SENDER_DOMAIN,
                                          {.known = GATE_NO},
                                          "sender-domain-missing"},
    {GATE_MAIL,
                                          "<x@far.example>",    GATE_ASK_SENDER_DOMAIN,
                                          {.known = GATE_NO, .value = {"null MX", 7}},
                                          "sender-domain-no-mail"},
    {GATE_MAIL,
                                          "<x@far.example>",    GATE_ASK_SENDER_DOMAIN,
                                          {.known = GATE_TROUBLE},
                                          "sender-domain-trouble"},
    {GATE_RCPT,
                                          "<x@far.example>",    LIST(LIST_RCPTHOSTS),
                                          {.known = GATE_NO},
                                          "not-in-rcpthosts"     },
    {GATE_RCPT,
                                          "<ann@ours.example>", LIST(LIST_RCPTHOSTS),
                                          {.known = GATE_NO},
                                          "not-in-rcpthosts"     },
    {GATE_RCPT,
                                          "<x@far.example>",    LIST(LIST_RCPTHOSTS),
                                          {.known = GATE_YES},
                                          ""                     },
    {GATE_RCPT,
                                          "<x@far.example>",    LIST(LIST_RCPTHOSTS),
                                          {.known = GATE_TROUBLE},
                                          "list-trouble"         },
    {GATE_RCPT,
                                          "<x@far.example>",    GATE_ASK_RECIPIENT_MX,
                                          {.known = GATE_YES},
                                          "domain-not-here"      },
    {GATE_RCPT,
                                          "<x@far.example>",    GATE_ASK_RECIPIENT_MX,
                                          {.known = GATE_NO},
                                          "relay-denied"         },
    {GATE_RCPT,
                                          "<x@far.example>",    GATE_ASK_RECIPIENT_MX,
                                          {.known = GATE_TROUBLE},
                                          "relay-denied"         },
    {GATE_RCPT,
                                          "<ann@ours.example>", LIST(LIST_VALIDRCPTTO),
                                          {.known = GATE_NO},
                                          "not-in-validrcptto"   },
    {GATE_RCPT,
                                          "<ann@ours.example>", LIST(LIST_VALIDRCPTTO),
                                          {.known = GATE_YES},
                                          ""                     },
    {GATE_RCPT,
                                          "<ann@ours.example>", LIST(LIST_VALIDRCPTTO),
                                          {.known = GATE_TROUBLE},
                                          "list-trouble"         },
    {GATE_RCPT,
                                          "<bob@ours.example>", LIST(LIST_VALIDRCPTTO),
                                          {.known = GATE_YES},
                                          "unknown-recipient"    },
#undef LIST
};

/* Only that look-up is in the config. */
static void
verdicts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        struct gate_policy policy = {.max_size = 100, .max_recipients = 3};
        enum gate_lookup lookup = answers[i].lookup;
        if ((unsigned)lookup < LIST_COUNT)
            policy.lists = BIT(lookup);
        policy.sender_domain_must_exist = lookup == GATE_ASK_SENDER_DOMAIN;
        policy.recipient_mx_checked = lookup == GATE_ASK_RECIPIENT_MX;
        struct gate_facts f = facts_of(&policy, &stranger);
        struct address a;
        if (answers[i].stage == GATE_MAIL)
            set_sender(&f, &a, answers[i].path);
        else
            set_recipient(&f, &a, answers[i].path);
        assert_int_equal(gate_needs(answers[i].stage, &f), BIT(lookup));
        f.answers[lookup] = answers[i].answer;
        assert_int_equal(gate_needs(answers[i].stage, &f), 0);
        struct str reason = gate_judge(answers[i].stage, &f, NULL).reason;
        if (!str_eq(reason, str_from(answers[i].want)))
            fail_msg("%zu %s: \"%.*s\" instead of \"%s\"", i, answers[i].path,
                     STR_ARG(reason), answers[i].want);
        if (reason.n > 0)
            assert_non_null(catalogue_find(reason));
    }
    arena_fini(&arena);
}

/* What is not known now is never a refusal for good. */
static void
trouble_is_temporary(void **state)
{
    static const char *const reasons[] = {"list-trouble",
                                          "sender-domain-trouble"};
    (void)state;
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        assert_in_range(catalogue_find(str_from(reasons[i]))->code, 400, 499);
}

static void
report(void **state)
{
    struct gate_facts f = facts_of(&everything, &stranger);
    struct gate_report r = {.n = 0}, back = {.n = 0};
    struct gate_report_line *l = back.lines;
    struct address a;
    struct buf text = {0};
    (void)state;
    set_sender(&f, &a, "<x@far.example>");
    f.answers[LIST_BADMAILFROM] =
        (struct gate_answer){.known = GATE_YES, .key = STR("@far.\texample")};
    f.answers[LIST_SENDER_DENY].known = GATE_YES;
    struct gate_verdict v = gate_judge(GATE_MAIL, &f, &r);
    assert_true(str_eq(v.reason, STR("badmailfrom")));
    assert_string_equal(v.check->name, "badmailfrom");
    gate_report_add(&text, &r);
    struct str rest = buf_str(&text);
    while (gate_report_take(&rest, &l[back.n]))
        back.n++;
    assert_int_equal(rest.n, 0);
    assert_int_equal(back.n, r.n);
    size_t decided = 0;
    for (size_t i = 0; i < back.n; i++) {
        assert_true(str_eq(l[i].check, r.lines[i].check));
        assert_int_equal(l[i].result, r.lines[i].result);
        assert_int_equal(l[i].line, r.lines[i].line);
        if (l[i].decided) {
            decided++;
            assert_true(str_eq(l[i].check, STR("badmailfrom")));
            assert_true(str_eq(l[i].option, STR("gate.badmailfrom")));
            assert_true(str_eq(l[i].note, STR("@far.?example")));
            assert_int_equal(l[i].line, 17);
        } else {
            assert_int_not_equal(l[i].result, GATE_REFUSED);
        }
    }
    assert_int_equal(decided, 1);
    buf_fini(&text);

    // thorough: what else would have refused
    r.n = 0;
    f.thorough = true;
    (void)gate_judge(GATE_MAIL, &f, &r);
    size_t refused = 0;
    for (size_t i = 0; i < r.n; i++)
        refused += r.lines[i].result == GATE_REFUSED;
    assert_int_equal(refused, 2);
    arena_fini(&arena);
}

static void
report_text(void **state)
{
    static const struct {
        const char *text;
        bool good;
    } cases[] = {
        {"relay\trefused\trelay.networks:7\trelay-denied\t\t*\n", true },
        {"relay\tpassed\t\t\t\t\n",                               true },
        {"relay\tpassed\t\t\t\t",                                 false},
        {"relay\tpassed\t\t\t\n",                                 false},
        {"relay\tmaybe\t\t\t\t\n",                                false},
        {"relay\tpassed\tx:y\t\t\t\n",                            false},
        {"relay\tpassed\tx:99999999999\t\t\t\n",                  false},
        {"relay\tpassed\t\t\t\t+\n",                              false},
        {"",                                                      false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct gate_report_line l;
        struct str text = str_from(cases[i].text);
        assert_int_equal(gate_report_take(&text, &l), cases[i].good);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys),
        cmocka_unit_test(keys_of_the_deepest),
        cmocka_unit_test(look_ups),
        cmocka_unit_test(verdicts),
        cmocka_unit_test(trouble_is_temporary),
        cmocka_unit_test(report),
        cmocka_unit_test(report_text),
    };
    return cmocka_run_group_tests_name("gate/lists", tests, NULL, NULL);
}
