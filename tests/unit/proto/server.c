/* SPDX-License-Identifier: ISC */
/* What the transcripts cannot show: what the driver sees besides replies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/smtp/server.h"

static const struct smtp_server_options options = {
    .hostname = {"mx.example.com", 14},
    .mechanisms = {"PLAIN",          5 },
    .max_size = 1000,
    .max_errors = 10,
    .command_timeout_ms = 300,
    .data_timeout_ms = 180,
};

/* Feeds until there is an event or nothing more is consumed. */
static struct smtp_event
feed(struct smtp_server *m, const char *text)
{
    struct smtp_event ev;
    struct str in = str_from(text);
    size_t used;
    do {
        used = smtp_server_feed(m, in, &ev);
        in = str_from_pos(in, used);
    } while (used > 0 && ev.type == SMTP_EVENT_NONE);
    return ev;
}

static void
begin(struct smtp_server *m)
{
    smtp_server_init(m, &options, false);
    assert_int_equal(feed(m, "EHLO c.example\r\n").type, SMTP_EVENT_HELLO);
    smtp_server_accept(m, STR_EMPTY);
}

static void
nothing_while_asked(void **state)
{
    struct smtp_server m;
    struct smtp_event ev;
    (void)state;
    begin(&m);
    ev = feed(&m, "MAIL FROM:<a@b.example> SIZE=7 RET=FULL\r\n");
    assert_int_equal(ev.type, SMTP_EVENT_SENDER);
    assert_true(str_eq(ev.mail.sender.whole, STR("a@b.example")));
    assert_int_equal(ev.mail.size, 7);
    assert_int_equal(ev.mail.ret, DSN_RET_FULL);
    assert_int_equal(smtp_server_feed(&m, STR("QUIT\r\n"), &ev), 0);
    assert_int_equal(ev.type, SMTP_EVENT_NONE);
    smtp_server_accept(&m, STR_EMPTY);
    assert_int_equal(smtp_server_feed(&m, STR("QUIT\r\n"), &ev), 6);
    smtp_server_fini(&m);
}

static void
part_of_a_line_stays(void **state)
{
    struct smtp_server m;
    struct smtp_event ev;
    (void)state;
    begin(&m);
    assert_int_equal(smtp_server_feed(&m, STR("NOOP"), &ev), 0);
    assert_int_equal(smtp_server_feed(&m, STR("NOOP\r\nNO"), &ev), 6);
    smtp_server_fini(&m);
}

/* Full output is drained before more is heard. */
static void
full_output(void **state)
{
    struct smtp_server m;
    struct smtp_event ev;
    struct buf in = {0};
    size_t total = 0, rounds = 0;
    (void)state;
    begin(&m);
    for (int i = 0; i < 5000; i++)
        buf_add(&in, STR("HELP\r\n"));
    while (total < in.n) {
        total += smtp_server_feed(&m, str_from_pos(buf_str(&in), total), &ev);
        assert_true(smtp_server_output(&m).n < 20000);
        smtp_server_sent(&m, smtp_server_output(&m).n);
        rounds++;
    }
    assert_true(rounds > 10);
    assert_true(m.out.cap == 0); // an idle session keeps no large buffer
    buf_fini(&in);
    smtp_server_fini(&m);
}

static void
patience(void **state)
{
    struct smtp_server m;
    (void)state;
    begin(&m);
    assert_int_equal(smtp_server_patience(&m), 300);
    (void)feed(&m, "MAIL FROM:<>\r\n");
    assert_true(smtp_server_patience(&m) == INT64_MAX);
    smtp_server_accept(&m, STR_EMPTY);
    (void)feed(&m, "RCPT TO:<a@b.example>\r\n");
    smtp_server_accept(&m, STR_EMPTY);
    assert_int_equal(feed(&m, "DATA\r\n").type, SMTP_EVENT_CONTENT);
    smtp_server_accept(&m, STR_EMPTY);
    assert_int_equal(smtp_server_patience(&m), 180);
    smtp_server_fini(&m);
}

