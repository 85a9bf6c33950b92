/* SPDX-License-Identifier: ISC */
#include "queue/schedule.h"

#include "fakebook.h"
#include "faultystore.h"
#include "spool/memory.h"

#include <stdio.h>

/* A queue without a process: the spool in memory, a clock set by hand. */
struct world {
    struct fakebook fake;
    struct memory_spool *spool;
    struct spool_door *door;
    struct spool_store *store;
    struct schedule *schedule;
    struct schedule_options o;
    struct instant now;
    size_t fates[FATE_BOUNCED + 1];
    size_t notices; /* settled with a notice owed */
    size_t expanded;
};

static void
on_event(void *ctx, const struct schedule_event *e)
{
    struct world *w = ctx;
    w->fates[e->fate]++;
    if (e->settlement->notice != NOTICE_NONE)
        w->notices++;
}

static void
on_expanded(void *ctx, const struct sched_message *m, struct str address,
            size_t n)
{
    struct world *w = ctx;
    (void)m;
    (void)address;
    w->expanded += n;
}

static int
setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    struct schedule_hooks hooks = {w, on_event, on_expanded};
    assert_non_null(w);
    fakebook_init(&w->fake);
    w->spool = memory_spool_new();
    w->door = memory_door_new(w->spool, NULL, NULL);
    w->store = memory_store_new(w->spool);
    faulty_init(w->store);
    w->o.retry = (struct retry_policy){1000, 4000, 10000};
    w->o.max_in_flight = 100;
    w->o.send = (struct lanes_limits){1, 50, 2, 75};
    w->o.mailbox = (struct lanes_limits){1, 50, 50, 75};
    w->now.wall_ms = 1000000;
    w->schedule =
        schedule_new(w->store, &w->fake.book, &w->o, &hooks, 1ULL << 32);
    *state = w;
    return 0;
}

static int
teardown(void **state)
{
    struct world *w = *state;
    schedule_free(w->schedule);
    spool_store_free(w->store);
    spool_door_free(w->door);
    memory_spool_free(w->spool);
    fakebook_fini(&w->fake);
    free(w);
    return 0;
}

static void
on_stored(void *ctx, enum spool_result result, struct msgid id)
{
    (void)ctx;
    (void)id;
    assert_int_equal(result, SPOOL_OK);
}

static struct msgid
submit_as(struct world *w, const char *sender, const char *const *addresses,
          unsigned notify)
{
    struct recipient r[16] = {0};
    struct envelope e = {.sender = str_from(sender), .rcpts = r};
    enum spool_result why;
    struct spool_message *m;
    struct msgid id;

    e.arrived_ms = w->now.wall_ms;
    for (; addresses[e.n_rcpts] != NULL; e.n_rcpts++) {
        r[e.n_rcpts].address = str_from(addresses[e.n_rcpts]);
        r[e.n_rcpts].notify = notify;
    }
    m = spool_begin(w->door, &e, &why);
    assert_non_null(m);
    id = spool_message_id(m);
    assert_true(spool_chunk(m, STR("Subject: x\r\n\r\nhello\r\n")));
    spool_commit(m, false, on_stored, NULL);
    spool_turn(w->door);
    return id;
}

#define SUBMIT(w, ...)                                                         \
    submit_as((w), "sue@example.org",                                          \
              (const char *const[]){__VA_ARGS__, NULL}, NOTIFY_DEFAULT)

static void
fill(struct world *w)
{
    while (schedule_fill(w->schedule, w->now, 16) > 0)
        ;
}

static struct sched_job *
next(struct world *w, enum carrier c)
{
    return schedule_next(w->schedule, c, 0, w->now);
}

/* Every recipient of the job gets the same outcome. */
static void
report(struct world *w, struct sched_job *j, enum outcome outcome)
{
    struct job_rcpt r[128] = {0};
    size_t n = 0;
    for (struct sched_rcpt *x = j->first; x != NULL; x = x->next) {
        r[n].index = x->index;
        r[n++].verdict.outcome = outcome;
    }
    schedule_report(w->schedule, j, r, n, w->now);
}

