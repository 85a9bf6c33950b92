/* SPDX-License-Identifier: ISC */
/*
 * Every frame that another process may send to the queue, or the queue to
 * it: the first octet picks the codec, the rest is the frame. What decodes
 * must encode to the very same octets.
 */
#include <assert.h>
#include <stdint.h>

#include "ipc/door.h"
#include "ipc/job.h"
#include "ipc/notice.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static bool
again(struct arena *a, uint8_t codec, struct str frame, struct buf *out)
{
    struct door_msg door;
    struct job_msg job;
    struct notice_msg notice;

    switch (codec) {
    case 'd':
        if (!door_decode(frame, &door))
            return false;
        door_encode(out, &door);
        return true;
    case 'j':
        if (!job_decode(a, frame, &job))
            return false;
        job_encode(out, &job);
        return true;
    case 'n':
        if (!notice_decode(a, frame, &notice))
            return false;
        notice_encode(out, &notice);
        return true;
    default:
        return false;
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct arena a = {0};
    struct buf out = {0};

    if (n > 0) {
        struct str frame = str_from_n(data + 1, n - 1);
        if (again(&a, data[0], frame, &out))
            assert(str_eq(frame, buf_str(&out)));
    }
    buf_fini(&out);
    arena_fini(&a);
    return 0;
}
