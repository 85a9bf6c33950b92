# SPDX-License-Identifier: ISC
"""The 23 replies that Gatepost was asked for, each by a real rule, through a
real client, octet by octet (docs/replies.md is their page for admins)."""
import re
import socket

import pytest

from server import Server

SENDER, RECIPIENT, ELSEWHERE = "sender@example.com", "recipient@RemoteDomain.com", "recipient@OtherRemoteDomain.com"
LISTED = "listed@example.net"


class House(Server):
    """The server of the document: its name is RemoteDomain.com."""

    hostname = "RemoteDomain.com"

    def __init__(self, dns, gate="", replies="", domains=(), lists=None, **more):
        super().__init__(domains=(), dns=f'servers = {{"127.0.0.1@{dns.port}"}} timeout = 3s', workers=1,
                         more=f"gate {{ {gate} }}\n" + "\n".join(domains) + "\n" + replies, **more)
        for name, text in (lists or {}).items():
            (self.root / name).write_text(text)


def say(reason, text):
    return f'reply "{reason}" {{ text = "{text}" }}'


def domain(name, text="", reason="unknown-recipient"):
    return f'domain "{name}" {{ {say(reason, text) if text else ""} }}'


def rcpt(address=RECIPIENT, sender=SENDER):
    return [f"MAIL FROM:<{sender}>", f"RCPT TO:<{address}>"]


def mail(sender=SENDER):
    return [f"MAIL FROM:<{sender}>"]


