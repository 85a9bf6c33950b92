/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "receive/trace.h"

#define T 1795499263000 /* Tue, 24 Nov 2026 05:47:43 UTC */
#define DATE "Tue, 24 Nov 2026 05:47:43 +0000\r\n"
#define BY "\tby mx.example.com (Gatepost) with "

#define S(text)                                                                \
    {                                                                          \
        text, sizeof text - 1                                                  \
    }

static const struct {
    const char *name;
    struct trace trace;
    const char *want;
} cases[] = {
    {"one recipient",
     {.helo = S("c.example"),
      .client = S("192.0.2.1"),
      .protocol = S("ESMTP"),
      .recipient = S("alice@example.com")},
     "Received: from c.example ([192.0.2.1])\r\n" BY "ESMTP id 2-A"
     "\r\n\tfor <alice@example.com>;\r\n\t" DATE                             },
    {"several, by TLS",
     {.helo = S("[2001:db8::1]"),
      .client = S("2001:db8::1"),
      .protocol = S("ESMTPSA"),
      .tls_version = S("TLS1.3"),
      .tls_cipher = S("TLS_AES_256_GCM_SHA384")},
     "Received: from [2001:db8::1] ([IPv6:2001:db8::1])\r\n" BY
     "ESMTPSA (TLS1.3) id 2-A\r\n\ttls TLS_AES_256_GCM_SHA384;\r\n\t" DATE   },
    {"local",
     {.helo = S("host.example"),
      .client = S(""),
      .uid = 1000,
      .protocol = S("ESMTP")},
     "Received: from host.example (local user 1000)\r\n" BY
     "ESMTP id 2-A;\r\n\t" DATE                                              },
    {"helo is no name",
     {.helo = S("a_b(x)\\\xff"),
      .client = S("192.0.2.1"),
      .protocol = S("SMTP")},
     "Received: from [192.0.2.1] (helo a_b?x??? [192.0.2.1])\r\n" BY
     "SMTP id 2-A;\r\n\t" DATE                                               },
    {"nothing is known",
     {.helo = S(""), .client = S(""), .uid = -1, .protocol = S("SMTP")},
     "Received: from localhost (local user)\r\n" BY "SMTP id 2-A;\r\n\t" DATE},
};

static void
received(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct trace t = cases[i].trace;
        struct buf b = {0};
        t.hostname = STR("mx.example.com");
        t.id = (struct msgid){2, 10};
        t.wall_ms = T;
        trace_add_received(&b, &t);
        if (!str_eq(buf_str(&b), str_from(cases[i].want)))
            fail_msg("%s: %.*s", cases[i].name, STR_ARG(buf_str(&b)));
        buf_fini(&b);
    }
}

static void
other_fields(void **state)
{
    struct trace t = {
        .hostname = STR("mx.example.com"), .id = {2, 10},
             .wall_ms = T
    };
    struct buf b = {0};
    (void)state;
    trace_add_message_id(&b, &t);
    trace_add_date(&b, &t);
    assert_true(str_eq(buf_str(&b),
                       STR("Message-ID: <1795499263000.2-A@mx.example.com>\r\n"
                           "Date: " DATE)));
    buf_fini(&b);
}

static void
protocols(void **state)
{
    static const struct {
        bool esmtp, tls, auth, utf8;
        const char *want;
    } table[] = {
        {false, false, false, false, "SMTP"      },
        {true,  false, false, false, "ESMTP"     },
        {true,  true,  false, false, "ESMTPS"    },
        {true,  false, true,  false, "ESMTPA"    },
        {true,  true,  true,  false, "ESMTPSA"   },
        {true,  false, false, true,  "UTF8SMTP"  },
        {true,  true,  true,  true,  "UTF8SMTPSA"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        assert_true(str_eq(trace_protocol(table[i].esmtp, table[i].tls,
                                          table[i].auth, table[i].utf8),
                           str_from(table[i].want)));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(received),
        cmocka_unit_test(other_fields),
        cmocka_unit_test(protocols),
    };
    return cmocka_run_group_tests_name("receive/trace", tests, NULL, NULL);
}
