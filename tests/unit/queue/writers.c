/* SPDX-License-Identifier: ISC */
/* The queue's ends of the pipes to who writes into the spool: strangers'
 * words, and the roll call that must not wait for the dead. What is said in
 * good order: tests/unit/room/door.c. */
#include "queue/writers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "ipc/door.h"
#include "os/channel.h"
#include "os/disk.h"
#include "os/log.h"

enum { FRAMES = 1024, GRAVES = 16 };

struct world {
    struct loop *loop;
    struct timer *limit;
    struct spool_store *store;
    struct writers *writers;
    char folder[40];
    size_t roll_calls;
};

static struct writers *graves[GRAVES]; /* writers are never taken down */

/* A writer that keeps what it was told. */
struct peer {
    struct channel *channel;
    struct door_msg got[FRAMES];
    size_t n;
    bool ended;
};

static void
on_roll_call(void *ctx)
{
    ((struct world *)ctx)->roll_calls++;
}

static void
on_segment(void *ctx, uint64_t writer, uint64_t segment, uint64_t generation,
           uint64_t size, int fd)
{
    struct world *w = ctx;
    writers_segment(w->writers, writer, segment, generation, size, fd);
}

static void
on_large(void *ctx, uint64_t writer, uint64_t large, int fd)
{
    struct world *w = ctx;
    writers_large(w->writers, writer, large, fd);
}

static void
on_pressure(void *ctx, enum spool_pressure level)
{
    struct world *w = ctx;
    writers_pressure(w->writers, level);
}

static void
on_forget(void *ctx, uint64_t segment)
{
    (void)ctx;
    (void)segment;
}

static void
on_corrupt(void *ctx, const char *file, uint64_t offset, const char *what)
{
    (void)ctx;
    fail_msg("%s at %llu: %s", file, (unsigned long long)offset, what);
}

static void
on_trouble(void *ctx, const struct err *e)
{
    (void)ctx;
    fail_msg("%s", e->text);
}

static void
on_turn_end(void *ctx)
{
    struct world *w = ctx;
    writers_turn(w->writers);
    spool_store_turn(w->store, loop_now(w->loop));
}

static void
on_limit(void *ctx)
{
    loop_stop(ctx);
}

static void
pass(struct world *w, int64_t ms)
{
    timer_set(w->limit, loop_now(w->loop).mono_ms + ms);
    loop_run(w->loop);
}

/* Turns until it is so, or for some seconds. */
#define AWAIT(w, cond)                                                         \
    do {                                                                       \
        for (int turns = 0; turns < 2000 && !(cond); turns++)                  \
            pass((w), 2);                                                      \
        assert_true(cond);                                                     \
    } while (0)

static int
setup(void **state)
{
    struct world *w = alloc_zero(sizeof *w);
    struct err e;
    size_t i = 0;

    log_open("test", false, LOG_ERROR + 1);
    (void)memcpy(w->folder, "/tmp/gatepost-writers-XXXXXX", 29);
    assert_non_null(mkdtemp(w->folder));
    w->loop = loop_new();
    w->limit = timer_new(w->loop, on_limit, w->loop);
    const struct spool_log_setup setup = {
        .disk = os_disk(),
        .dir = os_open_dir(w->folder),
        .executor = loop_executor(w->loop),
        .segment_size = 1 << 18,
        .ctx = w,
        .on_segment = on_segment,
        .on_large = on_large,
        .on_pressure = on_pressure,
        .on_forget = on_forget,
        .on_corrupt = on_corrupt,
        .on_trouble = on_trouble,
    };
    w->store = spool_log_store_open(&setup, &e);
    assert_non_null(w->store);
    w->writers = writers_new(w->loop, on_roll_call, w);
    while (graves[i] != NULL)
        i++;
    graves[i] = w->writers;
    writers_use(w->writers, w->store);
    loop_at_turn_end(w->loop, on_turn_end, w);
    *state = w;
    return 0;
}

static void
remove_file(void *ctx, const char *name)
{
    int *dir = ctx;
    assert_int_equal(os_disk()->unlink(NULL, *dir, name), 0);
}

static int
teardown(void **state)
{
    struct world *w = *state;
    int dir = os_open_dir(w->folder);

    AWAIT(w, spool_log_store_idle(w->store)); // a task has the store in hand
    loop_free(w->loop);
    spool_store_free(w->store);
    assert_int_equal(os_disk()->list(NULL, dir, remove_file, &dir), 0);
    (void)close(dir);
    (void)rmdir(w->folder);
    free(w);
    return 0;
}

