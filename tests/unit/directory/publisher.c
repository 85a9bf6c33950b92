/* SPDX-License-Identifier: ISC */
/* directory's publisher and a reader's shelf, joined by a real channel on a
 * real loop: what is committed is in force where it is read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "directory/publisher.h"
#include "os/channel.h"
#include "os/disk.h"
#include "room/shelf.h"
#include "fixture.h"

static struct conf_domain domains[] = {
    {{"a.example", 9}, {"maildir:/a/%{user}", 18}},
};

struct stage {
    struct fixture *f;
    struct accounts *own; /* the publisher's connection; f->a is a person's */
    struct loop *loop;
    struct conf conf;
    struct hosting hosting;
    struct publisher *p;
    struct shelf *shelf;
    int snapshots_failed;
    bool in_time;
};

static void
stop(void *ctx)
{
    struct stage *s = ctx;
    s->in_time = true;
    loop_stop(s->loop);
}

static void
give_up(void *ctx)
{
    struct stage *s = ctx;
    loop_stop(s->loop);
}

static void
on_published(void *ctx, const char *why)
{
    struct stage *s = ctx;
    s->snapshots_failed += why != NULL;
}

static void
attach(struct stage *s)
{
    int fds[2];
    assert_true(channel_pair(fds));
    publisher_attach(s->p, fds[0]);
    shelf_attach(s->shelf, fds[1]);
}

static int
folder_of(struct fixture *f)
{
    return os_open_dir(f->folder);
}

static void
open_stage(struct stage *s, struct fixture *f, int folder)
{
    *s = (struct stage){.f = f};
    s->conf = (struct conf){
        .deliver = STR("maildir:/default"), .domains = domains, .n_domains = 1};
    s->loop = loop_new();
    hosting_init(&s->hosting, &s->conf);
    s->own = accounts_open(f->path, &f->e);
    assert_non_null(s->own);
    s->p = publisher_new(s->loop, s->own, &s->hosting, f->path, folder,
                         on_published, s);
    s->shelf = shelf_new(s->loop, NULL, NULL);
}

static void
close_stage(struct stage *s)
{
    shelf_free(s->shelf);
    publisher_free(s->p);
    loop_free(s->loop);
    accounts_close(s->own);
    hosting_fini(&s->hosting);
}

/* Runs the loop until all that is committed is in force in the shelf. */
static void
sync_up(struct stage *s)
{
    struct readers_wait w = {.fn = stop, .ctx = s};
    struct timer *t = timer_new(s->loop, give_up, s);

    s->in_time = false;
    timer_set(t, loop_now(s->loop).mono_ms + 20000);
    publisher_sync(s->p, &w);
    if (!s->in_time)
        loop_run(s->loop);
    timer_free(t);
    assert_true(s->in_time);
}

static bool
knows(struct stage *s, const char *key)
{
    struct str value;
    return shelf_find(s->shelf, str_from(key), &value) && value.n > 0;
}

static void
add_user(struct stage *s, const char *address)
{
    assert_int_equal(
        accounts_user_add(s->f->a, str_from(address), STR("h"), 1, &s->f->e),
        ACCOUNTS_DONE);
}

static void
snapshot_and_changes(void **state)
{
    struct stage s;

    open_stage(&s, *state, folder_of(*state));
    add_user(&s, "ann@a.example");
    attach(&s);
    assert_false(shelf_ready(s.shelf));
    publisher_start(s.p);
    sync_up(&s);
    assert_true(shelf_ready(s.shelf));
    assert_true(knows(&s, "a:ann@a.example"));
    assert_true(knows(&s, "d:a.example"));
    assert_false(knows(&s, "a:bob@a.example"));

    add_user(&s, "bob@a.example");
    sync_up(&s);
    assert_true(knows(&s, "a:bob@a.example"));
    assert_int_equal(
        accounts_user_remove(s.f->a, STR("ann@a.example"), &s.f->e),
        ACCOUNTS_DONE);
    sync_up(&s);
    assert_false(knows(&s, "a:ann@a.example"));
    assert_true(knows(&s, "a:bob@a.example"));

    // a reader that comes later gets snapshot and changes
    struct shelf *first = s.shelf;
    s.shelf = shelf_new(s.loop, NULL, NULL);
    attach(&s);
    sync_up(&s);
    shelf_free(first);
    assert_false(knows(&s, "a:ann@a.example"));
    assert_true(knows(&s, "a:bob@a.example"));
    close_stage(&s);
}

