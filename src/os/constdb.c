/* SPDX-License-Identifier: ISC */
#include "os/constdb.h"

#include <cdb.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/alloc.h"

struct constdb {
    struct cdb cdb;
};

struct constdb *
constdb_open(int fd, struct err *e)
{
    struct constdb *c = alloc_zero(sizeof *c);
    if (cdb_init(&c->cdb, fd) < 0) {
        (void)err_sys(e, "map", "constant database");
        free(c);
        return NULL;
    }
    return c;
}

void
constdb_close(struct constdb *c)
{
    if (c == NULL)
        return;
    cdb_free(&c->cdb);
    free(c);
}

bool
constdb_find(const struct constdb *c, struct str key, struct str *value)
{
    struct cdb view = c->cdb; // libcdb notes the finding in its struct

    if (key.n > UINT_MAX || cdb_find(&view, key.p, (unsigned)key.n) <= 0)
        return false;
    const void *at = cdb_getdata(&view);
    if (at == NULL)
        return false;
    *value = str_from_n(at, cdb_datalen(&view));
    return true;
}

struct constdb_maker {
    struct cdb_make make;
};

struct constdb_maker *
constdb_make(int fd, struct err *e)
{
    struct constdb_maker *m = alloc_zero(sizeof *m);
    if (cdb_make_start(&m->make, fd) < 0) {
        (void)err_sys(e, "write", "constant database");
        free(m);
        return NULL;
    }
    return m;
}

bool
constdb_add(struct constdb_maker *m, struct str key, struct str value,
            struct err *e)
{
    if (key.n > UINT_MAX || value.n > UINT_MAX)
        return err_set(e, "constant database: record too large");
    if (cdb_make_add(&m->make, key.p, (unsigned)key.n, value.p,
                     (unsigned)value.n) < 0)
        return err_sys(e, "write", "constant database");
    return true;
}

bool
constdb_finish(struct constdb_maker *m, struct err *e)
{
    bool ok = cdb_make_finish(&m->make) >= 0;
    if (!ok)
        (void)err_sys(e, "write", "constant database");
    free(m);
    return ok;
}

/* The first eight octets say what the last eight are. */
struct seal {
    char magic[8];
    unsigned char sum[8];
};

static const char seal_magic[8] = "gpseal1";

/* Of the first n octets. */
static bool
make_seal(int fd, int64_t n, struct seal *seal)
{
    enum { STEP = 256 << 10 };
    char *chunk = alloc_array(STEP, 1);
    XXH64_state_t *sum = XXH64_createState();
    int64_t at = 0;

    (void)XXH64_reset(sum, 0);
    while (at < n) {
        size_t want = n - at < STEP ? (size_t)(n - at) : STEP;
        ssize_t got = pread(fd, chunk, want, (off_t)at);
        if (got <= 0)
            break;
        (void)XXH64_update(sum, chunk, (size_t)got);
        at += got;
    }
    uint64_t value = XXH64_digest(sum);
    memcpy(seal->magic, seal_magic, sizeof seal->magic);
    for (size_t i = 0; i < sizeof seal->sum; i++)
        seal->sum[i] = (unsigned char)(value >> (8 * i));
    (void)XXH64_freeState(sum);
    free(chunk);
    return at == n;
}

bool
constdb_seal(int fd, struct err *e)
{
    struct seal seal;
    struct stat st;

    if (fstat(fd, &st) < 0 || !make_seal(fd, st.st_size, &seal))
        return err_sys(e, "read", "constant database");
    if (pwrite(fd, &seal, sizeof seal, st.st_size) != (ssize_t)sizeof seal)
        return err_sys(e, "write", "constant database");
    return true;
}

bool
constdb_intact(int fd)
{
    struct seal seal, found;
    struct stat st;

    if (fstat(fd, &st) < 0 || st.st_size < (off_t)sizeof seal)
        return false;
    int64_t n = st.st_size - (int64_t)sizeof seal;
    return pread(fd, &found, sizeof found, (off_t)n) == (ssize_t)sizeof found &&
           make_seal(fd, n, &seal) && memcmp(&seal, &found, sizeof seal) == 0;
}