static void
one_job_per_destination(void **state)
{
    struct world *w = *state;
    struct sched_job *j;
    size_t jobs = 0, rcpts = 0;

    SUBMIT(w, "a@one.example", "ann@example.com", "b@two.example",
           "c@one.example", "bob@example.com");
    fill(w);
    assert_int_equal(schedule_loaded(w->schedule), 4);

    j = next(w, CARRIER_SEND);
    assert_true(str_eq(j->destination->name, STR("one.example")));
    assert_int_equal(j->n_rcpts, 2);
    assert_true(j->number >= 1ULL << 32);
    report(w, j, OUTCOME_RELAYED);
    j = next(w, CARRIER_SEND);
    assert_true(str_eq(j->destination->name, STR("two.example")));
    report(w, j, OUTCOME_RELAYED);
    assert_null(next(w, CARRIER_SEND));

    while ((j = next(w, CARRIER_MAILBOX)) != NULL) {
        jobs++;
        rcpts += j->n_rcpts;
        report(w, j, OUTCOME_DELIVERED);
    }
    assert_int_equal(jobs, 2);
    assert_int_equal(rcpts, 2);
    assert_int_equal(w->fates[FATE_DELIVERED], 5);
    assert_int_equal(w->notices, 1); // bob is away
    assert_int_equal(schedule_loaded(w->schedule), 0);
}

static void
windows(void **state)
{
    struct world *w = *state;
    struct sched_job *hand[8];
    size_t n = 0;

    for (int i = 0; i < 5; i++)
        SUBMIT(w, "a@slow.example");
    SUBMIT(w, "b@other.example");
    fill(w);
    while ((hand[n] = next(w, CARRIER_SEND)) != NULL)
        n++;
    assert_int_equal(n, 3); // two of slow, one of other
    assert_true(str_eq(hand[1]->destination->name, STR("other.example")));
    report(w, hand[0], OUTCOME_RELAYED);
    assert_non_null(hand[0] = next(w, CARRIER_SEND));
    assert_null(next(w, CARRIER_SEND));
    for (size_t i = 0; i < 3; i++)
        report(w, hand[i], OUTCOME_RELAYED);
    assert_int_equal(schedule_in_hand(w->schedule), 0);
}

/* A destination that takes nothing must not keep the others out, though there
 * are more messages for it than may be loaded. */
static void
nobody_is_starved(void **state)
{
    struct world *w = *state;
    struct sched_job *j;
    size_t relayed = 0;

    for (int i = 0; i < 300; i++)
        SUBMIT(w, "a@slow.example");
    SUBMIT(w, "b@other.example");
    fill(w);
    assert_true(schedule_loaded(w->schedule) < 10);
    assert_non_null(next(w, CARRIER_SEND));
    assert_non_null(j = next(w, CARRIER_SEND));
    assert_true(str_eq(j->destination->name, STR("other.example")));

    /* What was parked comes, in order, as the window lets it. */
    report(w, j, OUTCOME_RELAYED);
    while ((j = next(w, CARRIER_SEND)) != NULL) {
        report(w, j, OUTCOME_RELAYED);
        relayed++;
    }
    assert_int_equal(relayed, 299);
    assert_int_equal(spool_count(w->store), 1); // the one in hand
}

static void
retries_and_gives_up(void **state)
{
    struct world *w = *state;
    struct sched_job *j;
    int64_t start = w->now.wall_ms;
    size_t attempts = 0;

    SUBMIT(w, "a@slow.example");
    for (;;) {
        fill(w);
        j = next(w, CARRIER_SEND);
        if (j == NULL)
            break;
        assert_int_equal(j->first->attempts, attempts);
        attempts++;
        report(w, j, OUTCOME_LATER);
        assert_null(next(w, CARRIER_SEND)); // not before its time
        if (spool_next_due(w->store) != INT64_MAX)
            w->now.wall_ms = spool_next_due(w->store);
    }
    /* 0, 1, 3, 7, 10 s */
    assert_int_equal(attempts, 5);
    assert_int_equal(w->now.wall_ms - start, 10000);
    assert_int_equal(w->fates[FATE_DEFERRED], 4);
    assert_int_equal(w->fates[FATE_BOUNCED], 1);
    assert_int_equal(w->notices, 1);
}

