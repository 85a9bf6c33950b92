/* SPDX-License-Identifier: ISC */
/*
 * The service manager that started us, if one did (systemd's Type=notify).
 * Without one, or when it does not listen, nothing happens.
 */
#pragma once

#include <stdint.h>

enum service_state { SERVICE_READY = 0, SERVICE_RELOADING, SERVICE_STOPPING };

void service_tell(enum service_state state, int64_t mono_ms);
