# SPDX-License-Identifier: ISC
"""Bounces and autoreplies beyond the plain case: what they return, whom they
name, and what becomes of them when their writer dies."""
import email
import email.policy
import time

import pytest
from server import message, parse, wait_for

QUEUE = "retry-min = 200ms retry-max = 200ms give-up = 1h"


@pytest.fixture
def house(make_server, make_sink):
    sink = make_sink()
    sink.rcpt["gone@far.example"] = "550-5.1.1 first line of two,\n550 5.1.1 and the last (#5.1.1)"
    server = make_server(relay=f'smarthost = "127.0.0.1:{sink.port}" networks = {{"127.0.0.1"}}', queue=QUEUE)
    server.add_user("ann@example.com")
    server.add_user("bob@example.com")
    server.start()
    server.sink = sink
    return server


def send(server, sender, rcpts, octets, options=(), rcpt_options=()):
    with server.smtp() as s:
        assert s.sendmail(sender, rcpts, octets, options, rcpt_options) == {}


def bounce(server, n=1):
    got = server.wait_mail("ann@example.com", n)[-1]
    assert got.get_content_type() == "multipart/report"
    return got


def test_both_lines_of_the_answer(house):
    send(house, "ann@example.com", ["gone@far.example"], message())
    text, status, _ = bounce(house).get_payload()
    lines = text.get_content().replace("\r", "").split("\n")
    at = lines.index("550-5.1.1 first line of two,")
    assert lines[at + 1] == "550 5.1.1 and the last (#5.1.1)"
    assert any(line.startswith("What happened: ") for line in lines)
    assert any(line.startswith("Who must act: ") for line in lines)
    assert any(line.startswith("What to do: ") for line in lines)
    per_rcpt = status.get_payload()[1]
    assert per_rcpt["Action"] == "failed" and per_rcpt["Status"] == "5.1.1"
    assert per_rcpt["Remote-MTA"].startswith("dns; ")
    assert "first line of two, 550 5.1.1 and the last" in per_rcpt["Diagnostic-Code"]


def test_eight_bit_and_encoded_subject(house):
    body = "Grüße\r\n.dot\r\n"
    octets = message(subject="=?UTF-8?B?R3LDvMOfZQ==?=", body="").rstrip() + b"\r\n\r\n" + body.encode()
    send(house, "ann@example.com", ["gone@far.example"], octets, ["BODY=8BITMIME"])
    got = bounce(house)
    assert str(got["Subject"]) == "Mail delivery failed (550): Grüße"
    raw = house.mail("ann@example.com")[0].replace(b"\r\n", b"\n")
    assert b"=?UTF-8?B?R3LDvMOfZQ==?=" in raw and body.replace("\r", "").encode() in raw
    assert got.get_payload()[2]["Content-Transfer-Encoding"] == "8bit"


@pytest.mark.parametrize("octets, options", [
    (message(body="secret words\r\n"), ["RET=HDRS", "ENVID=QQ+2B314"]),
    (message(body="secret words\r\n" + "x" * 70 * 1024 * 16 + "\r\n"), []),
], ids=["RET=HDRS", "large"])
def test_only_the_headers(house, octets, options):
    if not options:  # larger than is returned whole
        octets = octets.replace(b"x" * 70 * 1024 * 16, b"\r\n".join([b"x" * 998] * 12000))
    send(house, "ann@example.com", ["gone@far.example"], octets, options)
    _, status, original = bounce(house).get_payload()
    assert original.get_content_type() == "text/rfc822-headers"
    assert "Message-ID" in original.get_payload() and "secret" not in original.get_payload()
    if options:
        assert status.get_payload()[0]["Original-Envelope-Id"] == "QQ+314"


def test_never(house):
    send(house, "ann@example.com", ["gone@far.example"], message(), [], ["NOTIFY=NEVER"])
    house.wait_empty()
    time.sleep(0.5)
    assert house.mail("ann@example.com") == []


