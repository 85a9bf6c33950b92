/* SPDX-License-Identifier: ISC */
/*
 * The command line: `gatepost NOUN VERB [objects] [--options]`, as a table.
 *
 * A command is one entry of an array in a file of its own (src/cli/queue.c has
 * `queue_commands`), declared in src/cli/commands.h and listed in
 * src/cli/main.c. What is common to all is done here: --config FILE and --json
 * anywhere on the line, --help, unknown options, too few or too many objects.
 *
 *     static int
 *     run_add(struct invocation *in)
 *     {
 *         struct conf *conf = command_config(in);
 *         if (conf == NULL)
 *             return COMMAND_USAGE;
 *         const char *address = in->objects[0];
 *         if (!command_has(in, "--password-stdin"))
 *             return command_fail(COMMAND_USAGE, "user add: ...");
 *         ...
 *     }
 *     const struct command user_commands[] = {
 *         {.noun = "user", .verb = "add", .objects = "ADDRESS", .min = 1,
 *          .max = 1, .help = "make a mailbox", .options = add_options,
 *          .run = run_add},
 *         {0},
 *     };
 */
#pragma once

#include <stdio.h>

#include "base/arena.h"
#include "base/buf.h"
#include "conf/conf.h"

/* Exit statuses, the same for every command. */
enum {
    COMMAND_DONE = 0,
    COMMAND_NOTHING = 1,     /* nothing matched, or the answer is no */
    COMMAND_USAGE = 2,       /* command line or config wrong */
    COMMAND_REFUSED = 3,     /* understood, but not allowed or not possible */
    COMMAND_UNREACHABLE = 4, /* the server does not answer */
};

struct command_option {
    const char *name;  /* "--subject"; NULL ends the array */
    const char *value; /* "TEXT": it takes one; NULL: it is a flag */
    const char *help;
};

struct invocation {
    const struct command *command;
    const char *config; /* --config, or the default */
    bool json;
    const char **objects; /* NULL behind the last */
    size_t n_objects;
    const char **values; /* in the order of command->options; NULL: not given */
    struct arena arena;  /* ends with the command */
    struct conf *conf;   /* of command_config() */
};

struct command {
    const char *noun;    /* NULL ends the array */
    const char *verb;    /* NULL: a bare verb, `gatepost reasons` */
    const char *objects; /* for the help: "ADDRESS [TARGET...]" */
    size_t min, max;     /* objects; max 0: none */
    const char *help;    /* one line */
    const struct command_option *options; /* NULL: none */
    int (*run)(struct invocation *in);
};

/* All of the commands, `groups` ended by NULL; the program's exit status. */
int command_main(const struct command *const *groups, int argc, char **argv);

/* The option's value ("" for a flag); NULL when it was not given. */
const char *command_value(const struct invocation *in, const char *name);
bool command_has(const struct invocation *in, const char *name);

/* The config, read and checked; NULL when it is not usable: its problems are on
 * stderr and the command returns COMMAND_USAGE. Freed after the command. */
struct conf *command_config(struct invocation *in);

/* The text of a file, or of stdin for "-"; at most `max` octets. false: said
 * why on stderr. */
bool command_read(const char *path, size_t max, struct buf *to);

/* "gatepost: ..." on stderr; returns status. */
int command_fail(int status, const char *format, ...) PRINTF(2, 3);