static void
who_is_told(void **state)
{
    static const char *const nobody[] = {"nobody@example.com", NULL};
    struct world *w = *state;

    submit_as(w, "", nobody, NOTIFY_DEFAULT);
    submit_as(w, "sue@example.org", nobody, NOTIFY_NEVER);
    fill(w);
    assert_int_equal(w->fates[FATE_BOUNCED], 2);
    assert_int_equal(w->notices, 0);
    assert_int_equal(spool_count(w->store), 0);

    submit_as(w, "sue@example.org", nobody, NOTIFY_DEFAULT);
    fill(w);
    assert_int_equal(w->notices, 1);
    assert_int_equal(spool_count(w->store), 1); // until the notice is written
}

static void
aliases(void **state)
{
    static const char *const all[] = {"team@example.com", "ann@example.com",
                                      "x@one.example", NULL};
    static const char *const team[] = {"ann@example.com", "bob@example.com",
                                       "all@example.com", NULL};
    struct world *w = *state;
    struct sched_job *j;
    size_t mailboxes = 0;

    fakebook_alias(&w->fake, "l:all@example.com", all);
    fakebook_alias(&w->fake, "l:team@example.com", team);
    SUBMIT(w, "all@example.com", "team@example.com");
    fill(w);
    /* ann once though two aliases lead to her; the ring ends. */
    while ((j = next(w, CARRIER_MAILBOX)) != NULL) {
        report(w, j, OUTCOME_DELIVERED);
        mailboxes++;
    }
    assert_int_equal(mailboxes, 2);
    assert_non_null(j = next(w, CARRIER_SEND));
    report(w, j, OUTCOME_RELAYED);
    assert_null(next(w, CARRIER_SEND));
    assert_int_equal(w->fates[FATE_BOUNCED], 0);
    assert_int_equal(w->expanded, 3);
}

/* Not refused, only put off, though nobody was asked to deliver it. */
static void
full_mailbox_waits(void **state)
{
    static const char *const all[] = {"full@example.com", NULL};
    struct world *w = *state;

    fakebook_state(&w->fake, "a:full@example.com", BOOK_FULL, "");
    fakebook_alias(&w->fake, "l:all@example.com", all);
    SUBMIT(w, "all@example.com");
    fill(w);
    assert_int_equal(w->fates[FATE_DEFERRED], 1);
    assert_int_equal(spool_count(w->store), 1);
    assert_null(next(w, CARRIER_MAILBOX));

    fakebook_state(&w->fake, "a:full@example.com", BOOK_ACTIVE, "");
    w->now.wall_ms += 1000;
    fill(w);
    struct sched_job *j = next(w, CARRIER_MAILBOX);
    assert_non_null(j);
    report(w, j, OUTCOME_DELIVERED);
    assert_int_equal(w->fates[FATE_BOUNCED], 0);
    assert_int_equal(spool_count(w->store), 0);
}

static void
alias_loop_bounces(void **state)
{
    static const char *const a[] = {"b@example.com", NULL};
    static const char *const b[] = {"a@example.com", NULL};
    struct world *w = *state;

    fakebook_alias(&w->fake, "l:a@example.com", a);
    fakebook_alias(&w->fake, "l:b@example.com", b);
    SUBMIT(w, "a@example.com");
    fill(w);
    assert_int_equal(w->fates[FATE_BOUNCED], 1);
    assert_int_equal(w->notices, 1);
    assert_int_equal(schedule_loaded(w->schedule), 0);
}

/* An alias that wants no bounce passes that on to whom it leads. */
static void
never_holds_behind_aliases(void **state)
{
    static const char *const a[] = {"x@one.example", NULL};
    static const char *const to[] = {"a@example.com", NULL};
    struct world *w = *state;
    struct sched_job *j;

    fakebook_alias(&w->fake, "l:a@example.com", a);
    submit_as(w, "sue@example.org", to, NOTIFY_NEVER);
    fill(w);
    assert_non_null(j = next(w, CARRIER_SEND));
    report(w, j, OUTCOME_LATER);
    w->now.wall_ms += 1000; // claimed anew, from what the spool remembers
    fill(w);
    assert_non_null(j = next(w, CARRIER_SEND));
    report(w, j, OUTCOME_REFUSED);
    assert_int_equal(w->fates[FATE_BOUNCED], 1);
    assert_int_equal(w->notices, 0);
}

