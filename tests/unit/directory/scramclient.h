/* SPDX-License-Identifier: ISC */
/* The client's side of SCRAM-SHA-256, as GNU SASL does it. */
#pragma once

#include <gsasl.h>

#include "base/buf.h"

struct scramclient {
    Gsasl *gsasl;
    Gsasl_session *session;
    int last;
};

static inline void
scramclient_init(struct scramclient *c, const char *user, const char *password)
{
    c->last = GSASL_NEEDS_MORE;
    assert_int_equal(gsasl_init(&c->gsasl), GSASL_OK);
    assert_int_equal(gsasl_client_start(c->gsasl, "SCRAM-SHA-256", &c->session),
                     GSASL_OK);
    assert_int_equal(gsasl_property_set(c->session, GSASL_AUTHID, user),
                     GSASL_OK);
    assert_int_equal(gsasl_property_set(c->session, GSASL_PASSWORD, password),
                     GSASL_OK);
}

/* false: what the server said is not right. */
static inline bool
scramclient_step(struct scramclient *c, struct str said, struct buf *out)
{
    char *p = NULL;
    size_t n = 0;

    buf_clear(out);
    c->last = gsasl_step(c->session, said.p, said.n, &p, &n);
    if (c->last != GSASL_OK && c->last != GSASL_NEEDS_MORE)
        return false;
    buf_add(out, str_from_n(p, n));
    gsasl_free(p);
    return true;
}

/* Has the server shown that it knows the password too? */
static inline bool
scramclient_content(const struct scramclient *c)
{
    return c->last == GSASL_OK;
}

static inline void
scramclient_fini(struct scramclient *c)
{
    gsasl_finish(c->session);
    gsasl_done(c->gsasl);
}
