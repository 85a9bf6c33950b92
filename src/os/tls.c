/* SPDX-License-Identifier: ISC */
#include "os/tls.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/alloc.h"
#include "base/math.h"

enum { RECORD = 16 << 10, NAME_MAX_OCTETS = 255 };

/* OpenSSL counts the sessions of an SSL_CTX. */
struct tls_context {
    SSL_CTX *ssl;
    bool client, verify;
};

/*
 * The session reads from the slice it was fed and writes to the caller's
 * buffer, both only within a call, so an idle session owns neither.
 */
struct tls {
    SSL *ssl;
    enum tls_state state;
    struct str in;
    struct buf *out;
    char error[160];
};

/* The BIO: OpenSSL's idea of a socket, which here is two pointers. */

static int
bio_read(BIO *b, char *to, int n)
{
    struct tls *t = BIO_get_data(b);
    BIO_clear_retry_flags(b);
    if (n <= 0)
        return 0;
    if (t->in.n == 0) {
        BIO_set_retry_read(b);
        return -1;
    }
    size_t take = math_min((size_t)n, t->in.n);
    memcpy(to, t->in.p, take);
    t->in = str_from_pos(t->in, take);
    return (int)take;
}

static int
bio_write(BIO *b, const char *from, int n)
{
    struct tls *t = BIO_get_data(b);
    BIO_clear_retry_flags(b);
    if (n <= 0 || t->out == NULL)
        return 0;
    buf_add(t->out, str_from_n(from, (size_t)n));
    return n;
}

static long
bio_control(BIO *b, int command, long number, void *p)
{
    (void)b;
    (void)number;
    (void)p;
    return command == BIO_CTRL_FLUSH || command == BIO_CTRL_PUSH ||
           command == BIO_CTRL_POP;
}

static int
bio_create(BIO *b)
{
    BIO_set_init(b, 1);
    return 1;
}

static BIO_METHOD *
bio_method(void)
{
    static BIO_METHOD *method;
    if (method != NULL)
        return method;
    method =
        BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "gatepost");
    assert(method != NULL);
    (void)BIO_meth_set_read(method, bio_read);
    (void)BIO_meth_set_write(method, bio_write);
    (void)BIO_meth_set_ctrl(method, bio_control);
    (void)BIO_meth_set_create(method, bio_create);
    return method;
}

/* Contexts */

static const char *
last_reason(void)
{
    unsigned long code = ERR_peek_last_error();
    const char *reason = code != 0 ? ERR_reason_error_string(code) : NULL;
    ERR_clear_error();
    return reason != NULL ? reason : "unknown error";
}

