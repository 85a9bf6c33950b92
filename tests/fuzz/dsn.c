/* SPDX-License-Identifier: ISC */
/* A report about a foreign original, with foreign words and addresses: the
 * first line of the input is the address, the second the reply, the rest the
 * original. The header stays a header, no line ends by itself. */
#include <assert.h>
#include <stdint.h>

#include "dsn/dsn.h"
#include "mail/field.h"
#include "mail/header.h"

static void
check_lines(struct str text)
{
    struct str line;
    while (text.n > 0) {
        bool ended = str_cut(text, '\n', &line, &text);
        assert(ended && line.n > 0 && line.n <= 999);
        assert(str_find_char(line, '\r') == (ssize_t)line.n - 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str rest = str_from_n(data, n), address, reply, body, value;
    struct dsn_message m = {0};
    struct buf all = {0};

    (void)str_cut(rest, '\n', &address, &rest);
    (void)str_cut(rest, '\n', &reply, &rest);
    struct dsn_rcpt rcpts[2] = {
        {.address = address,
         .orcpt = reply,
         .verdict = {.outcome = OUTCOME_REFUSED,
                     .code = 550,
                     .text = reply,
                     .remote = address,
                     .command = reply}},
        {.address = reply,                  .verdict = {.outcome = OUTCOME_LATER, .text = rest}},
    };
    const struct dsn_report r = {
        .hostname = STR("mx.example"),
        .to = address.n > 0 ? address : STR("a@b.example"),
        .id = STR("1-1"),
        .message_id = STR("1@mx.example"),
        .boundary = STR("=_7K3MQ-2DF9P"),
        .rcpts = rcpts,
        .n_rcpts = 2,
        .original = rest,
        .envid = reply,
        .ret = n % 2 == 0 ? DSN_RET_FULL : DSN_RET_HDRS,
        .smtputf8 = n % 3 == 0,
    };
    dsn_write(&r, &m);
    check_lines(buf_str(&m.head));
    buf_add(&all, buf_str(&m.head));
    buf_add(&all, m.copy);
    buf_add(&all, buf_str(&m.tail));
    assert(m.eight_bit || field_is_ascii(buf_str(&all)));
    struct str header = header_of(buf_str(&all), &body);
    assert(m.smtputf8 || field_is_ascii(header));
    assert(str_starts(body, STR("--=_7K3MQ-2DF9P\r\n")));
    assert(header_find(header, STR("x-failed-recipients"), &value));
    assert(!header_find(header, STR("bcc"), &value));
    buf_fini(&all);
    dsn_message_fini(&m);
    return 0;
}
