/* SPDX-License-Identifier: ISC */
/*
 * gatepost-server: a room when master starts it so, else what its name says
 * (sendmail, mailq, newaliases), else the command line. `gatepost` becomes it
 * (front.c).
 */
#include "cli/commands.h"
#include "directory/directory.h"
#include "journal/journal.h"
#include "mailbox/mailbox.h"
#include "notify/notify.h"
#include "queue/queue.h"
#include "receive/receive.h"
#include "send/send.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const struct command *const groups[] = {
    serve_commands,   domain_commands,  user_commands,     state_commands,
    limit_commands,   alias_commands,   vacation_commands, queue_commands,
    reasons_commands, explain_commands, config_commands,   check_commands,
    why_commands,     trace_commands,   rejects_commands,  NULL,
};

/* `gatepost --room ROLE SLOT INCARNATION`, only from master. */
static const struct {
    const char *role;
    int (*run)(uint32_t slot, uint64_t incarnation);
} rooms[] = {
    {"receive",   receive_main  },
    {"directory", directory_main},
    {"queue",     queue_main    },
    {"send",      send_main     },
    {"mailbox",   mailbox_main  },
    {"notify",    notify_main   },
    {"journal",   journal_main  },
    {NULL,        NULL          },
};

/* The binary under another name. */
static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
} personalities[] = {
    {"mailq",      mailq_main     },
    {"sendmail",   sendmail_main  },
    {"newaliases", newaliases_main},
    {NULL,         NULL           },
};

static int
run_room(int argc, char **argv)
{
    uint64_t slot, incarnation;

    if (argc != 5 || !str_to_u64(str_from(argv[3]), &slot) ||
        slot > UINT32_MAX || !str_to_u64(str_from(argv[4]), &incarnation))
        return command_fail(COMMAND_USAGE, "--room is for the server itself");
    for (size_t i = 0; rooms[i].role != NULL; i++)
        if (strcmp(rooms[i].role, argv[2]) == 0)
            return rooms[i].run((uint32_t)slot, incarnation);
    return command_fail(COMMAND_USAGE, "no such room: %s", argv[2]);
}

int
main(int argc, char **argv)
{
    const char *name = argc > 0 ? strrchr(argv[0], '/') : NULL;

    if (argc < 1)
        return COMMAND_USAGE;
    name = name != NULL ? name + 1 : argv[0];
    if (argc > 1 && strcmp(argv[1], "--room") == 0)
        return run_room(argc, argv);
    for (size_t i = 0; personalities[i].name != NULL; i++) {
        if (strcmp(personalities[i].name, name) == 0)
            return personalities[i].run(argc, argv);
        if (argc > 1 && strcmp(personalities[i].name, argv[1]) == 0)
            return personalities[i].run(argc - 1, argv + 1);
    }
    return command_main(groups, argc, argv);
}
