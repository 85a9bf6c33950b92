/* SPDX-License-Identifier: ISC */
#include "room/diary.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "os/channel.h"

/* The other end: what a journal would hear, in words. */
struct listener {
    struct channel *channel;
    struct buf heard;
    uint64_t seq; /* of the next event */
    size_t n_frames, n_events;
    bool ended;
};

static struct loop *loop;
static struct timer *limit;
static struct diary *diary;

static void
on_limit(void *ctx)
{
    (void)ctx;
    loop_stop(loop);
}

static void
settle(void)
{
    timer_set(limit, loop_now(loop).mono_ms + 30);
    loop_run(loop);
}

static void
on_frame(void *ctx, struct str frame, int fd)
{
    struct listener *l = ctx;
    struct arena a = {0};
    struct journal_msg m;

    assert_int_equal(fd, -1);
    assert_true(journal_decode(&a, frame, &m));
    assert_int_equal(m.type, JOURNAL_MSG_EVENTS);
    l->n_frames++;
    l->n_events += m.n;
    for (size_t i = 0; i < m.n && l->heard.n < 4000; i++) {
        const struct journal_event *e = &m.events[i];
        buf_addf(&l->heard, "%llu %s %.*s x%u;",
                 (unsigned long long)(m.seq + i), journal_kind_name(e->kind),
                 STR_ARG(e->incident), e->count);
        if (e->kind != JOURNAL_DROPPED)
            assert_true(e->at_ms > 1700000000000);
    }
    l->seq = m.seq + m.n;
    arena_fini(&a);
}

static void
on_end(void *ctx)
{
    struct listener *l = ctx;
    l->ended = true;
}

static void
listen_to(struct listener *l)
{
    int fds[2];
    *l = (struct listener){0};
    assert_true(channel_pair(fds));
    l->channel = channel_new(loop, fds[0], on_frame, on_end, l);
    diary_attach(diary, fds[1]);
}

static void
take(struct listener *l, uint64_t seq)
{
    struct buf b = {0};
    journal_encode_taken(&b, seq);
    channel_send(l->channel, buf_str(&b));
    buf_fini(&b);
    settle();
}

static void
hang_up(struct listener *l)
{
    channel_free(l->channel);
    buf_fini(&l->heard);
}

static void
note(const char *incident)
{
    diary_note(diary, &(struct journal_event){.kind = JOURNAL_REFUSED,
                                              .incident = str_from(incident)});
}

#define ASSERT_HEARD(l, text) assert_string_equal(buf_cstr(&(l)->heard), text)

static int
set_up(void **state)
{
    (void)state;
    loop = loop_new();
    limit = timer_new(loop, on_limit, NULL);
    diary = diary_new(loop);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    diary_free(diary);
    loop_free(loop);
    return 0;
}

static void
one_frame_a_turn(void **state)
{
    struct listener l;
    (void)state;

    listen_to(&l);
    note("a");
    note("b");
    settle();
    assert_int_equal(l.n_frames, 1);
    note("c");
    settle();
    assert_int_equal(l.n_frames, 2);
    ASSERT_HEARD(&l, "1 refused a x1;2 refused b x1;3 refused c x1;");
    hang_up(&l);
}

static void
repeats_of_a_turn_are_one(void **state)
{
    struct listener l;
    (void)state;

    listen_to(&l);
    note("a");
    for (int i = 0; i < 5; i++)
        diary_repeat(diary, STR("a"));
    diary_repeat(diary, STR("b"));
    diary_repeat(diary, STR("b"));
    note("c");
    diary_repeat(diary, STR("c"));
    settle();
    diary_repeat(diary, STR("c"));
    settle();
    ASSERT_HEARD(&l, "1 refused a x1;2 repeated a x5;3 repeated b x2;"
                     "4 refused c x1;5 repeated c x1;6 repeated c x1;");
    hang_up(&l);
}

/* Written is what the journal said; the rest goes to the next one. */
static void
told_again(void **state)
{
    struct listener l;
    (void)state;

    note("a"); // nobody listens yet
    settle();
    listen_to(&l);
    settle();
    note("b");
    settle();
    ASSERT_HEARD(&l, "1 refused a x1;2 refused b x1;");
    take(&l, 2);
    hang_up(&l);
    settle();
    note("c");
    settle();

    listen_to(&l);
    settle();
    ASSERT_HEARD(&l, "2 refused b x1;3 refused c x1;");
    take(&l, 4);
    hang_up(&l);
    listen_to(&l);
    settle();
    assert_int_equal(l.n_events, 0);
    hang_up(&l);
}

/* Away for long: what does not fit is counted, and said when it is back. */
static void
overload(void **state)
{
    static char text[1000];
    struct listener l;
    size_t n = 0;
    (void)state;

    memset(text, 'x', sizeof text);
    for (; diary_dropped(diary) < 100; n++)
        diary_note(diary, &(struct journal_event){
                              .kind = JOURNAL_ACCEPTED,
                              .detail = str_from_n(text, sizeof text)});
    assert_in_range(n * sizeof text, DIARY_HELD / 2, DIARY_HELD + 200000);
    for (int i = 0; i < 3; i++)
        diary_repeat(diary, STR("a"));
    settle();
    assert_int_equal(diary_dropped(diary), 103);
    listen_to(&l);
    settle();
    while (l.n_events < n - 100)
        settle();
    assert_int_equal(l.n_events, n - 100);
    take(&l, l.seq);
    settle();
    assert_int_equal(l.n_events, n - 99); // the gap itself
    buf_clear(&l.heard);
    note("z");
    settle();
    buf_clear(&l.heard);
    hang_up(&l);

    listen_to(&l); // neither was confirmed
    settle();
    struct buf want = {0};
    buf_addf(&want, "%zu dropped  x103;%zu refused z x1;", n - 99, n - 98);
    ASSERT_HEARD(&l, buf_cstr(&want));
    assert_int_equal(diary_dropped(diary), 103);
    buf_fini(&want);
    hang_up(&l);
}

static void
garbage_ends_the_pipe(void **state)
{
    static const struct {
        const char *name;
        struct str frame;
    } cases[] = {
        {"empty",                {"", 0}                           },
        {"events",               {"\1\1\0\0\0\0\0\0\0\0\0\0\0", 13}},
        {"more than there were", {"\2\7\0\0\0\0\0\0\0", 9}         },
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct listener l;
        listen_to(&l);
        note("a");
        settle();
        channel_send(l.channel, cases[i].frame);
        settle();
        if (!l.ended)
            fail_msg("%s: the pipe is still there", cases[i].name);
        hang_up(&l);
    }
}

static void
no_diary(void **state)
{
    (void)state;
    diary_note(NULL, &(struct journal_event){.kind = JOURNAL_LOGIN});
    diary_repeat(NULL, STR("a"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_frame_a_turn, set_up, tear_down),
        cmocka_unit_test_setup_teardown(repeats_of_a_turn_are_one, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(told_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(overload, set_up, tear_down),
        cmocka_unit_test_setup_teardown(garbage_ends_the_pipe, set_up,
                                        tear_down),
        cmocka_unit_test(no_diary),
    };
    return cmocka_run_group_tests_name("room/diary", tests, NULL, NULL);
}
