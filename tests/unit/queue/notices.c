/* SPDX-License-Identifier: ISC */
#include "queue/notices.h"

#include "fakebook.h"
#include "faultystore.h"

#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ipc/notice.h"
#include "os/channel.h"
#include "os/log.h"
#include "os/memfd.h"
#include "spool/memory.h"

static void
excerpts(void **state)
{
    static const struct {
        const char *content;
        enum dsn_ret ret;
        const char *excerpt;
    } cases[] = {
        {"A: b\r\n\r\nbody\r\n", DSN_RET_DEFAULT, "A: b\r\n\r\nbody\r\n"},
        {"A: b\r\n\r\nbody\r\n", DSN_RET_FULL,    "A: b\r\n\r\nbody\r\n"},
        {"A: b\r\n\r\nbody\r\n", DSN_RET_HDRS,    "A: b\r\n"            },
        {"A: b\r\n",             DSN_RET_HDRS,    "A: b\r\n"            },
        {"\r\nbody\r\n\r\n",     DSN_RET_HDRS,    "\r\n"                },
        {"",                     DSN_RET_HDRS,    ""                    },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool headers_only;
        struct str s = notices_excerpt(str_from(cases[i].content), cases[i].ret,
                                       &headers_only);
        assert_true(str_eq(s, str_from(cases[i].excerpt)));
        assert_int_equal(headers_only, cases[i].ret == DSN_RET_HDRS);
    }
}

static void
too_large(void **state)
{
    struct buf b = {0};
    bool headers_only;
    struct str s;
    (void)state;
    buf_add(&b, STR("A: b\r\n\r\n"));
    memset(buf_reserve(&b, NOTICE_FULL_MAX), 'x', NOTICE_FULL_MAX);
    b.n = NOTICE_FULL_MAX;
    assert_int_equal(
        notices_excerpt(buf_str(&b), DSN_RET_FULL, &headers_only).n, b.n);
    assert_false(headers_only);
    b.n++;
    s = notices_excerpt(buf_str(&b), DSN_RET_FULL, &headers_only);
    assert_true(headers_only);
    assert_true(str_eq(s, STR("A: b\r\n")));

    b.p[5] = 'x'; // a header that never ends is cut all the same
    s = notices_excerpt(buf_str(&b), DSN_RET_FULL, &headers_only);
    assert_int_equal(s.n, NOTICE_FULL_MAX);
    buf_fini(&b);
}

/* ---- the pipe --------------------------------------------------------------
 */

/* A notify that keeps what it was given. */
struct notify {
    struct channel *channel;
    struct arena arena;
    struct buf frame, content;
    struct notice_msg m; /* the last */
    size_t n;
    bool ended;
};

/* Made once: what hands notices over is never taken down. */
static struct loop *loop;
static struct timer *limit;
static struct fakebook fake;
static struct memory_spool *spool;
static struct spool_door *door;
static struct spool_store *store;
static struct notices *notices;
static struct notify first; /* stays: one that goes makes the others wait */

static void
on_limit(void *ctx)
{
    (void)ctx;
    loop_stop(loop);
}

static void
pass(int64_t ms)
{
    notices_pump(notices);
    timer_set(limit, loop_now(loop).mono_ms + ms);
    loop_run(loop);
}

static void
on_frame(void *ctx, struct str frame, int fd)
{
    struct notify *o = ctx;
    struct err e;

    assert_true(fd >= 0);
    buf_clear(&o->frame);
    buf_add(&o->frame, frame);
    assert_true(notice_decode(&o->arena, buf_str(&o->frame), &o->m));
    buf_clear(&o->content);
    assert_true(memfd_read(fd, 1 << 20, &o->content, &e));
    (void)close(fd);
    o->n++;
}

static void
on_end(void *ctx)
{
    ((struct notify *)ctx)->ended = true;
}

static void
attach(struct notify *o)
{
    int fds[2];

    *o = (struct notify){0};
    assert_true(channel_pair(fds));
    o->channel = channel_new(loop, fds[0], on_frame, on_end, o);
    notices_attach(notices, fds[1]);
}

static void
go(struct notify *o)
{
    channel_free(o->channel);
    arena_fini(&o->arena);
    buf_fini(&o->frame);
    buf_fini(&o->content);
    pass(10);
}

