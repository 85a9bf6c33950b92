# SPDX-License-Identifier: ISC
"""Peers that nobody here wrote: Postfix on either side, its load tools."""
import re
import smtplib

import peers
import pytest
from server import Server, message, parse, wait_for

FAST = "retry-min = 300ms retry-max = 500ms give-up = 1h"
# Dots, a line of the greatest length, octets beyond ASCII, empty lines, a line of spaces, no text at the end.
BODY = ".dot\r\n..two\r\n.\u00e4\r\n" + "x" * 998 + "\r\n\r\n\r\n   \r\nFrom here\r\n\tand \u4f60\u597d\r\n\r\n"


def test_postgres_keeps_what_it_is_told(postgres):
    postgres.sql("CREATE TABLE kept (address text); INSERT INTO kept VALUES ('ann@example.com');")
    postgres.stop()
    assert postgres.psql("SELECT 1").returncode != 0
    postgres.start()
    assert postgres.sql("SELECT address, count(*) FROM kept GROUP BY 1") == "ann@example.com|1"


# -- to Postfix ---------------------------------------------------------------


@pytest.fixture(scope="module")
def postfix():
    p = peers.Postfix(domains={"far.example": ["friend", "other", "third", "b\u00f6rge"]})
    try:
        yield p.start()
    finally:
        p.close()


@pytest.fixture(scope="module")
def sender(postfix):
    """A server that sends everything to Postfix."""
    s = Server(relay=f'smarthost = "127.0.0.1:{postfix.port}"', queue=FAST)
    try:
        s.add_user("ann@example.com")
        yield s.start()
        s.stop()
    finally:
        s.close()


@pytest.fixture
def submit(sender):
    def send(*rcpts, options=(), **more):
        octets = message(sender="ann@example.com", **more)
        with sender.submission("ann@example.com", "secret") as s:
            s.ehlo()
            assert s.sendmail("ann@example.com", list(rcpts), octets, mail_options=list(options)) == {}
        return octets

    return send


def arrived(postfix, address, octets):
    """Postfix's copy of that message, which ends with its very octets."""
    ident = re.search(rb"(?m)^Message-ID: .*?(?=\r$)", octets)[0]

    def find():
        return next((m for m in postfix.mail(address) if ident in m), None)

    found = wait_for(find, what=f"{ident.decode()} at {address}")
    assert found.replace(b"\n", b"\r\n").endswith(octets)
    return parse(found)


def test_postfix_as_smarthost_gets_the_very_octets(postfix, submit):
    octets = submit("friend@far.example", options=["BODY=8BITMIME"], body=BODY)
    m = arrived(postfix, "friend@far.example", octets)
    assert m["Return-Path"] == "<ann@example.com>"
    assert len(m.get_all("Received")) == 2


def test_starttls_with_a_certificate_nobody_knows(postfix, submit):
    m = arrived(postfix, "friend@far.example", submit("friend@far.example", subject="under TLS"))
    assert "using TLSv1.3" in m.get_all("Received")[0] and "with ESMTPS" in m.get_all("Received")[0]


def test_a_large_message(postfix, submit):
    arrived(postfix, "friend@far.example", submit("friend@far.example", body=".line\r\n" * 300_000))


def test_several_recipients_are_one_transaction(postfix, submit):
    rcpts = [f"{who}@far.example" for who in ("friend", "other", "third")]
    octets = submit(*rcpts, subject="to three")
    ids = {re.search(r"with ESMTPS id (\w+)", arrived(postfix, r, octets).get_all("Received")[0])[1] for r in rcpts}
    assert len(ids) == 1
    assert re.search(rf"{ids.pop()}: from=<ann@example.com>, .* nrcpt=3", postfix.log())


def test_smtputf8(postfix, submit):
    octets = submit("b\u00f6rge@far.example", options=["SMTPUTF8", "BODY=8BITMIME"], subject="f\u00fcr dich")
    assert "with UTF8SMTPS" in arrived(postfix, "b\u00f6rge@far.example", octets).get_all("Received")[0]


def test_a_refused_recipient_bounces_with_the_words_of_postfix(postfix, sender, submit):
    octets = submit("friend@far.example", "nobody@far.example", subject="Who knows")
    arrived(postfix, "friend@far.example", octets)
    bounce = sender.wait_mail("ann@example.com")[-1]
    words = "550 5.1.1 <nobody@far.example>: Recipient address rejected: User unknown in virtual mailbox table"
    assert bounce["Subject"] == "Mail delivery failed (550): Who knows"
    assert bounce["X-Failed-Recipients"] == "nobody@far.example"
    text, status, _ = bounce.get_payload()
    assert words in text.get_content()
    assert "friend@far.example" not in text.get_content()
    assert "Status: 5.1.1" in status.as_string() and "smtp; 550 5.1.1" in status.as_string()
    sender.wait_empty()


