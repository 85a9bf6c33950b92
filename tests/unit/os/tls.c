/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include <openssl/ssl.h>

#include "cert.h"
#include "os/tls.h"

/* Both ends, and what is on the way between them. */
struct pair {
    struct tls *client, *server;
    struct buf to_client, to_server, at_client, at_server;
    enum tls_state client_state, server_state;
};

/* Carries octets to and fro, `piece` at a time, until nothing moves. */
static void
shuttle(struct pair *p, size_t piece)
{
    p->client_state =
        tls_feed(p->client, STR_EMPTY, &p->at_client, &p->to_server);
    while (p->to_server.n + p->to_client.n > 0) {
        struct str s = str_first(buf_str(&p->to_server), piece);
        p->server_state = tls_feed(p->server, s, &p->at_server, &p->to_client);
        buf_consume(&p->to_server, s.n);
        s = str_first(buf_str(&p->to_client), piece);
        p->client_state = tls_feed(p->client, s, &p->at_client, &p->to_server);
        buf_consume(&p->to_client, s.n);
    }
}

static struct pair
pair_new(struct tls_context *client, struct tls_context *server,
         const char *name)
{
    return (struct pair){.client = tls_new(client, str_from(name)),
                         .server = tls_new(server, STR_EMPTY)};
}

static void
pair_free(struct pair *p)
{
    tls_free(p->client);
    tls_free(p->server);
    buf_fini(&p->to_client);
    buf_fini(&p->to_server);
    buf_fini(&p->at_client);
    buf_fini(&p->at_server);
}

static void
conversation(void **state)
{
    static const size_t pieces[] = {1, 7, 1 << 20};
    struct cert cert = cert_new("DNS:mx.example");
    struct err e;
    struct tls_context *server =
        tls_server_context(buf_str(&cert.certificate), buf_str(&cert.key), &e);
    struct tls_context *client = tls_client_context(false, STR_EMPTY, &e);
    (void)state;
    assert_non_null(server);
    assert_non_null(client);
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        struct pair p = pair_new(client, server, "other.example");
        assert_int_equal(tls_version(p.client).n, 0);
        shuttle(&p, pieces[i]);
        assert_int_equal(p.client_state, TLS_OPEN);
        assert_int_equal(p.server_state, TLS_OPEN);
        assert_true(str_eq(tls_version(p.server), STR("TLS1.3")));
        assert_true(str_starts(tls_cipher(p.client), STR("TLS_")));

        char big[40000];
        memset(big, 'x', sizeof big);
        (void)tls_write(p.client, STR("hello"), &p.to_server);
        (void)tls_write(p.server, str_from_n(big, sizeof big), &p.to_client);
        shuttle(&p, pieces[i]);
        assert_true(str_eq(buf_str(&p.at_server), STR("hello")));
        assert_int_equal(p.at_client.n, sizeof big);

        tls_shutdown(p.client, &p.to_server);
        shuttle(&p, pieces[i]);
        assert_int_equal(p.server_state, TLS_CLOSED);
        pair_free(&p);
    }
    tls_context_free(client);
    tls_context_free(server);
    cert_fini(&cert);
}

static void
verification(void **state)
{
    static const struct {
        const char *name;
        bool right_anchor, open;
    } cases[] = {
        {"mx.example",    true,  true },
        {"127.0.0.1",     true,  true },
        {"other.example", true,  false},
        {"127.0.0.2",     true,  false},
        {"",              true,  false},
        {"mx.example",    false, false},
    };
    struct cert cert = cert_new("DNS:mx.example, IP:127.0.0.1");
    struct cert other = cert_new("DNS:mx.example");
    struct err e;
    struct tls_context *server =
        tls_server_context(buf_str(&cert.certificate), buf_str(&cert.key), &e);
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tls_context *client = tls_client_context(
            true,
            buf_str(cases[i].right_anchor ? &cert.certificate
                                          : &other.certificate),
            &e);
        assert_non_null(client);
        struct pair p = pair_new(client, server, cases[i].name);
        tls_context_free(client); // the session keeps what it needs
        shuttle(&p, 1 << 20);
        assert_int_equal(p.client_state, cases[i].open ? TLS_OPEN : TLS_FAILED);
        assert_int_equal(strlen(tls_error(p.client)) > 0, !cases[i].open);
        pair_free(&p);
    }
    tls_context_free(server);
    cert_fini(&cert);
    cert_fini(&other);
}

static void
bad_files(void **state)
{
    struct cert a = cert_new("DNS:a.example"), b = cert_new("DNS:b.example");
    struct str cert = buf_str(&a.certificate), key = buf_str(&a.key);
    struct str other = buf_str(&b.key);
    const struct {
        struct str certificate, key;
        const char *says;
    } cases[] = {
        {STR_EMPTY,      key,  "expected a certificate"},
        {STR("not PEM"), key,  "expected a certificate"},
        {key,            key,  "expected a certificate"},
        {str_first(cert, 200), key,                      "expected a certificate"},
        {cert,              STR_EMPTY,               "expected a private key"                },
        {cert,              cert,               "expected a private key"     },
        {cert,              other,               "does not belong"               },
    };
    struct err e;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_null(tls_server_context(cases[i].certificate, cases[i].key, &e));
        assert_non_null(strstr(e.text, cases[i].says));
    }
    assert_null(tls_client_context(true, STR_EMPTY, &e));
    assert_null(tls_client_context(true, STR("junk"), &e));
    cert_fini(&a);
    cert_fini(&b);
}