/* Until it was given so many in all, or for two seconds. */
static void
await(const struct notify *o, size_t n)
{
    for (int i = 0; i < 200 && o->n < n; i++)
        pass(10);
    assert_int_equal(o->n, n);
}

static void
decline(struct notify *o, struct str key)
{
    struct buf b = {0};
    notice_encode(&b, &(struct notice_msg){.type = NOTICE_MSG_DECLINED,
                                           .key = key,
                                           .why = STR("not today")});
    channel_send(o->channel, buf_str(&b));
    buf_fini(&b);
    pass(10);
}

static void
on_stored(void *ctx, enum spool_result result, struct msgid id)
{
    (void)ctx;
    (void)id;
    assert_int_equal(result, SPOOL_OK);
}

/* A message to an alias, whose target came to that; its notice is owed. */
static struct msgid
owe(enum outcome outcome, unsigned notice)
{
    struct recipient r = {.address = STR("sales@example.com"),
                          .orcpt = STR("rfc822;sales@example.com")};
    struct envelope e = {
        .sender = STR("sue@example.org"), .rcpts = &r, .n_rcpts = 1};
    enum spool_result why;
    struct arena a = {0};
    struct spool_claim c;
    struct str target = STR("bob@example.com");
    uint32_t index;
    struct spool_message *m = spool_begin(door, &e, &why);

    assert_non_null(m);
    struct msgid id = spool_message_id(m);
    assert_true(spool_chunk(m, STR("Subject: x\r\n\r\nhello\r\n")));
    spool_commit(m, false, on_stored, NULL);
    spool_turn(door);
    assert_true(spool_claim(store, (struct instant){.wall_ms = 1000}, &a, &c));
    assert_true(spool_expand(store, id, 0, &target, 1, &index));
    assert_true(spool_settle(
        store, &(struct spool_settlement){
                   .id = id,
                   .rcpt = index,
                   .notice = notice,
                   .verdict = {.outcome = outcome, .text = STR("550 no")}
    }));
    arena_fini(&a);
    return id;
}

static int
open_notices(void **state)
{
    (void)state;
    log_open("test", false, LOG_ERROR);
    loop = loop_new();
    limit = timer_new(loop, on_limit, NULL);
    fakebook_init(&fake);
    spool = memory_spool_new();
    door = memory_door_new(spool, NULL, NULL);
    store = memory_store_new(spool);
    faulty_init(store);
    notices = notices_new(loop, &fake.book);
    notices_use(notices, store);
    return 0;
}

static int
close_notices(void **state)
{
    (void)state;
    spool_store_free(store);
    spool_door_free(door);
    memory_spool_free(spool);
    fakebook_fini(&fake);
    return 0;
}

/* As the sender wrote to, with what it became; and paid once declined. */
static void
handed_over(void **state)
{
    struct notify *o = &first;
    (void)state;

    struct msgid id = owe(OUTCOME_REFUSED, NOTICE_BOUNCE);
    pass(10); // nobody is there
    attach(o);
    pass(10);
    assert_int_equal(o->n, 1);
    assert_int_equal(o->m.kind, NOTICE_BOUNCE);
    assert_true(msgid_eq(o->m.original, id));
    assert_true(str_eq(o->m.envelope.sender, STR("sue@example.org")));
    assert_int_equal(o->m.n_rcpts, 1);
    assert_true(str_eq(o->m.rcpts[0].address, STR("sales@example.com")));
    assert_true(str_eq(o->m.rcpts[0].orcpt, STR("rfc822;sales@example.com")));
    assert_true(str_eq(o->m.rcpts[0].final, STR("bob@example.com")));
    assert_true(str_eq(o->m.rcpts[0].verdict.text, STR("550 no")));
    assert_string_equal(buf_cstr(&o->content), "Subject: x\r\n\r\nhello\r\n");
    pass(10);
    assert_int_equal(o->n, 1); // once
    decline(o, o->m.key);
    assert_int_equal(spool_count(store), 0);
    assert_false(o->ended);

    /* An autoreply is the account's, whatever alias led to it. */
    (void)owe(OUTCOME_DELIVERED, NOTICE_AUTOREPLY);
    pass(10);
    assert_int_equal(o->n, 2);
    assert_int_equal(o->m.kind, NOTICE_AUTOREPLY);
    assert_true(str_eq(o->m.rcpts[0].final, STR("bob@example.com")));
    decline(o, o->m.key);
    assert_int_equal(spool_count(store), 0);
}

