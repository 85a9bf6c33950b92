/* SPDX-License-Identifier: ISC */
/*
 * A foreign server's octets against the client: first octet chooses TLS, login
 * and message, the rest is what the server sends. Every recipient must get one
 * verdict, and the pieces in which the octets arrive must not matter.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "proto/smtp/client.h"

enum { RCPTS = 3, MESSAGES = 3 };

struct run {
    struct smtp_client m;
    struct buf said, result;
    size_t begun, done;
    unsigned choice;
};

static struct recipient rcpts[RCPTS] = {
    {.address = {"a@x.example", 11}      },
    { .address = {"\"b c\"@x.example", 15},            .notify = NOTIFY_FAILURE},
    { .address = {"c@x.example", 11}, .orcpt = {"rfc822;d@x.example", 18}},
};

static void
on_event(struct run *r, struct envelope *e, enum smtp_client_event ev)
{
    struct instant now = {0};

    if (ev == SMTP_CLIENT_START_TLS) {
        smtp_client_tls_started(&r->m, now);
    } else if (ev == SMTP_CLIENT_READY && r->begun < MESSAGES) {
        assert(r->begun == r->done);
        r->begun++;
        smtp_client_begin(&r->m, now, e, 8, (r->choice & 4) != 0);
    } else if (ev == SMTP_CLIENT_READY) {
        smtp_client_quit(&r->m, now);
    } else if (ev == SMTP_CLIENT_CONTENT) {
        smtp_client_content(&r->m, STR("a\r\n."));
        smtp_client_content(&r->m, STR("b\r\nc"));
        smtp_client_content_end(&r->m, now);
    } else if (ev == SMTP_CLIENT_DONE) {
        r->done++;
        assert(r->m.n_verdicts == RCPTS);
        for (size_t i = 0; i < RCPTS; i++) {
            assert(r->m.verdicts[i].outcome != OUTCOME_NONE);
            verdict_encode(&r->result, &r->m.verdicts[i]);
        }
    }
}

static void
run(struct run *r, struct str input, size_t step)
{
    struct instant now = {0};
    struct envelope e = {.sender = STR("s@x.example"),
                         .envid = STR("Q+20"),
                         .body =
                             r->choice & 32 ? BODY_BINARYMIME : BODY_8BITMIME,
                         .smtputf8 = (r->choice & 8) != 0,
                         .rcpts = rcpts,
                         .n_rcpts = RCPTS};
    struct smtp_client_options options = {
        .helo = STR("me.example"),
        .remote = STR("mx"),
        .tls = (enum smtp_client_tls)(r->choice & 3) % 3,
        .command_timeout_ms = 1,
        .data_timeout_ms = 1};
    enum smtp_client_event ev;
    size_t used;

    if (r->choice & 16) {
        options.user = STR("u");
        options.password = STR("p");
    }
    smtp_client_init(&r->m, &options, now);
    do {
        used = smtp_client_feed(&r->m, now, str_first(input, step), &ev);
        input = str_from_pos(input, used);
        on_event(r, &e, ev);
        buf_add(&r->said, smtp_client_output(&r->m));
        smtp_client_sent(&r->m, now, smtp_client_output(&r->m).n);
    } while (ev != SMTP_CLIENT_CLOSE &&
             (used > 0 || ev != SMTP_CLIENT_NEED_INPUT));
    smtp_client_timed_out(&r->m);
    do {
        (void)smtp_client_feed(&r->m, now, STR_EMPTY, &ev);
        on_event(r, &e, ev);
    } while (ev != SMTP_CLIENT_CLOSE);
    assert(r->begun == r->done);
    smtp_client_fini(&r->m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n == 0)
        return 0;
    struct run whole = {.choice = data[0]}, bytes = {.choice = data[0]};
    struct str input = str_from_n(data + 1, n - 1);

    run(&whole, input, SIZE_MAX);
    run(&bytes, input, 1);
    // With STARTTLS the pieces matter, on purpose: see client_on_starttls().
    if ((data[0] & 3) % 3 == SMTP_TLS_NEVER) {
        assert(str_eq(buf_str(&whole.said), buf_str(&bytes.said)));
        assert(str_eq(buf_str(&whole.result), buf_str(&bytes.result)));
    }
    buf_fini(&whole.said);
    buf_fini(&whole.result);
    buf_fini(&bytes.said);
    buf_fini(&bytes.result);
    return 0;
}
