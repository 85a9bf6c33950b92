/* SPDX-License-Identifier: ISC */
/* Every command there is: one array a file of this folder. */
#pragma once

#include "cli/command.h"

extern const struct command alias_commands[];
extern const struct command check_commands[];
extern const struct command config_commands[];
extern const struct command domain_commands[];
extern const struct command explain_commands[];
extern const struct command limit_commands[];
extern const struct command queue_commands[];
extern const struct command reasons_commands[];
extern const struct command rejects_commands[];
extern const struct command serve_commands[];
extern const struct command state_commands[];
extern const struct command trace_commands[];
extern const struct command user_commands[];
extern const struct command vacation_commands[];
extern const struct command why_commands[];

/* The binary under the names that programs know; exit statuses of sendmail are
 * those of sysexits.h. mailq is queue list. */
int mailq_main(int argc, char **argv);
int sendmail_main(int argc, char **argv);
int newaliases_main(int argc, char **argv);
