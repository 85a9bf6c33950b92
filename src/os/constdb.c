/* SPDX-License-Identifier: ISC */
#include "os/constdb.h"

#include <cdb.h>
#include <limits.h>
#include <stdlib.h>

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
