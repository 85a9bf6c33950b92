/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "catalogue/catalogue.h"

static void
check_reply(const char *id, const struct reason_params *p, const char *chosen,
            const char *want)
{
    struct buf b = {0};
    const struct reason *r = catalogue_find(str_from(id));
    assert_non_null(r);
    catalogue_reply(&b, r, p, str_from(chosen));
    assert_string_equal(buf_cstr(&b), want);
    buf_fini(&b);
}

static void
three_lines(void **state)
{
    const struct reason_params p = {
        .recipient = STR("Nobody@Acme.example"),
        .incident = STR("7K3MQ-2DF9P"),
    };
    (void)state;
    check_reply("unknown-recipient", &p, NULL,
                "553-5.1.1 There is no mailbox Nobody@Acme.example here.\r\n"
                "553-5.1.1 Sender: check the spelling of the address, or ask "
                "the person for the right one another way.\r\n"
                "553 5.1.1 unknown-recipient 7K3MQ-2DF9P\r\n");
}

/* Each line: short enough, printable, opens with code and enhanced code, and
 * only the last one ends the reply. */
static size_t
check_lines(struct str reply, const struct reason *r, size_t limit)
{
    struct buf head = {0};
    struct str line;
    size_t n = 0;
    while (reply.n > 0) {
        assert_true(str_cut(reply, '\n', &line, &reply));
        assert_true(line.n + 1 <= limit);
        assert_true(line.n > 0 && line.p[line.n - 1] == '\r');
        for (size_t i = 0; i + 1 < line.n; i++)
            assert_true(line.p[i] >= ' ' && line.p[i] <= '~');
        buf_clear(&head);
        buf_addf(&head, "%u%c%u.%u.%u ", r->code, reply.n > 0 ? '-' : ' ',
                 r->status.klass, r->status.subject, r->status.detail);
        assert_true(str_starts(line, buf_str(&head)));
        assert_true(line.p[line.n - 2] != ' ' || line.n == head.n + 1);
        n++;
    }
    buf_fini(&head);
    return n;
}

static void
every_reason_with_every_parameter(void **state)
{
    static const char *values[] = {
        "",
        "a",
        "a\r\n250 ok\r\n",
        "\303\244\377\001@b.example",
    };
    char longest[400];
    (void)state;
    memset(longest, 'x', sizeof longest);
    for (size_t v = 0; v < sizeof values / sizeof *values + 1; v++) {
        struct str s = v < sizeof values / sizeof *values
                           ? str_from(values[v])
                           : str_from_n(longest, sizeof longest);
        const struct reason_params p = {s, s, s, s, s, s, s, s};
        for (size_t i = 0; i < catalogue_count(); i++) {
            struct buf b = {0};
            if (catalogue_at(i)->code == 0)
                continue; // no failure, and never a reply
            catalogue_reply(&b, catalogue_at(i), &p, STR_EMPTY);
            assert_int_equal(check_lines(buf_str(&b), catalogue_at(i), 200), 3);
            buf_clear(&b);
            catalogue_reply(&b, catalogue_at(i), &p,
                            STR("%{sender}\n%{recipient} and %{detail}"));
            assert_int_equal(check_lines(buf_str(&b), catalogue_at(i), 512), 2);
            buf_fini(&b);
        }
    }
}

/* Values as strangers might choose them, each of another length. */
static struct str
hostile(struct buf *b, unsigned seed)
{
    static const char *const parts[] = {
        "a",       "@",        "%{sender}", "\r\n",  "\r\n250 ok\r\n",
        "\n.\r\n", "\377\376", "\303\244",  "\033[", "%",
        "%{",      "}",        "553-",      "\t",    "very.long.local.part",
    };
    buf_clear(b);
    size_t n = seed % 41;
    for (size_t i = 0; i < n; i++) {
        seed = seed * 1103515245u + 12345u;
        buf_add(b,
                str_from(parts[(seed >> 16) % (sizeof parts / sizeof *parts)]));
    }
    buf_add_char(b, '\0');
    return buf_str(b);
}

