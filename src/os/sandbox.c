/* SPDX-License-Identifier: ISC */
#include "os/sandbox.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/buf.h"

#if defined(__SANITIZE_ADDRESS__)
/* The leak check at exit traces the process, which sandbox_begin() forbids. */
static int entered;

int __lsan_is_turned_off(void);

int
__lsan_is_turned_off(void)
{
    return entered;
}
#endif

static void
raise_descriptors(void)
{
    struct rlimit r;
    if (getrlimit(RLIMIT_NOFILE, &r) < 0)
        return;
    r.rlim_cur = r.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &r);
}

void
sandbox_begin(int last_fd)
{
    static const int ignored[] = {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    struct rlimit none = {0, 0};

#if defined(__SANITIZE_ADDRESS__)
    entered = 1;
#endif
    (void)close_range((unsigned)last_fd + 1, ~0U, 0);
    (void)setrlimit(RLIMIT_CORE, &none);
    raise_descriptors();
    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
        (void)signal(ignored[i], SIG_IGN);
    /* These fail only on a kernel that does not know them. */
    int rc = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    assert(rc == 0);
    rc = prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    assert(rc == 0);
}

/* How long the memory of the command line is, as the kernel counts it. */
static size_t
title_room(void)
{
    char text[4096];
    size_t n = 0;
    int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    while (n < sizeof text) {
        ssize_t got = read(fd, text + n, sizeof text - n);
        if (got <= 0)
            break;
        n += (size_t)got;
    }
    (void)close(fd);
    return n;
}

/* A last octet that is not NUL tells the kernel that a title was set: it then
 * shows the text up to its NUL, not the emptied rest of the command line. */
void
sandbox_title(const char *title)
{
    char *area = program_invocation_name;
    size_t room = title_room(), n = strlen(title);
    if (room < 3)
        return;
    if (n > room - 2)
        n = room - 2;
    memset(area, 0, room);
    memcpy(area, title, n); // NOLINT(bugprone-not-null-terminated-result)
    area[room - 1] = '.';
    program_invocation_short_name = area;
}

void
sandbox_yield(void)
{
    (void)setpriority(PRIO_PROCESS, 0, 10);
}

void
sandbox_random(void *to, size_t n)
{
    unsigned char *p = to;
    while (n > 0) {
        ssize_t got = getrandom(p, n, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            abort();
        p += got;
        n -= (size_t)got;
    }
}