def test_postfix_by_its_mx(postfix, make_server, dns):
    dns.add("far.example", "MX", (10, "postfix.far.example"))
    dns.add("postfix.far.example", "A", "127.0.0.1")
    server = make_server(dns=f'servers = {{"127.0.0.1@{dns.port}"}} timeout = 3s', send=f"port = {postfix.port} idle-timeout = 200ms", queue=FAST)
    server.add_user("ann@example.com")
    server.start()
    octets = message(sender="ann@example.com", subject="by MX", body=BODY)
    with server.submission("ann@example.com", "secret") as s:
        s.sendmail("ann@example.com", ["third@far.example"], octets, mail_options=["BODY=8BITMIME"])
    arrived(postfix, "third@far.example", octets)
    server.wait_empty()


# -- from Postfix -------------------------------------------------------------


@pytest.fixture(scope="module")
def client(server):
    """A Postfix that sends what is not its own to `server`."""
    p = peers.Postfix(domains={"near.example": ["writer"]}, next_hop=server.mx_port, hostname="postfix.near.example")
    try:
        yield p.start()
    finally:
        p.close()


def through(postfix, rcpts, octets, options=()):
    with smtplib.SMTP("127.0.0.1", postfix.port, local_hostname="client.example", timeout=30) as s:
        s.ehlo()
        assert s.sendmail("writer@near.example", rcpts, octets, mail_options=list(options)) == {}


def test_postfix_delivers_to_us(client, server):
    octets = message(sender="writer@near.example", subject="from Postfix", body=BODY)
    through(client, ["ann@example.com", "bob@example.com"], octets, ["BODY=8BITMIME"])
    for who in ("ann@example.com", "bob@example.com"):
        found = wait_for(lambda: [m for m in server.mail(who) if b"from Postfix" in m])[0]
        assert found.replace(b"\r\n", b"\n").endswith(octets.replace(b"\r\n", b"\n"))
        m = parse(found)
        assert "from postfix.near.example" in m.get_all("Received")[0] and "with ESMTPS" in m.get_all("Received")[0]
    assert "Untrusted TLS connection established to 127.0.0.1" in client.log()


def test_postfix_hears_why_a_recipient_is_unknown(client, server):
    through(client, ["nobody@example.com"], message(sender="writer@near.example", subject="to nobody"))
    bounce = parse(client.wait_mail("writer@near.example")[-1])
    text = " ".join(bounce.get_payload()[0].get_content().split())
    assert re.search(r"said: 553-5\.1\.1 .*nobody@example\.com.* 553 5\.1\.1 unknown-recipient \S+ \(in reply to RCPT TO command\)", text), text


def test_postfix_is_content_with_our_tls(client, server):
    program, env = peers.postfix_tool("posttls-finger")
    env["MAIL_CONFIG"] = str(client.root / "etc")
    done = peers.run([program, "-c", "-l", "may", "-L", "summary", f"[127.0.0.1]:{server.mx_port}"], env=env, timeout=30)
    assert re.search(r"TLS connection established to .*: TLSv1\.3 with cipher", done.stdout), done.stdout


# -- its load tools -----------------------------------------------------------


@pytest.mark.parametrize("more", [(), ("-d",)], ids=["one connection each", "reused"])
def test_smtp_source_posts_a_thousand(server, more):
    def there():
        return len(list((server.mail_folder("bob@example.com") / "new").glob("*")))

    before = there()
    peers.run_smtp_source(server.mx_port, "-s", "20", "-m", "1000", "-l", "2048", "-f", "a@far.example", "-t", "bob@example.com", *more)
    wait_for(lambda: there() >= before + 1000, timeout=60)
    server.wait_empty()
    assert there() == before + 1000


def test_smtp_sink_as_next_hop(make_server, make_smtp_sink):
    sink = make_smtp_sink()
    server = make_server(relay=f'smarthost = "127.0.0.1:{sink.port}" networks = {{"127.0.0.1"}}', queue=FAST)
    server.start()
    peers.run_smtp_source(server.mx_port, "-s", "5", "-m", "200", "-f", "a@near.example", "-t", "friend@far.example")
    wait_for(lambda: sink.count() == 200, timeout=60)
    server.wait_empty()
    assert sink.count("sess") < 200, "connections are not used again"


@pytest.mark.parametrize("flags", [("-p", "-8"), ("-e",)], ids=["no PIPELINING, no 8BITMIME", "no ESMTP"])
def test_smtp_sink_of_a_lesser_kind(make_server, make_smtp_sink, flags):
    sink = make_smtp_sink(*flags)
    server = make_server(relay=f'smarthost = "127.0.0.1:{sink.port}" networks = {{"127.0.0.1"}}', queue=FAST)
    server.start()
    with server.smtp() as s:
        s.sendmail("a@near.example", ["friend@far.example", "other@far.example"], message(sender="a@near.example"))
    wait_for(lambda: sink.count() == 1)
    server.wait_empty()


def test_smtp_sink_that_refuses_for_now(make_server, make_smtp_sink):
    sink = make_smtp_sink("-r", "rcpt")
    server = make_server(relay=f'smarthost = "127.0.0.1:{sink.port}" networks = {{"127.0.0.1"}}', queue="retry-min = 1h")
    server.start()
    with server.smtp() as s:
        s.sendmail("a@near.example", ["friend@far.example"], message(sender="a@near.example"))
    entry = wait_for(lambda: [e for e in server.queue() if e["last_reply"]])[0]
    assert "450 4.3.0" in entry["last_reply"]
    assert sink.count() == 0