static void
every_reason_with_hostile_parameters(void **state)
{
    struct buf values[8] = {{0}}, b = {0};
    struct str v[8];
    (void)state;
    for (unsigned round = 0; round < 200; round++) {
        for (unsigned k = 0; k < 8; k++)
            v[k] = hostile(&values[k], round * 8 + k * k + 1);
        const struct reason_params p = {v[0], v[1], v[2], v[3],
                                        v[4], v[5], v[6], v[7]};
        for (size_t i = 0; i < catalogue_count(); i++) {
            buf_clear(&b);
            if (catalogue_at(i)->code == 0)
                continue;
            catalogue_reply(&b, catalogue_at(i), &p, STR_EMPTY);
            assert_int_equal(check_lines(buf_str(&b), catalogue_at(i), 200), 3);
        }
    }
    for (size_t k = 0; k < 8; k++)
        buf_fini(&values[k]);
    buf_fini(&b);
}

/* Addresses as most people have them come through whole, and a parameter that
 * looks like one is not filled in again. */
static void
usual_addresses_stay_whole(void **state)
{
    const struct reason_params p = {
        .sender = STR("elisabeth.mustermann@sales.acme.example"),
        .recipient = STR("%{sender}.o'hara@mail.far-away.example"),
        .recipient_domain = STR("mail.far-away.example"),
        .domain = STR("mx1.hosting.example"),
        .user = STR("elisabeth.mustermann@sales.acme.example"),
        .host = STR("[2001:db8:100:200:300:400:500:600]"),
        .detail = STR("60 messages an hour, again at 14:00 UTC."),
        .incident = STR("7K3MQ-2DF9P"),
    };
    struct buf b = {0};
    (void)state;
    for (size_t i = 0; i < catalogue_count(); i++) {
        buf_clear(&b);
        if (catalogue_at(i)->code == 0)
            continue;
        catalogue_reply(&b, catalogue_at(i), &p, STR_EMPTY);
        if (str_find(buf_str(&b), STR("...")) >= 0)
            print_error("%s", buf_cstr(&b));
        assert_true(str_find(buf_str(&b), STR("...")) < 0);
        if (str_find(catalogue_at(i)->text, STR("%{recipient}")) >= 0)
            assert_true(str_find(buf_str(&b), p.recipient) >= 0);
    }
    buf_fini(&b);
}

static void
long_addresses_lose_their_middle(void **state)
{
    struct buf address = {0}, got = {0};
    (void)state;
    for (int i = 0; i < 30; i++)
        buf_add(&address, STR("long-name"));
    buf_add(&address, STR("@example.com"));
    const struct reason_params p = {.recipient = buf_str(&address)};
    catalogue_reply(&got, catalogue_find(STR("unknown-recipient")), &p,
                    STR_EMPTY);
    assert_true(str_starts(buf_str(&got),
                           STR("553-5.1.1 There is no mailbox long-namelong")));
    assert_true(str_find(buf_str(&got), STR("...")) > 0);
    assert_true(str_find(buf_str(&got), STR("@example.com here.\r\n")) > 0);
    buf_fini(&address);
    buf_fini(&got);
}

