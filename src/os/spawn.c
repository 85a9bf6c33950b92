/* SPDX-License-Identifier: ISC */
#include "os/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Above all numbers that a child is given, so that moving them up first keeps
 * them from being overwritten. */
enum { CLEAR_OF_FDS = 16, ENVIRONMENT_MAX = 16, EXIT_CANNOT_START = 126 };

/* What decides how libraries behave, nothing of the caller's. */
static const char *const kept[] = {
    "TZ", "ASAN_OPTIONS", "UBSAN_OPTIONS", "GCOV_PREFIX", "GCOV_PREFIX_STRIP",
};

struct environment {
    char text[ENVIRONMENT_MAX][512];
    char *list[ENVIRONMENT_MAX + 1];
};

static void
add_variable(struct environment *env, size_t *n, const char *name,
             const char *value)
{
    size_t room = sizeof env->text[*n];
    int length = snprintf(env->text[*n], room, "%s=%s", name, value);
    if (length < 0 || (size_t)length >= room)
        return;
    env->list[*n] = env->text[*n];
    (*n)++;
}

static void
fill_environment(struct environment *env)
{
    size_t n = 0;
    memset(env, 0, sizeof *env);
    add_variable(env, &n, "PATH", "/usr/bin:/bin");
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        const char *value = getenv(kept[i]);
        if (value != NULL)
            add_variable(env, &n, kept[i], value);
    }
}

/* The binary that runs now, even if an upgrade has replaced its file. */
static int
own_binary(struct err *e)
{
    static int fd = -1;
    if (fd < 0)
        fd = open("/proc/self/exe", O_PATH | O_CLOEXEC);
    if (fd < 0)
        (void)err_sys(e, "open", "/proc/self/exe");
    return fd;
}

static bool
place_descriptors(const int *fds)
{
    int moved[SPAWN_FDS], empty;
    for (size_t i = 0; i < SPAWN_FDS; i++) {
        moved[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, CLEAR_OF_FDS);
        if (moved[i] < 0)
            return false;
    }
    for (int i = 0; i < SPAWN_FDS; i++)
        if (dup2(moved[i], SPAWN_FIRST_FD + i) < 0)
            return false;
    empty = open("/dev/null", O_RDWR | O_CLOEXEC);
    return empty >= 0 && dup2(empty, STDIN_FILENO) >= 0;
}

static bool
become(const struct account *a)
{
    gid_t group = a->gid;
    return setgroups(1, &group) == 0 && setresgid(group, group, group) == 0 &&
           setresuid(a->uid, a->uid, a->uid) == 0;
}

/* In the child: only calls that are allowed after fork(). */
static NORETURN void
start(const struct spawn *s, int binary, char *const *argv, char *const *env)
{
    sigset_t none;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    if (place_descriptors(s->fds) &&
        (s->account == NULL || become(s->account)) &&
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
        (void)execveat(binary, "", argv, env, AT_EMPTY_PATH);
    _exit(EXIT_CANNOT_START);
}

int64_t
spawn_self(const struct spawn *s, struct err *e)
{
    static struct environment env;
    char *argv[8] = {0};
    int binary = own_binary(e);
    if (binary < 0)
        return -1;
    /* execve() promises in words what its prototype does not. */
    for (size_t i = 0; i < 7 && s->argv[i] != NULL; i++)
        argv[i] = (char *)(uintptr_t)s->argv[i];
    fill_environment(&env);
    pid_t pid = fork();
    if (pid == 0)
        start(s, binary, argv, env.list);
    if (pid < 0)
        (void)err_sys(e, "start", s->argv[0]);
    return pid;
}

int64_t
spawn_reap(int *status)
{
    pid_t pid;
    do
        pid = waitpid(-1, status, WNOHANG);
    while (pid < 0 && errno == EINTR);
    return pid > 0 ? pid : 0;
}

struct str
spawn_why(int status, char *to, size_t n)
{
    if (WIFSIGNALED(status))
        (void)snprintf(to, n, "signal %d", WTERMSIG(status));
    else if (WEXITSTATUS(status) == EXIT_CANNOT_START)
        (void)snprintf(to, n, "could not change user or start the binary");
    else
        (void)snprintf(to, n, "exit status %d", WEXITSTATUS(status));
    return str_from(to);
}

bool
spawn_well(int status)
{
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void
spawn_kill(int64_t pid)
{
    if (pid > 0)
        (void)kill((pid_t)pid, SIGKILL);
}

bool
spawn_alive(int64_t pid)
{
    return pid > 0 && (kill((pid_t)pid, 0) == 0 || errno == EPERM);
}

int64_t
spawn_own_pid(void)
{
    return getpid();
}
