/* SPDX-License-Identifier: ISC */
/* The queue's ends of the pipes to its workers, with a spool on the disk, and
 * workers that die, lie and do not listen. */
#include "queue/workers.h"

#include "fakebook.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "os/channel.h"
#include "os/disk.h"
#include "os/log.h"

enum { BODY_MEMORY = 4096, FRAMES = 512, GRAVES = 16 };

/* One queue, and who writes into its spool. */
struct world {
    struct loop *loop;
    struct timer *limit;
    struct fakebook fake;
    struct disk disk;
    struct spool_store *store;
    struct spool_door *door;
    uint64_t writer;
    struct schedule *schedule;
    struct workers *workers;
    char folder[40];
    int64_t later_ms;         /* the schedule's clock is ahead by that */
    bool resting;             /* nothing is handed out at the end of a turn */
    enum spool_result result; /* of the last commit */
    size_t answered, fates[FATE_BOUNCED + 1];
};

static struct workers *graves[GRAVES]; /* workers are never taken down */
static bool no_open;                   /* files cannot be opened for reading */

/* A worker that keeps what it was told. */
struct peer {
    struct channel *channel;
    struct arena arena;
    struct job_msg got[FRAMES];
    size_t n;
    bool ended;
};

/* ---- the spool ----------------------------------------------------------- */

static int
open_or_not(void *self, int dir, const char *name, unsigned flags)
{
    if (no_open && flags == DISK_READ)
        return -1;
    return os_disk()->open(self, dir, name, flags);
}

static void
on_segment(void *ctx, uint64_t writer, uint64_t segment, uint64_t generation,
           uint64_t size, int fd)
{
    struct world *w = ctx;
    (void)writer;
    spool_log_door_segment(w->door, segment, generation, size, dup(fd));
}

static void
on_large(void *ctx, uint64_t writer, uint64_t large, int fd)
{
    struct world *w = ctx;
    (void)writer;
    spool_log_door_large(w->door, large, dup(fd));
}

static void
on_pressure(void *ctx, enum spool_pressure level)
{
    (void)ctx;
    (void)level;
}

