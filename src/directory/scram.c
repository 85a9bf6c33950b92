/* SPDX-License-Identifier: ISC */
#include "directory/scram.h"

#include <gsasl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "os/sandbox.h"

/* The client pays for each, at each login; RFC 7677 asks for 4096 or more. */
enum { ITERATIONS = 20000, KEY_OCTETS = 32, PASSWORD_MAX_OCTETS = 511 };
#define SCHEME "SCRAM-SHA-256$"

struct scram_context {
    Gsasl *gsasl;
};

struct scram {
    Gsasl_session *session;
    bool plus, begun, trouble;
    scram_find_fn find;
    void *ctx;
    struct buf unique, exporter; /* base64 */
    struct buf verifier;
    struct str iterations, salt, stored_key, server_key; /* of verifier */
};

static void
add_base64(struct buf *to, const void *octets, size_t n)
{
    char *text = NULL;
    size_t length;

    if (gsasl_base64_to(octets, n, &text, &length) != GSASL_OK)
        abort(); // no memory
    (void)buf_reserve(to, length + 1);
    buf_add(to, str_from_n(text, length));
    alloc_wipe(text, length);
    gsasl_free(text);
}

static void
add_verifier(struct buf *to, const unsigned char salt[SCRAM_SALT],
             const char stored[KEY_OCTETS], const char server[KEY_OCTETS])
{
    (void)buf_reserve(to, 256); // no copy is left behind by growing
    buf_addf(to, SCHEME "%d:", (int)ITERATIONS);
    add_base64(to, salt, SCRAM_SALT);
    buf_add_char(to, '$');
    add_base64(to, stored, KEY_OCTETS);
    buf_add_char(to, ':');
    add_base64(to, server, KEY_OCTETS);
}

static bool
derive(const char *password, const unsigned char salt[SCRAM_SALT],
       struct buf *to)
{
    char salted[KEY_OCTETS], client[KEY_OCTETS], server[KEY_OCTETS];
    char stored[KEY_OCTETS], copy[SCRAM_SALT];

    memcpy(copy, salt, sizeof copy);
    bool ok = gsasl_scram_secrets_from_password(
                  GSASL_HASH_SHA256, password, ITERATIONS, copy, SCRAM_SALT,
                  salted, client, server, stored) == GSASL_OK;
    if (ok)
        add_verifier(to, salt, stored, server);
    alloc_wipe(salted, sizeof salted);
    alloc_wipe(client, sizeof client);
    alloc_wipe(server, sizeof server);
    alloc_wipe(stored, sizeof stored);
    return ok;
}

bool
scram_verifier(struct str password, const unsigned char salt[SCRAM_SALT],
               struct buf *to)
{
    char text[PASSWORD_MAX_OCTETS + 1], *prepared = NULL;

    if (password.n == 0 || password.n > PASSWORD_MAX_OCTETS ||
        str_find_char(password, '\0') >= 0)
        return false;
    memcpy(text, password.p, password.n);
    text[password.n] = '\0';
    bool ok = gsasl_saslprep(text, 0, &prepared, NULL) == GSASL_OK &&
              prepared[0] != '\0' && derive(prepared, salt, to);
    if (prepared != NULL)
        alloc_wipe(prepared, strlen(prepared));
    gsasl_free(prepared);
    alloc_wipe(text, sizeof text);
    return ok;
}

void
scram_nobody(const unsigned char salt[SCRAM_SALT], struct buf *to)
{
    char stored[KEY_OCTETS], server[KEY_OCTETS];

    sandbox_random(stored, sizeof stored);
    sandbox_random(server, sizeof server);
    add_verifier(to, salt, stored, server);
}

/* ---- the exchange ------------------------------------------------------- */

static bool
take_apart(struct scram *s)
{
    struct str rest = buf_str(&s->verifier), keys, head;

    return str_skip(&rest, STR(SCHEME)) && str_cut(rest, '$', &head, &keys) &&
           str_cut(head, ':', &s->iterations, &s->salt) &&
           str_cut(keys, ':', &s->stored_key, &s->server_key);
}

/* The name is known by now. */
static bool
find_verifier(struct scram *s)
{
    if (s->verifier.n > 0)
        return true;
    struct str name = str_from(gsasl_property_fast(s->session, GSASL_AUTHID));
    s->trouble = !s->find(s->ctx, name, &s->verifier) || !take_apart(s);
    return !s->trouble;
}

