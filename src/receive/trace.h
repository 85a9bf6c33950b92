/* SPDX-License-Identifier: ISC */
/*
 * What we write into a message that passes: the Received field (RFC 5321,
 * 4.4), and for our own users the Message-ID and Date they forgot (RFC 6409,
 * 8). Pure: who, when and how are parameters.
 */
#pragma once

#include "base/buf.h"
#include "base/id.h"
#include "base/str.h"

struct trace {
    struct str helo;     /* as said, any octets; empty: none */
    struct str client;   /* "192.0.2.1", "2001:db8::1"; empty: local */
    int64_t uid;         /* local: of the submitting program; -1: unknown */
    struct str hostname; /* ours */
    struct str protocol; /* RFC 3848, from trace_protocol() */
    struct str tls_version, tls_cipher; /* empty: in clear */
    struct msgid id;
    struct str recipient; /* the only one, or empty */
    int64_t wall_ms;
};

/* "SMTP", "ESMTPSA", "UTF8SMTPS", … (RFC 3848, RFC 6531 4.3) */
struct str trace_protocol(bool esmtp, bool tls, bool auth, bool utf8);

void trace_add_received(struct buf *to, const struct trace *t);
void trace_add_message_id(struct buf *to, const struct trace *t);
void trace_add_date(struct buf *to, const struct trace *t);