static void
on_forget(void *ctx, uint64_t segment)
{
    struct world *w = ctx;
    workers_forget(w->workers, segment);
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
on_watermark(void *ctx, uint64_t segment, uint64_t generation, uint64_t offset)
{
    struct world *w = ctx;
    assert_true(spool_log_store_watermark(w->store, w->writer, segment,
                                          generation, offset));
}

static void
on_sealed(void *ctx, uint64_t segment, uint64_t generation, uint64_t offset)
{
    struct world *w = ctx;
    assert_true(spool_log_store_sealed(w->store, w->writer, segment, generation,
                                       offset));
}

static void
on_large_free(void *ctx, uint64_t large)
{
    struct world *w = ctx;
    assert_true(spool_log_store_large_free(w->store, w->writer, large));
}

static void
on_ready(void *ctx)
{
    (void)ctx;
}

static void
open_spool(struct world *w)
{
    struct err e;
    w->disk = *os_disk();
    w->disk.open = open_or_not;
    struct spool_log_setup setup = {
        .disk = &w->disk,
        .dir = os_open_dir(w->folder),
        .executor = loop_executor(w->loop),
        .segment_size = 1 << 20,
        .ctx = w,
        .on_segment = on_segment,
        .on_large = on_large,
        .on_pressure = on_pressure,
        .on_forget = on_forget,
        .on_corrupt = on_corrupt,
        .on_trouble = on_trouble,
    };
    struct spool_log_door_setup door = {
        .disk = os_disk(),
        .executor = loop_executor(w->loop),
        .body_memory = BODY_MEMORY,
        .ctx = w,
        .on_watermark = on_watermark,
        .on_sealed = on_sealed,
        .on_large_free = on_large_free,
        .on_ready = on_ready,
    };
    w->store = spool_log_store_open(&setup, &e);
    assert_non_null(w->store);
    w->door = spool_log_door_new(&door);
    w->writer = spool_log_store_attach(w->store, 0, false);
    assert_true(w->writer != 0);
    spool_log_door_writer(w->door, w->writer);
    spool_log_store_supply(w->store, w->writer);
    spool_log_store_roll_call(w->store);
}

/* ---- the queue ----------------------------------------------------------- */

static struct instant
now_of(const struct world *w)
{
    struct instant now = loop_now(w->loop);
    now.wall_ms += w->later_ms;
    return now;
}

static void
hand_out(struct world *w)
{
    while (schedule_fill(w->schedule, now_of(w), 16) > 0)
        ;
    workers_pump(w->workers);
}

static void
on_turn_end(void *ctx)
{
    struct world *w = ctx;

    spool_turn(w->door);
    spool_store_turn(w->store, now_of(w));
    workers_confirm(w->workers);
    if (workers_settled(w->workers) && !w->resting)
        hand_out(w);
    if (spool_store_wake(w->store) <= loop_now(w->loop).mono_ms)
        loop_again(w->loop);
}

static void
on_event(void *ctx, const struct schedule_event *e)
{
    struct world *w = ctx;
    w->fates[e->fate]++;
}

static void
on_expanded(void *ctx, const struct sched_message *m, struct str address,
            size_t n)
{
    (void)ctx;
    (void)m;
    (void)address;
    (void)n;
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
    struct schedule_hooks hooks = {w, on_event, on_expanded};
    struct schedule_options o = {
        .retry = {1000, 4000, 100000},
          .max_in_flight = 1000
    };

    o.send = o.mailbox = (struct lanes_limits){1, 500, 500, 900};
    log_open("test", false, LOG_ERROR + 1);
    (void)memcpy(w->folder, "/tmp/gatepost-workers-XXXXXX", 29);
    assert_non_null(mkdtemp(w->folder));
    w->loop = loop_new();
    w->limit = timer_new(w->loop, on_limit, w->loop);
    fakebook_init(&w->fake);
    open_spool(w);
    w->schedule = schedule_new(w->store, &w->fake.book, &o, &hooks, 1);
    w->workers = workers_new(w->loop);
    for (size_t i = 0; graves[i] != NULL || (graves[i] = w->workers, false);)
        i++;
    workers_use(w->workers, w->store, w->schedule);
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

    no_open = false;
    /* A task has them in hand. */
    AWAIT(w, spool_log_door_idle(w->door) && spool_log_store_idle(w->store));
    loop_free(w->loop);
    schedule_free(w->schedule);
    spool_door_free(w->door);
    spool_store_free(w->store);
    fakebook_fini(&w->fake);
    assert_int_equal(os_disk()->list(NULL, dir, remove_file, &dir), 0);
    (void)close(dir);
    (void)rmdir(w->folder);
    free(w);
    return 0;
}

static void
on_stored(void *ctx, enum spool_result result, struct msgid id)
{
    struct world *w = ctx;
    (void)id;
    w->result = result;
    w->answered++;
}

static struct msgid
try_to_submit(struct world *w, const struct envelope *e, struct str content)
{
    enum spool_result why;
    struct spool_message *m = NULL;
    size_t before = w->answered;

    AWAIT(w, m != NULL || (m = spool_begin(w->door, e, &why)) != NULL);
    struct msgid id = spool_message_id(m);
    while (!spool_chunk(m, content)) {
        pass(w, 2);
        content = STR_EMPTY;
    }
    spool_commit(m, false, on_stored, w);
    AWAIT(w, w->answered > before);
    return id;
}

/* A message of so many octets, for that address so many times; it is stored,
 * once the spool has given a file for it. */
static struct msgid
submit(struct world *w, const char *to, size_t n_rcpts, size_t octets)
{
    struct recipient *r = calloc(n_rcpts, sizeof *r);
    struct envelope e = {
        .sender = STR("sue@example.org"), .rcpts = r, .n_rcpts = n_rcpts};
    struct msgid id;
    struct buf b = {0};

    for (size_t i = 0; i < n_rcpts; i++)
        r[i].address = r[i].orcpt = str_from(to);
    memset(buf_reserve(&b, octets), 'x', octets);
    b.n = octets;
    while (id = try_to_submit(w, &e, buf_str(&b)), w->result == SPOOL_FULL)
        pass(w, 5);
    assert_int_equal(w->result, SPOOL_OK);
    buf_fini(&b);
    free(r);
    return id;
}

/* ---- workers ------------------------------------------------------------- */

static void
on_frame(void *ctx, struct str frame, int fd)
{
    struct peer *p = ctx;
    struct job_msg *m = &p->got[p->n++];

    assert_true(p->n < FRAMES);
    assert_true(job_decode(&p->arena, arena_dup(&p->arena, frame), m));
    assert_int_equal(fd >= 0, m->type == JOB_SEGMENT || m->type == JOB_LARGE);
    if (fd >= 0)
        (void)close(fd);
}

static void
on_end(void *ctx)
{
    ((struct peer *)ctx)->ended = true;
}

static struct peer *
peer_new(struct world *w, enum role role, uint32_t slot, uint64_t incarnation)
{
    struct peer *p = alloc_zero(sizeof *p);
    int fds[2];

    assert_true(channel_pair(fds));
    workers_add(w->workers, role, slot, incarnation, fds[0]);
    p->channel = channel_new(w->loop, fds[1], on_frame, on_end, p);
    return p;
}

/* It is gone, as its pipe tells; master says later that it was reaped. */
static void
peer_free(struct peer *p)
{
    channel_free(p->channel);
    arena_fini(&p->arena);
    free(p);
}

static void
say(struct peer *p, const struct job_msg *m)
{
    struct buf b = {0};
    job_encode(&b, m);
    channel_send(p->channel, buf_str(&b));
    buf_fini(&b);
}

static void
hello(struct peer *p, uint64_t frames)
{
    say(p, &(struct job_msg){.type = JOB_HELLO, .job = frames});
}

static void
tell_outcome(struct peer *p, const struct job_msg *work, enum outcome outcome)
{
    struct job_rcpt r[128] = {0};
    struct job_msg m = {
        .type = JOB_OUTCOMES, .job = work->job, .id = work->id, .rcpts = r};

    for (; m.n_rcpts < work->n_rcpts; m.n_rcpts++) {
        r[m.n_rcpts].index = work->rcpts[m.n_rcpts].index;
        r[m.n_rcpts].verdict.outcome = outcome;
    }
    say(p, &m);
}

/* The n-th frame of that type, from 0; NULL: it has not come. */
static const struct job_msg *
heard(const struct peer *p, enum job_type type, size_t n)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->got[i].type == type && n-- == 0)
            return &p->got[i];
    return NULL;
}

