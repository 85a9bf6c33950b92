/* SPDX-License-Identifier: ISC */
#include "master/papers.h"

#include <string.h>
#include <unistd.h>

#include "gate/rules.h"
#include "os/folder.h"
#include "os/memfd.h"
#include "os/tls.h"

enum { FILE_MAX_OCTETS = 4 << 20 };

static const struct {
    const char *name;
    enum role reader;
} table[PAPERS] = {
    [PAPER_CERTIFICATE] = {"tls-certificate",    ROLE_RECEIVE},
    [PAPER_KEY] = {"tls-key",            ROLE_RECEIVE},
    [PAPER_RULES] = {"message-rules",      ROLE_RECEIVE},
    [PAPER_PASSWORD] = {"smarthost-password", ROLE_SEND   },
    [PAPER_CA] = {"ca",                 ROLE_SEND   },
};

/* Where distributions keep the authorities they trust. */
static const char *const system_ca[] = {
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
};

const char *
paper_name(enum paper paper)
{
    return table[paper].name;
}

enum role
paper_reader(enum paper paper)
{
    return table[paper].reader;
}

static bool
read_named(struct str name, struct buf *to, struct err *e)
{
    struct buf path = {0};
    buf_add(&path, name);
    bool ok = file_read(buf_cstr(&path), FILE_MAX_OCTETS, to, e);
    buf_fini(&path);
    return ok;
}

static bool
seal(struct papers *p, enum paper paper, const struct buf *content,
     struct err *e)
{
    p->files[paper] = memfd_sealed(table[paper].name, buf_str(content), e);
    return p->files[paper] >= 0;
}

static bool
take_certificate(struct papers *p, const struct conf *c, struct err *e)
{
    struct buf certificate = {0}, key = {0};
    struct err why;
    if (c->tls.certificate.n == 0)
        return true;
    bool ok = read_named(c->tls.certificate, &certificate, e) &&
              read_named(c->tls.key, &key, e);
    if (ok) {
        struct tls_context *t =
            tls_server_context(buf_str(&certificate), buf_str(&key), &why);
        ok = t != NULL || err_set(e, "certificate %.*s, key %.*s: %s",
                                  STR_ARG(c->tls.certificate),
                                  STR_ARG(c->tls.key), why.text);
        tls_context_free(t);
    }
    ok = ok && seal(p, PAPER_CERTIFICATE, &certificate, e) &&
         seal(p, PAPER_KEY, &key, e);
    buf_fini(&certificate);
    buf_wipe(&key);
    return ok;
}

static bool
take_rules(struct papers *p, const struct conf *c, struct err *e)
{
    struct buf content = {0}, problems = {0};
    if (c->gate.message_rules.n == 0)
        return true;
    bool ok = read_named(c->gate.message_rules, &content, e);
    struct rules *r = ok ? rules_new(buf_str(&content), &problems) : NULL;
    if (ok && r == NULL)
        ok = err_set(e, "%.*s:%.*s", STR_ARG(c->gate.message_rules),
                     STR_ARG(str_trim(buf_str(&problems))));
    rules_free(r);
    ok = ok && seal(p, PAPER_RULES, &content, e);
    buf_fini(&content);
    buf_fini(&problems);
    return ok;
}

/* The first line is the password. */
static bool
take_password(struct papers *p, const struct conf *c, struct err *e)
{
    struct buf content = {0};
    if (c->relay.smarthost_password_file.n == 0)
        return true;
    bool ok = read_named(c->relay.smarthost_password_file, &content, e);
    ssize_t end = str_find_char(buf_str(&content), '\n');
    if (end >= 0)
        content.n = (size_t)end;
    if (content.n > 0 && content.p[content.n - 1] == '\r')
        content.n--;
    if (ok && content.n == 0)
        ok = err_set(e,
                     "%.*s: expected the smarthost's password in the first "
                     "line, found nothing",
                     STR_ARG(c->relay.smarthost_password_file));
    ok = ok && seal(p, PAPER_PASSWORD, &content, e);
    buf_wipe(&content);
    return ok;
}

static bool
take_named_ca(struct papers *p, struct str name, struct buf *content,
              struct err *e)
{
    struct err why;
    if (!read_named(name, content, e))
        return false;
    struct tls_context *t = tls_client_context(true, buf_str(content), &why);
    if (t == NULL)
        return err_set(e, "%.*s: %s", STR_ARG(name), why.text);
    tls_context_free(t);
    return seal(p, PAPER_CA, content, e);
}

/* Without one named in the config the system's will do, if it has any; send
 * then trusts nobody where it must verify. */
static bool
take_ca(struct papers *p, const struct conf *c, struct err *e)
{
    struct buf content = {0};
    bool ok = true;
    if (c->relay.smarthost_ca_file.n > 0) {
        ok = take_named_ca(p, c->relay.smarthost_ca_file, &content, e);
    } else if (c->relay.smarthost.n > 0) {
        for (size_t i = 0; i < sizeof system_ca / sizeof *system_ca; i++) {
            buf_clear(&content);
            if (!file_read(system_ca[i], FILE_MAX_OCTETS, &content, e))
                continue;
            ok = seal(p, PAPER_CA, &content, e);
            break;
        }
    }
    buf_fini(&content);
    return ok;
}

static bool
take_slices(struct papers *p, const struct conf *c, struct err *e)
{
    for (enum role r = ROLE_NONE + 1; r < ROLE_COUNT; r++) {
        struct buf text = {0};
        conf_print(c, r, &text);
        p->slices[r] = memfd_sealed("config", buf_str(&text), e);
        buf_fini(&text);
        if (p->slices[r] < 0)
            return false;
    }
    return true;
}

bool
papers_open(struct papers *p, const struct conf *c, struct err *e)
{
    memset(p, 0xff, sizeof *p); // every descriptor -1
    if (take_certificate(p, c, e) && take_rules(p, c, e) &&
        take_password(p, c, e) && take_ca(p, c, e) && take_slices(p, c, e))
        return true;
    papers_close(p);
    return false;
}

void
papers_close(struct papers *p)
{
    for (size_t i = 0; i < PAPERS; i++)
        if (p->files[i] >= 0)
            (void)close(p->files[i]);
    for (size_t i = 0; i < ROLE_COUNT; i++)
        if (p->slices[i] >= 0)
            (void)close(p->slices[i]);
    memset(p, 0xff, sizeof *p);
}
