/* SPDX-License-Identifier: ISC */
/*
 * What `gatepost` starts as. It explains bounces itself, which needs none of
 * the libraries of a server: loading those takes several times as long as an
 * explanation, and what strangers wrote is read in a process that has no
 * cryptography, no database and no resolver in it. All other commands, and the
 * other names (sendmail, mailq, newaliases), are gatepost-server's, which takes
 * this process over.
 */
#include "cli/commands.h"
#include "os/program.h"

#include <string.h>

int
main(int argc, char **argv)
{
    static const struct command *const groups[] = {explain_commands, NULL};
    const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
    struct err e;

    if (argc < 1)
        return COMMAND_USAGE;
    if (argc > 1 && strcmp(argv[1], "explain") == 0 &&
        strncmp(slash != NULL ? slash + 1 : argv[0], "gatepost", 8) == 0)
        return command_main(groups, argc, argv);
    program_become("gatepost-server", argv, &e);
    return command_fail(COMMAND_REFUSED,
                        "%s; it belongs beside the file gatepost", e.text);
}
