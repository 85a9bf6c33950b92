/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "book/book.h"

/* The fake directory: accounts, aliases, domains as a person would list them.
 */
static const struct {
    const char *key;
    const char *value[4]; /* pattern; "away" or ""; targets */
} entries[] = {
    {"d:acme.example",             {"maildir:/m/%{domain}/%{user}"}          },
    {"d:other.example",            {"maildir:/o/%{user}/%{domain}"}          },
    {"a:ann@acme.example",         {""}                                      },
    {"a:bob@acme.example",         {"away"}                                  },
    {"a:x+y@acme.example",         {""}                                      },
    {"a:../etc@acme.example",      {""}                                      },
    {"a:.hidden@acme.example",     {""}                                      },
    {"a:a/b@acme.example",         {""}                                      },
    {"a:bell\a@acme.example",      {""}                                      },
    {"a:we@ird@acme.example",      {""}                                      },
    {"a:bob@gone.example",         {""}                                      },
    {"l:sales@acme.example",       {"ann@acme.example", "x@far.example"}     },
    {"l:all@acme.example",         {"Sales@ACME.example", "bob@acme.example"}},
    {"l:ann+shop@acme.example",    {"bob@acme.example"}                      },
    {"l:loop1@acme.example",       {"loop2@acme.example"}                    },
    {"l:loop2@acme.example",       {"loop1@acme.example"}                    },
    {"l:into@acme.example",        {"ann@acme.example", "Loop2@acme.example"}},
    {"l:self@acme.example",        {"self+x@acme.example"}                   },
    {"d:round.example",            {"maildir:/r/%{user}"}                    },
    {"l:@round.example",           {"nobody@round.example"}                  },
    {"l:@other.example",           {"ann@acme.example"}                      },
    {"l:postmaster@named.example", {"bob@acme.example"}                      },
    {"d:named.example",            {"maildir:/n/%{user}"}                    },
    {"n:ann@acme.example",
     {"@other.example", "into@acme.example", "sales@acme.example"}           },
    {"n:sales@acme.example",       {"all@acme.example", "sales@acme.example"}},
 // what directory still lists of an alias that leads elsewhere by now
    {"n:bob@acme.example",         {"all@acme.example", "loop1@acme.example"}},
    {"n:loop2@acme.example",       {"loop1@acme.example"}                    },
};

struct fake {
    struct arena arena;
};

static bool
find(void *ctx, struct str key, struct str *value)
{
    struct fake *f = ctx;
    struct buf b = {0};

    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
        if (!str_eq(key, str_from(entries[i].key)))
            continue;
        struct str list[4];
        size_t n = 0;
        for (; n < 4 && entries[i].value[n] != NULL; n++)
            list[n] = str_from(entries[i].value[n]);
        if (key.p[0] == 'd')
            book_domain_encode(&b, &(struct book_domain){list[0]});
        else if (key.p[0] == 'a')
            book_account_encode(
                &b, &(struct book_account){.on_vacation = list[0].n > 0});
        else if (key.p[0] == 'n')
            book_names_encode(&b, list, n);
        else
            book_alias_encode(
                &b, &(struct book_alias){.targets = list, .n_targets = n});
        *value = arena_dup(&f->arena, buf_str(&b));
        buf_fini(&b);
        return true;
    }
    return false;
}

static struct address
parse(const char *text)
{
    struct address a = {0};
    struct str in = str_from(text);
    assert_true(address_take_path(&in, true, &a));
    assert_int_equal(in.n, 0);
    return a;
}

