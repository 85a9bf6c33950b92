/* SPDX-License-Identifier: ISC */
/* What commands read: the config, files, standard input. */
#include "cli/command.h"

#include <errno.h>
#include <string.h>

enum { CONFIG_MAX = 16 << 20 };

static bool
read_all(FILE *f, const char *path, size_t max, struct buf *to)
{
    enum { STEP = 65536 };

    for (;;) {
        size_t n = fread(buf_reserve(to, STEP), 1, STEP, f);
        to->n += n;
        if (to->n > max) {
            (void)command_fail(0, "%s: longer than %zu octets", path, max);
            return false;
        }
        if (n == 0)
            break;
    }
    if (ferror(f) != 0) {
        (void)command_fail(0, "%s: %s", path, strerror(errno));
        return false;
    }
    return true;
}

bool
command_read(const char *path, size_t max, struct buf *to)
{
    if (strcmp(path, "-") == 0)
        return read_all(stdin, "standard input", max, to);

    FILE *f = fopen(path, "rbe");
    if (f == NULL) {
        (void)command_fail(0, "%s: %s", path, strerror(errno));
        return false;
    }
    bool ok = read_all(f, path, max, to);
    (void)fclose(f);
    return ok;
}

struct conf *
command_config(struct invocation *in)
{
    struct buf text = {0};

    if (in->conf != NULL)
        return in->conf;
    if (command_read(in->config, CONFIG_MAX, &text)) {
        struct conf_result r = conf_parse(buf_str(&text), in->config);
        for (size_t i = 0; i < r.n_problems; i++)
            (void)fprintf(stderr, "%.*s\n", STR_ARG(r.problems[i].text));
        in->conf = r.conf;
        arena_fini(&r.arena);
    }
    buf_fini(&text);
    return in->conf;
}