static int
give(struct scram *s, Gsasl_property property, struct str value)
{
    if (value.n == 0)
        return GSASL_NO_CALLBACK;
    return gsasl_property_set_raw(s->session, property, value.p, value.n);
}

/* Whatever the library wants to know. */
static int
on_property(Gsasl *gsasl, Gsasl_session *session, Gsasl_property property)
{
    struct scram *s = gsasl_session_hook_get(session);

    (void)gsasl;
    if (s == NULL)
        return GSASL_NO_CALLBACK;
    if (property == GSASL_CB_TLS_UNIQUE)
        return give(s, property, buf_str(&s->unique));
    if (property == GSASL_CB_TLS_EXPORTER)
        return give(s, property, buf_str(&s->exporter));
    bool wanted =
        property == GSASL_SCRAM_ITER || property == GSASL_SCRAM_SALT ||
        property == GSASL_SCRAM_STOREDKEY || property == GSASL_SCRAM_SERVERKEY;
    if (!wanted || !find_verifier(s))
        return GSASL_NO_CALLBACK;
    return give(s, property,
                property == GSASL_SCRAM_ITER        ? s->iterations
                : property == GSASL_SCRAM_SALT      ? s->salt
                : property == GSASL_SCRAM_STOREDKEY ? s->stored_key
                                                    : s->server_key);
}

struct scram_context *
scram_context_new(void)
{
    struct scram_context *c = alloc_zero(sizeof *c);
    if (gsasl_init(&c->gsasl) != GSASL_OK)
        abort();
    gsasl_callback_set(c->gsasl, on_property);
    return c;
}

void
scram_context_free(struct scram_context *c)
{
    if (c == NULL)
        return;
    gsasl_done(c->gsasl);
    free(c);
}

struct scram *
scram_new(struct scram_context *c, bool plus,
          const struct scram_binding *binding, scram_find_fn find, void *ctx)
{
    struct scram *s = alloc_zero(sizeof *s);

    s->plus = plus;
    s->find = find;
    s->ctx = ctx;
    if (binding->unique.n > 0)
        add_base64(&s->unique, binding->unique.p, binding->unique.n);
    if (binding->exporter.n > 0)
        add_base64(&s->exporter, binding->exporter.p, binding->exporter.n);
    if (gsasl_server_start(c->gsasl,
                           plus ? "SCRAM-SHA-256-PLUS" : "SCRAM-SHA-256",
                           &s->session) != GSASL_OK)
        abort();
    gsasl_session_hook_set(s->session, s);
    return s;
}

/* RFC 5802, 6: -PLUS is the name for a bound channel, and only that. "y" says
 * that the client could bind it and was told that we cannot. We can, so
 * somebody in between has cut our offer. */
static bool
may_begin(const struct scram *s, struct str bytes)
{
    if (s->plus || str_starts(bytes, STR("p")))
        return s->plus && str_starts(bytes, STR("p="));
    return s->unique.n + s->exporter.n == 0 || !str_starts(bytes, STR("y"));
}

enum scram_result
scram_step(struct scram *s, struct str bytes, struct buf *challenge)
{
    char *out = NULL;
    size_t n = 0;

    if (!s->begun && !may_begin(s, bytes))
        return SCRAM_DENIED;
    s->begun = true;
    if (bytes.n == 0) // the library takes it for "nothing was said yet"
        return SCRAM_DENIED;
    int rc = gsasl_step(s->session, bytes.p, bytes.n, &out, &n);
    if (rc == GSASL_OK || rc == GSASL_NEEDS_MORE)
        buf_add(challenge, str_from_n(out, n));
    gsasl_free(out);
    if (s->trouble)
        return SCRAM_TROUBLE;
    // Nobody may act for somebody else.
    const char *authzid = gsasl_property_fast(s->session, GSASL_AUTHZID);
    const char *authid = gsasl_property_fast(s->session, GSASL_AUTHID);
    if (authzid != NULL && authzid[0] != '\0' &&
        (authid == NULL || strcmp(authzid, authid) != 0))
        return SCRAM_DENIED;
    return rc == GSASL_NEEDS_MORE ? SCRAM_MORE
           : rc == GSASL_OK       ? SCRAM_PROVEN
                                  : SCRAM_DENIED;
}

void
scram_free(struct scram *s)
{
    if (s == NULL)
        return;
    gsasl_finish(s->session);
    buf_wipe(&s->verifier);
    buf_fini(&s->unique);
    buf_fini(&s->exporter);
    free(s);
}