static void
resolving(void **state)
{
    static const struct {
        const char *address;
        enum book_answer want;
        const char *detail; /* delivery, or alias and targets */
    } cases[] = {
        {"<x@far.example>",             BOOK_REMOTE,         ""                                },
        {"<ann@acme.example>",          BOOK_ACCOUNT,        "maildir:/m/acme.example/ann"     },
        {"<ANN@Acme.Example>",          BOOK_ACCOUNT,        "maildir:/m/acme.example/ann"     },
        {"<\"ann\"@acme.example>",      BOOK_ACCOUNT,        "maildir:/m/acme.example/ann"     },
        {"<ann+news@acme.example>",     BOOK_ACCOUNT,
         "maildir:/m/acme.example/ann"                                                         },
        {"<ann+a+b@acme.example>",      BOOK_ACCOUNT,        "maildir:/m/acme.example/ann"     },
 // an exact alias goes before the account without detail
        {"<ann+shop@acme.example>",     BOOK_ALIAS,
         "ann+shop@acme.example: bob@acme.example"                                             },
        {"<x+y@acme.example>",          BOOK_ACCOUNT,        "maildir:/m/acme.example/x"       },
        {"<+x@acme.example>",           BOOK_UNKNOWN,        ""                                },
        {"<nobody@acme.example>",       BOOK_UNKNOWN,        ""                                },
        {"<nobody+ann@acme.example>",   BOOK_UNKNOWN,        ""                                },
        {"<sales@acme.example>",        BOOK_ALIAS,
         "sales@acme.example: ann@acme.example x@far.example"                                  },
        {"<sales+q3@acme.example>",     BOOK_ALIAS,
         "sales@acme.example: ann@acme.example x@far.example"                                  },
        {"<any@other.example>",         BOOK_ALIAS,          "@other.example: ann@acme.example"},
 // an account of a domain that we do not host is nobody
        {"<bob@gone.example>",          BOOK_REMOTE,         ""                                },
 // names that must not come near a path
        {"<\"../etc\"@acme.example>",   BOOK_UNKNOWN,        ""                                },
        {"<\".hidden\"@acme.example>",  BOOK_UNKNOWN,        ""                                },
        {"<\"a/b\"@acme.example>",      BOOK_UNKNOWN,        ""                                },
        {"<a/b@acme.example>",          BOOK_UNKNOWN,        ""                                },
        {"<\"we@ird\"@acme.example>",   BOOK_ACCOUNT,
         "maildir:/m/acme.example/we@ird"                                                      },
 // postmaster is never unknown where we host
        {"<postmaster>",                BOOK_POSTMASTER_BOX, "maildir:/s/postmaster"           },
        {"<PostMaster>",                BOOK_POSTMASTER_BOX, "maildir:/s/postmaster"           },
        {"<postmaster@mx.example>",     BOOK_POSTMASTER_BOX,
         "maildir:/s/postmaster"                                                               },
        {"<Postmaster@acme.example>",   BOOK_POSTMASTER_BOX,
         "maildir:/s/postmaster"                                                               },
        {"<postmaster+x@acme.example>", BOOK_POSTMASTER_BOX,
         "maildir:/s/postmaster"                                                               },
 // … not even by the catch-all
        {"<postmaster@other.example>",  BOOK_POSTMASTER_BOX,
         "maildir:/s/postmaster"                                                               },
        {"<postmaster@named.example>",  BOOK_ALIAS,
         "postmaster@named.example: bob@acme.example"                                          },
        {"<postmaster@far.example>",    BOOK_REMOTE,         ""                                },
        {"<ann@mx.example>",            BOOK_REMOTE,         ""                                },
    };
    struct fake f = {0};
    const struct book b = {.find = find,
                           .ctx = &f,
                           .hostname = STR("MX.example"),
                           .postmaster_delivery = STR("maildir:/s/postmaster")};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct address a = parse(cases[i].address);
        struct book_route r;
        struct buf got = {0};

        book_resolve(&b, &f.arena, &a, &r);
        buf_add(&got, r.delivery);
        if (r.answer == BOOK_ALIAS) {
            buf_addf(&got, "%.*s:", STR_ARG(r.alias));
            for (size_t j = 0; j < r.n_targets; j++)
                buf_addf(&got, " %.*s", STR_ARG(r.targets[j]));
        }
        if (r.answer != cases[i].want ||
            !str_eq(buf_str(&got), str_from(cases[i].detail)))
            fail_msg("%s: %d %s", cases[i].address, r.answer, buf_cstr(&got));
        buf_fini(&got);
    }
    arena_fini(&f.arena);
}

