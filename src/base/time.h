/* SPDX-License-Identifier: ISC */
/*
 * One moment, as both clocks saw it. Who decides by time gets it as a
 * parameter; only os/loop reads a clock.
 *
 * wall_ms is for people and for what must survive a restart (mail dates, next
 * attempt), mono_ms for deadlines and durations within this process.
 */
#pragma once

#include <stdint.h>

struct instant {
    int64_t wall_ms; /* milliseconds since 1970-01-01T00:00:00Z */
    int64_t mono_ms; /* milliseconds since some fixed point, never back */
};