def test_success(house):
    """RFC 3461: told when it is delivered, or when the next host will not tell."""
    send(house, "ann@example.com", ["bob@example.com"], message(), ["ENVID=QQ"], ["NOTIFY=SUCCESS"])
    report = bounce(house)
    status = report.get_payload(1).get_payload()
    assert [str(part["Action"]) for part in status[1:]] == ["delivered"] and status[0]["Original-Envelope-Id"] == "QQ"
    assert report["X-Failed-Recipients"] is None and report.get_payload(2).get_content_type() == "text/rfc822-headers"
    assert report["Auto-Submitted"] == "auto-replied" and b"Return-Path: <>\n" in house.mail("ann@example.com")[0]

    send(house, "ann@example.com", ["far@far.example"], message(), [], ["NOTIFY=SUCCESS"])
    house.wait_empty()
    house.sink.extensions.remove("DSN")
    time.sleep(0.5)  # the connection that knows it otherwise is given up
    send(house, "ann@example.com", ["else@elsewhere.example"], message(), [], ["NOTIFY=SUCCESS,FAILURE"])
    found = [str(m) for m in house.wait_mail("ann@example.com", 2)]
    house.wait_empty()
    assert len(house.mail("ann@example.com")) == 2, "the next host has the wish, and is to report"
    assert sum("Action: relayed" in m and "else@elsewhere.example" in m for m in found) == 1


def test_an_alias_keeps_its_targets(house):
    house.cli("alias", "add", "sales@example.com", "bob@example.com", "gone@far.example", "gone@far.example")
    house.sink.rcpt["gone@far.example"] = "550 5.1.1 no such mailbox"
    send(house, "ann@example.com", ["sales@example.com"], message())
    got = bounce(house)
    assert got["X-Failed-Recipients"] == "sales@example.com"
    assert b"gone@far.example" not in house.mail("ann@example.com")[0]
    house.wait_mail("bob@example.com")


def test_the_writer_dies(house):
    """Every debt is paid, however often notify is killed."""
    n = 30
    for i in range(n):
        send(house, "ann@example.com", ["gone@far.example"], message(subject=f"number {i}."))
        if i % 6 == 3:
            dead = house.kill("notify")
            wait_for(lambda: set(house.children("notify")) - {dead})
    house.wait_mail("ann@example.com", n, 60)
    house.wait_empty()
    subjects = {str(m["Subject"]) for m in map(parse, house.mail("ann@example.com"))}
    assert subjects == {f"Mail delivery failed (550): number {i}." for i in range(n)}


def test_everything_dies(house):
    """What was owed at a power cut is paid after it."""
    house.kill("notify")
    for i in range(5):
        send(house, "ann@example.com", ["gone@far.example"], message(subject=f"number {i}."))
    house.kill_all()
    house.start()
    house.wait_mail("ann@example.com", 5, 60)


def away(house, subject="On vacation", text="Away until Monday.\n"):
    house.cli("vacation", "set", "ann@example.com", "--subject", subject, "--file", "-", input=text)


def test_autoreply_beyond_ascii(house):
    away(house, "Über alle Berge", "Schöne Grüße\nvon Ann\n")
    send(house, "w@far.example", ["Ann+list@example.com"], message(to='"A" <ann+list@EXAMPLE.com>'))
    m = house.sink.wait(1)[0]
    reply = email.message_from_bytes(m.data, policy=email.policy.default)
    assert m.sender == "" and m.rcpts == ["w@far.example"] and m.data.isascii()
    assert str(reply["Subject"]) == str(reply["X-Autorespond"]) == "Über alle Berge"
    assert reply.get_content().replace("\r", "") == "Schöne Grüße\nvon Ann\n"
    assert str(reply["From"]) == "ann@example.com"
    assert reply["In-Reply-To"] == parse(house.mail("ann@example.com")[0])["Message-ID"]


def test_autoreply_to_an_alias_and_once_after_a_restart(house):
    house.cli("alias", "add", "sales@example.com", "ann@example.com")
    away(house)
    send(house, "w@far.example", ["sales@example.com"], message(to="sales@example.com"))
    house.sink.wait(1)
    house.restart()
    send(house, "w@far.example", ["ann@example.com"], message())
    send(house, "v@far.example", ["ann@example.com"], message())
    house.sink.wait(1, to="v@far.example")
    house.wait_empty()
    time.sleep(0.5)
    assert sorted(r for m in house.sink.messages for r in m.rcpts) == ["v@far.example", "w@far.example"]


def test_two_on_vacation_do_not_talk(house):
    away(house)
    house.cli("vacation", "set", "bob@example.com", "--subject", "Me too", "--file", "-", input="Gone.\n")
    send(house, "bob@example.com", ["ann@example.com"], message(sender="bob@example.com"))
    house.wait_mail("bob@example.com")
    house.wait_empty()
    time.sleep(0.5)
    assert len(house.mail("bob@example.com")) == 1 and len(house.mail("ann@example.com")) == 1
