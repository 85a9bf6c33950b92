/* SPDX-License-Identifier: ISC */
/* Networks of the config and addresses as text: "NETWORK ADDRESS". */
#include <assert.h>
#include <stdint.h>

#include "os/net.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct net_address a, b;
    struct str network, ip;
    char text[NET_TEXT], again[NET_TEXT];

    (void)str_cut(str_from_n(data, n), ' ', &network, &ip);
    if (!net_parse(ip, 25, &a))
        return 0;
    /* What is printed reads back as the same. */
    assert(net_parse(net_format(&a, text), 25, &b));
    assert(str_eq(net_format(&b, again), str_from(text)));
    assert(net_in_network(&a, str_from(text)));
    if (net_in_network(&a, network))
        assert(net_network_valid(network) && net_in_network(&b, network));
    return 0;
}
