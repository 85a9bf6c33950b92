/* SPDX-License-Identifier: ISC */
/*
 * Runs a fuzz target once over each file of the folders named, without a
 * fuzzer: the seed corpus as an ordinary test.
 */
#include <dirent.h>
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

int
main(int argc, char **argv)
{
    size_t files = 0;
    for (int i = 1; i < argc; i++) {
        DIR *dir = opendir(argv[i]);
        if (dir == NULL) {
            perror(argv[i]);
            return 1;
        }
        for (struct dirent *d; (d = readdir(dir)) != NULL;) {
            struct buf path = {0};
            if (d->d_name[0] == '.')
                continue;
            buf_addf(&path, "%s/%s", argv[i], d->d_name);
            bool ok = replay_file(buf_cstr(&path));
            buf_fini(&path);
            if (!ok)
                return 1;
            files++;
        }
        (void)closedir(dir);
    }
    (void)printf("%zu seeds\n", files);
    return files > 0 ? 0 : 1;
}
