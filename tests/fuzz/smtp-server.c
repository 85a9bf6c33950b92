/* SPDX-License-Identifier: ISC */
#include <assert.h>
#include <stdint.h>

#include "dialogue.h"
#include "proto/smtp/peek.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* What a transcript's client says; anything else is taken as it is. */
static void
take_client(struct buf *to, struct str in)
{
    struct str line;
    if (!str_starts(in, STR("#"))) {
        buf_add(to, in);
        return;
    }
    while (in.n > 0) {
        (void)str_cut(in, '\n', &line, &in);
        if (str_skip(&line, STR("C: "))) {
            buf_add(to, line);
            buf_add(to, STR("\r\n"));
        } else if (str_skip(&line, STR("c: "))) {
            buf_add(to, line);
        }
    }
}

static void
play(struct dialogue *d, struct str input, size_t piece)
{
    dialogue_init(d);
    d->options.max_size = 3000;
    d->login_user = STR("alice@example.com");
    d->login_password = STR("secret");
    dialogue_refuse(d, STR("rcpt nobody@example.com"), STR("553 5.1.1 no"));
    dialogue_start(d, input.n % 2 == 0);
    for (size_t i = 0; i < input.n && !d->closed; i += piece)
        dialogue_send(d, str_first(str_from_pos(input, i), piece));
}

/* Reading ahead ends. */
static void
look_ahead(struct str in)
{
    struct smtp_mail mail;
    struct smtp_rcpt rcpt;
    for (size_t before = in.n + 1; before > in.n;) {
        before = in.n;
        bool end = smtp_peek(&in, &mail, &rcpt) == SMTP_PEEK_END;
        assert(end == (in.n == before));
    }
}

/* The same octets in other pieces are the same conversation. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct dialogue whole, pieces;
    struct buf in = {0};
    take_client(&in, str_from_n(data, n));
    look_ahead(buf_str(&in));
    play(&whole, buf_str(&in), in.n + 1);
    play(&pieces, buf_str(&in), 1 + in.n % 7);
    assert(str_eq(buf_str(&whole.out), buf_str(&pieces.out)));
    assert(str_eq(buf_str(&whole.message), buf_str(&pieces.message)));
    assert(whole.messages == pieces.messages);
    assert(whole.closed == pieces.closed);
    dialogue_fini(&whole);
    dialogue_fini(&pieces);
    buf_fini(&in);
    return 0;
}
