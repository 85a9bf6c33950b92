/* SPDX-License-Identifier: ISC */
/* What the parts of the client machine share; included by client*.c only. */
#pragma once

#include "proto/smtp/client.h"

/* The whole reply as a verdict about `command`, its text kept in the arena. */
struct verdict client_verdict(struct smtp_client *m, const char *command);
/* A sentence of ours; text and reason must outlive the transaction. */
struct verdict client_judge(const struct smtp_client *m, enum outcome outcome,
                            struct status status, const char *reason,
                            struct str text, const char *command);

/* 2, 3, 4 or 5: the class of the reply. */
unsigned client_class(const struct smtp_client *m);

/* The connection ends before a message was begun. */
void client_fail(struct smtp_client *m, struct verdict why);
/* The peer does not speak SMTP. */
void client_confused(struct smtp_client *m);

/* Replies, by state. more: input follows the reply. */
void client_on_greeting(struct smtp_client *m, bool more);
void client_on_ehlo(struct smtp_client *m, bool more);
void client_on_helo(struct smtp_client *m, bool more);
void client_on_starttls(struct smtp_client *m, bool more);
void client_on_auth(struct smtp_client *m, bool more);
void client_on_envelope(struct smtp_client *m, bool more);
void client_on_body(struct smtp_client *m, bool more);
void client_on_dot(struct smtp_client *m, bool more);

void client_say_ehlo(struct smtp_client *m);

/* Says as many commands of the transaction as may be said now. */
void client_advance(struct smtp_client *m);
/* Those without a verdict get this one; the transaction is over. */
void client_settle(struct smtp_client *m, struct verdict v);
/* The command whose answer is due. */
const char *client_stage(const struct smtp_client *m);