static void
untried_comes_back(void **state)
{
    struct world *w = *state;
    struct sched_job *j;

    SUBMIT(w, "a@one.example", "b@one.example");
    fill(w);
    assert_non_null(j = next(w, CARRIER_SEND));
    /* The worker says something about the first only. */
    schedule_report(w->schedule, j,
                    &(struct job_rcpt){
                        .index = 0,
                        .verdict = {.outcome = OUTCOME_RELAYED},
                    },
                    1, w->now);
    w->now.wall_ms += 1000;
    fill(w);
    assert_non_null(j = next(w, CARRIER_SEND));
    assert_int_equal(j->n_rcpts, 1);
    assert_int_equal(j->first->index, 1);
    assert_int_equal(j->first->attempts, 0);
    report(w, j, OUTCOME_RELAYED);
    assert_int_equal(spool_count(w->store), 0);
}

/* All jobs in hand of a worker that dies come back, one at a time; the one
 * that does it three times is held, the others are not. */
static void
crashes(void **state)
{
    struct world *w = *state;
    struct sched_list hand;
    struct sched_job *j;
    struct msgid bad = SUBMIT(w, "ann@example.com", "bob@example.com");
    struct spool_view v;
    struct arena a = {0};

    SUBMIT(w, "ann@example.com");
    fill(w);
    for (int round = 0; round < 3; round++) {
        hand = (struct sched_list){0};
        while ((j = next(w, CARRIER_MAILBOX)) != NULL) {
            if (round > 0 && !msgid_eq(j->message->id, bad)) {
                report(w, j, OUTCOME_DELIVERED);
                continue;
            }
            sched_list_add(&hand, j);
        }
        assert_int_equal(hand.n, round == 0 ? 3 : 1);
        schedule_lost(w->schedule, &hand, w->now);
        assert_int_equal(schedule_in_hand(w->schedule), 0);
        fill(w);
    }
    assert_true(spool_show(w->store, bad, &a, &v));
    assert_true(v.held);
    assert_non_null(j = next(w, CARRIER_MAILBOX));
    report(w, j, OUTCOME_DELIVERED);
    assert_null(next(w, CARRIER_MAILBOX));
    assert_int_equal(spool_count(w->store), 1);
    arena_fini(&a);
}

static void
adoption(void **state)
{
    struct world *w = *state;
    struct job_rcpt r = {.index = 1};
    struct job_msg m = {.type = JOB_RUNNING, .job = 77, .rcpts = &r};
    struct sched_job *j;

    m.id = SUBMIT(w, "a@one.example", "b@one.example");
    m.n_rcpts = 1;
    assert_non_null(j = schedule_adopt(w->schedule, CARRIER_SEND, 0, &m));
    assert_ptr_equal(schedule_find(w->schedule, 77), j);
    assert_null(schedule_adopt(w->schedule, CARRIER_SEND, 0, &m)); // twice

    /* Only the other recipient is handed out. */
    fill(w);
    assert_non_null(j = next(w, CARRIER_SEND));
    assert_int_equal(j->n_rcpts, 1);
    assert_int_equal(j->first->index, 0);
    report(w, j, OUTCOME_RELAYED);
    report(w, schedule_find(w->schedule, 77), OUTCOME_RELAYED);
    assert_int_equal(spool_count(w->store), 0);

    /* Of a message that is gone nothing can be adopted. */
    m.job = 78;
    assert_null(schedule_adopt(w->schedule, CARRIER_SEND, 0, &m));
}

static void
giving_back(void **state)
{
    struct world *w = *state;
    struct msgid ids[9];
    struct sched_job *j;
    size_t n = 0;

    for (size_t i = 0; i < 9; i++)
        ids[i] = SUBMIT(w, "a@slow.example");
    fill(w); // the window is 2, 4 may wait, the rest is parked
    assert_non_null(j = next(w, CARRIER_SEND));
    assert_false(schedule_give_back(w->schedule, ids[0], w->now));
    for (size_t i = 2; i < 9; i += 2) {
        assert_true(schedule_give_back(w->schedule, ids[i], w->now));
        assert_true(spool_remove(w->store, ids[i]));
    }
    report(w, j, OUTCOME_RELAYED);
    while ((j = next(w, CARRIER_SEND)) != NULL) {
        report(w, j, OUTCOME_RELAYED);
        n++;
    }
    assert_int_equal(n, 4); // 1, 3, 5, 7
    assert_int_equal(spool_count(w->store), 0);
}