static const struct job_msg *
await_frame(struct world *w, const struct peer *p, enum job_type type, size_t n)
{
    AWAIT(w, heard(p, type, n) != NULL);
    return heard(p, type, n);
}

/* ---- what is to happen --------------------------------------------------- */

static void
work_is_done(void **state)
{
    struct world *w = *state;
    struct peer *p = peer_new(w, ROLE_SEND, 0, 1);
    struct peer *other = peer_new(w, ROLE_SEND, 1, 2); // gets nothing

    workers_open(w->workers);
    hello(p, 0);
    hello(other, 0);
    struct msgid id = submit(w, "a@one.example", 2, 10);
    const struct job_msg *work = await_frame(w, p, JOB_WORK, 0);
    assert_int_equal(p->got[0].type, JOB_SEGMENT); // before it
    assert_int_equal(p->got[0].segment, work->at.segment);
    assert_true(msgid_eq(work->id, id));
    assert_int_equal(work->n_rcpts, 2);
    assert_true(str_eq(work->destination, STR("one.example")));

    /* Another one's word about it is not taken, though it is counted. */
    tell_outcome(other, work, OUTCOME_REFUSED);
    assert_int_equal(await_frame(w, other, JOB_TAKEN, 0)->job, 1);
    assert_int_equal(w->fates[FATE_BOUNCED], 0);
    assert_int_equal(schedule_in_hand(w->schedule), 1);
    /* What it never had it may have forgotten. */
    say(other, &(struct job_msg){.type = JOB_FORGOTTEN, .segment = 77});
    tell_outcome(p, work, OUTCOME_RELAYED);
    assert_int_equal(await_frame(w, p, JOB_TAKEN, 0)->job, 1);
    assert_int_equal(w->fates[FATE_DELIVERED], 2);
    assert_int_equal(spool_count(w->store), 0);

    /* Who leaves gets nothing more and is let go. */
    say(p, &(struct job_msg){.type = JOB_LEAVING});
    AWAIT(w, p->ended);
    assert_false(other->ended);
    peer_free(p);
    peer_free(other);
    pass(w, 5);
    workers_reaped(w->workers, ROLE_MAILBOX, 0, 1); // not one of ours
    workers_reaped(w->workers, ROLE_SEND, 0, 2);
    workers_reaped(w->workers, ROLE_SEND, 0, 1);
    workers_reaped(w->workers, ROLE_SEND, 1, 2);
}

