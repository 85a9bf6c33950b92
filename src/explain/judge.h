/* SPDX-License-Identifier: ISC */
/*
 * What a claim means. The words of the remote's reply weigh more than its
 * enhanced code, that more than the report's Status, that more than the reply
 * code; the stage narrows and does not veto.
 */
#pragma once

#include "explain/claim.h"
#include "explain/explain.h"

/* before: words of the notice that speak of no one recipient; alone: they may
 * speak of this one. Fills reason, confidence, permanent, reply, status, stage,
 * said, remote_mta; the kind is given. false: nothing was found to judge by. */
bool judge(struct arena *a, const struct claim *c, struct str before,
           bool alone, struct explained *e);