static void
more_workers(void **state)
{
    struct world *w = *state;
    struct sched_job *j;
    size_t n = 0, slots = 0;

    for (int i = 0; i < 20; i++) {
        struct arena a = {0};
        struct str to = arena_printf(&a, "a@d%d.example", i);
        SUBMIT(w, arena_cstr(&a, to));
        arena_fini(&a);
    }
    fill(w);
    w->o.send.lanes = 4;
    schedule_configure(w->schedule, &w->o);
    for (size_t slot = 0; slot < 5; slot++) {
        size_t before = n;
        while ((j = schedule_next(w->schedule, CARRIER_SEND, slot, w->now))) {
            report(w, j, OUTCOME_RELAYED);
            n++;
        }
        slots += n > before;
    }
    assert_int_equal(n, 20);
    assert_true(slots > 1); // names are spread
}

/* ---- what should not be -------------------------------------------------- */

/* Not more than may be loaded, whatever the budget. */
static void
no_room(void **state)
{
    struct world *w = *state;
    struct sched_job *j;

    w->o.max_in_flight = 2;
    schedule_configure(w->schedule, &w->o);
    SUBMIT(w, "a@one.example");
    SUBMIT(w, "a@two.example");
    SUBMIT(w, "a@three.example");
    assert_int_equal(schedule_fill(w->schedule, w->now, 16), 2);
    assert_int_equal(schedule_fill(w->schedule, w->now, 16), 0);
    assert_non_null(j = next(w, CARRIER_SEND));
    report(w, j, OUTCOME_RELAYED);
    assert_int_equal(schedule_fill(w->schedule, w->now, 16), 1);
    schedule_free(NULL);
}

/* A hundred is what every server must take in one transaction. */
static void
many_recipients(void **state)
{
    struct world *w = *state;
    struct recipient r[130] = {0};
    struct envelope e = {
        .sender = STR("sue@example.org"), .rcpts = r, .n_rcpts = 130};
    enum spool_result why;
    struct sched_job *j;

    for (size_t i = 0; i < e.n_rcpts; i++)
        r[i].address = STR("a@one.example");
    struct spool_message *m = spool_begin(w->door, &e, &why);
    spool_commit(m, false, on_stored, NULL);
    spool_turn(w->door);
    fill(w);
    assert_non_null(j = next(w, CARRIER_SEND));
    assert_int_equal(j->n_rcpts, 100);
    for (struct sched_rcpt *x = j->first; x != NULL; x = x->next)
        spool_unlease(w->store, j->message->id, x->index, INT64_MAX - 1);
    /* Their leases ended behind our back: what is said of them is void. */
    report(w, j, OUTCOME_RELAYED);
    assert_int_equal(w->fates[FATE_DELIVERED], 0);
    assert_non_null(j = next(w, CARRIER_SEND));
    assert_int_equal(j->n_rcpts, 30);
    report(w, j, OUTCOME_RELAYED);
    assert_int_equal(w->fates[FATE_DELIVERED], 30);
    assert_int_equal(spool_count(w->store), 1);
}

/* A worker may name the recipients in any order; what it names twice or makes
 * up changes nothing. */
static void
reported_in_disorder(void **state)
{
    struct world *w = *state;
    struct job_rcpt r[] = {
        {.index = 2, .verdict = {.outcome = OUTCOME_LATER}  },
        {.index = 9, .verdict = {.outcome = OUTCOME_REFUSED}},
        {.index = 0, .verdict = {.outcome = OUTCOME_RELAYED}},
        {.index = 1, .verdict = {.outcome = OUTCOME_REFUSED}},
        {.index = 0, .verdict = {.outcome = OUTCOME_REFUSED}},
    };
    struct sched_job *j;

    SUBMIT(w, "a@one.example", "b@one.example", "c@one.example");
    fill(w);
    assert_non_null(j = next(w, CARRIER_SEND));
    schedule_report(w->schedule, j, r, sizeof r / sizeof *r, w->now);
    assert_int_equal(w->fates[FATE_DELIVERED], 1);
    assert_int_equal(w->fates[FATE_BOUNCED], 1);
    assert_int_equal(w->fates[FATE_DEFERRED], 1);
}