static bool
listed(void *ctx, struct str key)
{
    (void)ctx;
    return str_eq(key, STR("kim@acme.example")) ||
           str_eq(key, STR("sales@acme.example")) ||
           str_eq(key, STR("kim@other.example")) ||
           str_eq(key, STR("kim@far.example")) ||
           str_eq(key, STR(".x@acme.example"));
}

static void
by_the_list(void **state)
{
    static const struct {
        const char *address;
        enum book_answer want;
        const char *delivery;
    } cases[] = {
        {"<kim@acme.example>",    BOOK_ACCOUNT, "maildir:/m/acme.example/kim"},
        {"<Kim+x@Acme.Example>",  BOOK_ACCOUNT, "maildir:/m/acme.example/kim"},
        {"<nobody@acme.example>", BOOK_UNKNOWN, ""                           },
        {"<ann@acme.example>",    BOOK_ACCOUNT, "maildir:/m/acme.example/ann"},
        {"<sales@acme.example>",  BOOK_ALIAS,   ""                           },
        {"<kim@other.example>",   BOOK_ALIAS,   ""                           },
        {"<kim@far.example>",     BOOK_REMOTE,  ""                           },
        {"<\".x\"@acme.example>", BOOK_UNKNOWN, ""                           },
    };
    struct fake f = {0};
    const struct book b = {.find = find,
                           .ctx = &f,
                           .listed = listed,
                           .hostname = STR("MX.example"),
                           .postmaster_delivery = STR("maildir:/s/postmaster")};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct address a = parse(cases[i].address);
        struct book_route r;

        book_resolve(&b, &f.arena, &a, &r);
        if (r.answer != cases[i].want ||
            !str_eq(r.delivery, str_from(cases[i].delivery)))
            fail_msg("%s: %d %.*s", cases[i].address, r.answer,
                     STR_ARG(r.delivery));
    }
    arena_fini(&f.arena);
}

static void
postmaster_by_config(void **state)
{
    static const struct {
        const char *config, *address;
        enum book_answer want;
    } cases[] = {
        {"ann@acme.example",        "<postmaster>",              BOOK_ALIAS         },
        {"ann@acme.example",        "<postmaster@acme.example>", BOOK_ALIAS         },
        {"root@far.example",        "<postmaster@acme.example>", BOOK_ALIAS         },
 // where that would end nowhere, or in itself
        {"nobody@acme.example",     "<postmaster>",              BOOK_POSTMASTER_BOX},
        {"postmaster@acme.example", "<postmaster@acme.example>",
         BOOK_POSTMASTER_BOX                                                        },
        {"postmaster@acme.example", "<postmaster>",              BOOK_POSTMASTER_BOX},
        {"postmaster+x@mx.example", "<postmaster>",              BOOK_POSTMASTER_BOX},
        {"not an address",          "<postmaster>",              BOOK_POSTMASTER_BOX},
    };
    struct fake f = {0};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct book b = {.find = find,
                               .ctx = &f,
                               .hostname = STR("mx.example"),
                               .postmaster = str_from(cases[i].config),
                               .postmaster_delivery = STR("maildir:/s/p")};
        struct address a = parse(cases[i].address);
        struct book_route r;

        book_resolve(&b, &f.arena, &a, &r);
        if (r.answer != cases[i].want)
            fail_msg("%s by %s: %d", cases[i].address, cases[i].config,
                     r.answer);
        if (r.answer == BOOK_ALIAS) {
            assert_int_equal(r.n_targets, 1);
            assert_true(str_eq(r.targets[0], b.postmaster));
        } else {
            assert_true(str_eq(r.delivery, b.postmaster_delivery));
        }
    }
    arena_fini(&f.arena);
}

static void
vacation_flag(void **state)
{
    struct fake f = {0};
    const struct book b = {.find = find, .ctx = &f};
    struct address ann = parse("<ann@acme.example>");
    struct address bob = parse("<bob+x@acme.example>");
    struct book_route r;
    (void)state;

    book_resolve(&b, &f.arena, &ann, &r);
    assert_false(r.on_vacation);
    book_resolve(&b, &f.arena, &bob, &r);
    assert_true(r.on_vacation);
    assert_true(str_eq(r.account, STR("bob@acme.example")));
    arena_fini(&f.arena);
}

