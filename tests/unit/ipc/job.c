/* SPDX-License-Identifier: ISC */
#include "ipc/job.h"

#include "frames.h"

static bool
again(struct arena *a, struct str frame, struct buf *out)
{
    struct job_msg m;
    if (!job_decode(a, frame, &m))
        return false;
    buf_clear(out);
    job_encode(out, &m);
    return true;
}

static struct job_rcpt rcpts[2];
static struct job_msg cases[11];
static size_t n_cases;

enum { WORK = 2, OUTCOMES = 8 }; /* where they are in cases */

static void
add_case(struct job_msg m)
{
    assert_true(n_cases < sizeof cases / sizeof *cases);
    cases[n_cases++] = m;
}

static int
make_cases(void **state)
{
    struct job_msg work = {.type = JOB_WORK, .job = 1ULL << 40, .size = 1000};
    (void)state;

    rcpts[0].address = STR("ann@example.com");
    rcpts[0].orcpt = STR("rfc822;ann@example.com");
    rcpts[0].attempts = 3;
    rcpts[0].notify = NOTIFY_FAILURE | NOTIFY_DELAY;
    rcpts[0].verdict.outcome = OUTCOME_REFUSED;
    rcpts[0].verdict.code = 553;
    rcpts[0].verdict.status = (struct status){5, 1, 1};
    rcpts[0].verdict.text = STR("553 5.1.1 no");
    rcpts[0].verdict.command = STR("RCPT TO");
    rcpts[1].index = 4000000000U;
    rcpts[1].address = STR("bob@example.com");
    rcpts[1].verdict.outcome = OUTCOME_RELAYED;

    work.id = (struct msgid){3, 99};
    work.at = (struct spool_locator){5, 2, 4096, 4200, 1000, 12, true};
    work.destination = STR("example.com");
    work.sender = STR("sue@example.org");
    work.envid = STR("e1");
    work.ret = DSN_RET_HDRS;
    work.body = BODY_8BITMIME;
    work.smtputf8 = true;
    work.session = STR("7K3MQ-2DF9P");
    work.arrived_ms = -1;
    work.rcpts = rcpts;
    work.n_rcpts = 2;

    struct job_msg answer = {
        .job = 8, .id = {3, 99}
    };
    answer.rcpts = rcpts;
    answer.n_rcpts = 2;

    n_cases = 0;
    add_case(
        (struct job_msg){.type = JOB_SEGMENT, .segment = 5, .generation = 2});
    add_case((struct job_msg){.type = JOB_LARGE, .large = 12});
    add_case(work);
    add_case(
        (struct job_msg){.type = JOB_FORGET, .segment = 5, .generation = 2});
    add_case((struct job_msg){.type = JOB_HELLO, .job = 3});
    add_case((struct job_msg){.type = JOB_TAKEN, .job = 4});
    add_case((struct job_msg){.type = JOB_LEAVING});
    answer.type = JOB_RUNNING;
    add_case(answer);
    answer.type = JOB_OUTCOMES;
    add_case(answer);
    add_case((struct job_msg){.type = JOB_OUTCOMES, .job = 9});
    add_case(
        (struct job_msg){.type = JOB_FORGOTTEN, .segment = 5, .generation = 2});
    return 0;
}

static void
each_type(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_cases; i++) {
        struct buf b = {0};
        job_encode(&b, &cases[i]);
        frames_check(buf_str(&b), again);
        buf_fini(&b);
    }
}

static void
work_arrives_whole(void **state)
{
    struct arena a = {0};
    struct buf b = {0};
    struct job_msg m;
    const struct job_msg *want = &cases[WORK];
    (void)state;

    job_encode(&b, want);
    assert_true(job_decode(&a, buf_str(&b), &m));
    assert_true(m.job == want->job);
    assert_true(msgid_eq(m.id, want->id));
    assert_true(m.at.segment == 5 && m.at.generation == 2);
    assert_true(m.at.offset == 4096 && m.at.content_at == 4200);
    assert_true(m.at.content_size == 1000 && m.at.large == 12);
    assert_true(m.at.needs_stuffing && m.smtputf8);
    assert_true(str_eq(m.destination, want->destination));
    assert_true(str_eq(m.sender, want->sender));
    assert_true(str_eq(m.envid, want->envid));
    assert_int_equal(m.ret, DSN_RET_HDRS);
    assert_int_equal(m.body, BODY_8BITMIME);
    assert_true(str_eq(m.session, want->session));
    assert_true(m.size == 1000 && m.arrived_ms == -1);
    assert_int_equal(m.n_rcpts, 2);
    assert_true(m.rcpts[1].index == 4000000000U);
    assert_true(str_eq(m.rcpts[0].orcpt, rcpts[0].orcpt));
    assert_int_equal(m.rcpts[0].attempts, 3);
    assert_int_equal(m.rcpts[0].notify, NOTIFY_FAILURE | NOTIFY_DELAY);
    buf_fini(&b);
    arena_fini(&a);
}

static void
verdicts_arrive_whole(void **state)
{
    struct arena a = {0};
    struct buf b = {0};
    struct job_msg m;
    (void)state;

    job_encode(&b, &cases[OUTCOMES]);
    assert_true(job_decode(&a, buf_str(&b), &m));
    assert_int_equal(m.rcpts[0].verdict.outcome, OUTCOME_REFUSED);
    assert_int_equal(m.rcpts[0].verdict.code, 553);
    assert_true(str_eq(m.rcpts[0].verdict.text, rcpts[0].verdict.text));
    assert_int_equal(m.rcpts[1].verdict.outcome, OUTCOME_RELAYED);
    buf_fini(&b);
    arena_fini(&a);
}

static void
garbage(void **state)
{
    /* OUTCOMES that claim 2^32-1 recipients must not allocate for them. */
    struct arena a = {0};
    struct job_msg m;
    char many[1 + 24 + 4] = {JOB_OUTCOMES};
    (void)state;
    for (size_t i = 25; i < sizeof many; i++)
        many[i] = (char)0xff;
    assert_false(job_decode(&a, str_from_n(many, sizeof many), &m));
    assert_false(job_decode(&a, STR("\xff"), &m));
    assert_false(job_decode(&a, STR_EMPTY, &m));
    arena_fini(&a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_type),
        cmocka_unit_test(work_arrives_whole),
        cmocka_unit_test(verdicts_arrive_whole),
        cmocka_unit_test(garbage),
    };
    return cmocka_run_group_tests_name("ipc/job", tests, make_cases, NULL);
}