/* Its jobs stay in its hands until it was reaped; the next one gets them. */
static void
dies_at_work(void **state)
{
    struct world *w = *state;
    struct peer *p = peer_new(w, ROLE_MAILBOX, 0, 1);
    const struct job_msg *work;

    workers_open(w->workers);
    hello(p, 0);
    struct msgid id = submit(w, "ann@example.com", 1, 10);
    work = await_frame(w, p, JOB_WORK, 0);
    uint64_t segment = work->at.segment;
    peer_free(p);
    struct peer *heir = peer_new(w, ROLE_MAILBOX, 0, 2);
    hello(heir, 0);
    pass(w, 20);
    assert_int_equal(schedule_in_hand(w->schedule), 1);
    assert_int_equal(heir->n, 0);
    workers_forget(w->workers, segment); // there is nobody to be asked
    workers_reaped(w->workers, ROLE_MAILBOX, 0, 1);

    work = await_frame(w, heir, JOB_WORK, 0);
    assert_true(msgid_eq(work->id, id));
    assert_int_equal(work->rcpts[0].attempts, 0);
    tell_outcome(heir, work, OUTCOME_DELIVERED);
    (void)await_frame(w, heir, JOB_TAKEN, 0);
    assert_int_equal(w->fates[FATE_DELIVERED], 1);
    assert_int_equal(spool_count(w->store), 0);
    peer_free(heir);
    pass(w, 5);
    workers_reaped(w->workers, ROLE_MAILBOX, 0, 2);
}

/* Master hears of its end before we have read what it said last: that counts,
 * else what was delivered would be delivered again. */
static void
last_words(void **state)
{
    struct world *w = *state;
    struct peer *p = peer_new(w, ROLE_SEND, 0, 1);

    workers_open(w->workers);
    hello(p, 0);
    (void)submit(w, "a@one.example", 1, 10);
    const struct job_msg *work = await_frame(w, p, JOB_WORK, 0);
    tell_outcome(p, work, OUTCOME_RELAYED);
    workers_reaped(w->workers, ROLE_SEND, 0, 1);
    assert_int_equal(schedule_in_hand(w->schedule), 1);
    AWAIT(w, w->fates[FATE_DELIVERED] == 1);
    peer_free(p);
    pass(w, 10);
    assert_int_equal(spool_count(w->store), 0);
    assert_int_equal(schedule_in_hand(w->schedule), 0);
}

