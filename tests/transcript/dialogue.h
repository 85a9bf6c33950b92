/* SPDX-License-Identifier: ISC */
/*
 * A driver of the SMTP server machine for tests: it has a simple policy, keeps
 * the input that the machine does not want yet, and collects what the machine
 * says and which messages were accepted.
 */
#pragma once

#include "base/map.h"
#include "proto/smtp/server.h"

struct dialogue {
    struct smtp_server_options options;
    struct smtp_server server;
    bool forgiving; /* as if the client were on this host */
    bool started, closed;
    struct buf in;       /* what is not consumed yet */
    struct buf out;      /* what the server said */
    uint32_t recipients; /* accepted in this transaction */
    struct buf content;  /* of the message that is coming */
    struct buf message;  /* the last one accepted */
    size_t messages;
    struct map refused; /* "sender ADDR", "rcpt ADDR", "content" -> reply */
    struct buf user;    /* AUTH LOGIN: the name, while it waits */
    bool plain, want_password;
    struct str login_user, login_password; /* whom AUTH accepts */
};

void dialogue_init(struct dialogue *d);
void dialogue_fini(struct dialogue *d);
/* Once, after the options were changed. */
void dialogue_start(struct dialogue *d, bool tls);
void dialogue_send(struct dialogue *d, struct str bytes);
void dialogue_tls(struct dialogue *d); /* the handshake after STARTTLS */
/* what: "sender a@b"; reply: with codes, without CRLF */
void dialogue_refuse(struct dialogue *d, struct str what, struct str reply);
