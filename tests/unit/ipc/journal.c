/* SPDX-License-Identifier: ISC */
#include "ipc/journal.h"

#include "frames.h"

static bool
again(struct arena *a, struct str frame, struct buf *out)
{
    struct journal_msg m;
    if (!journal_decode(a, frame, &m))
        return false;
    buf_clear(out);
    if (m.type == JOURNAL_MSG_TAKEN) {
        journal_encode_taken(out, m.seq);
        return true;
    }
    journal_begin(out, m.seq);
    for (size_t i = 0; i < m.n; i++)
        journal_add(out, &m.events[i]);
    journal_end(out, (uint32_t)m.n);
    return true;
}

static const struct journal_event refused = {
    .kind = JOURNAL_REFUSED,
    .at_ms = 1795510800123,
    .count = 1,
    .line = 12,
    .session = {"7K3MQ-2DF9P",                    11},
    .incident = {"7K3MQ-2DF9Q",                    11},
    .client = {"192.0.2.1",                      9 },
    .user = {"bob@b.example",                  13},
    .helo = {"pc.b.example",                   12},
    .sender = {"ann@b.example",                  13},
    .recipient = {"x\0y@c.example",                 13},
    .reason = {"sender-not-yours",               16},
    .rule = {"sender",                         6 },
    .option = {"gate.sender",                    11},
    .reply = {"553 5.7.1 no\n553 5.7.1 really", 29},
    .report = {"login passed\n",                 13},
};

static const struct journal_event deferred = {
    .kind = JOURNAL_DEFERRED,
    .at_ms = INT64_MIN,
    .until_ms = INT64_MAX,
    .count = UINT32_MAX,
    .recipients = 7,
    .size = UINT64_MAX,
    .next_ms = 5,
    .message = {"2b-9Xk",            6 },
    .related = {"2b-9Xl",            6 },
    .alias = {"all@b.example",     13},
    .remote = {"mx [192.0.2.7]:25", 17},
    .status = {"4.2.1",             5 },
    .protocol = {"ESMTP",             5 },
    .detail = {"later",             5 },
};

static void
round_trip(void **state)
{
    struct buf b = {0};
    struct arena a = {0};
    struct journal_msg m;
    (void)state;

    journal_begin(&b, 41);
    journal_add(&b, &refused);
    journal_add(&b, &deferred);
    journal_end(&b, 2);
    frames_check(buf_str(&b), again);
    assert_true(journal_decode(&a, buf_str(&b), &m));
    assert_int_equal(m.type, JOURNAL_MSG_EVENTS);
    assert_true(m.seq == 41 && m.n == 2);
    assert_int_equal(m.events[0].kind, JOURNAL_REFUSED);
    assert_true(m.events[0].at_ms == refused.at_ms);
    assert_int_equal(m.events[0].line, 12);
    assert_true(str_eq(m.events[0].recipient, refused.recipient));
    assert_true(str_eq(m.events[0].report, refused.report));
    assert_int_equal(m.events[0].message.n, 0);
    assert_true(m.events[1].size == UINT64_MAX);
    assert_true(m.events[1].until_ms == INT64_MAX);
    assert_int_equal(m.events[1].count, UINT32_MAX);
    assert_int_equal(m.events[1].recipients, 7);
    assert_true(m.events[1].next_ms == 5);
    assert_true(str_eq(m.events[1].detail, deferred.detail));

    buf_clear(&b);
    journal_encode_taken(&b, UINT64_MAX);
    frames_check(buf_str(&b), again);
    assert_true(journal_decode(&a, buf_str(&b), &m));
    assert_int_equal(m.type, JOURNAL_MSG_TAKEN);
    assert_true(m.seq == UINT64_MAX);
    arena_fini(&a);
    buf_fini(&b);
}

/* Whatever a stranger sends, an event has an end. */
static void
cut_texts(void **state)
{
    static char helo[70000];
    struct journal_event e = refused;
    struct buf b = {0};
    struct arena a = {0};
    struct journal_msg m;
    (void)state;

    for (size_t i = 0; i < sizeof helo; i++)
        helo[i] = 'h';
    e.helo = str_from_n(helo, sizeof helo);
    e.report = e.helo;
    journal_begin(&b, 1);
    journal_add(&b, &e);
    journal_end(&b, 1);
    assert_true(b.n < 9000);
    assert_true(journal_decode(&a, buf_str(&b), &m));
    assert_int_equal(m.events[0].helo.n, 255);
    assert_int_equal(m.events[0].report.n, 8000);
    arena_fini(&a);
    buf_fini(&b);
}

static void
garbage(void **state)
{
    enum { COUNT = 9, FIRST_KIND = 13, THERE = 13 + 45 };
    static const struct {
        const char *name;
        size_t at;
        char octet;
    } cases[] = {
        {"no type",             0,          0   },
        {"unknown type",        0,          3   },
        {"fewer than it says",  COUNT,      0   },
        {"more than it says",   COUNT,      9   },
        {"kind none",           FIRST_KIND, 0   },
        {"unknown kind",        FIRST_KIND, 16  },
        {"unknown text",        THERE + 3,  0x7f},
        {"a text that is none", THERE,      0x41},
    };
    struct journal_event e = refused;
    struct arena a = {0};
    struct journal_msg m;
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf b = {0};
        journal_begin(&b, 1);
        journal_add(&b, &e);
        journal_end(&b, 1);
        assert_true(journal_decode(&a, buf_str(&b), &m));
        b.p[cases[i].at] = cases[i].octet;
        if (journal_decode(&a, buf_str(&b), &m))
            fail_msg("%s was taken", cases[i].name);
        buf_fini(&b);
    }
    // Numbers begin at 1, and do not go round.
    struct buf b = {0};
    journal_begin(&b, 0);
    journal_add(&b, &e);
    journal_end(&b, 1);
    assert_false(journal_decode(&a, buf_str(&b), &m));
    buf_clear(&b);
    journal_begin(&b, UINT64_MAX);
    journal_add(&b, &e);
    journal_end(&b, 1);
    assert_false(journal_decode(&a, buf_str(&b), &m));
    buf_fini(&b);
    arena_fini(&a);
}

static void
names(void **state)
{
    (void)state;
    assert_null(journal_kind_name(JOURNAL_NONE));
    assert_null(journal_kind_name(JOURNAL_KIND_COUNT));
    assert_int_equal(journal_kind_from_name(STR("nothing")), JOURNAL_NONE);
    for (enum journal_kind k = JOURNAL_NONE + 1; k < JOURNAL_KIND_COUNT; k++)
        assert_int_equal(journal_kind_from_name(str_from(journal_kind_name(k))),
                         k);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),
        cmocka_unit_test(cut_texts),
        cmocka_unit_test(garbage),
        cmocka_unit_test(names),
    };
    return cmocka_run_group_tests_name("ipc/journal", tests, NULL, NULL);
}