static void
sending_as(void **state)
{
    static const struct {
        const char *account, *sender;
        bool want;
    } cases[] = {
        {"ann@acme.example", "<ann@acme.example>",        true },
        {"ann@acme.example", "<Ann+list@acme.example>",   true },
        {"ann@acme.example", "<bob@acme.example>",        false},
        {"ann@acme.example", "<sales@acme.example>",      true },
        {"bob@acme.example", "<sales@acme.example>",      false},
        {"ann@acme.example", "<all@acme.example>",        true }, // two steps
        {"bob@acme.example", "<all+x@acme.example>",      true },
        {"ann@acme.example", "<ann+shop@acme.example>",   false}, // bob's
        {"ann@acme.example", "<who@other.example>",       true }, // catch-all
        {"bob@acme.example", "<who@other.example>",       false},
        {"bob@acme.example", "<loop1@acme.example>",      false},
        {"ann@acme.example", "<ann@far.example>",         false},
        {"bob@gone.example", "<bob@gone.example>",        false},
        {"ann@acme.example", "<nobody@acme.example>",     false},
        {"ann@acme.example", "<>",                        false},
        {"ann@acme.example", "<postmaster@acme.example>", false},
    };
    struct fake f = {0};
    const struct book b = {.find = find, .ctx = &f};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct address a = parse(cases[i].sender);
        if (book_may_send_as(&b, &f.arena, str_from(cases[i].account), &a) !=
            cases[i].want)
            fail_msg("%s as %s", cases[i].account, cases[i].sender);
    }
    arena_fini(&f.arena);
}

static void
senders(void **state)
{
    static const struct {
        const char *account;
        size_t max;
        const char *want;
    } cases[] = {
        {"ann@acme.example",   9,
         "ann@acme.example @other.example into@acme.example "
         "sales@acme.example all@acme.example"                       },
        {"ann@acme.example",   3,
         "ann@acme.example @other.example into@acme.example and more"},
        {"ann@acme.example",   1, "ann@acme.example and more"        },
        {"bob@acme.example",   9, "bob@acme.example all@acme.example"},
        {"loop2@acme.example", 9, "loop2@acme.example"               },
        {"eve@acme.example",   9, "eve@acme.example"                 },
    };
    struct fake f = {0};
    const struct book b = {.find = find, .ctx = &f};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct str names[9];
        struct buf got = {0};
        bool more;
        size_t n = book_senders(&b, &f.arena, str_from(cases[i].account), names,
                                cases[i].max, &more);
        for (size_t j = 0; j < n; j++)
            buf_addf(&got, "%s%.*s", j > 0 ? " " : "", STR_ARG(names[j]));
        buf_add(&got, more ? STR(" and more") : STR_EMPTY);
        assert_string_equal(buf_cstr(&got), cases[i].want);
        buf_fini(&got);
    }
    arena_fini(&f.arena);
}

static void
loops(void **state)
{
    static const struct {
        const char *alias, *way;
    } cases[] = {
        {"sales@acme.example",   ""                                        },
        {"all@acme.example",     ""                                        },
        {"missing@acme.example", ""                                        },
        {"@other.example",       ""                                        },
        {"loop1@acme.example",
         "loop1@acme.example -> loop2@acme.example -> loop1@acme.example"  },
 // a circle further on
        {"into@acme.example",
         "into@acme.example -> Loop2@acme.example -> loop1@acme.example -> "
         "loop2@acme.example"                                              },
        {"self@acme.example",    "self@acme.example -> self+x@acme.example"},
        {"@round.example",       "@round.example -> nobody@round.example"  },
    };
    struct fake f = {0};
    const struct book b = {.find = find, .ctx = &f};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf way = {0};
        bool found =
            book_find_loop(&b, &f.arena, str_from(cases[i].alias), &way);
        if (found != (cases[i].way[0] != '\0') ||
            !str_eq(buf_str(&way), str_from(cases[i].way)))
            fail_msg("%s: %s", cases[i].alias, buf_cstr(&way));
        buf_fini(&way);
    }
    arena_fini(&f.arena);
}