# One house a row of replies that do not exclude each other. A reply: its number
# in the document, the octets expected, the commands, the port.
HOUSES = {
    "unknown": dict(
        domains=[
            domain("RemoteDomain.com", "553 5.3.0 <%{recipient}>... Address does not exist"),
            domain("two.example", "553 Invalid user."),
            domain("five.example", "553 5.1.1 sorry, no mailbox here by that name."),
            domain("fourteen.example", "553 sorry, no mail-box here by that name. (#5.1.1)"),
            domain("fifteen.example", "553 sorry, no mailbox here by that name (#5.1.1)"),
            domain("sixteen.example", "553 sorry, rcpt user invalid (#5.7.1)"),
            domain("nineteen.example", "553 sorry, the recipient is not a valid user on this domain (#5.7.1)"),
            domain("twenty.example", "553 sorry, this recipient doesn't exist."),
        ],
        replies=say("relay-denied", "553 5.7.1 Not an open relay, so get lost")
        + say("login-needed", "553 message blocked, you are not authorized to send mail, authentication is required.")
        + say("unknown-recipient", "550 5.1.1 the domain's own reply wins"),
        play=[
            (7, "553 5.3.0 <recipient@RemoteDomain.com>... Address does not exist", rcpt(), "mx"),
            (2, "553 Invalid user.", rcpt("recipient@two.example"), "mx"),
            (5, "553 5.1.1 sorry, no mailbox here by that name.", rcpt("recipient@five.example"), "mx"),
            (14, "553 sorry, no mail-box here by that name. (#5.1.1)", rcpt("recipient@fourteen.example"), "mx"),
            (15, "553 sorry, no mailbox here by that name (#5.1.1)", rcpt("recipient@fifteen.example"), "mx"),
            (16, "553 sorry, rcpt user invalid (#5.7.1)", rcpt("recipient@sixteen.example"), "mx"),
            (19, "553 sorry, the recipient is not a valid user on this domain (#5.7.1)", rcpt("recipient@nineteen.example"), "mx"),
            (20, "553 sorry, this recipient doesn't exist.", rcpt("recipient@TWENTY.example"), "mx"),
            (1, "553 5.7.1 Not an open relay, so get lost", rcpt("recipient@elsewhere.example"), "mx"),
            (3, "553 message blocked, you are not authorized to send mail, authentication is required.", mail(), "submission"),
        ],
    ),
    "senders": dict(
        gate="null-sender = refuse sender-domain = must-exist badmailfrom = \"file:badmailfrom\" sender-deny = \"file:denied\" "
             "validrcptto = \"file:validrcptto\" recipient-mx = check",
        lists={"badmailfrom": "# two ways\nsender@listed.example\n@spam.example\n", "denied": "sender@denied.example\n",
               "validrcptto": "@remotedomain.com\n"},
        domains=[domain("RemoteDomain.com", "553 5.3.0 <%{recipient}>... No such user"), domain("other.example", "553 unused")],
        replies=say("null-sender", "553 Null Sender is not allowed.")
        + say("sender-domain-missing", "553 #5.1.8 Domain of sender address <%{sender}> does not exist")
        + say("badmailfrom", "553 sorry, your envelope sender is in my badmailfrom list (#5.7.1)")
        + say("sender-denied", "553 Your email address is denied.")
        + say("not-in-validrcptto", "553 sorry, this recipient is not in my validrcptto list (#5.7.1)")
        + say("domain-not-here", "553 %{domain} does not accept mail sent to %{recipient}"),
        play=[
            (4, "553 Null Sender is not allowed.", mail(""), "mx"),
            (6, "553 #5.1.8 Domain of sender address <sender@example.com> does not exist", mail(), "mx"),
            (13, "553 RemoteDomain.com does not accept mail sent to recipient@OtherRemoteDomain.com", rcpt(ELSEWHERE, LISTED), "mx"),
            (8, "553 5.3.0 <recipient@RemoteDomain.com>... No such user", rcpt(sender=LISTED), "mx"),
            (21, "553 sorry, this recipient is not in my validrcptto list (#5.7.1)", rcpt("recipient@other.example", LISTED), "mx"),
            (22, "553 sorry, your envelope sender is in my badmailfrom list (#5.7.1)", mail("sender@listed.example"), "mx"),
            (22, "553 sorry, your envelope sender is in my badmailfrom list (#5.7.1)", mail("any@Spam.Example"), "mx"),
            (23, "553 Your email address is denied.", mail("sender@denied.example"), "mx"),
        ],
    ),
    "here": dict(
        gate="rcpthosts = \"file:rcpthosts\"",
        lists={"rcpthosts": "remotedomain.com\n"},
        domains=[domain("RemoteDomain.com", "553 5.3.0 <%{recipient}>... No such user here")],
        replies=say("not-in-rcpthosts", "553 sorry, that domain isn't in my list of allowed rcpthosts"),
        play=[
            (9, "553 5.3.0 <recipient@RemoteDomain.com>... No such user here", rcpt(), "mx"),
            (17, "553 sorry, that domain isn't in my list of allowed rcpthosts", rcpt(ELSEWHERE), "mx"),
        ],
    ),
    "qmail": dict(
        gate="rcpthosts = \"file:rcpthosts\"",
        lists={"rcpthosts": "remotedomain.com\n"},
        domains=[domain("RemoteDomain.com", "553 <%{recipient}> does not have a mailbox here")],
        replies=say("not-in-rcpthosts", "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)"),
        play=[
            (12, "553 <recipient@RemoteDomain.com> does not have a mailbox here", rcpt(), "mx"),
            (18, "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)", rcpt(ELSEWHERE), "mx"),
        ],
    ),
    "relay": dict(
        gate="message-rules = \"rules\"",
        lists={"rules": "# spam\nheader /^subject:.*cheap pills/i  pills\nbody /https?:\\/\\/pills\\.example/\n"},
        domains=[domain("here.example", "553-Message filtered. Please see the FAQs section on spam", "message-filtered")],
        replies=say("relay-denied", "553 5.3.0 <%{recipient}>... User unknown, not local address"),
        play=[(10, "553 5.3.0 <recipient@RemoteDomain.com>... User unknown, not local address", rcpt(), "mx")],
    ),
}