static void
adopted_with_nonsense(void **state)
{
    struct world *w = *state;
    struct job_rcpt r[] = {{.index = 0}, {.index = 1}, {.index = 7}};
    struct job_msg m = {
        .type = JOB_RUNNING, .job = 77, .rcpts = r, .n_rcpts = 3};
    struct sched_job *j;

    m.id = SUBMIT(w, "a@one.example", "b@one.example");
    assert_non_null(j = schedule_adopt(w->schedule, CARRIER_SEND, 99, &m));
    assert_int_equal(j->n_rcpts, 2);
    m.job = 78; // all of it is in hand already
    assert_null(schedule_adopt(w->schedule, CARRIER_SEND, 0, &m));
    assert_int_equal(schedule_loaded(w->schedule), 1);
    report(w, j, OUTCOME_RELAYED);
    assert_int_equal(spool_count(w->store), 0);

    m.id = SUBMIT(w, "a@one.example", "b@one.example");
    faulty.unreadable = true; // to whom an outcome were to be told
    assert_null(schedule_adopt(w->schedule, CARRIER_SEND, 0, &m));
    faulty.unreadable = false;
    fill(w);
    assert_non_null(j = next(w, CARRIER_SEND));
    report(w, j, OUTCOME_RELAYED);
}

/* Parked, and the disk fails when its turn comes: nobody is refused for that,
 * it comes back when it can be read. */
static void
parked_and_unreadable(void **state)
{
    struct world *w = *state;
    struct sched_job *j;
    size_t n = 0;

    for (int i = 0; i < 12; i++)
        SUBMIT(w, "a@slow.example");
    fill(w);
    faulty.unreadable = true;
    while ((j = next(w, CARRIER_SEND)) != NULL)
        report(w, j, OUTCOME_RELAYED);
    faulty.unreadable = false;
    assert_int_equal(w->fates[FATE_DELIVERED], 4);
    assert_int_equal(w->fates[FATE_BOUNCED], 0);
    assert_int_equal(spool_count(w->store), 8);
    w->now.wall_ms += 1000;
    fill(w);
    for (; (j = next(w, CARRIER_SEND)) != NULL; n++)
        report(w, j, OUTCOME_RELAYED);
    assert_int_equal(n, 8);
    assert_int_equal(spool_count(w->store), 0);
}

/* Parked twice and given back twice: it is nowhere any more. */
static void
given_back_again(void **state)
{
    struct world *w = *state;
    struct msgid last;
    struct sched_job *j;
    size_t n = 0;

    for (int i = 0; i < 7; i++)
        last = SUBMIT(w, "a@slow.example");
    fill(w);
    assert_true(schedule_give_back(w->schedule, last, w->now));
    fill(w);
    assert_true(schedule_give_back(w->schedule, last, w->now));
    while ((j = next(w, CARRIER_SEND)) != NULL) {
        report(w, j, OUTCOME_RELAYED);
        n++;
    }
    assert_int_equal(n, 6);
    assert_int_equal(spool_count(w->store), 1);
    /* Of what is not there all has been given back. */
    assert_true(spool_remove(w->store, last));
    assert_true(schedule_give_back(w->schedule, last, w->now));
}

/* More targets than the spool takes: the message waits until the alias is
 * smaller, and its sender learns of it in the end. */
static void
alias_too_large(void **state)
{
    static const char *const all[] = {"x@one.example", NULL};
    struct world *w = *state;
    struct sched_job *j;

    fakebook_alias(&w->fake, "l:all@example.com", all);
    SUBMIT(w, "all@example.com");
    faulty.too_large = true;
    fill(w);
    assert_int_equal(w->fates[FATE_DEFERRED], 1);
    assert_null(next(w, CARRIER_SEND));
    faulty.too_large = false;
    w->now.wall_ms += 1000;
    fill(w);
    assert_non_null(j = next(w, CARRIER_SEND));
    report(w, j, OUTCOME_RELAYED);

    SUBMIT(w, "all@example.com");
    faulty.too_large = true;
    w->now.wall_ms += 100000;
    fill(w);
    assert_int_equal(w->fates[FATE_BOUNCED], 1);
    assert_int_equal(w->notices, 1);
}

