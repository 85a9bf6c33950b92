/* SPDX-License-Identifier: ISC */
#include "room/door.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "ipc/door.h"
#include "os/disk.h"
#include "queue/writers.h"

/* A writer's door on one side of a pipe, the queue's writers with a store on
 * the disk on the other, both on one loop. */
static struct room room;
static struct door *door;
static struct writers *writers, *dead;
static struct spool_store *store;
static struct timer *limit;
static char folder[] = "/tmp/gatepost-door-XXXXXX";
static unsigned n_better, n_roll_calls, n_stored;
static enum spool_result stored;
static bool failed;

/* Instead of room.c's. */
void
room_fail(struct room *r, const char *why)
{
    (void)r;
    (void)why;
    failed = true;
}

static void
on_better(void *ctx)
{
    (void)ctx;
    n_better++;
}

static void
on_roll_call(void *ctx)
{
    (void)ctx;
    n_roll_calls++;
}

static void
on_stored(void *ctx, enum spool_result result, struct msgid id)
{
    (void)ctx;
    (void)id;
    stored = result;
    n_stored++;
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
    (void)ctx;
    if (store == NULL)
        return;
    spool_store_turn(store, loop_now(room.loop));
    writers_turn(writers);
}

static void
on_limit(void *ctx)
{
    loop_stop(ctx);
}

/* Runs the loop until what is waited for has happened, or for a second. */
static void
run_until(const unsigned *count, unsigned want)
{
    for (int i = 0; i < 100 && *count < want; i++) {
        timer_set(limit, loop_now(room.loop).mono_ms + 10);
        loop_run(room.loop);
    }
    assert_true(*count >= want);
}

static void
settle(void)
{
    timer_set(limit, loop_now(room.loop).mono_ms + 50);
    loop_run(room.loop);
}

static void
open_queue(void)
{
    struct err e;
    writers = writers_new(room.loop, on_roll_call, NULL);
    const struct spool_log_setup setup = {
        .disk = os_disk(),
        .dir = os_open_dir(folder),
        .executor = loop_executor(room.loop),
        .segment_size = 1 << 20,
        .ctx = writers,
        .on_segment = writers_segment,
        .on_large = writers_large,
        .on_pressure = writers_pressure,
        .on_forget = on_forget,
        .on_corrupt = on_corrupt,
        .on_trouble = on_trouble,
    };
    store = spool_log_store_open(&setup, &e);
    assert_non_null(store);
    writers_use(writers, store);
}

static void
join(void)
{
    int fds[2];
    assert_true(channel_pair(fds));
    writers_add(writers, ROLE_NOTIFY, 0, 1, fds[0]);
    door_attach(door, fds[1]);
    writers_go(writers);
}

static struct spool_message *
begin(void)
{
    struct recipient to = {.address = STR("r@far.example")};
    enum spool_result why;
    return spool_begin(door_spool(door),
                       &(struct envelope){.sender = STR("s@far.example"),
                                          .rcpts = &to,
                                          .n_rcpts = 1},
                       &why);
}

/* Once the queue has given what is needed. */
static struct spool_message *
begin_soon(void)
{
    struct spool_message *m = begin();
    for (int i = 0; i < 100 && m == NULL; i++) {
        settle();
        m = begin();
    }
    assert_non_null(m);
    return m;
}

static void
remove_file(void *ctx, const char *name)
{
    int *dir = ctx;
    assert_int_equal(os_disk()->unlink(NULL, *dir, name), 0);
}

static int
remove_folder(void)
{
    int dir = os_open_dir(folder);
    assert_int_equal(os_disk()->list(NULL, dir, remove_file, &dir), 0);
    (void)close(dir);
    return rmdir(folder);
}

static int
setup(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(folder));
    room.loop = loop_new();
    limit = timer_new(room.loop, on_limit, room.loop);
    loop_at_turn_end(room.loop, on_turn_end, NULL);
    door = door_new(&room, 1 << 20, on_better, NULL);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    loop_free(room.loop);
    door_free(door);
    spool_store_free(store);
    assert_ptr_not_equal(dead, writers); // whose memory the kernel would free
    return remove_folder();
}

static void
a_message_gets_through(void **state)
{
    (void)state;
    assert_null(begin()); // no queue, no number, no segment
    open_queue();
    join();
    struct spool_message *m = begin_soon();
    assert_true(n_better > 0);
    assert_int_equal(n_roll_calls, 1);
    assert_true(spool_chunk(m, STR("Subject: x\r\n\r\nbody\r\n")));
    assert_false(door_idle(door));
    spool_commit(m, false, on_stored, NULL);
    run_until(&n_stored, 1);
    assert_int_equal(stored, SPOOL_OK);
    settle();
    assert_int_equal(spool_count(store), 1);
    assert_true(door_idle(door));
}

/* The queue dies and comes back: what it has not heard, it is told. */
static void
another_queue(void **state)
{
    (void)state;
    struct spool_message *m = begin_soon();
    assert_true(spool_chunk(m, STR("Subject: y\r\n\r\nbody\r\n")));
    // as a process dies: nothing of it is freed but what the kernel held
    int fds[2];
    assert_true(channel_pair(fds));
    door_attach(door, fds[1]);
    (void)close(fds[0]);
    struct spool_store *old = store;
    dead = writers;
    store = NULL;
    settle();
    spool_commit(m, false, on_stored, NULL);
    run_until(&n_stored, 2);
    assert_int_equal(stored, SPOOL_OK); // with what it has it goes on
    spool_store_free(old);
    open_queue();
    join();
    run_until(&n_roll_calls, 2);
    settle();
    assert_int_equal(spool_count(store), 2);
    assert_false(failed);
}

static void
pressure(void **state)
{
    (void)state;
    assert_false(door_slow(door));
    writers_pressure(writers, SPOOL_PRESSURE_FULL);
    settle();
    assert_true(door_slow(door));
    assert_null(begin());
    unsigned before = n_better;
    writers_pressure(writers, SPOOL_PRESSURE_NONE);
    settle();
    assert_false(door_slow(door));
    assert_int_equal(n_better, before + 1);
    spool_abort(begin_soon());
}

static void
on_heard(void *ctx, struct str frame, int fd)
{
    (void)ctx;
    (void)frame;
    assert_int_equal(fd, -1);
}

static void
on_hung_up(void *ctx)
{
    unsigned *n = ctx;
    (*n)++;
}

/* What no queue may say ends the pipe, not us. */
static void
nonsense(void **state)
{
    static const struct door_msg bad[] = {
        {.type = DOOR_HELLO,   .writer = 1 },
        {.type = DOOR_SEGMENT, .segment = 1, .size = 4096}, // no descriptor
        {.type = DOOR_WRITER,                    .writer = 0             },
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct buf b = {0};
        unsigned hung_up = 0;
        int fds[2];
        assert_true(channel_pair(fds));
        door_attach(door, fds[1]);
        struct channel *c =
            channel_new(room.loop, fds[0], on_heard, on_hung_up, &hung_up);
        door_encode(&b, &bad[i]);
        channel_send(c, buf_str(&b));
        run_until(&hung_up, 1);
        channel_free(c);
        buf_fini(&b);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_gets_through),
        cmocka_unit_test(another_queue),
        cmocka_unit_test(pressure),
        cmocka_unit_test(nonsense),
    };
    return cmocka_run_group_tests_name("room/door", tests, setup, teardown);
}