def converse(port, commands):
    """All at once, as pipelining clients do; the octets of the last reply."""
    with socket.create_connection(("127.0.0.1", port), 30) as s:
        f = s.makefile("rwb", 0)
        f.readline()
        f.write(b"EHLO client.example\r\n")
        while f.readline()[3:4] == b"-":
            pass
        f.write("".join(c + "\r\n" for c in commands).encode())
        for _ in commands[:-1]:
            line = f.readline()
            assert line.startswith(b"250 "), (commands, line)
        line = f.readline()
        f.write(b"QUIT\r\n")
        assert f.readline().startswith(b"221 "), "the reply had more lines than the client was told"
        return line


@pytest.mark.parametrize("name", HOUSES)
def test_the_replies(name, make_server, dns):
    what = dict(HOUSES[name])
    play = what.pop("play")
    dns.add("OtherRemoteDomain.com", "MX", (10, "RemoteDomain.com"))
    dns.add("example.net", "MX", (10, "mx.example.net"))
    for known in ("listed.example", "spam.example", "denied.example"):
        dns.add(known, "A", "192.0.2.1")
    server = House(dns, **what)
    make_server.made.append(server)
    server.start()
    for number, text, commands, port in play:
        port = server.mx_port if port == "mx" else server.submission_port
        assert converse(port, commands) == (text + "\r\n").encode(), f"reply {number}"
    for address in (RECIPIENT, ELSEWHERE):
        assert not server.mail(address)
    assert len(re.findall(r"\brefused\b", server.log())) >= len(play)


def test_every_reply_is_played():
    numbers = {number for house in HOUSES.values() for number, *_ in house["play"]}
    assert numbers == set(range(1, 24)) - {11}  # which has two lines, see below


def test_the_message_is_filtered(make_server, dns):
    """Reply 11 goes on with a line that ends it and names the incident."""
    what = {key: value for key, value in HOUSES["relay"].items() if key != "play"}
    server = House(dns, **what)
    make_server.made.append(server)
    server.add_user("recipient@here.example")
    server.start()
    good = "Subject: pills\r\n\r\nCheap pills are not for sale.\r\n"
    bad = ["Subject: Very\r\n cheap pills\r\n\r\nBuy.\r\n", "Subject: hello\r\n\r\nLook:\r\nhttp://pills.example/x\r\n",
           "Subject: hello\r\n\r\n" + "x" * 900 + "\r\n" + "see https://pills.example"]
    for text in bad:
        with server.smtp() as s:
            s.ehlo()
            s.mail(SENDER)
            s.rcpt("recipient@here.example")
            s.putcmd("data")
            assert s.getreply()[0] == 354
            s.send(text.encode() + b"\r\n.\r\n")
            assert s.file.readline() == b"553-Message filtered. Please see the FAQs section on spam\r\n"
            assert re.fullmatch(rb"553 5\.7\.1 message-filtered [0-9A-Z]{5}-[0-9A-Z]{5}\r\n", s.file.readline())
            assert s.noop()[0] == 250
    with server.smtp() as s:
        s.sendmail(SENDER, ["recipient@here.example"], good)
    assert len(server.wait_mail("recipient@here.example")) == 1


def test_rules_that_are_wrong_are_named(make_server, dns):
    server = House(dns, gate='message-rules = "rules"', lists={"rules": "/good/\n/(/\nbody pills\n/a/q\n"})
    make_server.made.append(server)
    done = server.cli("config", "check", check=False)
    assert done.returncode == 2
    assert [re.search(rf"rules:{n}: ", done.stderr) is not None for n in (1, 2, 3, 4)] == [False, True, True, True], done.stderr


def test_codes_that_do_not_fit_are_noted_not_refused(make_server, dns):
    server = House(dns, gate="null-sender = refuse", replies=say("relay-denied", "553 5.7.1 Not an open relay, so get lost"))
    make_server.made.append(server)
    done = server.cli("config", "check")
    line = 1 + server.config.read_text().split("\n").index(say("relay-denied", "553 5.7.1 Not an open relay, so get lost"))
    assert re.search(rf'gatepost.conf:{line}: note: reply "relay-denied": ', done.stdout), done.stdout
    assert "null-sender" in done.stdout and ": good: " in done.stdout
