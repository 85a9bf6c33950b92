/* SPDX-License-Identifier: ISC */
/* AUTH in a session: the exchange (receive/sasl.h), then directory's word. */
#pragma once

#include "receive/session.h"

/* AUTH, or the client's next response: answers now, or parks the session. */
void auth_step(struct session *s, const struct smtp_event *ev);

/* The client gave up. */
void auth_end(struct session *s);

/* The login must not be waited for any longer. */
void auth_late(struct session *s);
