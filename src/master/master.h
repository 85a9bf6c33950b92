/* SPDX-License-Identifier: ISC */
/*
 * The foundation: reads the config, binds the ports, starts the rooms and
 * starts them again, connects them, and takes them down in order.
 *
 * user:   root if started so, for ports, folders and the rooms' users
 * holds:  config, listening sockets, certificate and key as sealed files
 * peers:  each room, by a pipe on which it says READY and RELOADED, no more
 * parses: the config, and those two words; no network, no mail, no string of
 *         a peer
 * owned:  by its config alone; who owns it owns the server
 */
#pragma once

#include <stdbool.h>

/*
 * Serves until SIGTERM or SIGINT; SIGHUP reloads. The exit status: 0 after a
 * clean end, 2 when nothing was started: config, accounts, state folder,
 * certificate or a port are not as they must be; said on stderr.
 * log_json: whatever the config says.
 */
int master_main(const char *config_file, bool log_json);
