/* SPDX-License-Identifier: ISC */
/*
 * receive, notify <-> queue: the door's paperwork. The queue owns the spool's
 * folder; a writer gets numbered segments and large files by descriptor and
 * reports how far it has made them durable. Watermarks are cumulative, so one
 * lost with a dying process costs nothing: the queue scans that tail.
 */
#pragma once

#include "base/buf.h"
#include "base/str.h"

enum door_type {
    DOOR_NONE = 0,
    /* writer -> queue */
    DOOR_HELLO,      /* writer: the number I have (0: none yet), size: how many
                        HOLDING follow at once; first frame */
    DOOR_HOLDING,    /* segment, generation, offset: durable up to there; or
                        large: a large file that I have */
    DOOR_WATERMARK,  /* segment, generation, offset: durable up to there */
    DOOR_SEALED,     /* the same, and I write it no more */
    DOOR_LARGE_FREE, /* large: not needed after all */
    /* queue -> writer */
    DOOR_WRITER,   /* writer: your number from now on */
    DOOR_SEGMENT,  /* + fd: segment, generation, size: yours to fill */
    DOOR_LARGE,    /* + fd: large: an empty large file, its name durable */
    DOOR_PRESSURE, /* level */
};

enum door_pressure { PRESSURE_NONE = 0, PRESSURE_SLOW, PRESSURE_FULL };

struct door_msg {
    enum door_type type;
    uint64_t writer;
    uint64_t segment, generation, offset, size;
    uint64_t large;
    enum door_pressure pressure;
};

void door_encode(struct buf *to, const struct door_msg *m);
bool door_decode(struct str frame, struct door_msg *m);