static void
chosen_texts(void **state)
{
    const struct reason_params p = {
        .sender = STR("Ann@Acme.example"),
        .recipient = STR("Bob@Far.example"),
        .recipient_domain = STR("Far.example"),
        .domain = STR("mx.acme.example"),
        .incident = STR("7K3MQ-2DF9P"),
    };
    (void)state;
    check_reply("unknown-recipient", &p,
                "553 sorry, no mailbox here by that name (#5.1.1)",
                "553 sorry, no mailbox here by that name (#5.1.1)\r\n");
    check_reply("unknown-recipient", &p,
                "550 %{recipient} %{recipient-domain} %{domain} %{sender}",
                "550 Bob@Far.example Far.example mx.acme.example "
                "Ann@Acme.example\r\n");
    check_reply("relay-denied", &p, "go away", "553 5.7.1 go away\r\n");
    check_reply("relay-denied", &p, "553-go\n553 away",
                "553-go\r\n553 away\r\n");
    check_reply("relay-denied", &p, "553-Message filtered.",
                "553-Message filtered.\r\n"
                "553 5.7.1 relay-denied 7K3MQ-2DF9P\r\n");
    check_reply("greylisted", &p, "550-no\n550-go away",
                "550-no\r\n550-go away\r\n"
                "550 5.7.1 greylisted 7K3MQ-2DF9P\r\n");
    check_reply("relay-denied", &p, "553-Message filtered.\n",
                "553-Message filtered.\r\n"
                "553 5.7.1 relay-denied 7K3MQ-2DF9P\r\n");
    check_reply("relay-denied", &p, "no\n550-away",
                "553-5.7.1 no\r\n553-5.7.1 away\r\n"
                "553 5.7.1 relay-denied 7K3MQ-2DF9P\r\n");
    check_reply("relay-denied", &p, "250-ok", "553 5.7.1 ok\r\n");
    check_reply("relay-denied", &p, "5.7.1-ish", "553 5.7.1 5.7.1-ish\r\n");
    check_reply("relay-denied", &p, "250 ok", "553 5.7.1 ok\r\n");
    check_reply("relay-denied", &p, "550", "550 \r\n");
    check_reply("relay-denied", &p, "550 a\n\n550 b\n",
                "550-a\r\n550-\r\n550 b\r\n");
    check_reply("relay-denied", &p, "550 %{what} %{", "550 %{what} %{\r\n");
    check_reply("relay-denied", &p, "550 %{recipient", "550 %{recipient\r\n");
}

static void
checking_chosen_texts(void **state)
{
    static const struct {
        const char *text, *wrong; /* NULL: nothing */
    } cases[] = {
        {"553 sorry, no mailbox here by that name (#5.1.1)", NULL             },
        {"no code at all",                                   NULL             },
        {"553 5.7.1 %{recipient} and %{sender}",             NULL             },
        {"553-a\n553 b",                                     NULL             },
        {"",                                                 "empty"          },
        {"250 ok",                                           "4xx or 5xx"     },
        {"553 a\n550 b",                                     "same reply code"},
        {"553 %{recipent}",                                  "%{recipient}"   },
        {"553 %{recipient",                                  "without }"      },
        {"553 \303\244",                                     "ASCII"          },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *got = catalogue_check_text(str_from(cases[i].text));
        if (cases[i].wrong == NULL)
            assert_null(got);
        else
            assert_non_null(strstr(got, cases[i].wrong));
    }
}

static void
texts_for_people(void **state)
{
    struct buf b = {0};
    const struct reason_params p = {
        .sender = STR("j\303\266rg@x.example\r\nBcc: all"),
        .recipient = STR("\377"),
    };
    (void)state;
    catalogue_fill(&b, STR("\303\234ber %{sender} und %{recipient}.\n"), &p);
    assert_string_equal(buf_cstr(&b),
                        "\303\234ber j\303\266rg@x.example??Bcc: all und "
                        "\357\277\275.\n");
    buf_fini(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_lines),
        cmocka_unit_test(every_reason_with_every_parameter),
        cmocka_unit_test(every_reason_with_hostile_parameters),
        cmocka_unit_test(usual_addresses_stay_whole),
        cmocka_unit_test(long_addresses_lose_their_middle),
        cmocka_unit_test(chosen_texts),
        cmocka_unit_test(checking_chosen_texts),
        cmocka_unit_test(texts_for_people),
    };
    return cmocka_run_group_tests_name("catalogue/reply", tests, NULL, NULL);
}