static struct tls_context *
context_new(const SSL_METHOD *method)
{
    struct tls_context *c = alloc_zero(sizeof *c);
    ERR_clear_error();
    c->ssl = SSL_CTX_new(method);
    assert(c->ssl != NULL);
    (void)SSL_CTX_set_min_proto_version(c->ssl, TLS1_2_VERSION);
    (void)SSL_CTX_set_mode(c->ssl, SSL_MODE_RELEASE_BUFFERS |
                                       SSL_MODE_AUTO_RETRY |
                                       SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    (void)SSL_CTX_set_options(c->ssl, SSL_OP_NO_RENEGOTIATION |
                                          SSL_OP_NO_COMPRESSION |
                                          SSL_OP_IGNORE_UNEXPECTED_EOF);
    (void)SSL_CTX_set_session_cache_mode(c->ssl, SSL_SESS_CACHE_OFF);
    return c;
}

/* A key with a pass phrase is refused, never asked for on the terminal. */
static int
no_password(char *to, int n, int writing, void *ctx)
{
    (void)to;
    (void)n;
    (void)writing;
    (void)ctx;
    return -1;
}

static X509 *
next_certificate(BIO *pem)
{
    return PEM_read_bio_X509(pem, NULL, no_password, NULL);
}

/* PEM readers end with "no start line": that is the end, not an error. */
static bool
at_pem_end(void)
{
    unsigned long code = ERR_peek_last_error();
    bool end = ERR_GET_LIB(code) == ERR_LIB_PEM &&
               ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
    if (end)
        ERR_clear_error();
    return end;
}

static BIO *
pem_open(struct str pem)
{
    BIO *b = BIO_new_mem_buf(pem.p, (int)math_min(pem.n, 16 << 20));
    assert(b != NULL);
    return b;
}

static bool
use_chain(SSL_CTX *ssl, BIO *pem, struct err *e)
{
    X509 *x = next_certificate(pem);
    if (x == NULL)
        return err_set(e, "expected a certificate in PEM form: %s",
                       last_reason());
    int ok = SSL_CTX_use_certificate(ssl, x);
    X509_free(x);
    if (ok != 1)
        return err_set(e, "the certificate cannot be used: %s", last_reason());
    while ((x = next_certificate(pem)) != NULL)
        if (SSL_CTX_add0_chain_cert(ssl, x) != 1) {
            X509_free(x);
            return err_set(e, "a certificate of the chain cannot be used: %s",
                           last_reason());
        }
    if (!at_pem_end())
        return err_set(e, "expected PEM certificates only: %s", last_reason());
    return true;
}

static bool
use_key(SSL_CTX *ssl, BIO *pem, struct err *e)
{
    EVP_PKEY *key = PEM_read_bio_PrivateKey(pem, NULL, no_password, NULL);
    if (key == NULL)
        return err_set(e,
                       "expected a private key in PEM form without a pass "
                       "phrase: %s",
                       last_reason());
    X509 *x = SSL_CTX_get0_certificate(ssl);
    bool fits = X509_check_private_key(x, key) == 1;
    bool used = fits && SSL_CTX_use_PrivateKey(ssl, key) == 1;
    EVP_PKEY_free(key);
    if (!fits) {
        ERR_clear_error();
        return err_set(e, "the key does not belong to the certificate");
    }
    return used || err_set(e, "the key cannot be used: %s", last_reason());
}

static bool
use_identity(SSL_CTX *ssl, struct str certificate, struct str key,
             struct err *e)
{
    BIO *pem = pem_open(certificate);
    bool ok = use_chain(ssl, pem, e);
    (void)BIO_free(pem);
    if (!ok)
        return false;
    pem = pem_open(key);
    ok = use_key(ssl, pem, e);
    (void)BIO_free(pem);
    return ok;
}

struct tls_context *
tls_server_context(struct str certificate, struct str key, struct err *e)
{
    struct tls_context *c = context_new(TLS_server_method());
    if (!use_identity(c->ssl, certificate, key, e)) {
        tls_context_free(c);
        return NULL;
    }
    (void)SSL_CTX_set_dh_auto(c->ssl, 1);
    (void)SSL_CTX_set_num_tickets(c->ssl, 1);
    // Passwords come this way, and OpenSSL would keep the last record's text.
    (void)SSL_CTX_set_options(c->ssl, SSL_OP_CIPHER_SERVER_PREFERENCE |
                                          SSL_OP_PRIORITIZE_CHACHA |
                                          SSL_OP_CLEANSE_PLAINTEXT);
    return c;
}

static bool
add_anchors(SSL_CTX *ssl, struct str anchors, struct err *e)
{
    X509_STORE *store = SSL_CTX_get_cert_store(ssl);
    BIO *pem = pem_open(anchors);
    size_t n = 0;
    bool ok = true;
    for (X509 *x; ok && (x = next_certificate(pem)) != NULL; n++) {
        ok = X509_STORE_add_cert(store, x) == 1;
        X509_free(x);
    }
    ok = ok && at_pem_end() && n > 0;
    (void)BIO_free(pem);
    if (!ok)
        (void)err_set(e, "expected certificates of authorities in PEM form: %s",
                      n == 0 ? "none found" : last_reason());
    ERR_clear_error();
    return ok;
}

struct tls_context *
tls_client_context(bool verify, struct str anchors, struct err *e)
{
    struct tls_context *c = context_new(TLS_client_method());
    c->client = true;
    c->verify = verify;
    if (!verify) {
        /* An old peer's weak key still beats sending in the clear. */
        SSL_CTX_set_security_level(c->ssl, 1);
    } else if (!add_anchors(c->ssl, anchors, e)) {
        tls_context_free(c);
        return NULL;
    }
    return c;
}

struct tls_context *
tls_old_client_context(void)
{
    struct tls_context *c = context_new(TLS_client_method());
    c->client = true;
    SSL_CTX_set_security_level(c->ssl, 0); // else OpenSSL would not even try
    (void)SSL_CTX_set_min_proto_version(c->ssl, TLS1_VERSION);
    (void)SSL_CTX_set_max_proto_version(c->ssl, TLS1_1_VERSION);
    return c;
}

void
tls_context_free(struct tls_context *c)
{
    if (c == NULL)
        return;
    SSL_CTX_free(c->ssl);
    free(c);
}

/* Sessions */

static bool
fail(struct tls *t)
{
    long verified = SSL_get_verify_result(t->ssl);
    const char *reason = last_reason();
    if (verified != X509_V_OK && SSL_get_verify_mode(t->ssl) != SSL_VERIFY_NONE)
        reason = X509_verify_cert_error_string(verified);
    t->state = TLS_FAILED;
    size_t n = math_min(strlen(reason), sizeof t->error - 1);
    memcpy(t->error, reason, n);
    t->error[n] = '\0';
    return false;
}

/* An address is verified as one and never sent as SNI (RFC 6066, 3). */
static void
expect_name(struct tls *t, struct str name, bool verify)
{
    char text[NAME_MAX_OCTETS + 1] = "";
    bool usable = name.n > 0 && name.n <= NAME_MAX_OCTETS;
    if (usable)
        memcpy(text, name.p, name.n);
    ASN1_OCTET_STRING *ip = a2i_IPADDRESS(text);
    bool is_ip = ip != NULL;
    ASN1_OCTET_STRING_free(ip);
    ERR_clear_error();
    if (usable && !is_ip)
        (void)SSL_set_tlsext_host_name(t->ssl, text);
    if (!verify)
        return;
    SSL_set_verify(t->ssl, SSL_VERIFY_PEER, NULL);
    SSL_set_hostflags(t->ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    X509_VERIFY_PARAM *p = SSL_get0_param(t->ssl);
    int ok = is_ip ? X509_VERIFY_PARAM_set1_ip_asc(p, text)
                   : SSL_set1_host(t->ssl, text);
    if (!usable || ok != 1)
        (void)fail(t); // nothing to compare with: nobody is trusted
}

struct tls *
tls_new(struct tls_context *c, struct str name)
{
    struct tls *t = alloc_zero(sizeof *t);
    BIO *bio = BIO_new(bio_method());
    t->ssl = SSL_new(c->ssl);
    assert(bio != NULL && t->ssl != NULL);
    BIO_set_data(bio, t);
    SSL_set_bio(t->ssl, bio, bio);
    if (c->client) {
        SSL_set_connect_state(t->ssl);
        expect_name(t, name, c->verify);
    } else {
        SSL_set_accept_state(t->ssl);
    }
    return t;
}

void
tls_free(struct tls *t)
{
    if (t == NULL)
        return;
    SSL_free(t->ssl);
    free(t);
}

static void
shake_hands(struct tls *t)
{
    int rc = SSL_do_handshake(t->ssl);
    if (rc == 1)
        t->state = TLS_OPEN;
    else if (SSL_get_error(t->ssl, rc) != SSL_ERROR_WANT_READ)
        (void)fail(t);
}

static void
read_all(struct tls *t, struct buf *plain)
{
    for (;;) {
        int n = SSL_read(t->ssl, buf_reserve(plain, RECORD), RECORD);
        if (n > 0) {
            plain->n += (size_t)n;
            continue;
        }
        int why = SSL_get_error(t->ssl, n);
        if (why == SSL_ERROR_ZERO_RETURN)
            t->state = TLS_CLOSED;
        else if (why != SSL_ERROR_WANT_READ)
            (void)fail(t);
        return;
    }
}

enum tls_state
tls_feed(struct tls *t, struct str cipher, struct buf *plain, struct buf *out)
{
    if (t->state == TLS_FAILED || t->state == TLS_CLOSED)
        return t->state;
    ERR_clear_error();
    t->in = cipher;
    t->out = out;
    if (t->state == TLS_HANDSHAKE)
        shake_hands(t);
    if (t->state == TLS_OPEN)
        read_all(t, plain);
    t->in = STR_EMPTY;
    t->out = NULL;
    return t->state;
}

enum tls_state
tls_write(struct tls *t, struct str plain, struct buf *out)
{
    if (t->state != TLS_OPEN && t->state != TLS_CLOSED)
        return t->state;
    ERR_clear_error();
    t->out = out;
    while (plain.n > 0) {
        int n = SSL_write(t->ssl, plain.p, (int)math_min(plain.n, 1 << 20));
        if (n <= 0) { // memory is always ready: this is trouble
            (void)fail(t);
            break;
        }
        plain = str_from_pos(plain, (size_t)n);
    }
    t->out = NULL;
    return t->state;
}

void
tls_shutdown(struct tls *t, struct buf *out)
{
    if (t->state != TLS_OPEN && t->state != TLS_CLOSED)
        return;
    ERR_clear_error();
    t->out = out;
    (void)SSL_shutdown(t->ssl);
    ERR_clear_error();
    t->out = NULL;
}

struct str
tls_version(const struct tls *t)
{
    struct str s = str_from(SSL_get_version(t->ssl));
    if (!SSL_is_init_finished(t->ssl))
        return STR_EMPTY;
    /* OpenSSL says "TLSv1.3". */
    if (str_eq(s, STR("TLSv1.3")))
        return STR("TLS1.3");
    return str_eq(s, STR("TLSv1.2")) ? STR("TLS1.2") : s;
}

struct str
tls_cipher(const struct tls *t)
{
    if (!SSL_is_init_finished(t->ssl))
        return STR_EMPTY;
    const char *name = SSL_CIPHER_standard_name(SSL_get_current_cipher(t->ssl));
    return name != NULL ? str_from(name) : STR_EMPTY;
}

const char *
tls_error(const struct tls *t)
{
    return t->error;
}

/* The first Finished message of the handshake: the client's, unless an earlier
 * session was resumed. */
static bool
add_unique(const struct tls *t, struct buf *to)
{
    unsigned char first[64];
    bool ours = SSL_is_server(t->ssl) == (SSL_session_reused(t->ssl) == 1);
    size_t n = ours ? SSL_get_finished(t->ssl, first, sizeof first)
                    : SSL_get_peer_finished(t->ssl, first, sizeof first);

    if (n == 0 || n > sizeof first)
        return false;
    buf_add(to, str_from_n(first, n));
    return true;
}

static bool
add_exporter(const struct tls *t, struct buf *to)
{
    static const char label[] = "EXPORTER-Channel-Binding";
    unsigned char out[32];

    if (SSL_export_keying_material(t->ssl, out, sizeof out, label,
                                   sizeof label - 1, NULL, 0, 1) != 1)
        return false;
    buf_add(to, str_from_n(out, sizeof out));
    return true;
}

bool
tls_channel_binding(const struct tls *t, enum tls_binding which, struct buf *to)
{
    bool newest = SSL_version(t->ssl) >= TLS1_3_VERSION;

    if (!SSL_is_init_finished(t->ssl) ||
        (!newest && SSL_get_extms_support(t->ssl) != 1))
        return false;
    if (which == TLS_UNIQUE)
        return !newest && add_unique(t, to);
    return add_exporter(t, to);
}