static void
closing(void **state)
{
    struct smtp_server m;
    (void)state;
    begin(&m);
    smtp_server_sent(&m, smtp_server_output(&m).n);
    smtp_server_close(&m, STR("421 4.4.2 timeout\r\n"));
    smtp_server_close(&m, STR("421 4.3.0 once is enough\r\n"));
    assert_true(str_eq(smtp_server_output(&m), STR("421 4.4.2 timeout\r\n")));
    assert_int_equal(feed(&m, "").type, SMTP_EVENT_CLOSE);
    smtp_server_fini(&m);
}

/* A large message with a flaw is not handed to the driver to its end. */
static void
no_body_with_a_flaw(void **state)
{
    struct smtp_server m;
    (void)state;
    begin(&m);
    (void)feed(&m, "MAIL FROM:<>\r\n");
    smtp_server_accept(&m, STR_EMPTY);
    (void)feed(&m, "RCPT TO:<a@b.example>\r\n");
    smtp_server_accept(&m, STR_EMPTY);
    (void)feed(&m, "DATA\r\n");
    smtp_server_accept(&m, STR_EMPTY);
    assert_int_equal(feed(&m, "fine\r\n").type, SMTP_EVENT_BODY);
    assert_int_equal(feed(&m, "bad\n").type, SMTP_EVENT_NONE);
    assert_int_equal(feed(&m, "more\r\n").type, SMTP_EVENT_NONE);
    struct smtp_event ev = feed(&m, ".\r\n");
    assert_int_equal(ev.type, SMTP_EVENT_END);
    assert_int_equal(ev.flaw, SMTP_FLAW_BARE);
    smtp_server_fini(&m);
}

/* Also where it is refused, and where the line has no end yet. */
static void
passwords_are_marked(void **state)
{
    static const struct {
        const char *line;
        bool secret;
    } cases[] = {
        {"NOOP\r\n",                      false},
        {"auth PLAIN AGEAYg==\r\n",       true }, // in clear: 538
        {"NOOP\r\nAUTH PLAIN ??\r\nNOOP", true },
        {"AUTHOR\r\n",                    false},
    };
    struct smtp_server m;
    struct smtp_event ev;
    struct buf in = {0};
    (void)state;
    begin(&m);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        (void)smtp_server_feed(&m, str_from(cases[i].line), &ev);
        assert_int_equal(ev.secret, cases[i].secret);
    }
    buf_add(&in, STR("AUTH PLAIN "));
    memset(buf_reserve(&in, 13000), 'a', 13000);
    in.n += 13000;
    assert_int_equal(smtp_server_feed(&m, buf_str(&in), &ev), in.n);
    assert_true(ev.secret);
    assert_int_equal(smtp_server_feed(&m, STR("AGEAYg==\r\n"), &ev), 10);
    assert_true(ev.secret); // the rest of that line
    buf_fini(&in);
    smtp_server_fini(&m);
    smtp_server_init(&m, &options, true);
    (void)feed(&m, "EHLO c.example\r\n");
    smtp_server_accept(&m, STR_EMPTY);
    assert_true(feed(&m, "AUTH PLAIN\r\n").secret);
    smtp_server_challenge(&m, STR_EMPTY);
    ev = feed(&m, "AGEAYg==\r\n");
    assert_int_equal(ev.type, SMTP_EVENT_AUTH_RESPONSE);
    assert_true(ev.secret);
    smtp_server_fini(&m);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_while_asked),
        cmocka_unit_test(part_of_a_line_stays),
        cmocka_unit_test(full_output),
        cmocka_unit_test(patience),
        cmocka_unit_test(closing),
        cmocka_unit_test(no_body_with_a_flaw),
        cmocka_unit_test(passwords_are_marked),
    };
    return cmocka_run_group_tests_name("proto/smtp/server", tests, NULL, NULL);
}
