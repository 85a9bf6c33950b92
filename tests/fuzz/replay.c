/* SPDX-License-Identifier: ISC */
/*
 * Runs a fuzz target once over each file named, and each of the folders named,
 * without a fuzzer: the seed corpus as an ordinary test, or one input by
 * itself.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static bool
replay_file(const char *path)
{
    struct buf b = {0};
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        perror(path);
        return false;
    }
    for (;;) {
        size_t n = fread(buf_reserve(&b, 65536), 1, 65536, f);
        if (n == 0)
            break;
        b.n += n;
    }
    (void)fclose(f);
    (void)LLVMFuzzerTestOneInput((const uint8_t *)(b.p == NULL ? "" : b.p),
                                 b.n);
    buf_fini(&b);
    return true;
}

/* Of a folder, or of one file; how many. 0: something is wrong, and was said.
 */
static size_t
replay(const char *name)
{
    size_t files = 0;
    bool ok = true;
    DIR *dir = opendir(name);
    if (dir == NULL && errno == ENOTDIR)
        return replay_file(name);
    if (dir == NULL) {
        perror(name);
        return 0;
    }
    for (struct dirent *d; ok && (d = readdir(dir)) != NULL;) {
        struct buf path = {0};
        if (d->d_name[0] == '.')
            continue;
        buf_addf(&path, "%s/%s", name, d->d_name);
        ok = replay_file(buf_cstr(&path));
        buf_fini(&path);
        files++;
    }
    (void)closedir(dir);
    return ok ? files : 0;
}

int
main(int argc, char **argv)
{
    size_t files = 0;
    for (int i = 1; i < argc; i++) {
        size_t n = replay(argv[i]);
        if (n == 0)
            return 1;
        files += n;
    }
    (void)printf("%zu seeds\n", files);
    return files > 0 ? 0 : 1;
}