/* The message came to an alias and to all whom it leads to. */
static void
alias_with_nobody_new(void **state)
{
    static const char *const all[] = {"ann@example.com", NULL};
    struct world *w = *state;
    struct sched_job *j;

    fakebook_alias(&w->fake, "l:all@example.com", all);
    SUBMIT(w, "ann@example.com", "all@example.com");
    fill(w);
    assert_int_equal(w->fates[FATE_DELIVERED], 1); // the alias
    assert_non_null(j = next(w, CARRIER_MAILBOX));
    assert_int_equal(j->n_rcpts, 1);
    report(w, j, OUTCOME_DELIVERED);
    assert_null(next(w, CARRIER_MAILBOX));
    assert_int_equal(spool_count(w->store), 0);
}

/* Each alias leads to the next: the chain ends where a person would give up. */
static void
aliases_too_deep(void **state)
{
    struct world *w = *state;

    for (int i = 0; i < 80; i++) {
        char key[40], to[40];
        const char *const targets[] = {to, NULL};
        (void)snprintf(key, sizeof key, "l:n%d@example.com", i);
        (void)snprintf(to, sizeof to, "n%d@example.com", i + 1);
        fakebook_alias(&w->fake, key, targets);
    }
    SUBMIT(w, "n0@example.com");
    fill(w);
    assert_int_equal(w->fates[FATE_BOUNCED], 1);
    assert_int_equal(w->notices, 1);
    assert_int_equal(schedule_loaded(w->schedule), 0);
}

/* Random outcomes, crashes and clocks: whatever happens, no recipient gets two
 * final outcomes, and in the end everything has one. */
static void
nothing_lost_nothing_twice(void **state)
{
    static const char *const to[] = {"ann@example.com", "a@one.example",
                                     "b@one.example", "c@two.example",
                                     "nobody@example.com"};
    struct world *w = *state;
    uint32_t seed = 12345;
    size_t submitted = 0;

    for (int round = 0; round < 3000; round++) {
        struct sched_list hand = {0};
        struct sched_job *j;
        seed = seed * 1664525 + 1013904223;
        if (round < 1000 && seed >> 30 == 0) {
            SUBMIT(w, to[(seed >> 8) % 5],
                   to[(seed >> 8) % 5 + 1 > 4 ? 0 : (seed >> 8) % 5 + 1]);
            submitted += 2;
        }
        w->now.wall_ms += seed >> 24;
        (void)schedule_fill(w->schedule, w->now, 3);
        for (int c = 0; c < CARRIER_COUNT; c++)
            while ((j = next(w, (enum carrier)c)) != NULL) {
                seed = seed * 1664525 + 1013904223;
                if (seed >> 24 == 0)
                    sched_list_add(&hand, j);
                else if (seed >> 29 < 2)
                    report(w, j, OUTCOME_LATER);
                else if (seed >> 29 == 2)
                    report(w, j, OUTCOME_NONE);
                else
                    report(w, j, OUTCOME_RELAYED);
            }
        schedule_lost(w->schedule, &hand, w->now);
    }
    assert_true(submitted > 100);
    assert_int_equal(schedule_loaded(w->schedule), 0);
    assert_int_equal(w->fates[FATE_DELIVERED] + w->fates[FATE_BOUNCED],
                     submitted);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(one_job_per_destination),
        TEST(windows),
        TEST(nobody_is_starved),
        TEST(retries_and_gives_up),
        TEST(who_is_told),
        TEST(aliases),
        TEST(alias_loop_bounces),
        TEST(full_mailbox_waits),
        TEST(never_holds_behind_aliases),
        TEST(untried_comes_back),
        TEST(crashes),
        TEST(adoption),
        TEST(giving_back),
        TEST(more_workers),
        TEST(no_room),
        TEST(many_recipients),
        TEST(reported_in_disorder),
        TEST(adopted_with_nonsense),
        TEST(parked_and_unreadable),
        TEST(given_back_again),
        TEST(alias_too_large),
        TEST(alias_with_nobody_new),
        TEST(aliases_too_deep),
        TEST(nothing_lost_nothing_twice),
    };
    return cmocka_run_group_tests_name("queue/schedule", tests, NULL, NULL);
}