/* A client that speaks SMTP, or nonsense, where TLS was agreed. */
static void
no_tls(void **state)
{
    struct cert cert = cert_new("DNS:mx.example");
    struct err e;
    struct buf plain = {0}, out = {0};
    struct tls_context *server =
        tls_server_context(buf_str(&cert.certificate), buf_str(&cert.key), &e);
    (void)state;
    struct tls *t = tls_new(server, STR_EMPTY);
    assert_int_equal(tls_feed(t, STR("EHLO client.example\r\n"), &plain, &out),
                     TLS_FAILED);
    assert_true(strlen(tls_error(t)) > 0);
    assert_int_equal(tls_feed(t, STR("more"), &plain, &out), TLS_FAILED);
    assert_int_equal(tls_write(t, STR("x"), &out), TLS_FAILED);
    assert_int_equal(plain.n, 0);
    tls_free(t);
    tls_context_free(server);
    buf_fini(&plain);
    buf_fini(&out);
    cert_fini(&cert);
}

/* ---- channel bindings, against a client that OpenSSL makes ----------------
 */

struct peer {
    SSL *ssl;
    struct tls *server;
    struct buf to_client, plain;
    enum tls_state state;
};

/* The whole handshake, and what comes behind it (tickets). */
static void
meet(struct peer *p)
{
    char octets[4096];

    for (int i = 0; i < 8; i++) {
        int n = SSL_read(p->ssl, octets, sizeof octets);
        assert_true(n < 0);
        n = BIO_read(SSL_get_wbio(p->ssl), octets, sizeof octets);
        if (n > 0)
            p->state = tls_feed(p->server, str_from_n(octets, (size_t)n),
                                &p->plain, &p->to_client);
        if (p->to_client.n > 0)
            (void)BIO_write(SSL_get_rbio(p->ssl), p->to_client.p,
                            (int)p->to_client.n);
        buf_clear(&p->to_client);
    }
    assert_int_equal(p->state, TLS_OPEN);
}

static struct peer
peer_new(SSL_CTX *client, struct tls_context *server, SSL_SESSION *earlier)
{
    struct peer p = {.ssl = SSL_new(client),
                     .server = tls_new(server, STR_EMPTY)};

    assert_non_null(p.ssl);
    SSL_set_bio(p.ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_connect_state(p.ssl);
    if (earlier != NULL)
        assert_int_equal(SSL_set_session(p.ssl, earlier), 1);
    return p;
}

static void
peer_free(struct peer *p)
{
    SSL_free(p->ssl);
    tls_free(p->server);
    buf_fini(&p->to_client);
    buf_fini(&p->plain);
}

/* RFC 9266: this label, a context of no octets, 32 octets. */
static void
assert_exporter(const struct peer *p)
{
    unsigned char theirs[32];
    struct buf ours = {0};

    assert_int_equal(SSL_export_keying_material(p->ssl, theirs, sizeof theirs,
                                                "EXPORTER-Channel-Binding", 24,
                                                (const unsigned char *)"", 0,
                                                1),
                     1);
    assert_true(tls_channel_binding(p->server, TLS_EXPORTER, &ours));
    assert_true(str_eq(buf_str(&ours), str_from_n(theirs, sizeof theirs)));
    buf_fini(&ours);
}

/* RFC 5929: the first Finished, whoever sent it. */
static void
assert_unique(const struct peer *p, bool resumed)
{
    unsigned char theirs[64];
    struct buf ours = {0};
    size_t n = resumed ? SSL_get_peer_finished(p->ssl, theirs, sizeof theirs)
                       : SSL_get_finished(p->ssl, theirs, sizeof theirs);

    assert_int_equal(SSL_session_reused(p->ssl), resumed);
    assert_true(tls_channel_binding(p->server, TLS_UNIQUE, &ours));
    assert_true(str_eq(buf_str(&ours), str_from_n(theirs, n)));
    buf_fini(&ours);
}

static void
bindings(void **state)
{
    struct cert cert = cert_new("DNS:mx.example");
    struct err e;
    struct buf none = {0};
    SSL_CTX *client = SSL_CTX_new(TLS_client_method());
    struct tls_context *server =
        tls_server_context(buf_str(&cert.certificate), buf_str(&cert.key), &e);
    (void)state;

    assert_non_null(client);
    struct peer p = peer_new(client, server, NULL);
    assert_false(
        tls_channel_binding(p.server, TLS_EXPORTER, &none)); // too soon
    meet(&p);
    assert_int_equal(SSL_version(p.ssl), TLS1_3_VERSION);
    assert_exporter(&p);
    assert_false(tls_channel_binding(p.server, TLS_UNIQUE, &none));
    peer_free(&p);

    (void)SSL_CTX_set_max_proto_version(client, TLS1_2_VERSION);
    p = peer_new(client, server, NULL);
    meet(&p);
    assert_exporter(&p);
    assert_unique(&p, false);
    SSL_SESSION *session = SSL_get1_session(p.ssl);
    (void)SSL_shutdown(p.ssl);
    peer_free(&p);
    p = peer_new(client, server, session);
    meet(&p);
    assert_exporter(&p);
    assert_unique(&p, true);
    peer_free(&p);
    SSL_SESSION_free(session);

    /* Without that extension somebody between may have the same (RFC 7627). */
    (void)SSL_CTX_set_options(client, SSL_OP_NO_EXTENDED_MASTER_SECRET);
    p = peer_new(client, server, NULL);
    meet(&p);
    assert_false(tls_channel_binding(p.server, TLS_UNIQUE, &none));
    assert_false(tls_channel_binding(p.server, TLS_EXPORTER, &none));
    assert_int_equal(none.n, 0);
    peer_free(&p);
    tls_context_free(server);
    SSL_CTX_free(client);
    cert_fini(&cert);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conversation), cmocka_unit_test(verification),
        cmocka_unit_test(bad_files),    cmocka_unit_test(no_tls),
        cmocka_unit_test(bindings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
