/* SPDX-License-Identifier: ISC */
/* gatepost serve */
#include "cli/commands.h"
#include "master/master.h"

#include <string.h>

static int
run_serve(struct invocation *in)
{
    const char *form = command_value(in, "--log");

    if (form != NULL && strcmp(form, "json") != 0 && strcmp(form, "text") != 0)
        return command_fail(COMMAND_USAGE,
                            "serve: --log: expected text or json, found "
                            "\"%s\"",
                            form);
    return master_main(in->config, form != NULL && strcmp(form, "json") == 0);
}

static const struct command_option serve_options[] = {
    {"--log", "FORM", "text or json: form of the log on standard error"},
    {NULL,    NULL,   NULL                                             },
};

const struct command serve_commands[] = {
    {.noun = "serve",
     .help = "run the server in the foreground",
     .options = serve_options,
     .run = run_serve},
    {0},
};
