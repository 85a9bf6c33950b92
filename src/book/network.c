/* SPDX-License-Identifier: ISC */
#include "book/network.h"

#include <arpa/inet.h>
#include <string.h>

struct network {
    unsigned char octets[16];
    unsigned bits; /* of the network */
    unsigned all;  /* 32 or 128 */
};

/* inet_pton() only reads a string; it makes no system call. */
static bool
parse_ip(struct str text, struct network *n)
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    char copy[INET6_ADDRSTRLEN + 1] = "";
    bool six = str_find_char(text, ':') >= 0;

    if (text.n >= sizeof copy || text.n == 0)
        return false;
    memcpy(copy, text.p, text.n);
    if (strlen(copy) != text.n ||
        inet_pton(six ? AF_INET6 : AF_INET, copy, n->octets) != 1)
        return false;
    if (six && memcmp(n->octets, mapped, sizeof mapped) == 0) {
        memmove(n->octets, n->octets + sizeof mapped, 4);
        six = false;
    }
    n->all = n->bits = six ? 128 : 32;
    return true;
}

static void
clear_host_bits(struct network *n)
{
    for (unsigned bit = n->bits; bit < n->all; bit++)
        n->octets[bit / 8] &= (unsigned char)~(0x80U >> (bit % 8));
}

static struct str
format(struct arena *a, const struct network *n)
{
    char text[INET6_ADDRSTRLEN];

    if (inet_ntop(n->all == 128 ? AF_INET6 : AF_INET, n->octets, text,
                  sizeof text) == NULL)
        return STR_EMPTY;
    return n->bits == n->all ? arena_dup(a, str_from(text))
                             : arena_printf(a, "%s/%u", text, n->bits);
}

struct str
network_key(struct arena *a, struct str text)
{
    struct str ip, length;
    struct network n = {0};
    uint64_t bits;
    bool has_length = str_cut(text, '/', &ip, &length);

    if (!parse_ip(ip, &n))
        return STR_EMPTY;
    if (has_length) {
        bool mapped = n.all == 32 && str_find_char(ip, ':') >= 0;
        if (!str_to_u64(length, &bits) || bits > (mapped ? 128 : n.all) ||
            (mapped && bits < 96))
            return STR_EMPTY;
        n.bits = (unsigned)(mapped ? bits - 96 : bits);
        clear_host_bits(&n);
    }
    return format(a, &n);
}

size_t
network_keys(struct arena *a, struct str ip, struct str keys[NETWORK_KEYS_MAX])
{
    struct network n = {0};
    size_t count = 0;

    if (!parse_ip(ip, &n))
        return 0;
    for (unsigned bits = n.all + 1; bits-- > 0;) {
        n.bits = bits;
        clear_host_bits(&n);
        keys[count++] = format(a, &n);
    }
    return count;
}
