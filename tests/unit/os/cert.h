/* SPDX-License-Identifier: ISC */
/* A key and a self-signed certificate for tests, made on the spot. */
#pragma once

#include <assert.h>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/buf.h"

struct cert {
    struct buf certificate, key;
};

static inline void
cert_take(BIO *b, struct buf *to)
{
    char *p;
    long n = BIO_get_mem_data(b, &p);
    buf_add(to, str_from_n(p, (size_t)n));
    (void)BIO_free(b);
}

/* names: "DNS:mx.example, IP:127.0.0.1". */
static inline struct cert
cert_new(const char *names)
{
    struct cert c = {0};
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    assert(key != NULL && x != NULL);
    (void)X509_set_version(x, X509_VERSION_3);
    (void)ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    (void)X509_gmtime_adj(X509_getm_notBefore(x), -3600);
    (void)X509_gmtime_adj(X509_getm_notAfter(x), 3600);
    (void)X509_set_pubkey(x, key);
    X509_NAME *name = X509_get_subject_name(x);
    (void)X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                     (const unsigned char *)"test", -1, -1, 0);
    (void)X509_set_issuer_name(x, name);
    X509_EXTENSION *e =
        X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, names);
    assert(e != NULL);
    (void)X509_add_ext(x, e, -1);
    X509_EXTENSION_free(e);
    (void)X509_sign(x, key, EVP_sha256());

    BIO *b = BIO_new(BIO_s_mem());
    (void)PEM_write_bio_X509(b, x);
    cert_take(b, &c.certificate);
    b = BIO_new(BIO_s_mem());
    (void)PEM_write_bio_PrivateKey(b, key, NULL, NULL, 0, NULL, NULL);
    cert_take(b, &c.key);
    X509_free(x);
    EVP_PKEY_free(key);
    return c;
}

static inline void
cert_fini(struct cert *c)
{
    buf_fini(&c->certificate);
    buf_fini(&c->key);
}