/* A queue that was started anew hears first what the workers have in hand. */
static void
started_anew(void **state)
{
    struct world *w = *state;
    struct msgid id = submit(w, "a@one.example", 1, 10);
    struct msgid unknown = {id.writer, id.seq + 1};
    struct peer *gone = peer_new(w, ROLE_SEND, 0, 1);
    struct peer *p = peer_new(w, ROLE_SEND, 0, 2);
    struct peer *silent = peer_new(w, ROLE_MAILBOX, 0, 1);
    struct job_rcpt r = {.index = 0};

    /* It reported and died before we were ready to listen. */
    hello(gone, 1);
    tell_outcome(gone,
                 &(struct job_msg){
                     .job = 1ULL << 40, .id = id, .rcpts = &r, .n_rcpts = 1},
                 OUTCOME_RELAYED);
    pass(w, 5);
    peer_free(gone);
    workers_reaped(w->workers, ROLE_SEND, 0, 1);
    peer_free(silent);
    assert_false(workers_settled(w->workers));
    workers_open(w->workers);
    workers_open(w->workers);
    AWAIT(w, w->fates[FATE_DELIVERED] == 1);
    assert_int_equal(spool_count(w->store), 0);

    /* Who died without a word is not waited for, who lives is. */
    assert_false(workers_settled(w->workers));
    hello(p, 2);
    pass(w, 10);
    assert_false(workers_settled(w->workers));
    say(p, &(struct job_msg){.type = JOB_RUNNING,
                             .job = 1ULL << 41,
                             .id = unknown,
                             .rcpts = &r,
                             .n_rcpts = 1});
    pass(w, 10);
    assert_false(workers_settled(w->workers));
    struct peer *late = peer_new(w, ROLE_SEND, 0, 3);
    tell_outcome(
        p,
        &(struct job_msg){
            .job = 1ULL << 41, .id = unknown, .rcpts = &r, .n_rcpts = 1},
        OUTCOME_RELAYED);
    /* Of a message that an earlier queue was through with, all is written. */
    assert_int_equal(await_frame(w, p, JOB_TAKEN, 0)->job, 1);
    AWAIT(w, workers_settled(w->workers)); // the late one has not spoken
    assert_int_equal(w->fates[FATE_DELIVERED], 1);

    /* The newest of a slot gets what is new. */
    hello(late, 0);
    (void)submit(w, "a@one.example", 1, 10);
    tell_outcome(late, await_frame(w, late, JOB_WORK, 0), OUTCOME_RELAYED);
    (void)await_frame(w, late, JOB_TAKEN, 0);
    assert_null(heard(p, JOB_WORK, 0));
    peer_free(p);
    peer_free(late);
    pass(w, 5);
    workers_reaped(w->workers, ROLE_MAILBOX, 0, 1);
    workers_reaped(w->workers, ROLE_SEND, 0, 2);
    workers_reaped(w->workers, ROLE_SEND, 0, 3);
}

/* What no worker may say ends its pipe, not us; its job comes to the next. */
static void
malformed(void **state)
{
    static const struct {
        const char *name;
        bool hello, descriptor;
        struct job_msg m;
    } cases[] = {
        {"not greeted",  false, false, {.type = JOB_FORGOTTEN}},
        {"greets twice", true,  false, {.type = JOB_HELLO}    },
        {"our own word", true,  false, {.type = JOB_TAKEN}    },
        {"no type",      true,  false, {.type = JOB_NONE}     },
        {"a descriptor", true,  true,  {.type = JOB_LEAVING}  },
    };
    struct world *w = *state;

    workers_open(w->workers);
    (void)submit(w, "a@one.example", 1, 10);
    for (uint64_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct peer *p = peer_new(w, ROLE_SEND, 0, i);
        struct buf b = {0};
        int fds[2];
        char octet;

        if (cases[i].hello) {
            hello(p, 0);
            pass(w, 10);
        }
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
        job_encode(&b, &cases[i].m);
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
        peer_free(p);
        workers_reaped(w->workers, ROLE_SEND, 0, i);
        assert_int_equal(schedule_in_hand(w->schedule), 0);
        buf_fini(&b);
    }
    assert_int_equal(spool_count(w->store), 1); // held: they all died at it
    assert_int_equal(w->fates[FATE_DELIVERED], 0);
}

