/* SPDX-License-Identifier: ISC */
/*
 * TLS 1.2 and newer by OpenSSL, over memory: ciphertext in, plaintext out and
 * the other way round. No socket; os/conn.h joins the two.
 *
 * A context holds certificate and key or the trust anchors; it is counted, so
 * sessions keep theirs when it is replaced on reload.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"

struct tls_context;
struct tls;

/* PEM texts, chain included. NULL with *e naming what is wrong. */
struct tls_context *tls_server_context(struct str certificate, struct str key,
                                       struct err *e);
/* verify: the peer must present a certificate for the name asked for, issued
 * under `anchors` (PEM). Without it any certificate will do (opportunistic). */
struct tls_context *tls_client_context(bool verify, struct str anchors,
                                       struct err *e);
/* One that speaks nothing newer than TLS 1.1: to see that a peer refuses it. */
struct tls_context *tls_old_client_context(void);
void tls_context_free(struct tls_context *c); /* one reference less */

enum tls_state { TLS_HANDSHAKE = 0, TLS_OPEN, TLS_CLOSED, TLS_FAILED };

/* name: the peer's host name for SNI and verification; empty on a server. */
struct tls *tls_new(struct tls_context *c, struct str name);
void tls_free(struct tls *t);

/* Ciphertext from the peer (may be empty, to start a client's handshake).
 * Plaintext is appended to `plain`, ciphertext to send to `out`. */
enum tls_state tls_feed(struct tls *t, struct str cipher, struct buf *plain,
                        struct buf *out);
enum tls_state tls_write(struct tls *t, struct str plain, struct buf *out);
void tls_shutdown(struct tls *t, struct buf *out); /* close_notify */

/* "TLS1.3", "TLS_AES_256_GCM_SHA384" (the name that IANA has for it); empty
 * before it is open. */
struct str tls_version(const struct tls *t);
struct str tls_cipher(const struct tls *t);
const char *tls_error(const struct tls *t); /* why it failed */

/* What only the two ends of this connection know of it: "tls-unique" (RFC 5929)
 * under TLS 1.2, "tls-exporter" (RFC 9266). Appended; false: not to be had, or
 * not safe (RFC 7627). */
enum tls_binding { TLS_UNIQUE = 0, TLS_EXPORTER };
bool tls_channel_binding(const struct tls *t, enum tls_binding which,
                         struct buf *to);
