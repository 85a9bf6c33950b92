/* SPDX-License-Identifier: ISC */
#include "os/service.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void
service_tell(enum service_state state, int64_t mono_ms)
{
    static const char *const words[] = {
        [SERVICE_READY] = "READY=1",
        [SERVICE_RELOADING] = "RELOADING=1",
        [SERVICE_STOPPING] = "STOPPING=1",
    };
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    char text[128];
    size_t n = path != NULL ? strlen(path) : 0;

    if (n < 2 || n >= sizeof to.sun_path)
        return;
    memcpy(to.sun_path, path, n);
    if (to.sun_path[0] == '@') // an abstract name
        to.sun_path[0] = '\0';
    int length = snprintf(text, sizeof text, "%s\nMONOTONIC_USEC=%" PRId64 "\n",
                          words[state], mono_ms * 1000);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    (void)sendto(fd, text, (size_t)length, MSG_NOSIGNAL | MSG_DONTWAIT,
                 (const struct sockaddr *)&to,
                 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
    (void)close(fd);
}
