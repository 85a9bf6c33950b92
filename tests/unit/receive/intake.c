/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "receive/intake.h"
#include "spool/memory.h"

struct house {
    struct memory_spool *spool;
    struct spool_door *door;
    struct spool_store *store;
    size_t stored;
    enum spool_result result;
};

static void
build(struct house *h)
{
    *h = (struct house){.spool = memory_spool_new()};
    h->door = memory_door_new(h->spool, NULL, NULL);
    h->store = memory_store_new(h->spool);
}

static void
tear_down(struct house *h)
{
    spool_door_free(h->door);
    spool_store_free(h->store);
    memory_spool_free(h->spool);
}

static void
on_stored(void *ctx, enum spool_result result, struct msgid id)
{
    struct house *h = ctx;
    (void)id;
    h->stored++;
    h->result = result;
}

static const struct trace trace = {
    .helo = {"c",         1},
    .client = {"192.0.2.1", 9},
    .hostname = {"mx",        2},
    .protocol = {"ESMTP",     5},
    .wall_ms = 1795499263000
};

static struct envelope
envelope(void)
{
    static struct recipient rcpt = {
        .address = {"alice@example.com", 17},
          .orcpt = {"",                  0 }
    };
    return (struct envelope){
        .sender = STR("a@b.example"), .rcpts = &rcpt, .n_rcpts = 1};
}

/* What the spool holds of the one message, appended to `to`. */
static void
read_back(struct house *h, struct buf *to)
{
    struct arena arena = {0};
    struct spool_claim claim;
    struct err e;
    assert_true(spool_claim(h->store, (struct instant){INT64_MAX / 2, 0},
                            &arena, &claim));
    assert_true(spool_read(h->store, &claim.at, to, &e));
    arena_fini(&arena);
}

#define RECEIVED                                                               \
    "Received: from c ([192.0.2.1])\r\n\tby mx (Gatepost) with ESMTP id *;"    \
    "\r\n\tTue, 24 Nov 2026 05:47:43 +0000\r\n"
#define ID "Message-ID: <1795499263000.*@mx>\r\n"
#define DATE "Date: Tue, 24 Nov 2026 05:47:43 +0000\r\n"

static const struct {
    const char *name;
    bool submission;
    const char *in, *want; /* "*" stands for an id */
} cases[] = {
    {"passes",                      false, "Subject: x\r\n\r\nhi\r\n",
     RECEIVED "Subject: x\r\n\r\nhi\r\n"                                                                          },
    {"strangers get nothing added", false, "hi\r\n",                                 RECEIVED "hi\r\n"            },
    {"both missing",                true,  "Subject: x\r\n\r\nhi\r\n",
     RECEIVED "Subject: x\r\n" ID DATE "\r\nhi\r\n"                                                               },
    {"id missing",                  true,  "Date: y\r\n\r\nhi\r\n",
     RECEIVED "Date: y\r\n" ID "\r\nhi\r\n"                                                                       },
    {"date missing",                true,  "Message-Id: y\r\n\r\nhi\r\n",
     RECEIVED "Message-Id: y\r\n" DATE "\r\nhi\r\n"                                                               },
    {"none missing",                true,  "Message-Id: y\r\nDate: z\r\n\r\nhi\r\n",
     RECEIVED "Message-Id: y\r\nDate: z\r\n\r\nhi\r\n"                                                            },
    {"header only",                 true,  "Subject: x\r\n",
     RECEIVED "Subject: x\r\n" ID DATE "\r\n"                                                                     },
    {"no header",                   true,  "hi\r\n",                                 RECEIVED ID DATE "\r\nhi\r\n"},
    {"empty",                       true,  "",                                       RECEIVED ID DATE "\r\n"      },
};

/* text with each "*" as it stands in the other one. */
static bool
alike(struct str pattern, struct str text)
{
    struct str head;
    while (str_cut(pattern, '*', &head, &pattern)) {
        if (!str_skip(&text, head))
            return false;
        while (text.n > 0 && text.p[0] != pattern.p[0])
            text = str_from_pos(text, 1);
    }
    return str_eq(head, text);
}

static void
content(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct str in = str_from(cases[i].in);
        for (size_t piece = 1; piece < in.n + 2; piece++) {
            struct house h;
            struct intake t;
            struct envelope e = envelope();
            struct buf got = {0};
            enum spool_result why;
            build(&h);
            assert_true(intake_begin(&t, h.door, &e, &trace,
                                     cases[i].submission, &why));
            for (size_t n = 0; n < in.n; n += piece)
                assert_true(
                    intake_body(&t, str_first(str_from_pos(in, n), piece)));
            intake_end(&t);
            intake_commit(&t, false, on_stored, &h);
            assert_int_equal(h.stored, 0);
            spool_turn(h.door);
            assert_int_equal(h.stored, 1);
            assert_int_equal(h.result, SPOOL_OK);
            read_back(&h, &got);
            if (!alike(str_from(cases[i].want), buf_str(&got)))
                fail_msg("%s/%zu: %.*s", cases[i].name, piece,
                         STR_ARG(buf_str(&got)));
            buf_fini(&got);
            tear_down(&h);
        }
    }
}

static void
trouble(void **state)
{
    struct house h;
    struct intake t;
    struct envelope e = envelope();
    enum spool_result why = SPOOL_OK;
    (void)state;
    build(&h);
    memory_spool_fail(h.spool, SPOOL_FULL, SPOOL_TROUBLE);
    assert_false(intake_begin(&t, h.door, &e, &trace, false, &why));
    assert_int_equal(why, SPOOL_FULL);
    intake_abort(&t); // nothing was begun: nothing happens
    memory_spool_fail(h.spool, SPOOL_OK, SPOOL_TROUBLE);
    assert_true(intake_begin(&t, h.door, &e, &trace, false, &why));
    memory_spool_park(h.spool, true);
    assert_false(intake_body(&t, STR("A: b\r\n\r\nbody\r\n")));
    assert_false(intake_body(&t, STR("more\r\n")));
    memory_spool_park(h.spool, false);
    intake_end(&t);
    intake_commit(&t, false, on_stored, &h);
    spool_turn(h.door);
    assert_int_equal(h.result, SPOOL_TROUBLE);
    assert_true(intake_begin(&t, h.door, &e, &trace, false, &why));
    assert_true(intake_body(&t, STR("A: b\r\n")));
    intake_abort(&t);
    assert_int_equal(spool_count(h.store), 0);
    tear_down(&h);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(content),
        cmocka_unit_test(trouble),
    };
    return cmocka_run_group_tests_name("receive/intake", tests, NULL, NULL);
}
