/* SPDX-License-Identifier: ISC */
/*
 * Ending the sessions of accounts that were taken out of service with --kick.
 * The others meet the gate at their next MAIL.
 */
#pragma once

#include "receive/worker.h"

/* The book has changed: to be looked at when the turn ends, once however many
 * changes came. */
void kick_note_change(struct worker *w);
void kick_at_turn_end(struct worker *w);
