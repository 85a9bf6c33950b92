/* SPDX-License-Identifier: ISC */
/*
 * Asks a server for recipients as fast as it answers: CONNECTIONS processes,
 * each pipelining BATCH RCPT commands at a time, until COUNT were answered in
 * all. "%d" in the address becomes a number that changes with each.
 *
 *   refusals PORT CONNECTIONS COUNT BATCH ADDRESS
 *
 * Prints how many were refused and accepted.
 */
#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PER_TRANSACTION = 900 };

static FILE *
dial(int port)
{
    struct sockaddr_in to = {.sin_family = AF_INET};
    to.sin_port = htons((unsigned short)port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) < 0) {
        perror("refusals: connect");
        exit(1);
    }
    return fdopen(fd, "r");
}

/* The code of the next whole reply. */
static int
reply(FILE *in)
{
    char line[2048];
    do {
        if (fgets(line, sizeof line, in) == NULL) {
            (void)fprintf(stderr, "refusals: connection ended\n");
            exit(1);
        }
    } while (strlen(line) > 3 && line[3] == '-');
    return atoi(line);
}

static void
expect(FILE *in, const char *command, int code)
{
    if (command != NULL)
        (void)dprintf(fileno(in), "%s\r\n", command);
    int got = reply(in);
    if (got != code) {
        (void)fprintf(stderr, "refusals: %s: %d\n",
                      command == NULL ? "greeting" : command, got);
        exit(1);
    }
}

static void
ask(int port, long count, int batch, const char *pattern, long seed,
    long totals[2])
{
    char *out = malloc((size_t)batch * 300);
    while (count > 0) {
        FILE *in = dial(port);
        expect(in, NULL, 220);
        expect(in, "EHLO load.test", 250);
        expect(in, "MAIL FROM:<a@relay.test>", 250);
        for (int sent = 0; sent < PER_TRANSACTION && count > 0; sent += batch) {
            size_t n = 0;
            for (int i = 0; i < batch; i++) {
                char address[256];
                (void)snprintf(address, sizeof address, pattern, (int)seed++);
                n += (size_t)sprintf(out + n, "RCPT TO:<%s>\r\n", address);
            }
            if (write(fileno(in), out, n) != (ssize_t)n)
                exit(1);
            for (int i = 0; i < batch; i++)
                totals[reply(in) / 100 == 2]++;
            count -= batch;
        }
        (void)fclose(in);
    }
}

int
main(int argc, char **argv)
{
    if (argc != 6) {
        (void)fprintf(stderr,
                      "usage: refusals PORT CONNECTIONS COUNT BATCH ADDRESS\n");
        return 2;
    }
    int connections = atoi(argv[2]);
    long count = atol(argv[3]) / connections;
    long(*totals)[2] =
        mmap(NULL, (size_t)connections * sizeof *totals, PROT_READ | PROT_WRITE,
             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    bool ok = true;
    for (int i = 0; i < connections; i++)
        if (fork() == 0) {
            ask(atoi(argv[1]), count, atoi(argv[4]), argv[5], i * 1000000L,
                totals[i]);
            _exit(0);
        }
    for (int status; wait(&status) > 0;)
        ok = ok && status == 0;
    long refused = 0, accepted = 0;
    for (int i = 0; i < connections; i++) {
        refused += totals[i][0];
        accepted += totals[i][1];
    }
    (void)printf("refused %ld accepted %ld\n", refused, accepted);
    return ok ? 0 : 1;
}
