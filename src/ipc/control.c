/* SPDX-License-Identifier: ISC */
#include "ipc/control.h"

#include "base/wire.h"

/* Which fields travel with a type: the codec's whole specification. */
enum { HAS_PIPE = 1, HAS_PROCESS = 2, HAS_NAME = 4, KNOWN = 8 };

enum { NAME_MAX_OCTETS = 255 };

static const char *const role_names[ROLE_COUNT] = {
    [ROLE_RECEIVE] = "receive", [ROLE_DIRECTORY] = "directory",
    [ROLE_QUEUE] = "queue",     [ROLE_SEND] = "send",
    [ROLE_MAILBOX] = "mailbox", [ROLE_NOTIFY] = "notify",
    [ROLE_JOURNAL] = "journal",
};

const char *
role_name(enum role role)
{
    return role < ROLE_COUNT ? role_names[role] : NULL;
}

enum role
role_from_name(struct str name)
{
    for (enum role r = ROLE_NONE + 1; r < ROLE_COUNT; r++)
        if (str_eq(name, str_from(role_names[r])))
            return r;
    return ROLE_NONE;
}

static unsigned
fields_of(unsigned type)
{
    switch ((enum control_type)type) {
    case CONTROL_PEER:
        return KNOWN | HAS_PIPE | HAS_PROCESS;
    case CONTROL_REAPED:
        return KNOWN | HAS_PROCESS;
    case CONTROL_LISTEN:
    case CONTROL_FILE:
        return KNOWN | HAS_NAME;
    case CONTROL_GO:
    case CONTROL_CONFIG:
    case CONTROL_DRAIN:
    case CONTROL_STOP:
    case CONTROL_READY:
    case CONTROL_RELOADED:
        return KNOWN;
    case CONTROL_NONE:
    default:
        return 0;
    }
}

void
control_encode(struct buf *to, const struct control_msg *m)
{
    unsigned has = fields_of(m->type);

    wire_add_u8(to, (uint8_t)m->type);
    if (has & HAS_PIPE)
        wire_add_u8(to, (uint8_t)m->pipe);
    if (has & HAS_PROCESS) {
        wire_add_u8(to, (uint8_t)m->role);
        wire_add_u32(to, m->slot);
        wire_add_u64(to, m->incarnation);
    }
    if (has & HAS_NAME)
        wire_add_str(to, m->name);
}

bool
control_decode(struct str frame, struct control_msg *m)
{
    struct wire in = wire_from(frame);
    unsigned type = wire_u8(&in), pipe = PIPE_BOOK, role = ROLE_RECEIVE;
    unsigned has = fields_of(type);

    *m = (struct control_msg){.type = (enum control_type)type};
    if (has & HAS_PIPE) {
        pipe = wire_u8(&in);
        m->pipe = (enum pipe)pipe;
    }
    if (has & HAS_PROCESS) {
        role = wire_u8(&in);
        m->role = (enum role)role;
        m->slot = wire_u32(&in);
        m->incarnation = wire_u64(&in);
    }
    if (has & HAS_NAME)
        m->name = wire_str(&in);
    return (has & KNOWN) != 0 && wire_done(&in) && pipe > PIPE_NONE &&
           pipe < PIPE_COUNT && role > ROLE_NONE && role < ROLE_COUNT &&
           m->name.n <= NAME_MAX_OCTETS;
}
