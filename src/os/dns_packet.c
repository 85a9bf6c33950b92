/* SPDX-License-Identifier: ISC */
#include "os/dns_packet.h"

#include <arpa/inet.h>

#include "base/ascii.h"
#include "base/buf.h"

enum { NAME_MAX_OCTETS = 255, RCODE_NXDOMAIN = 3, CLASS_IN = 1 };

/* Big-endian; reading beyond the end sets bad and gives 0. */
struct reader {
    const unsigned char *p; /* of the whole packet: names point back into it */
    size_t n, at;
    bool bad;
};

static unsigned
take_u8(struct reader *r)
{
    if (r->at >= r->n) {
        r->bad = true;
        return 0;
    }
    return r->p[r->at++];
}

static unsigned
take_u16(struct reader *r)
{
    unsigned high = take_u8(r);
    return high << 8 | take_u8(r);
}

static void
skip(struct reader *r, size_t n)
{
    if (n > r->n - r->at)
        r->bad = true;
    else
        r->at += n;
}

static bool
is_host_octet(unsigned char c)
{
    return ascii_is_alnum(c) || c == '-' || c == '_';
}

/*
 * A name, RFC 1035 4.1.4; into `out` (NULL: only stepped over) in lower case,
 * with dots, without the last one. *host becomes false where a label holds
 * what no host name does. A pointer must point before itself, so this ends.
 */
static void
take_name(struct reader *r, struct buf *out, bool *host)
{
    struct reader at = *r;
    size_t limit = r->at, total = 0;
    bool jumped = false;

    for (;;) {
        unsigned n = take_u8(&at);
        if (n >= 0xC0) {
            size_t target = (size_t)(n & 0x3F) << 8 | take_u8(&at);
            if (!jumped)
                r->at = at.at;
            jumped = true;
            if (at.bad || target >= limit) {
                r->bad = true;
                return;
            }
            at.at = limit = target;
            continue;
        }
        total += n + 1;
        if (n > 63 || at.bad || n > at.n - at.at || total > NAME_MAX_OCTETS) {
            r->bad = true;
            return;
        }
        if (n == 0)
            break;
        if (out != NULL && out->n > 0)
            buf_add_char(out, '.');
        for (; n > 0; n--) {
            unsigned char c = (unsigned char)take_u8(&at);
            *host = *host && is_host_octet(c);
            if (out != NULL)
                buf_add_char(out, (char)ascii_lower(c));
        }
    }
    if (!jumped)
        r->at = at.at;
}

/* The rdata of one record, at r->at, which ends at `end`. false: of no use. */
static bool
take_rdata(struct arena *a, struct reader *r, size_t end, enum dns_type type,
           struct dns_record *record)
{
    char text[INET6_ADDRSTRLEN];
    struct buf b = {0};
    bool host = true;
    size_t n = end - r->at;

    switch (type) {
    case DNS_A:
    case DNS_AAAA:
        if (n != (type == DNS_A ? 4 : 16))
            return false;
        (void)inet_ntop(type == DNS_A ? AF_INET : AF_INET6, r->p + r->at, text,
                        sizeof text);
        record->text = arena_dup(a, str_from(text));
        return true;
    case DNS_MX:
    case DNS_PTR:
        if (type == DNS_MX)
            record->preference = (uint16_t)take_u16(r);
        take_name(r, &b, &host);
        host = host && !r->bad && r->at == end;
        break;
    case DNS_TXT:
        while (r->at < end && !r->bad) {
            size_t part = take_u8(r);
            host = host && part <= end - r->at;
            if (!host)
                break;
            buf_add(&b, str_from_n(r->p + r->at, part));
            skip(r, part);
        }
        break;
    }
    if (host)
        record->text = arena_dup(a, buf_str(&b));
    buf_fini(&b);
    return host;
}

/* NAME TYPE CLASS TTL RDLENGTH RDATA      RFC 1035 4.1.3 */
static void
take_record(struct arena *a, struct reader *r, enum dns_type type,
            struct dns_answer *answer)
{
    struct dns_record record = {0};
    bool host = true;

    take_name(r, NULL, &host);
    unsigned found = take_u16(r), klass = take_u16(r);
    skip(r, 4);
    size_t n = take_u16(r);
    if (r->bad || n > r->n - r->at) {
        r->bad = true;
        return;
    }
    size_t end = r->at + n;
    // The chain of aliases before the records is not ours to follow: the
    // resolver did.
    if (found == (unsigned)type && klass == CLASS_IN &&
        take_rdata(a, r, end, type, &record))
        answer->records[answer->n++] = record;
    r->at = end;
}

struct dns_answer
dns_packet_read(struct arena *a, struct str packet, enum dns_type type)
{
    struct reader r = {(const unsigned char *)packet.p, packet.n, 2, false};
    struct dns_answer answer = {.result = DNS_TROUBLE};
    bool host = true;

    unsigned rcode = take_u16(&r) & 0xF;
    unsigned questions = take_u16(&r), answers = take_u16(&r);
    skip(&r, 4);
    if (r.bad || (rcode != 0 && rcode != RCODE_NXDOMAIN))
        return answer;
    for (; questions > 0 && !r.bad; questions--) {
        take_name(&r, NULL, &host);
        skip(&r, 4);
    }
    answer.records = arena_array(a, DNS_RECORDS_MAX, sizeof *answer.records);
    for (; answers > 0 && answer.n < DNS_RECORDS_MAX && !r.bad; answers--)
        take_record(a, &r, type, &answer);
    if (r.bad)
        answer.n = 0;
    else if (rcode == RCODE_NXDOMAIN)
        answer.result = DNS_NO_NAME;
    else
        answer.result = answer.n > 0 ? DNS_OK : DNS_NO_DATA;
    return answer;
}
