/* SPDX-License-Identifier: ISC */
/*
 * `gatepost check self`: could somebody abuse this server? Twice: by its rules,
 * with the gate as a stranger from far away would meet it, and over its ports,
 * where the server runs. What is tried: every spelling that once led an open
 * relay astray, senders that are forged or empty, users who do not exist, AUTH
 * without TLS, VRFY and EXPN.
 */
#pragma once

#include "cli/command.h"

int checkself_run(struct invocation *in);