static void
no_rcpts(struct spool_view *v)
{
    v->n_rcpts = 0;
}

static void
no_parent(struct spool_view *v)
{
    v->rcpts[1].parent = 99;
}

static void
ring_of_parents(struct spool_view *v)
{
    v->rcpts[0].parent = 1;
}

/* A disk that fails: the sender is told what is known, or nothing yet. */
static void
damaged(void **state)
{
    static const struct {
        const char *name;
        bool handed;
        const char *address;
        void (*damage)(struct spool_view *v);
    } cases[] = {
        {"nobody to tell about",  false, NULL,              no_rcpts       },
        {"an alias that is gone", true,  "bob@example.com", no_parent      },
        {"aliases in a ring",     true,  "bob@example.com", ring_of_parents},
    };
    struct notify *o = &first;
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t before = o->n;
        (void)owe(OUTCOME_REFUSED, NOTICE_BOUNCE);
        faulty.damage = cases[i].damage;
        pass(10);
        if (o->n != before + cases[i].handed)
            fail_msg("%s: handed over %zu", cases[i].name, o->n - before);
        faulty.damage = NULL;
        if (cases[i].handed) {
            assert_true(
                str_eq(o->m.rcpts[0].address, str_from(cases[i].address)));
            decline(o, o->m.key);
        }
        assert_int_equal(spool_count(store), 0);
    }

    /* Whose content cannot be read: without it. */
    (void)owe(OUTCOME_REFUSED, NOTICE_BOUNCE);
    faulty.no_content = true;
    pass(10);
    faulty.no_content = false;
    assert_int_equal(o->content.n, 0);
    assert_true(str_eq(o->m.envelope.sender, STR("sue@example.org")));
    decline(o, o->m.key);
    assert_int_equal(spool_count(store), 0);

    /* Whose sender cannot be read: not to nobody, but when it can. */
    size_t before = o->n;
    (void)owe(OUTCOME_REFUSED, NOTICE_BOUNCE);
    faulty.unreadable = true;
    pass(10);
    faulty.unreadable = false;
    assert_int_equal(o->n, before);
    assert_int_equal(spool_count(store), 1);
    spool_notices_again(store);
    pass(10);
    assert_int_equal(o->n, before + 1);
    decline(o, o->m.key);
    assert_int_equal(spool_count(store), 0);

    /* Of a message that is not there nothing is owed. */
    (void)owe(OUTCOME_REFUSED, NOTICE_BOUNCE);
    faulty.gone = true;
    pass(10);
    faulty.gone = false;
    assert_int_equal(o->n, before + 1);
    assert_int_equal(spool_count(store), 0);
}

/* More than one turn may read, all the same in the end. */
static void
many(void **state)
{
    enum { N = 70 };
    struct notify *o = &first;
    size_t before = o->n;
    struct str keys[N];
    (void)state;

    for (int i = 0; i < N; i++)
        (void)owe(OUTCOME_REFUSED, NOTICE_BOUNCE);
    for (int turn = 0; turn < 200 && o->n < before + N; turn++) {
        size_t had = o->n;
        pass(10);
        assert_true(o->n - had <= 32);
    }
    assert_int_equal(o->n, before + N);
    struct arena a = {0};
    spool_notices_again(store);
    for (int i = 0; i < N; i++) {
        struct spool_notice owed;
        assert_true(spool_next_notice(store, &a, &owed));
        keys[i] = owed.key;
    }
    for (int i = 0; i < N; i++)
        spool_notice_declined(store, keys[i]);
    assert_int_equal(spool_count(store), 0);
    arena_fini(&a);
}