/* A segment that was asked back is not used for new work before it came. */
static void
asked_back(void **state)
{
    struct world *w = *state;
    struct peer *p = peer_new(w, ROLE_SEND, 0, 1);

    workers_open(w->workers);
    hello(p, 0);
    (void)submit(w, "a@one.example", 1, 10);
    const struct job_msg *first = await_frame(w, p, JOB_WORK, 0);
    uint64_t segment = first->at.segment;
    workers_forget(w->workers, segment);
    workers_forget(w->workers, segment);
    tell_outcome(p, first, OUTCOME_RELAYED);
    (void)await_frame(w, p, JOB_TAKEN, 0);
    assert_non_null(heard(p, JOB_FORGET, 0));
    assert_null(heard(p, JOB_FORGET, 1)); // once is enough

    (void)submit(w, "a@one.example", 1, 10);
    pass(w, 20);
    assert_null(heard(p, JOB_WORK, 1));
    assert_int_equal(schedule_in_hand(w->schedule), 0);
    say(p,
        &(struct job_msg){.type = JOB_FORGOTTEN,
                          .segment = segment,
                          .generation = heard(p, JOB_FORGET, 0)->generation});
    w->later_ms += 2000;
    const struct job_msg *second = await_frame(w, p, JOB_WORK, 1);
    assert_int_equal(second->at.segment, segment);
    assert_non_null(heard(p, JOB_SEGMENT, 1)); // granted anew
    tell_outcome(p, second, OUTCOME_RELAYED);
    (void)await_frame(w, p, JOB_TAKEN, 1);
    assert_int_equal(spool_count(w->store), 0);
    peer_free(p);
    pass(w, 5);
    workers_reaped(w->workers, ROLE_SEND, 0, 1);
}

/* Without descriptors nothing is handed out, and nothing lost by it. */
static void
cannot_be_opened(void **state)
{
    static const struct {
        size_t octets;
        enum job_type before;
    } cases[] = {
        {10,              JOB_SEGMENT},
        {3 * BODY_MEMORY, JOB_LARGE  },
    };
    struct world *w = *state;
    struct peer *p = peer_new(w, ROLE_SEND, 0, 1);

    workers_open(w->workers);
    hello(p, 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        no_open = true;
        (void)submit(w, "a@one.example", 1, cases[i].octets);
        pass(w, 20);
        assert_null(heard(p, JOB_WORK, i));
        assert_int_equal(schedule_in_hand(w->schedule), 0);
        assert_int_equal(spool_count(w->store), 1);
        no_open = false;
        w->later_ms += 2000;
        const struct job_msg *work = await_frame(w, p, JOB_WORK, i);
        assert_int_equal(work[-1].type, cases[i].before);
        assert_int_equal(work->at.large != 0, cases[i].before == JOB_LARGE);
        assert_int_equal(work->rcpts[0].attempts, 0);
        tell_outcome(p, work, OUTCOME_RELAYED);
        (void)await_frame(w, p, JOB_TAKEN, i);
        assert_int_equal(spool_count(w->store), 0);
    }
    peer_free(p);
    pass(w, 5);
    workers_reaped(w->workers, ROLE_SEND, 0, 1);
}

/* A worker gets a mebibyte of jobs ahead, not all there are. */
static void
slow_reader(void **state)
{
    struct world *w = *state;
    char to[200];

    memset(to, 'a', sizeof to);
    (void)memcpy(to + 60, "@one.example", 12);
    for (size_t i = 72; i < sizeof to - 1; i += 32)
        to[i] = '.';
    to[sizeof to - 1] = 0;
    struct peer *p = peer_new(w, ROLE_SEND, 0, 1);
    workers_open(w->workers);
    hello(p, 0);
    AWAIT(w, workers_settled(w->workers));
    w->resting = true;
    enum { MESSAGES = 40 };
    for (size_t i = 0; i < MESSAGES; i++)
        (void)submit(w, to, 100, 10);
    AWAIT(w, spool_count(w->store) == MESSAGES);
    hand_out(w);
    size_t ahead = schedule_in_hand(w->schedule);
    assert_true(ahead > MESSAGES / 2 && ahead < MESSAGES);
    assert_int_equal(schedule_loaded(w->schedule), MESSAGES);
    w->resting = false;
    AWAIT(w, heard(p, JOB_WORK, MESSAGES - 1) != NULL);
    assert_int_equal(schedule_in_hand(w->schedule), MESSAGES);
    peer_free(p);
    workers_reaped(w->workers, ROLE_SEND, 0, 1);
    AWAIT(w, schedule_in_hand(w->schedule) == 0);
    assert_int_equal(spool_count(w->store), MESSAGES);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(work_is_done),     TEST(dies_at_work), TEST(last_words),
        TEST(started_anew),     TEST(malformed),    TEST(asked_back),
        TEST(cannot_be_opened), TEST(slow_reader),
    };
    return cmocka_run_group_tests_name("queue/workers", tests, NULL, NULL);
}
