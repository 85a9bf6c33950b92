/* SPDX-License-Identifier: ISC */
#include "receive/sasl.h"

#include <gsasl.h>
#include <stdlib.h>

#include "base/alloc.h"

struct sasl_context {
    Gsasl *gsasl;
};

struct sasl {
    Gsasl_session *session; /* NULL: SCRAM */
    bool login;             /* the mechanism is LOGIN */
    bool plus;              /* it is SCRAM-SHA-256-PLUS */
    bool begun;             /* SCRAM: something was passed on */
    unsigned steps;         /* challenges made so far */
    bool complete;          /* the call-back saw the credentials */
    struct buf user, password;
};

static void
keep(struct buf *to, const char *text)
{
    struct str s = str_from(text);
    (void)buf_reserve(to, s.n + 1); // no copy is left behind by growing
    buf_add(to, s);
}

/*
 * Both mechanisms ask for this at their end. "Yes" to the library only means
 * that the exchange was well-formed. A PLAIN response that names somebody else
 * to act for (RFC 4616) is refused: nobody may.
 */
static int
on_property(Gsasl *gsasl, Gsasl_session *session, Gsasl_property property)
{
    struct sasl *s = gsasl_session_hook_get(session);
    (void)gsasl;
    if (property != GSASL_VALIDATE_SIMPLE || s == NULL)
        return GSASL_NO_CALLBACK;
    struct str authzid = str_from(gsasl_property_fast(session, GSASL_AUTHZID));
    keep(&s->user, gsasl_property_fast(session, GSASL_AUTHID));
    keep(&s->password, gsasl_property_fast(session, GSASL_PASSWORD));
    s->complete = authzid.n == 0 || str_eq(authzid, buf_str(&s->user));
    return s->complete ? GSASL_OK : GSASL_AUTHENTICATION_ERROR;
}

struct sasl_context *
sasl_context_new(void)
{
    struct sasl_context *c = alloc_zero(sizeof *c);
    if (gsasl_init(&c->gsasl) != GSASL_OK)
        abort();
    gsasl_callback_set(c->gsasl, on_property);
    return c;
}

void
sasl_context_free(struct sasl_context *c)
{
    if (c == NULL)
        return;
    gsasl_done(c->gsasl);
    free(c);
}

struct sasl *
sasl_new(struct sasl_context *c, struct str mechanism)
{
    struct sasl *s = alloc_zero(sizeof *s);
    s->plus = str_eq_nocase(mechanism, STR("SCRAM-SHA-256-PLUS"));
    if (s->plus || str_eq_nocase(mechanism, STR("SCRAM-SHA-256")))
        return s;
    s->login = str_eq_nocase(mechanism, STR("LOGIN"));
    if ((!s->login && !str_eq_nocase(mechanism, STR("PLAIN"))) ||
        gsasl_server_start(c->gsasl, s->login ? "LOGIN" : "PLAIN",
                           &s->session) != GSASL_OK) {
        free(s);
        return NULL;
    }
    gsasl_session_hook_set(s->session, s);
    return s;
}

/* What LOGIN asks is in no standard; these words are the ones that the strict
 * among the clients look for, and not those of the library. */
static void
add_challenge(struct sasl *s, struct buf *challenge)
{
    if (s->login)
        buf_add(challenge, s->steps == 0 ? STR("Username:") : STR("Password:"));
    s->steps++;
}

static enum sasl_result
step(struct sasl *s, struct str bytes, struct buf *challenge)
{
    char *out = NULL;
    size_t n = 0;
    int rc = gsasl_step(s->session, bytes.p, bytes.n, &out, &n);
    gsasl_free(out);
    if (rc == GSASL_NEEDS_MORE) {
        add_challenge(s, challenge);
        return SASL_MORE;
    }
    return rc == GSASL_OK && s->complete ? SASL_CREDENTIALS : SASL_MALFORMED;
}

/* It is the client who begins. */
static enum sasl_result
pass_on(struct sasl *s, struct str bytes, bool given)
{
    enum { LONGEST = 4096 };
    if (!s->begun && !given)
        return SASL_MORE;
    if (bytes.n > LONGEST)
        return SASL_MALFORMED;
    enum sasl_result r = s->begun ? SASL_PASS_ON : SASL_BEGIN;
    s->begun = true;
    return r;
}

enum sasl_result
sasl_step(struct sasl *s, struct str bytes, bool given, struct buf *challenge)
{
    if (s->session == NULL)
        return pass_on(s, bytes, given);
    // The library takes an empty PLAIN response for none and asks again.
    if (!s->login && given && bytes.n == 0)
        return SASL_MALFORMED;
    // The library's LOGIN always asks for the name first, said or not.
    if (s->login && s->steps == 0 && given) {
        enum sasl_result r = step(s, STR_EMPTY, challenge);
        buf_clear(challenge);
        if (r != SASL_MORE)
            return r;
    }
    return step(s, bytes, challenge);
}

bool
sasl_plus(const struct sasl *s)
{
    return s->plus;
}

struct str
sasl_user(const struct sasl *s)
{
    return buf_str(&s->user);
}

struct str
sasl_password(const struct sasl *s)
{
    return buf_str(&s->password);
}

void
sasl_free(struct sasl *s)
{
    if (s == NULL)
        return;
    if (s->session != NULL)
        gsasl_finish(s->session);
    buf_wipe(&s->password);
    buf_fini(&s->user);
    free(s);
}