static void
on_frame(void *ctx, struct str frame, int fd)
{
    struct peer *p = ctx;

    assert_true(p->n < FRAMES);
    assert_true(door_decode(frame, &p->got[p->n++]));
    if (fd >= 0)
        (void)close(fd);
}

static void
on_end(void *ctx)
{
    ((struct peer *)ctx)->ended = true;
}

static struct peer *
peer_new(struct world *w, uint32_t slot)
{
    struct peer *p = alloc_zero(sizeof *p);
    int fds[2];

    assert_true(channel_pair(fds));
    writers_add(w->writers, ROLE_RECEIVE, slot, 1, fds[0]);
    p->channel = channel_new(w->loop, fds[1], on_frame, on_end, p);
    return p;
}

static void
peer_free(struct world *w, struct peer *p, uint32_t slot)
{
    channel_free(p->channel);
    free(p);
    writers_reaped(w->writers, ROLE_RECEIVE, slot, 1);
    pass(w, 5);
}

static void
say(struct peer *p, const struct door_msg *m)
{
    struct buf b = {0};
    door_encode(&b, m);
    channel_send(p->channel, buf_str(&b));
    buf_fini(&b);
}

static void
hello(struct peer *p, uint64_t number, uint64_t holding)
{
    say(p, &(struct door_msg){
               .type = DOOR_HELLO, .writer = number, .size = holding});
}

static const struct door_msg *
heard(const struct peer *p, enum door_type type)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->got[i].type == type)
            return &p->got[i];
    return NULL;
}

static const struct door_msg *
await_frame(struct world *w, const struct peer *p, enum door_type type)
{
    AWAIT(w, heard(p, type) != NULL);
    return heard(p, type);
}

static bool
heard_large(const struct peer *p, uint64_t large)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->got[i].large == large)
            return true;
    return false;
}

static bool
heard_full(const struct peer *p)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->got[i].pressure == PRESSURE_FULL)
            return true;
    return false;
}

/* All that were there at the start are heard or dead, not a moment sooner. */
static void
roll_call(void **state)
{
    struct world *w = *state;
    struct peer *early = peer_new(w, 0), *mute = peer_new(w, 1);
    struct peer *stranger = peer_new(w, 2);

    hello(early, 0, 0);
    hello(stranger, UINT64_MAX, 0); // a number that nobody gave out
    (void)await_frame(w, early, DOOR_SEGMENT);
    assert_true(heard(early, DOOR_WRITER)->writer != 0);
    assert_null(heard(stranger, DOOR_WRITER));
    assert_int_equal(w->roll_calls, 0); // not before all are known to us
    writers_go(w->writers);
    assert_int_equal(w->roll_calls, 0);

    struct peer *late = peer_new(w, 3), *later = peer_new(w, 4);
    hello(late, 0, 0);
    (void)await_frame(w, late, DOOR_SEGMENT);
    assert_int_equal(w->roll_calls, 0);
    /* Master hears of its end before we do. */
    writers_reaped(w->writers, ROLE_NOTIFY, 1, 1);
    writers_reaped(w->writers, ROLE_RECEIVE, 1, 2);
    writers_reaped(w->writers, ROLE_RECEIVE, 1, 1);
    assert_int_equal(w->roll_calls, 0);
    channel_free(mute->channel);
    free(mute);
    pass(w, 10);
    assert_int_equal(w->roll_calls, 0); // the stranger still lives
    channel_free(stranger->channel);
    free(stranger);
    pass(w, 10);
    assert_int_equal(w->roll_calls, 0);
    writers_reaped(w->writers, ROLE_RECEIVE, 2, 1);
    AWAIT(w, w->roll_calls == 1); // the last that came has not spoken
    assert_int_equal(later->n, 0);

    /* Pressure is for those that were heard. */
    writers_pressure(w->writers, SPOOL_PRESSURE_FULL);
    AWAIT(w, heard_full(late));
    assert_int_equal(later->n, 0);
    hello(later, 0, 0);
    (void)await_frame(w, later, DOOR_PRESSURE);
    peer_free(w, early, 0);
    peer_free(w, late, 3);
    peer_free(w, later, 4);
    assert_int_equal(w->roll_calls, 1); // once
}