/* A notify that does not read gets no more than lies in its pipe already. */
static void
slow_reader(void **state)
{
    enum { N = 600, OCTETS = 200 };
    struct notify *o = &first;
    struct recipient r[N] = {0};
    struct envelope e = {
        .sender = STR("sue@example.org"), .rcpts = r, .n_rcpts = N};
    struct arena a = {0};
    char *to = arena_alloc(&a, OCTETS);
    size_t before = o->n;
    enum spool_result why;
    struct spool_claim c;
    struct spool_notice owed;
    (void)state;

    memset(to, 'a', OCTETS);
    for (size_t i = 0; i < N; i++)
        r[i].address = r[i].orcpt = str_from_n(to, OCTETS);
    for (int k = 0; k < 2; k++) {
        struct spool_message *m = spool_begin(door, &e, &why);
        assert_non_null(m);
        spool_commit(m, false, on_stored, NULL);
        spool_turn(door);
        assert_true(spool_claim(store, (struct instant){0}, &a, &c));
        for (uint32_t i = 0; i < N; i++)
            assert_true(spool_settle(
                store, &(struct spool_settlement){
                           .id = c.id,
                           .rcpt = i,
                           .notice = NOTICE_BOUNCE,
                           .verdict = {.outcome = OUTCOME_REFUSED}}));
    }
    notices_pump(notices);
    notices_pump(notices);
    assert_true(spool_next_notice(store, &a, &owed)); // it was left
    assert_false(spool_next_notice(store, &a, &owed));
    await(o, before + 1);
    decline(o, o->m.key);
    spool_notices_again(store);
    await(o, before + 2);
    decline(o, o->m.key);
    assert_int_equal(spool_count(store), 0);
    arena_fini(&a);
}

/* What one that went had not written is owed again, after a rest, as is what
 * there was no descriptor for; the newest gets it, and what is no answer ends
 * the pipe. */
static void
owed_again(void **state)
{
    struct notify *o = &first, other;
    size_t before = o->n;
    struct rlimit normal, none;
    (void)state;

    (void)owe(OUTCOME_REFUSED, NOTICE_BOUNCE);
    pass(10);
    assert_int_equal(o->n, before + 1);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &normal), 0);
    none = normal;
    none.rlim_cur = 3;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    (void)owe(OUTCOME_REFUSED, NOTICE_BOUNCE);
    notices_pump(notices);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &normal), 0);
    pass(10);
    assert_int_equal(o->n, before + 1);
    assert_false(o->ended);
    attach(&other);
    channel_send(o->channel, STR("\7nonsense"));
    pass(10);
    assert_true(o->ended);
    pass(100);
    assert_int_equal(other.n, 0); // what it stored may be on its way
    pass(3200);
    pass(10);
    assert_int_equal(other.n, 2);
    decline(&other, STR("nothing.b.0")); // not a debt
    assert_int_equal(spool_count(store), 2);
    decline(&other, other.m.key);
    assert_int_equal(spool_count(store), 1);
    go(o);
    go(&other);
}

/* Our own word, or a descriptor: that is no notify's pipe. */
static void
not_its_word(void **state)
{
    static const enum notice_type types[] = {NOTICE_MSG_OWED,
                                             NOTICE_MSG_DECLINED};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct notify o;
        struct buf b = {0};
        int fds[2];
        char octet;

        attach(&o);
        notice_encode(&b, &(struct notice_msg){.type = types[i],
                                               .kind = NOTICE_BOUNCE,
                                               .key = STR("1-1.b.0")});
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
        channel_send_fd(o.channel, buf_str(&b), fds[1]);
        pass(10);
        assert_true(o.ended);
        (void)close(fds[1]); // and nobody else has it any more
        assert_int_equal(read(fds[0], &octet, 1), 0);
        (void)close(fds[0]);

        attach(&o);
        channel_send(o.channel, buf_str(&b));
        pass(10);
        assert_int_equal(o.ended, types[i] == NOTICE_MSG_OWED);
        go(&o);
        buf_fini(&b);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(excerpts),    cmocka_unit_test(too_large),
        cmocka_unit_test(handed_over), cmocka_unit_test(damaged),
        cmocka_unit_test(many),        cmocka_unit_test(slow_reader),
        cmocka_unit_test(owed_again),  cmocka_unit_test(not_its_word),
    };
    return cmocka_run_group_tests_name("queue/notices", tests, open_notices,
                                       close_notices);
}
