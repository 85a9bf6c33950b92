/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "os/dns_packet.h"

/* A question for "x.example", then `answers` records that may point to its
 * name by \xc0\x0c, to "example" by \xc0\x0e. */
#define PACKET(rcode, answers, records)                                        \
    STR("\0\0\x81" rcode "\0\1\0" answers "\0\0\0\0"                           \
        "\1x\7example\0\0\17\0\1" records)
#define MX "\xc0\x0c\0\17\0\1\0\0\0\74"
#define A4 "\xc0\x0c\0\1\0\1\0\0\0\74"
#define A6 "\xc0\x0c\0\34\0\1\0\0\0\74"
#define TXT "\xc0\x0c\0\20\0\1\0\0\0\74"
#define CNAME "\xc0\x0c\0\5\0\1\0\0\0\74"

static void
packets(void **state)
{
    const struct {
        struct str packet;
        enum dns_type type;
        enum dns_result want;
        const char *text;
    } cases[] = {
        {PACKET("\x80",                                 "\1",                MX "\0\7\0\12\2Mx\xc0\x0e"),                                                                 DNS_MX,                                                                                                                                            DNS_OK,
         "10 mx.example,"},
        {PACKET("\x80",                              "\2",                                                 MX "\0\4\0\1\xc0\x0c" MX "\0\6\1\0\1y\xc0\x0e"),
         DNS_MX,                                                                                                                                                                                                                                                DNS_OK, "1 x.example,256 y.example,"},
        {PACKET("\x80",                                        "\1",                                                     MX "\0\3\0\0\0"),                                                                                                                    DNS_MX,                      DNS_OK, "0 ,"},
        {PACKET("\x80",  "\1",A4 "\0\4\300\0\2\1"),DNS_A,                                         DNS_OK,
         "0 192.0.2.1,"},
        {PACKET("\x80",                                             "\2",                                                    CNAME "\0\4\1y\xc0\x0e" A4 "\0\4\300\0\2\1"),
         DNS_A,                                                                                                                                                                                                                                                                                                                       DNS_OK, "0 192.0.2.1,"},
        {PACKET("\x80",                                       "\1",                                                     A6 "\0\20\x20\1\15\xb8\0\0\0\0\0\0\0\0\0\0\0\1"),
         DNS_AAAA,                                                                                                                                                                                                                                                                                     DNS_OK, "0 2001:db8::1,"},
        {PACKET("\x80", "\1",                                                              TXT "\0\6\2ab\2cd"),                                                                                                                                                   DNS_TXT,DNS_OK, "0 abcd,"},
        {PACKET("\x80",                                 "\0",          ""), DNS_MX,                                                                                                                                                                                                                                                                                                           DNS_NO_DATA, ""},
        {PACKET("\x80",                             "\1",                                                CNAME "\0\4\1y\xc0\x0e"),                                                                                                                               DNS_MX,                                                                                                                                                                                                                                                                            DNS_NO_DATA,
         ""},
        {PACKET("\x83",                                      "\0",                                                   ""),DNS_MX,                                                                                                                                                                     DNS_NO_NAME, ""},
        {PACKET("\x82",         "\0",                ""),                                                                                                     DNS_MX,DNS_TROUBLE, ""},
 // No host name: left out, the others count.
        {PACKET("\x80",                                             "\2",                                                    MX "\0\6\0\1\1 \xc0\x0e" MX "\0\4\0\2\xc0\x0c"),
         DNS_MX,                                                                                                                                                                                         DNS_OK, "2 x.example,"},
        {PACKET("\x80",                                  "\1",                                                                 MX "\0\7\0\1\2.b\xc0\x0e"),                                                                                                                                                            DNS_MX,                                                                                                                                                                                                                                                                                                 DNS_NO_DATA,
         ""},
        {PACKET("\x80",                                          "\1",     A4 "\0\3\300\0\2"),                                                                                                   DNS_A,                                                                              DNS_NO_DATA, ""},
        {PACKET("\x80",                                 "\1",                                        TXT "\0\3\7ab"),                                                                                                                 DNS_TXT,                                                                                                                                                        DNS_NO_DATA, ""},
 // Octets behind the name, a pointer to itself, forward, beyond the end.
        {PACKET("\x80",                                           "\1",                                                              MX "\0\5\0\1\xc0\x0cx"),                                                                                                                                             DNS_MX,                                                                                                                                                                                                                                              DNS_NO_DATA, ""},
        {PACKET("\x80",                                        "\1",                                                     MX "\0\4\0\1\xc0\x29"),                                                                                                                                  DNS_MX,                                                                                           DNS_TROUBLE, ""},
        {PACKET("\x80",        "\1",MX "\0\4\0\1\xc0\x40"),DNS_MX,DNS_TROUBLE, ""},
        {PACKET("\x80",                                             "\1",                                                    MX "\0\4\0\1\xff\xff"),                                                                                                  DNS_MX,                                                                                                                                                                                                                             DNS_TROUBLE, ""},
        {PACKET("\x80",                                  "\2",                                                   MX "\0\4\0\1\xc0\x0c"),                                                                                                                                              DNS_MX,                                                                                                                                                                                                      DNS_TROUBLE, ""},
        {PACKET("\x80",                              "\1",   MX "\0\50\0\1\xc0\x0c"),DNS_MX,DNS_TROUBLE, ""},
        {STR("\0\0\x81\x80\0\0"),                                 DNS_MX,      DNS_TROUBLE,             ""           },
        {STR(""),                                           DNS_MX,                                                              DNS_TROUBLE,                                                                                                                                             ""                                                                                                                                                                                                                                                  },
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena a = {0};
        struct buf text = {0};
        struct dns_answer answer =
            dns_packet_read(&a, cases[i].packet, cases[i].type);
        for (size_t j = 0; j < answer.n; j++)
            buf_addf(&text, "%u %.*s,", answer.records[j].preference,
                     STR_ARG(answer.records[j].text));
        assert_string_equal(buf_cstr(&text), cases[i].text);
        assert_int_equal(answer.result, cases[i].want);
        buf_fini(&text);
        arena_fini(&a);
    }
}

/* Every shorter packet is trouble or less, never a read beyond its end. */
static void
truncated(void **state)
{
    struct str whole =
        PACKET("\x80", "\2", MX "\0\7\0\12\2mx\xc0\x0e" MX "\0\4\0\2\xc0\x0c");
    (void)state;
    for (size_t n = 0; n < whole.n; n++) {
        struct arena a = {0};
        struct str copy = arena_dup(&a, str_first(whole, n));
        assert_int_equal(dns_packet_read(&a, copy, DNS_MX).result, DNS_TROUBLE);
        arena_fini(&a);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packets),
        cmocka_unit_test(truncated),
    };
    return cmocka_run_group_tests_name("os/dns_packet", tests, NULL, NULL);
}