/* What the store has for one that is gone stays with the store. */
static void
for_nobody(void **state)
{
    struct world *w = *state;
    struct peer *p = peer_new(w, 0);

    writers_go(w->writers);
    hello(p, 0, 0);
    uint64_t number = await_frame(w, p, DOOR_WRITER)->writer;
    /* Beside what the store has for it, whose numbers are small. */
    writers_large(w->writers, number + 1, 7001, 0);
    writers_segment(w->writers, number + 1, 7001, 1, 4096, 0);
    writers_large(w->writers, number, 7002, 0);
    AWAIT(w, heard_large(p, 7002));
    for (size_t i = 0; i < p->n; i++)
        assert_true(p->got[i].large != 7001 && p->got[i].segment != 7001);
    channel_free(p->channel);
    free(p);
    pass(w, 10);
    writers_large(w->writers, number, 8, 0); // its pipe has ended
    writers_pressure(w->writers, SPOOL_PRESSURE_FULL);
    writers_reaped(w->writers, ROLE_RECEIVE, 0, 1);
}

/* What no writer may say ends its pipe, not us, and nothing is taken in. */
static void
nonsense(void **state)
{
    static const struct {
        const char *name;
        bool hello, descriptor;
        struct door_msg m;
    } cases[] = {
        {"not greeted",             false, false, {.type = DOOR_WATERMARK}            },
        {"greets twice",            true,  false, {.type = DOOR_HELLO}                },
        {"no number, but files",    false, false, {.type = DOOR_HELLO, .size = 1}     },
        {"holds more than it said",
         true,                             false,
         {.type = DOOR_HOLDING, .large = 1}                                           },
        {"watermark elsewhere",
         true,                             false,
         {.type = DOOR_WATERMARK, .segment = 99}                                      },
        {"seals elsewhere",         true,  false, {.type = DOOR_SEALED, .segment = 99}},
        {"another's large file",
         true,                             false,
         {.type = DOOR_LARGE_FREE, .large = 99}                                       },
        {"our own word",            true,  false, {.type = DOOR_PRESSURE}             },
        {"no type",                 true,  false, {.type = DOOR_NONE}                 },
        {"a descriptor",            true,  true,  {.type = DOOR_HELLO}                },
    };
    struct world *w = *state;

    writers_go(w->writers);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct peer *p = peer_new(w, 0);
        struct buf b = {0};
        int fds[2];
        char octet;

        if (cases[i].hello) {
            hello(p, 0, 0);
            (void)await_frame(w, p, DOOR_WRITER);
        }
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
        door_encode(&b, &cases[i].m);
        if (cases[i].descriptor)
            channel_send_fd(p->channel, buf_str(&b), fds[1]);
        else
            channel_send(p->channel, buf_str(&b));
        for (int k = 0; k < 500 && !p->ended; k++)
            pass(w, 2);
        if (!p->ended)
            fail_msg("%s: heard without a word", cases[i].name);
        (void)close(fds[1]); // and nobody else has it any more
        assert_int_equal(read(fds[0], &octet, 1), 0);
        (void)close(fds[0]);
        peer_free(w, p, 0);
        buf_fini(&b);
    }
    assert_int_equal(spool_count(w->store), 0);
}

/* Re-attached with a number and a list of what it holds: each is checked. */
static void
holding(void **state)
{
    struct world *w = *state;
    struct peer *p = peer_new(w, 0);

    writers_go(w->writers);
    hello(p, 0, 0);
    uint64_t number = await_frame(w, p, DOOR_WRITER)->writer;
    struct door_msg m = *await_frame(w, p, DOOR_SEGMENT);
    m.type = DOOR_HOLDING;
    m.offset = 4096;
    channel_free(p->channel); // it lost its queue, and comes to us anew
    free(p);
    pass(w, 5);

    struct peer *again = peer_new(w, 1);
    hello(again, number, 2);
    say(again, &m);
    (void)await_frame(w, again, DOOR_WRITER);
    pass(w, 10);
    assert_false(again->ended);
    m.generation++;
    say(again, &m);
    AWAIT(w, again->ended); // of another life of that segment
    peer_free(w, again, 1);
    writers_reaped(w->writers, ROLE_RECEIVE, 0, 1);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(roll_call),
        TEST(for_nobody),
        TEST(nonsense),
        TEST(holding),
    };
    return cmocka_run_group_tests_name("queue/writers", tests, NULL, NULL);
}