/* A change made while the first snapshot is being written is not lost. */
static void
change_during_compile(void **state)
{
    struct stage s;

    open_stage(&s, *state, folder_of(*state));
    attach(&s);
    publisher_start(s.p);
    add_user(&s, "ann@a.example");
    sync_up(&s);
    assert_true(knows(&s, "a:ann@a.example"));
    close_stage(&s);
}

static void
many_at_once(void **state)
{
    struct stage s;
    struct buf b = {0};

    open_stage(&s, *state, folder_of(*state));
    attach(&s);
    publisher_start(s.p);
    sync_up(&s);
    assert_true(accounts_begin(s.f->a, &s.f->e));
    for (int i = 0; i < 3000; i++) {
        buf_clear(&b);
        buf_addf(&b, "user%d@a.example", i);
        add_user(&s, buf_cstr(&b));
    }
    assert_true(accounts_commit(s.f->a, &s.f->e));
    sync_up(&s);
    for (int i = 0; i < 3000; i++) {
        buf_clear(&b);
        buf_addf(&b, "a:user%d@a.example", i);
        assert_true(knows(&s, buf_cstr(&b)));
    }
    // and single changes go on over the new snapshot
    assert_int_equal(
        accounts_user_remove(s.f->a, STR("user7@a.example"), &s.f->e),
        ACCOUNTS_DONE);
    sync_up(&s);
    assert_false(knows(&s, "a:user7@a.example"));
    buf_fini(&b);
    close_stage(&s);
}

static void
config_reload(void **state)
{
    static struct conf_domain others[] = {
        {{"b.example", 9}, {"maildir:/b/%{user}", 18}},
    };
    struct stage s;

    open_stage(&s, *state, folder_of(*state));
    attach(&s);
    publisher_start(s.p);
    sync_up(&s);
    s.conf.domains = others;
    publisher_reload(s.p, &s.conf);
    sync_up(&s);
    assert_false(knows(&s, "d:a.example"));
    assert_true(knows(&s, "d:b.example"));
    close_stage(&s);
}

/* A new directory counts from anew; what the old one said last is forgotten,
 * and known until then. */
static void
directory_restarts(void **state)
{
    struct stage s;

    open_stage(&s, *state, folder_of(*state));
    attach(&s);
    publisher_start(s.p);
    sync_up(&s);
    add_user(&s, "ann@a.example");
    sync_up(&s);
    assert_int_equal(
        accounts_user_remove(s.f->a, STR("ann@a.example"), &s.f->e),
        ACCOUNTS_DONE);
    struct publisher *killed = s.p; // before it noticed
    s.p = publisher_new(s.loop, s.own, &s.hosting, s.f->path,
                        os_open_dir(s.f->folder), on_published, &s);
    assert_true(knows(&s, "a:ann@a.example"));
    attach(&s);
    publisher_start(s.p);
    sync_up(&s);
    assert_false(knows(&s, "a:ann@a.example"));
    publisher_free(killed);
    close_stage(&s);
}

static void
no_folder(void **state)
{
    struct stage s;
    struct timer *t;

    open_stage(&s, *state, -1);
    publisher_start(s.p);
    t = timer_new(s.loop, give_up, &s);
    timer_set(t, loop_now(s.loop).mono_ms + 300);
    loop_run(s.loop);
    assert_int_equal(s.snapshots_failed, 1);
    close_stage(&s);
}

#define WITH_DATABASE(test)                                                    \
    cmocka_unit_test_setup_teardown(test, fixture_open, fixture_close)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DATABASE(snapshot_and_changes),
        WITH_DATABASE(change_during_compile),
        WITH_DATABASE(many_at_once),
        WITH_DATABASE(config_reload),
        WITH_DATABASE(directory_restarts),
        WITH_DATABASE(no_folder),
    };
    return cmocka_run_group_tests_name("directory/publisher", tests, NULL,
                                       NULL);
}
