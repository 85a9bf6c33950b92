/* SPDX-License-Identifier: ISC */
/* Prints one report, for parse.py to read with a parser nobody here wrote:
 * dsn-sample CASE. */
#include <stdio.h>

#include "dsn/dsn.h"

struct sample {
    const char *name, *original, *to, *envid;
    bool headers_only, smtputf8;
    struct {
        const char *address, *orcpt, *text, *remote, *reason;
        uint16_t code;
        enum outcome outcome;
    } rcpts[3];
};

#define ORIGINAL                                                               \
    "Received: from client\r\n\tby mx1.acme.example; Tue, 24 Nov 2026\r\n"     \
    "From: Ann <ann@acme.example>\r\nTo: recipient@RemoteDomain.com\r\n"

static const struct sample samples[] = {
    {.name = "plain",
     .original = ORIGINAL "Subject: Hello there\r\n\r\nBody\r\n.dot\r\n",
     .to = "ann@acme.example",
     .envid = "QQ+2B1",
     .rcpts = {{"recipient@RemoteDomain.com", "rfc822;re+2Bcipient@x.example",
                "553 sorry, no mailbox here by that name (#5.1.1)",
                "mx.remotedomain.com [192.0.2.7]:25", "", 553,
                OUTCOME_REFUSED}}},
    {.name = "many",
     .original =
         ORIGINAL "Subject: =?UTF-8?B?R3LDvMOfZQ==?= from\r\n afar\r\n\r\nBody",
     .to = "ann@acme.example",
     .rcpts = {{"one@far.example", "", "550-5.1.1 first line\n550 5.1.1 last",
                "mx.far.example [192.0.2.7]:25", "", 550, OUTCOME_REFUSED},
               {"one@far.example", "", "552 5.2.2 gr\303\266\303\237er",
                "mx.far.example [192.0.2.7]:25", "", 552, OUTCOME_REFUSED},
               {"two@gone.example", "", "", "", "domain-unknown", 0,
                OUTCOME_REFUSED}}                                                                  },
    {.name = "headers",
     .original = ORIGINAL "Subject: Hello\r\n\r\nBody\r\n",
     .to = "ann@acme.example",
     .headers_only = true,
     .rcpts = {{"late@far.example", "", "connection refused", "", "", 0,
                OUTCOME_LATER}}},
    {.name = "eight-bit",
     .original = ORIGINAL "Subject: Gr\303\274\303\237e\r\n\r\nK\303\244se\r\n",
     .to = "ann@acme.example",
     .rcpts = {{"r@far.example", "", "550 \377\376 no\rBcc: x",
                "mx.far.example [192.0.2.7]:25", "", 550, OUTCOME_REFUSED}}                },
    {.name = "utf8",
     .original = ORIGINAL "Subject: Gr\303\274\303\237e\r\n\r\nK\303\244se\r\n",
     .to = "j\303\266rg@acme.example",
     .smtputf8 = true,
     .rcpts = {{"\303\244nn@far.example", "",
                "550 5.1.1 <\303\244nn@far.example>... User unknown",
                "mx.far.example [192.0.2.7]:25", "", 550, OUTCOME_REFUSED}}},
    {.name = "success",
     .original = ORIGINAL "Subject: Hello\r\n\r\nBody\r\n",
     .to = "ann@acme.example",
     .envid = "QQ",
     .headers_only = true,
     .rcpts = {{"bob@acme.example", "rfc822;robert@x.example", "", "", "", 0,
                OUTCOME_DELIVERED},
               {"r@far.example", "", "250 2.0.0 queued",
                "mx.far.example [192.0.2.7]:25", "no-dsn", 250,
                OUTCOME_RELAYED}}},
    {.name = "no-subject",
     .original = "no field at all\r\n",
     .to = "ann@acme.example",
     .rcpts = {{"r@far.example", "", "554 gibberish",
                "mx.far.example [192.0.2.7]:25", "", 554, OUTCOME_REFUSED}}                                                              },
    {.name = "binary",
     .original = ORIGINAL "Subject: B\r\n\r\nbare\nline\rends\r\n",
     .to = "ann@acme.example",
     .rcpts = {{"r@far.example", "", "554 gibberish",
                "mx.far.example [192.0.2.7]:25", "", 554, OUTCOME_REFUSED}}                    },
};

static void
print(const struct sample *s)
{
    struct dsn_rcpt rcpts[3] = {0};
    struct dsn_message m = {0};
    struct dsn_report r = {
        .hostname = STR("mx1.acme.example"),
        .to = str_from(s->to),
        .id = STR("3-7"),
        .message_id = STR("3-7.bounce@mx1.acme.example"),
        .boundary = STR("=_7K3MQ-2DF9P"),
        .now_ms = 1795499263123,
        .rcpts = rcpts,
        .original = str_from(s->original),
        .arrived_ms = 1795499200000,
        .envid = str_from(s->envid),
        .ret = s->headers_only ? DSN_RET_HDRS : DSN_RET_FULL,
        .smtputf8 = s->smtputf8,
    };
    for (size_t i = 0; i < 3 && s->rcpts[i].address != NULL; i++) {
        rcpts[i].address = str_from(s->rcpts[i].address);
        rcpts[i].orcpt = str_from(s->rcpts[i].orcpt);
        rcpts[i].verdict = (struct verdict){
            .outcome = s->rcpts[i].outcome,
            .code = s->rcpts[i].code,
            .reason = str_from(s->rcpts[i].reason),
            .text = str_from(s->rcpts[i].text),
            .remote = str_from(s->rcpts[i].remote),
            .command = STR("RCPT TO"),
        };
        rcpts[i].last_attempt_ms = 1795499260000;
        r.n_rcpts++;
    }
    dsn_write(&r, &m);
    (void)fwrite(m.head.p, 1, m.head.n, stdout);
    (void)fwrite(m.copy.p, 1, m.copy.n, stdout);
    (void)fwrite(m.tail.p, 1, m.tail.n, stdout);
    (void)fprintf(stderr, "%s%s", m.eight_bit ? "8bit " : "",
                  m.smtputf8 ? "smtputf8" : "");
    dsn_message_fini(&m);
}

int
main(int argc, char **argv)
{
    for (size_t i = 0; argc == 2 && i < sizeof samples / sizeof *samples; i++)
        if (str_eq(str_from(argv[1]), str_from(samples[i].name))) {
            print(&samples[i]);
            return 0;
        }
    return 2;
}