static void
hosting(void **state)
{
    struct fake f = {0};
    const struct book b = {.find = find, .ctx = &f};
    (void)state;
    assert_true(book_is_ours(&b, &f.arena, STR("acme.example")));
    assert_true(book_is_ours(&b, &f.arena, STR("ACME.example.")));
    assert_false(book_is_ours(&b, &f.arena, STR("sub.acme.example")));
    assert_false(book_is_ours(&b, &f.arena, STR("")));
    arena_fini(&f.arena);
}

static void
names(void **state)
{
    static const struct {
        const char *text;
        bool valid;
    } cases[] = {
        {"ann",     true },
        {"a..b",    true },
        {"%{user}", true }, // filled in once,
  // so it is only
  // text
        {"",        false},
        {".",       false},
        {"..",      false},
        {"a/b",     false},
        {"a\x7f",   false},
    };
    struct arena a = {0};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (book_user_valid(str_from(cases[i].text)) != cases[i].valid)
            fail_msg("%s", cases[i].text);
    assert_true(str_eq(book_without_detail(&a, STR("a+b@c+d")), STR("a@c+d")));
    assert_true(str_eq(book_without_detail(&a, STR("@c+d")), STR("@c+d")));
    arena_fini(&a);
}

/* An account's value and what it says. */
static void
states(void **state)
{
    // clang-format off
    static const struct book_account cases[] = {
        {0},
        {.on_vacation = true, .receive_only = true},
        {.state = BOOK_DISABLED, .kicked = true},
        {.state = BOOK_SUSPENDED, .note = {"unpaid", 6}},
        {.state = BOOK_FULL, .on_vacation = true},
        {.state = BOOK_MOVED, .note = {"ann@new.example", 15}},
        {.limits = {{1, 0, BOOK_UNLIMITED, 4}}},
        {.state = BOOK_SUSPENDED, .note = {"unpaid", 6}, .limits = {{0, 0, 0, 9}}},
    };
    // clang-format on
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf b = {0};
        struct book_account got;
        enum book_state named = BOOK_ACTIVE;

        book_account_encode(&b, &cases[i]);
        assert_true(book_account_decode(buf_str(&b), &got));
        assert_int_equal(got.on_vacation, cases[i].on_vacation);
        assert_int_equal(got.receive_only, cases[i].receive_only);
        assert_int_equal(got.kicked, cases[i].kicked);
        assert_int_equal(got.state, cases[i].state);
        assert_true(str_eq(got.note, cases[i].note));
        assert_memory_equal(&got.limits, &cases[i].limits, sizeof got.limits);
        assert_true(book_state_parse(book_state_name(got.state), &named));
        assert_int_equal(named, got.state);
        if (got.state == BOOK_ACTIVE && got.limits.n[0] == 0)
            assert_int_equal(b.n, 1); // as it is stored a million times
        buf_fini(&b);
    }
    assert_false(book_state_parse(STR("dead"), &(enum book_state){0}));
}

/* One account in a book of its own, and an alias for members only. */
static bool
find_member(void *ctx, struct str key, struct str *value)
{
    static const struct {
        struct str key, value;
    } rows[] = {
        {{"d:b.example", 11},     {"\0\4\0\0\0/m/x", 9}                 },
        {{"a:ann@b.example", 15}, {"\x40\x04\0\0\0next", 9}             },
        {{"a:bob@b.example", 15}, {"\0", 1}                             },
        {{"l:a@b.example", 13},   {"\1\0\0\0\15\0\0\0ann@b.example", 21}},
    };
    (void)ctx;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (str_eq(rows[i].key, key)) {
            *value = rows[i].value;
            return true;
        }
    return false;
}

