/* SPDX-License-Identifier: ISC */
/* What server.c (lines, the driver's side), command.c (the verbs),
 * server_content.c and peek.c share; nobody else includes it. */
#pragma once

#include "proto/smtp/server.h"

/* Octets of a command line: 512 and what all our extensions add. */
enum { SERVER_LINE_MAX = 2048 };

/* *line, up to and with its LF, without its end and the blanks in front of
 * that. false: LF alone ended it. */
bool server_cut_end(struct str *line);
bool server_has_control(struct str line);

/* A reply; a 5xx counts as an error, a 421 ends all. */
void server_say(struct smtp_server *m, struct str reply);
/* A 5xx that follows from an earlier one of ours, to who pipelines (RFC 2920):
 * it is not counted. */
void server_say_innocent(struct smtp_server *m, struct str reply);
/* An event that waits for its answer. */
void server_ask(struct smtp_server *m, enum smtp_event_type type,
                struct smtp_event *ev);
/* Forgets m->kept, which may be a password. */
void server_forget_kept(struct smtp_server *m);
/* Nothing more is said or heard. */
void server_end(struct smtp_server *m);
/* A reply to who speaks another protocol, and the end. */
void server_end_foreign(struct smtp_server *m, struct str reply);
/* Leaves the transaction; true if there was one. */
bool server_leave(struct smtp_server *m);
/* The chunk that follows is read over; its reply comes behind it, then the
 * state is `back`. innocent: as server_say_innocent(). */
void server_waste_chunk(struct smtp_server *m, struct str reply,
                        enum smtp_state back, bool innocent);

void command_run(struct smtp_server *m, struct str line, struct smtp_event *ev);
void command_auth_response(struct smtp_server *m, struct str line,
                           struct smtp_event *ev);

void server_content_begin(struct smtp_server *m);
size_t server_content_feed_data(struct smtp_server *m, struct str input,
                                struct smtp_event *ev);
size_t server_content_feed_chunk(struct smtp_server *m, struct str input,
                                 struct smtp_event *ev);
/* All octets of the chunk have come. */
void server_content_end_chunk(struct smtp_server *m, struct smtp_event *ev);
/* The driver has the message: "250 2.0.0 DETAIL". */
void server_content_accept(struct smtp_server *m, struct str detail);
