/* SPDX-License-Identifier: ISC */
/* First octet: which type is asked for; the rest is the packet. */
#include <assert.h>
#include <stdint.h>

#include "os/dns_packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const enum dns_type types[] = {DNS_A, DNS_MX, DNS_AAAA, DNS_TXT,
                                          DNS_PTR};
    struct arena a = {0};

    if (n == 0)
        return 0;
    enum dns_type type = types[data[0] % 5];
    struct dns_answer answer =
        dns_packet_read(&a, str_from_n(data + 1, n - 1), type);
    assert((answer.result == DNS_OK) <= (answer.n > 0));
    for (size_t i = 0; i < answer.n; i++) {
        struct str text = answer.records[i].text;
        for (size_t j = 0; j < text.n && type != DNS_TXT; j++)
            assert(text.p[j] > ' ' && text.p[j] < 127);
    }
    arena_fini(&a);
    return 0;
}