static void
members(void **state)
{
    static const struct {
        const char *list[3];
        const char *sender;
        bool want;
    } cases[] = {
        {{"ann@b.example"},             "<ann@b.example>",       true },
        {{"ann@b.example"},             "<Ann+x@B.example>",     true },
        {{"ann@b.example"},             "<a@b.example>",         true }, // alias
        {{"ann@b.example"},             "<a+x@b.example>",       true },
        {{"ann@b.example"},             "<bob@b.example>",       false},
        {{"ann@b.example"},             "<>",                    false},
        {{"ann@b.example"},             "<postmaster>",          false},
        {{"a@b.example"},               "<a@b.example>",         true },
        {{"x@far.example"},             "<x@far.example>",       true },
        {{"x@far.example"},             "<x@sub.far.example>",   false},
        {{"z@z.example", "@b.example"}, "<any@b.example>",       true },
        {{"@b.example"},                "<any@ab.example>",      false},
        {{"@b.example"},                "<b.example@c.example>", false},
 // no list: the targets
        {{NULL},                        "<t@far.example>",       true },
        {{NULL},                        "<bob@b.example>",       false},
    };
    const struct book b = {.find = find_member, .hostname = STR("b.example")};
    struct arena a = {0};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct str target = STR("T@far.example"), list[3];
        struct book_route alias = {.answer = BOOK_ALIAS,
                                   .targets = &target,
                                   .n_targets = 1,
                                   .members_only = true,
                                   .members = list};
        struct address sender = parse(cases[i].sender);
        for (; cases[i].list[alias.n_members] != NULL; alias.n_members++)
            list[alias.n_members] = str_from(cases[i].list[alias.n_members]);
        if (book_is_member(&b, &a, &alias, &sender) != cases[i].want)
            fail_msg("%s in %s", cases[i].sender, cases[i].list[0]);
    }

    struct address ann = parse("<ann@b.example>");
    struct book_route r;
    struct book_account x;
    book_resolve(&b, &a, &ann, &r);
    assert_int_equal(r.answer, BOOK_ACCOUNT);
    assert_int_equal(r.state, BOOK_MOVED);
    assert_true(str_eq(r.note, STR("next")));
    assert_true(book_find_account(&b, &a, STR("ann@b.example"), &x));
    assert_int_equal(x.state, BOOK_MOVED);
    assert_false(book_find_account(&b, &a, STR("eve@b.example"), &x));
    arena_fini(&a);
}

/* Values that another process may have garbled. */
static void
bad_values(void **state)
{
    struct arena a = {0};
    struct book_domain d;
    struct book_account x;
    struct book_alias l;
    (void)state;
    assert_false(book_domain_decode(STR(""), &d));
    assert_false(book_domain_decode(STR("\0\5\0\0\0four"), &d));
    assert_false(book_account_decode(STR(""), &x));
    assert_false(book_account_decode(STR("\1\1"), &x));
    assert_false(book_account_decode(STR("\x08"), &x)); // no limits
    assert_false(book_account_decode(
        STR("\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), &x)); // none of its own
    assert_false(book_account_decode(STR("\x50\0\0\0\0"), &x)); // no state
    assert_false(book_account_decode(STR("\x20"), &x)); // its note is missing
    assert_true(book_account_decode(STR("\x20\0\0\0\0"), &x));
    assert_false(book_alias_decode(&a, STR("\1\0\0\0"), &l));
    assert_false(book_alias_decode(&a, STR("\xff\xff\xff\xff\0\0\0\0"), &l));
    assert_true(book_alias_decode(&a, STR("\1\0\0\0\1\0\0\0x"), &l));
    assert_false(l.members_only);
    assert_true(book_alias_decode(&a, STR("\0\0\0\0\0\0\0\0"), &l));
    assert_true(l.members_only);
    assert_false(book_alias_decode(&a, STR("\0\0\0\0\1\0\0\0"), &l));
    arena_fini(&a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resolving),
        cmocka_unit_test(by_the_list),
        cmocka_unit_test(postmaster_by_config),
        cmocka_unit_test(vacation_flag),
        cmocka_unit_test(sending_as),
        cmocka_unit_test(hosting),
        cmocka_unit_test(senders),
        cmocka_unit_test(loops),
        cmocka_unit_test(names),
        cmocka_unit_test(bad_values),
        cmocka_unit_test(states),
        cmocka_unit_test(members),
    };
    return cmocka_run_group_tests_name("book", tests, NULL, NULL);
}
