/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/command.h"

/* What the last command that ran was given, as text. */
static char seen[400];

static int
note(struct invocation *in)
{
    const struct command *c = in->command;
    size_t n = 0;

    n += (size_t)snprintf(seen, sizeof seen, "%s %s %s json=%d", c->noun,
                          c->verb ? c->verb : "-", in->config, in->json);
    for (size_t i = 0; i < in->n_objects; i++)
        n += (size_t)snprintf(seen + n, sizeof seen - n, " [%s]",
                              in->objects[i]);
    for (const struct command_option *o = c->options; o && o->name; o++)
        if (command_has(in, o->name))
            n += (size_t)snprintf(seen + n, sizeof seen - n, " %s=%s", o->name,
                                  command_value(in, o->name));
    return COMMAND_NOTHING;
}

static const struct command_option options[] = {
    {"--subject", "TEXT", "what it says"},
    {"--all",     NULL,   "everything"  },
    {NULL,        NULL,   NULL          },
};

static const struct command mail[] = {
    {.noun = "mail",
     .verb = "send",
     .objects = "ADDRESS [FILE]",
     .min = 1,
     .max = 2,
     .help = "send it",
     .options = options,
     .run = note},
    {.noun = "mail", .verb = "list", .help = "list it", .run = note},
    {0                   },
};
static const struct command why[] = {
    {.noun = "why", .objects = "ID", .max = 1, .help = "why", .run = note},
    {0    },
};
static const struct command *const groups[] = {mail, why, NULL};

#define DEFAULT "/etc/gatepost/gatepost.conf"

static void
lines(void **state)
{
    static const struct {
        const char *line;
        int status;
        const char *seen; /* "": nothing ran */
    } cases[] = {
        {"mail list",                     1, "mail list " DEFAULT " json=0"          },
        {"mail --json list --config x",   1, "mail list x json=1"                    },
        {"--config=x mail list",          1, "mail list x json=0"                    },
        {"mail send a b",                 1, "mail send " DEFAULT " json=0 [a] [b]"  },
        {"mail send --subject s a --all", 1,
         "mail send " DEFAULT " json=0 [a] "
         "--subject=s --all="                                                        },
        {"mail send --subject=s=t a",     1,
         "mail send " DEFAULT " json=0 [a] --subject=s=t"                            },
        {"mail send --subject= a",        1,
         "mail send " DEFAULT " json=0 [a] --subject="                               },
        {"mail send -- --all",            1, "mail send " DEFAULT " json=0 [--all]"  },
        {"mail send a -",                 1, "mail send " DEFAULT " json=0 [a] [-]"  },
        {"why",                           1, "why - " DEFAULT " json=0"              },
        {"why 7K3MQ-2DF9P --json",        1, "why - " DEFAULT " json=1 [7K3MQ-2DF9P]"},
        {"",                              2, ""                                      },
        {"nail list",                     2, ""                                      },
        {"mail",                          2, ""                                      },
        {"mail lost",                     2, ""                                      },
        {"mail list a",                   2, ""                                      },
        {"mail send",                     2, ""                                      },
        {"mail send a b c",               2, ""                                      },
        {"mail send a --al",              2, ""                                      },
        {"mail send a --all=1",           2, ""                                      },
        {"mail send a --subject",         2, ""                                      },
        {"mail list --config",            2, ""                                      },
        {"mail list --subject s",         2, ""                                      },
        {"--subject mail list",           2, ""                                      },
        {"mail --help",                   0, ""                                      },
        {"mail send --help",              0, ""                                      },
        {"--help",                        0, ""                                      },
        {"--version",                     0, ""                                      },
        {"why a b",                       2, ""                                      },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char line[200], *argv[12] = {NULL}, *save = NULL;
        int argc = 0;
        (void)snprintf(line, sizeof line, "gatepost %s", cases[i].line);
        for (char *w = strtok_r(line, " ", &save); w != NULL;
             w = strtok_r(NULL, " ", &save))
            argv[argc++] = w;
        seen[0] = '\0';
        int status = command_main(groups, argc, argv);
        if (status != cases[i].status || strcmp(seen, cases[i].seen) != 0)
            fail_msg("%s: status %d, seen \"%s\"", cases[i].line, status, seen);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines),
    };
    return cmocka_run_group_tests_name("cli/command", tests, NULL, NULL);
}
