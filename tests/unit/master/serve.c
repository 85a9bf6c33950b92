/* SPDX-License-Identifier: ISC */
/*
 * Master with rooms that do nothing but say what they were given. This binary
 * plays all parts: the test, the server (`serve CONFIG`) and each room.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "master/master.h"
#include "os/folder.h"
#include "os/log.h"
#include "os/net.h"
#include "os/spawn.h"
#include "room/room.h"

/* The rooms */

struct tiny {
    struct room *room;
};

static bool
on_open(void *self, struct room *r, struct err *e)
{
    struct tiny *t = self;
    (void)e;
    t->room = r;
    return true;
}

static void
say(const struct tiny *t, const char *event, enum role role, uint64_t n)
{
    log_event(LOG_INFO, event, LOG_N("slot", t->room->slot),
              LOG_S("role", str_from(role_name(role))), LOG_N("n", (int64_t)n),
              LOG_END);
}

static void
on_peer(void *self, enum pipe pipe, enum role role, uint32_t slot,
        uint64_t incarnation, int fd)
{
    (void)pipe;
    (void)slot;
    (void)incarnation;
    say(self, "got-peer", role, pipe);
    (void)close(fd);
}

static void
on_listen(void *self, struct str name, int fd)
{
    const struct tiny *t = self;
    log_event(LOG_INFO, "got-listener", LOG_N("slot", t->room->slot),
              LOG_S("name", name), LOG_END);
    (void)close(fd);
}

static void
on_file(void *self, struct str name, int fd)
{
    struct arena a = {0};
    (void)self;
    log_event(LOG_INFO, "got-file", LOG_S("name", name),
              LOG_S("content", room_read_file(&a, fd)), LOG_END);
    arena_fini(&a);
}

static void
on_go(void *self)
{
    struct tiny *t = self;
    log_event(LOG_INFO, "go", LOG_N("slot", t->room->slot),
              LOG_S("hostname", t->room->conf->hostname),
              LOG_N("dumpable", prctl(PR_GET_DUMPABLE, 0, 0, 0, 0)),
              LOG_N("no-new-privs", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)),
              LOG_END);
    room_ready(t->room);
}

static void
on_config(void *self, struct conf *fresh)
{
    (void)self;
    log_event(LOG_INFO, "got-config", LOG_S("hostname", fresh->hostname),
              LOG_END);
}

static void
on_reaped(void *self, enum role role, uint32_t slot, uint64_t incarnation)
{
    (void)incarnation;
    say(self, "got-reaped", role, slot);
}

static void
on_drain(void *self, bool hurry)
{
    struct tiny *t = self;
    log_event(LOG_INFO, hurry ? "got-stop" : "got-drain",
              LOG_N("slot", t->room->slot), LOG_END);
    room_finish(t->room);
}

static int
tiny_main(enum role role, uint32_t slot, uint64_t incarnation)
{
    const struct room_ops ops = {.role = role,
                                 .on_open = on_open,
                                 .on_peer = on_peer,
                                 .on_listen = on_listen,
                                 .on_file = on_file,
                                 .on_go = on_go,
                                 .on_config = on_config,
                                 .on_reaped = on_reaped,
                                 .on_drain = on_drain};
    struct tiny t = {0};
    return room_run(&ops, &t, slot, incarnation);
}

/* The test's side */

struct house {
    char folder[64];
    struct buf config, log; /* paths */
    struct buf text;        /* the log as last read */
    unsigned port;
    pid_t pid;
};

static void
write_config(struct house *h, const char *more)
{
    struct buf b = {0};
    struct err e;
    buf_addf(&b,
             "hostname = \"mx.example\"\nstate = \"%s/state\"\n"
             "run-as = caller\n"
             "listen \"mx\" { address = {\"127.0.0.1:%u\"} }\n%s\n",
             h->folder, h->port, more);
    assert_true(file_write(buf_cstr(&h->config), buf_str(&b), 0600, &e));
    buf_fini(&b);
}

static unsigned
free_port(unsigned from)
{
    struct err e;
    for (unsigned port = from;; port++) {
        char text[32];
        int fds[2];
        (void)snprintf(text, sizeof text, "127.0.0.1:%u", port);
        if (net_listen(str_from(text), false, fds, 2, &e) == 0)
            continue;
        (void)close(fds[0]);
        return port;
    }
}

static void
house_init(struct house *h)
{
    *h = (struct house){.folder = "/tmp/gatepost-master-XXXXXX"};
    assert_non_null(mkdtemp(h->folder));
    buf_addf(&h->config, "%s/conf", h->folder);
    buf_addf(&h->log, "%s/log", h->folder);
    h->port = free_port(20000 + (unsigned)getpid() % 20000);
    write_config(h, "");
}

static void
launch(struct house *h)
{
    const char *log = buf_cstr(&h->log), *config = buf_cstr(&h->config);
    h->pid = fork();
    if (h->pid != 0)
        return;
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    /* A test that fails leaves nothing running: the rooms follow. */
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (fd >= 0 && dup2(fd, STDERR_FILENO) >= 0 && dup2(fd, STDOUT_FILENO) >= 0)
        (void)execl("/proc/self/exe", "gatepost", "serve", config, NULL);
    _exit(99);
}

