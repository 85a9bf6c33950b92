/* SPDX-License-Identifier: ISC */
/* The language of a command's answer: --lang, else the locale's. */
#pragma once

#include "cli/command.h"

/* For the table of a command that has it. */
#define LANG_OPTION                                                            \
    {                                                                          \
        "--lang", "LANG", "instead of the language of LC_ALL or LANG"          \
    }

/* false: --lang names none of ours; said so on stderr, and the command returns
 * COMMAND_USAGE. */
bool lang_choose(const struct invocation *in, unsigned *lang);
