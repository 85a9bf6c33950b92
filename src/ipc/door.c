/* SPDX-License-Identifier: ISC */
#include "ipc/door.h"

#include "base/wire.h"

/* Which fields travel with a type: the codec's whole specification. */
enum {
    HAS_WRITER = 1,
    HAS_SEGMENT = 2, /* and generation */
    HAS_OFFSET = 4,
    HAS_SIZE = 8,
    HAS_LARGE = 16,
    HAS_PRESSURE = 32,
    KNOWN = 64,
};

static unsigned
fields_of(unsigned type)
{
    switch ((enum door_type)type) {
    case DOOR_HELLO:
        return KNOWN | HAS_WRITER | HAS_SIZE;
    case DOOR_WRITER:
        return KNOWN | HAS_WRITER;
    case DOOR_HOLDING:
        return KNOWN | HAS_SEGMENT | HAS_OFFSET | HAS_LARGE;
    case DOOR_WATERMARK:
    case DOOR_SEALED:
        return KNOWN | HAS_SEGMENT | HAS_OFFSET;
    case DOOR_SEGMENT:
        return KNOWN | HAS_SEGMENT | HAS_SIZE;
    case DOOR_LARGE:
    case DOOR_LARGE_FREE:
        return KNOWN | HAS_LARGE;
    case DOOR_PRESSURE:
        return KNOWN | HAS_PRESSURE;
    case DOOR_NONE:
    default:
        return 0;
    }
}

void
door_encode(struct buf *to, const struct door_msg *m)
{
    unsigned has = fields_of(m->type);

    wire_add_u8(to, (uint8_t)m->type);
    if (has & HAS_WRITER)
        wire_add_u64(to, m->writer);
    if (has & HAS_SEGMENT) {
        wire_add_u64(to, m->segment);
        wire_add_u64(to, m->generation);
    }
    if (has & HAS_OFFSET)
        wire_add_u64(to, m->offset);
    if (has & HAS_SIZE)
        wire_add_u64(to, m->size);
    if (has & HAS_LARGE)
        wire_add_u64(to, m->large);
    if (has & HAS_PRESSURE)
        wire_add_u8(to, (uint8_t)m->pressure);
}

bool
door_decode(struct str frame, struct door_msg *m)
{
    struct wire in = wire_from(frame);
    uint8_t type = wire_u8(&in), pressure = 0;
    unsigned has = fields_of(type);

    *m = (struct door_msg){0};
    if (!(has & KNOWN))
        return false;
    m->type = (enum door_type)type;
    if (has & HAS_WRITER)
        m->writer = wire_u64(&in);
    if (has & HAS_SEGMENT) {
        m->segment = wire_u64(&in);
        m->generation = wire_u64(&in);
    }
    if (has & HAS_OFFSET)
        m->offset = wire_u64(&in);
    if (has & HAS_SIZE)
        m->size = wire_u64(&in);
    if (has & HAS_LARGE)
        m->large = wire_u64(&in);
    if (has & HAS_PRESSURE)
        pressure = wire_u8(&in);
    if (pressure > PRESSURE_FULL)
        return false;
    m->pressure = (enum door_pressure)pressure;
    return wire_done(&in);
}