static const char *
read_log(struct house *h)
{
    struct err e;
    buf_clear(&h->text);
    (void)file_read(buf_cstr(&h->log), 1 << 20, &h->text, &e);
    return buf_cstr(&h->text);
}

static size_t
count(struct house *h, const char *needle)
{
    size_t n = 0;
    for (const char *p = read_log(h); (p = strstr(p, needle)) != NULL; p++)
        n++;
    return n;
}

/* Until the log has it n times. */
static void
await(struct house *h, const char *needle, size_t n)
{
    for (unsigned i = 0; i < 1500; i++) {
        if (count(h, needle) >= n)
            return;
        (void)usleep(10000);
    }
    fail_msg("%zu times \"%s\" not in the log:\n%s", n, needle, read_log(h));
}

static int
end_status(struct house *h)
{
    int status;
    assert_int_equal(waitpid(h->pid, &status, 0), h->pid);
    h->pid = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
house_fini(struct house *h)
{
    struct buf b = {0};
    if (h->pid > 0)
        (void)kill(h->pid, SIGKILL);
    buf_addf(&b, "rm -rf %s", h->folder);
    (void)!system(buf_cstr(&b));
    buf_fini(&b);
    buf_fini(&h->config);
    buf_fini(&h->log);
    buf_fini(&h->text);
}

/* The process that the n-th "room-ready" of a role names. */
static pid_t
pid_of(struct house *h, const char *role, size_t n)
{
    struct buf b = {0};
    uint64_t pid = 0;
    buf_addf(&b, "room-ready role=%s slot=", role);
    const char *p = read_log(h);
    for (size_t i = 0; p != NULL && i < n; i++) {
        p = strstr(p, buf_cstr(&b));
        p = p != NULL ? strstr(p, " pid=") + 5 : NULL;
    }
    assert_non_null(p);
    assert_true(str_to_u64(str_from_n(p, strspn(p, "0123456789")), &pid));
    buf_fini(&b);
    return (pid_t)pid;
}

static void
check_title(pid_t pid, const char *title)
{
    struct buf path = {0}, text = {0};
    struct err e;
    buf_addf(&path, "/proc/%ld/cmdline", (long)pid);
    assert_true(file_read(buf_cstr(&path), 4096, &text, &e));
    assert_int_equal(text.n, strlen(title) + 1); // and nothing behind it
    assert_string_equal(buf_cstr(&text), title);
    buf_fini(&path);
    buf_fini(&text);
}

static void
whole_life(void **state)
{
    struct house h;
    struct buf path = {0};
    struct err e;
    (void)state;
    house_init(&h);
    launch(&h);
    await(&h, "master ready", 1);
    /* 2 receive, 2 send, 2 mailbox and one of each other. */
    assert_int_equal(count(&h, " go slot="), 10);
    assert_int_equal(count(&h, "dumpable=0 no-new-privs=1"), 10);
    assert_int_equal(count(&h, "queue got-peer"), 9); // notify twice
    assert_int_equal(count(&h, "receive got-peer slot=0"), 4);
    assert_int_equal(count(&h, "send got-peer slot=1"), 1);
    assert_int_equal(count(&h, "receive got-listener slot=0 name=mx"), 1);
    assert_int_equal(count(&h, "receive got-listener slot=1 name=submit"), 1);
    assert_int_equal(count(&h, "queue got-listener slot=0 name=control"), 1);
    assert_int_equal(count(&h, "mailbox got-listener"), 0);
    buf_addf(&path, "%s/state/run/pid", h.folder);
    struct buf pid = {0};
    assert_true(file_read(buf_cstr(&path), 99, &pid, &e));
    assert_int_equal(atol(buf_cstr(&pid)), h.pid);
    check_title(h.pid, "gatepost: master");
    check_title(pid_of(&h, "queue", 1), "gatepost: queue");

    /* A killed room comes back and everybody is told. */
    pid_t victim = pid_of(&h, "queue", 1);
    assert_int_equal(kill(victim, SIGKILL), 0);
    await(&h, "room-ready role=queue", 2);
    assert_true(pid_of(&h, "queue", 2) != victim);
    await(&h, "role=queue n=0", 9); // all others heard of it
    await(&h, "queue got-peer", 18);
    await(&h, "send got-peer slot=1", 2);
    /* Room signals are not for rooms. */
    assert_int_equal(kill(pid_of(&h, "notify", 1), SIGTERM), 0);

    /* A bad config leaves all as it is. */
    write_config(&h, "no-such-key = 1");
    assert_int_equal(kill(h.pid, SIGHUP), 0);
    await(&h, "reload-refused", 1);
    assert_non_null(strstr(read_log(&h), "conf:5: "));
    assert_int_equal(count(&h, "got-drain"), 0);

    write_config(&h, "send { workers = 1 }");
    assert_int_equal(kill(h.pid, SIGHUP), 0);
    await(&h, "master reloaded", 1);
    await(&h, "got-drain", 7);
    await(&h, "room-ended", 7);
    assert_int_equal(count(&h, "got-config"), 3);
    assert_int_equal(count(&h, "room-ready role=send"), 3);
    assert_int_equal(count(&h, "room-died"), 1);

    assert_int_equal(kill(h.pid, SIGTERM), 0);
    assert_int_equal(end_status(&h), 0);
    assert_int_equal(count(&h, "got-stop"), 9);
    /* The front door first, the key cupboard last. */
    const char *text = read_log(&h);
    assert_true(strstr(text, "receive got-stop") <
                strstr(text, "send got-stop"));
    assert_true(strstr(text, "notify got-stop") <
                strstr(text, "queue got-stop"));
    assert_true(strstr(text, "queue got-stop") <
                strstr(text, "directory got-stop"));
    assert_int_equal(access(buf_cstr(&path), F_OK), -1);
    buf_fini(&path);
    buf_fini(&pid);
    house_fini(&h);
}

/* When master is killed the rooms end by themselves, and the next master can
 * begin at once. */
static void
killed_master(void **state)
{
    struct house h;
    (void)state;
    house_init(&h);
    launch(&h);
    await(&h, "master ready", 1);
    pid_t room = pid_of(&h, "directory", 1);
    assert_int_equal(kill(h.pid, SIGKILL), 0);
    (void)end_status(&h);
    for (unsigned i = 0; i < 1000 && spawn_alive(room); i++)
        (void)usleep(10000);
    assert_false(spawn_alive(room));
    launch(&h);
    await(&h, "master ready", 2);
    assert_int_equal(kill(h.pid, SIGINT), 0);
    assert_int_equal(end_status(&h), 0);
    house_fini(&h);
}

static void
second_master(void **state)
{
    struct house h;
    char holder[64];
    (void)state;
    house_init(&h);
    launch(&h);
    await(&h, "master ready", 1);
    pid_t first = h.pid;
    launch(&h);
    assert_int_equal(end_status(&h), 2);
    (void)snprintf(holder, sizeof holder,
                   "in use by another Gatepost, process %ld", (long)first);
    await(&h, holder, 1);
    h.pid = first;
    assert_int_equal(kill(h.pid, SIGTERM), 0);
    assert_int_equal(end_status(&h), 0);
    house_fini(&h);
}

static void
refused_starts(void **state)
{
    static const struct {
        const char *more, *says;
    } cases[] = {
        {"bogus = 1",                                               "conf:5: "          },
        {"tls { certificate = \"/nonexistent/c.pem\" "
         "key = \"/nonexistent/k.pem\" }",                 "/nonexistent/c.pem"},
        {"tls { certificate = \"/dev/null\" key = \"/dev/null\" }",
         "expected a certificate in PEM form"                                           },
        {"listen \"taken\" { address = {\"127.0.0.1:%u\"} }",
         "Address already in use"                                                       },
        {"listen \"far\" { address = {\"192.0.2.1:25\"} }",         "192.0.2.1:25"      },
        {"state = \"/proc/nowhere\"",                               "/proc/nowhere"     },
    };
    struct house h;
    struct err e;
    int taken[2];
    char address[32];
    (void)state;
    house_init(&h);
    unsigned port = free_port(h.port + 1);
    (void)snprintf(address, sizeof address, "127.0.0.1:%u", port);
    assert_int_equal(net_listen(str_from(address), true, taken, 2, &e), 1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf more = {0}, moved = {0};
        for (const char *p = cases[i].more; *p != '\0'; p++)
            if (strncmp(p, "%u", 2) == 0) {
                buf_addf(&more, "%u", port);
                p++;
            } else {
                buf_add_char(&more, *p);
            }
        write_config(&h, buf_cstr(&more));
        if (str_starts(buf_str(&more), STR("state"))) { // instead of ours
            buf_addf(&moved,
                     "hostname = \"mx.example\"\nrun-as = caller\n"
                     "listen \"mx\" { address = {\"%s\"} }\n%s\n",
                     "127.0.0.1:1", buf_cstr(&more));
            assert_true(
                file_write(buf_cstr(&h.config), buf_str(&moved), 0600, &e));
        }
        file_remove(buf_cstr(&h.log));
        launch(&h);
        assert_int_equal(end_status(&h), 2);
        if (strstr(read_log(&h), cases[i].says) == NULL)
            fail_msg("%s: %s", cases[i].more, read_log(&h));
        assert_int_equal(count(&h, " go "), 0);
        buf_fini(&more);
        buf_fini(&moved);
    }
    (void)close(taken[0]);
    house_fini(&h);
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_life),
        cmocka_unit_test(killed_master),
        cmocka_unit_test(second_master),
        cmocka_unit_test(refused_starts),
    };
    if (argc == 5 && strcmp(argv[1], "--room") == 0) {
        enum role role = role_from_name(str_from(argv[2]));
        return tiny_main(role, (uint32_t)atol(argv[3]),
                         (uint64_t)atoll(argv[4]));
    }
    if (argc == 3 && strcmp(argv[1], "serve") == 0)
        return master_main(argv[2], false);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
