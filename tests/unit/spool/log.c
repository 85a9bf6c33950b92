/* SPDX-License-Identifier: ISC */
#include "conformance.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "spoolrig.h"

void
fixture_open(struct fixture *f)
{
    struct rig *r = alloc_zero(sizeof *r);
    rig_init(r, simdisk_new());
    f->self = r;
    f->door = r->doors[0].door;
    f->store = r->store;
}

void
fixture_close(struct fixture *f)
{
    struct rig *r = f->self;
    assert_int_equal(r->trouble, 0);
    assert_int_equal(r->corrupt, 0);
    rig_stop(r);
    assert_int_equal(simdisk_open_files(r->disk), 0);
    simdisk_free(r->disk);
    free(r);
}

void
fixture_settle(struct fixture *f)
{
    rig_settle(f->self);
}

int
main(void)
{
    return _cmocka_run_group_tests("spool/log conformance", conformance_tests,
                                   conformance_count, NULL, NULL);
}
