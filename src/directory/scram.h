/* SPDX-License-Identifier: ISC */
/*
 * SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 7677, 5802) by GNU SASL, the
 * server's side. It is here and not where the client is, because who has the
 * verifier can pretend to be the server: it stays with the passwords.
 *
 *     x = scram_new(context, plus, &binding, find, ctx);
 *     switch (scram_step(x, from_client, &to_client)) ...
 *     scram_free(x);
 */
#pragma once

#include "base/buf.h"
#include "base/str.h"

enum { SCRAM_SALT = 16 };

/* A new verifier, appended: "SCRAM-SHA-256$ITERATIONS:SALT$STORED:SERVER" (RFC
 * 5803). Takes 50 ms. false: the password has no form that clients agree on
 * (RFC 4013), so only PLAIN and LOGIN can bring it. */
bool scram_verifier(struct str password, const unsigned char salt[SCRAM_SALT],
                    struct buf *to);

/* What stands in for the verifier of nobody: as any other, and never right. */
void scram_nobody(const unsigned char salt[SCRAM_SALT], struct buf *to);

struct scram_context; /* one a process */
struct scram;         /* one exchange */

struct scram_context *scram_context_new(void);
void scram_context_free(struct scram_context *c);

/* Appends the verifier of that login name, or nobody's; false: cannot now. */
typedef bool (*scram_find_fn)(void *ctx, struct str name, struct buf *verifier);

/* Channel binding data of the client's TLS connection; empty: not known. */
struct scram_binding {
    struct str unique, exporter;
};

struct scram *scram_new(struct scram_context *c, bool plus,
                        const struct scram_binding *binding, scram_find_fn find,
                        void *ctx);

enum scram_result {
    SCRAM_DENIED = 0, /* wrong, or not what the mechanism says */
    SCRAM_MORE,       /* say that to the client */
    SCRAM_PROVEN,     /* right; say that, and the client will say nothing */
    SCRAM_TROUBLE,    /* find() failed */
};
enum scram_result scram_step(struct scram *s, struct str bytes,
                             struct buf *challenge);
void scram_free(struct scram *s);
