# SPDX-License-Identifier: ISC
"""The front door: who gets in, what is refused, and in which words."""
import re
import smtplib
import socket
import ssl
import time

import pytest
from server import message, parse, wait_for


def reply(f):
    """One whole reply: its lines without line ends."""
    lines = []
    while True:
        line = f.readline().decode()
        assert line.endswith("\r\n"), f"the connection ended after {lines}"
        lines.append(line.rstrip("\r\n"))
        if line[3] == " ":
            return lines


def ask(f, line):
    f.write(line.encode() + b"\r\n")
    return reply(f)


def begin(f, sender="stranger@far.example", *rcpts):
    assert ask(f, "EHLO client.example")[0].startswith("250-")
    assert ask(f, f"MAIL FROM:<{sender}>")[0].startswith("250 2.1.0")
    for r in rcpts:
        assert ask(f, f"RCPT TO:<{r}>")[0].startswith("250 2.1.5"), r


def well_formed(lines):
    """Code and enhanced code open every line, and they agree."""
    for line in lines:
        m = re.match(r"([245])\d\d[ -]([245])\.\d{1,3}\.\d{1,3} \S", line)
        assert m and m.group(1) == m.group(2), line


def test_stranger_may_not_relay(server):
    s, f = server.raw()
    with s:
        begin(f)
        lines = ask(f, "RCPT TO:<someone@elsewhere.example>")
        well_formed(lines)
        assert lines[0].startswith("553-5.7.1 ")
        assert re.fullmatch(r"553 5\.7\.1 relay-denied [0-9A-Z]{5}-[0-9A-Z]{5}", lines[-1])


@pytest.mark.parametrize("rcpt", [
    "someone%elsewhere.example@example.com", '"someone@elsewhere.example"@example.com', "@example.com:someone@elsewhere.example",
    "someone@elsewhere.example@example.com", "elsewhere.example!someone@example.com", "someone@[127.0.0.1]", "someone@example.com.",
    "someone@sub.example.com", "someone@mx.example.com",
])
def test_relay_tricks(server, rcpt):
    s, f = server.raw()
    with s:
        begin(f)
        lines = ask(f, f"RCPT TO:<{rcpt}>")
        assert lines[0][0] == "5", lines
        well_formed(lines)


def test_unknown_recipient_has_words_of_its_own(server):
    s, f = server.raw()
    with s:
        begin(f)
        lines = ask(f, "RCPT TO:<nobody@example.com>")
        well_formed(lines)
        assert lines[0].startswith("553-5.1.1 ")
        assert "unknown-recipient" in lines[-1] and "relay" not in " ".join(lines).lower()


def test_refusals_tell_incidents_apart(server):
    s, f = server.raw()
    with s:
        begin(f)
        ids = {ask(f, "RCPT TO:<nobody@example.com>")[-1].split()[-1] for _ in range(5)}
        assert len(ids) == 5


def test_delivery(server):
    before = len(server.mail("ann@example.com"))
    with server.smtp() as s:
        assert s.sendmail("sender@far.example", ["ann@example.com"], message(subject="delivery", body=".dots\r\n..\r\n")) == {}
    mail = server.wait_mail("ann@example.com", before + 1)
    octets = next(m for m in server.mail("ann@example.com") if b"Subject: delivery" in m)
    m = parse(octets)
    lines = octets.decode().replace("\r\n", "\n").split("\n")
    assert lines[0] == "Return-Path: <sender@far.example>"
    assert sum(line.lower().startswith("return-path:") for line in lines) == 1
    assert m["Envelope-to"] == "ann@example.com"
    assert m["Delivery-date"]
    received = " ".join(m["Received"].split())
    assert re.match(r"from client\.example \(.*127\.0\.0\.1.*\) by mx\.example\.com .*with ESMTP .*id \S+", received), received
    assert "for <ann@example.com>" in received
    assert octets.replace(b"\r\n", b"\n").endswith(b"\n\n.dots\n..\n")
    assert mail


def test_several_recipients_are_not_told_of_each_other(server):
    with server.smtp() as s:
        s.sendmail("sender@far.example", ["ann@example.com", "bob@example.com"], message(subject="to both"))
    for who in ("ann", "bob"):
        wait_for(lambda w=who: any(b"Subject: to both" in m for m in server.mail(f"{w}@example.com")))
        text = next(m for m in server.mail(f"{who}@example.com") if b"Subject: to both" in m)
        head = text.split(b"Subject: to both")[0]
        other = b"bob@" if who == "ann" else b"ann@"
        assert other not in head.replace(b"To: ann@example.com", b"")


@pytest.mark.parametrize("address", ["ANN@example.com", "ann@EXAMPLE.com", "ann+lists@example.com", '"ann"@example.com'])
def test_one_mailbox_many_spellings(server, address):
    subject = f"spelling {time.time_ns()}"
    with server.smtp() as s:
        s.sendmail("sender@far.example", [address], message(subject=subject))
    wait_for(lambda: any(subject.encode() in m for m in server.mail("ann@example.com")))


@pytest.mark.parametrize("address", ["postmaster", "Postmaster", "postmaster@example.com", "POSTMASTER@Example.Com"])
def test_postmaster_is_always_there(server, address):
    subject = f"postmaster {time.time_ns()}"
    s, f = server.raw()
    with s:
        begin(f, "sender@far.example", address)
        assert ask(f, "DATA")[0].startswith("354")
        f.write(message(subject=subject) + b".\r\n")
        assert reply(f)[0].startswith("250 2.0.0")
    wait_for(lambda: any(subject.encode() in m for m in server.mail(folder=server.state / "postmaster")))


def test_extensions(server):
    with server.smtp() as s:
        s.ehlo()
        for name in ("pipelining", "size", "8bitmime", "smtputf8", "enhancedstatuscodes", "starttls", "chunking", "dsn"):
            assert s.has_extn(name), name
        assert not s.has_extn("auth")  # never in clear
        s.starttls(context=server.context())
        s.ehlo()
        assert not s.has_extn("starttls")


def test_every_reply_has_its_enhanced_code(server):
    s, f = server.raw()
    with s:
        assert ask(f, "EHLO client.example")
        for line, code in [("VRFY ann", "252"), ("HELP", "214"), ("NOOP", "250"), ("RSET", "250"), ("EXPN x", "502"),
                           ("XYZZY", "500"), ("MAIL FROM", "501"), ("MAIL FROM:<a b@c.example>", "501"), ("RCPT TO:<ann@example.com>", "503"),
                           ("DATA", "503"), ("MAIL FROM:<a@b.example> SIZE=99999999999", "552"), ("MAIL FROM:<a@b.example> XYZZY=1", "555"),
                           ("QUIT", "221")]:
            lines = ask(f, line)
            assert lines[0].startswith(code), (line, lines)
            well_formed(lines)
        assert f.read() == b""


def test_http_is_shown_the_door(server):
    s, f = server.raw()
    with s:
        f.write(b"GET / HTTP/1.1\r\nHost: mx.example.com\r\n\r\n")
        lines = reply(f)
        assert lines[0].startswith("554 5.5.1")
        assert f.read() == b""


def test_tls_on_the_clear_port_is_shown_the_door(server):
    with socket.create_connection(("127.0.0.1", server.mx_port), 20) as s:
        context = server.context()
        with pytest.raises((ssl.SSLError, OSError)):
            context.wrap_socket(s)
    s, f = server.raw()
    with s:
        f.write(bytes.fromhex("1603010200010001fc0303") + b"x" * 200 + b"\r\n")
        assert f.read().startswith(b"554 5.5.1")


@pytest.mark.parametrize("body", [b"a\nb\r\n", b"a\rb\r\n", b"a\n.\r\nb\r\n", b"a\r\n.\nMAIL FROM:<evil@far.example>\r\n", b"a\n.\nb\r\n",
                                  b"a\r.\rb\r\n", b"\n"])
def test_bare_line_ends_are_refused_and_smuggle_nothing(server, body):
    s, f = server.raw()
    with s:
        begin(f, "sender@far.example", "ann@example.com")
        assert ask(f, "DATA")[0].startswith("354")
        f.write(b"Subject: smuggled\r\n\r\n" + body + b"\r\n.\r\n")
        lines = reply(f)
        assert lines[0].startswith("554"), lines
        well_formed(lines)
        assert ask(f, "NOOP")[0].startswith("250")  # nothing of it was a command
    time.sleep(0.2)
    assert not any(b"smuggled" in m for m in server.mail("ann@example.com"))


def test_a_thousand_recipients(server):
    with server.smtp() as s:
        s.ehlo()
        s.mail("sender@far.example")
        for i in range(1000):
            assert s.rcpt(f"ann+{i}@example.com")[0] == 250, i
        code, text = s.rcpt("bob@example.com")
        assert code == 452 and text.startswith(b"4.5.3")


def test_pipelining_in_one_segment(server):
    subject = f"pipelined {time.time_ns()}"
    s, f = server.raw()
    with s:
        ask(f, "EHLO client.example")
        f.write(b"MAIL FROM:<a@far.example>\r\nRCPT TO:<nobody@example.com>\r\nRCPT TO:<ann@example.com>\r\nDATA\r\n")
        assert [reply(f)[0][:3] for _ in range(4)] == ["250", "553", "250", "354"]
        f.write(message(subject=subject) + b".\r\nMAIL FROM:<a@far.example>\r\nRSET\r\nQUIT\r\n")
        assert [reply(f)[0][:3] for _ in range(4)] == ["250", "250", "250", "221"]
    wait_for(lambda: any(subject.encode() in m for m in server.mail("ann@example.com")))


def test_chunking(server):
    subject = f"chunks {time.time_ns()}"
    octets = message(subject=subject, body="one\r\n.\r\ntwo\r\n")
    s, f = server.raw()
    with s:
        begin(f, "sender@far.example", "ann@example.com")
        f.write(b"BDAT 10\r\n" + octets[:10] + b"BDAT %d LAST\r\n" % (len(octets) - 10) + octets[10:])
        assert reply(f)[0].startswith("250 2.")
        assert reply(f)[0].startswith("250 2.0.0")
    wait_for(lambda: any(subject.encode() in m for m in server.mail("ann@example.com")))
    got = next(m for m in server.mail("ann@example.com") if subject.encode() in m)
    assert got.replace(b"\r\n", b"\n").endswith(b"\n\none\n.\ntwo\n")


def test_too_large_is_refused_before_and_after(server):
    with server.smtp() as s:
        s.ehlo()
        limit = int(s.esmtp_features["size"])
        assert s.docmd(f"MAIL FROM:<a@far.example> SIZE={limit + 1}")[0] == 552


def test_large_message_goes_whole(server):
    body = ("0123456789" * 7 + "\r\n") * 30000  # 2 MB: a file of its own in the spool
    subject = f"large {time.time_ns()}"
    with server.smtp() as s:
        s.sendmail("sender@far.example", ["ann@example.com"], message(subject=subject, body=body))
    wait_for(lambda: any(subject.encode() in m for m in server.mail("ann@example.com")))
    got = next(m for m in server.mail("ann@example.com") if subject.encode() in m)
    assert got.replace(b"\r\n", b"\n").split(b"\n\n", 1)[1] == body.replace("\r\n", "\n").encode()


def test_loop_ends_at_fifty(server):
    hops = b"".join(b"Received: from a by b; Tue, 24 Nov 2026 06:00:00 +0000\r\n" for _ in range(50))
    with server.smtp() as s:
        with pytest.raises(smtplib.SMTPDataError) as e:
            s.sendmail("sender@far.example", ["ann@example.com"], hops + message())
        assert e.value.smtp_code == 554 and e.value.smtp_error.startswith(b"5.4.6")


def test_strangers_mail_is_not_completed(server):
    subject = f"bare {time.time_ns()}"
    with server.smtp() as s:
        s.sendmail("sender@far.example", ["ann@example.com"], f"Subject: {subject}\r\n\r\nNo date, no id.\r\n")
    wait_for(lambda: any(subject.encode() in m for m in server.mail("ann@example.com")))
    m = parse(next(m for m in server.mail("ann@example.com") if subject.encode() in m))
    assert m["Date"] is None and m["Message-ID"] is None


def test_errors_end_with_421(server):
    s, f = server.raw()
    with s:
        ask(f, "EHLO client.example")
        codes = []
        for _ in range(60):
            try:
                codes.append(ask(f, "XYZZY")[0][:3])
            except (AssertionError, OSError):
                break
            if codes[-1] == "421":
                break
        assert codes[-1] == "421" and len(codes) <= 21


def test_utf8_addresses_need_smtputf8(server):
    s, f = server.raw()
    with s:
        ask(f, "EHLO client.example")
        assert ask(f, "MAIL FROM:<jörg@far.example>")[0][0] == "5"
        assert ask(f, "MAIL FROM:<jörg@far.example> SMTPUTF8")[0].startswith("250")


def test_helo_speaks_plain_smtp(server):
    subject = f"helo {time.time_ns()}"
    s, f = server.raw()
    with s:
        assert ask(f, "HELO client.example")[0].startswith("250 ")
        ask(f, "MAIL FROM:<>")
        ask(f, "RCPT TO:<ann@example.com>")
        ask(f, "DATA")
        f.write(message(subject=subject) + b".\r\n")
        assert reply(f)[0].startswith("250")
    wait_for(lambda: any(subject.encode() in m for m in server.mail("ann@example.com")))
    got = next(m for m in server.mail("ann@example.com") if subject.encode() in m)
    assert got.startswith(b"Return-Path: <>")
    assert "with SMTP" in " ".join(parse(got)["Received"].split())


def test_starttls_forgets_what_came_before(server):
    s, f = server.raw()
    with s:
        ask(f, "EHLO client.example")
        assert ask(f, "STARTTLS")[0].startswith("220 2.0.0")
        tls = server.context().wrap_socket(s, server_hostname="mx.example.com")
        g = tls.makefile("rwb", 0)
        assert ask(g, "MAIL FROM:<a@far.example>")[0].startswith("503")  # EHLO again
        assert tls.version() in ("TLSv1.2", "TLSv1.3")
        tls.close()


def test_starttls_injection(server):
    """What was sent in clear behind STARTTLS is no command inside TLS."""
    s, f = server.raw()
    with s:
        ask(f, "EHLO client.example")
        f.write(b"STARTTLS\r\nNOOP\r\n")
        line = f.readline()
        if line.startswith(b"220"):
            tls = server.context().wrap_socket(s, server_hostname="mx.example.com")
            g = tls.makefile("rwb", 0)
            g.write(b"EHLO again.example\r\n")
            assert reply(g)[0].startswith("250-")
            tls.close()
        else:
            assert line[:1] == b"5"


def test_old_tls_is_refused(server):
    s, f = server.raw()
    with s:
        ask(f, "EHLO client.example")
        ask(f, "STARTTLS")
        context = server.context()
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.maximum_version = ssl.TLSVersion.TLSv1_1
        with pytest.raises((ssl.SSLError, OSError)):
            context.wrap_socket(s, server_hostname="mx.example.com")


def test_reply_text_is_the_configs(make_server):
    server = make_server(more='reply "unknown-recipient" { text = "553 sorry, no mailbox here by that name (#5.1.1)" }').start()
    s, f = server.raw()
    with s:
        begin(f)
        assert ask(f, "RCPT TO:<nobody@example.com>") == ["553 sorry, no mailbox here by that name (#5.1.1)"]
        assert ask(f, "RCPT TO:<a@elsewhere.example>")[0].startswith("553-5.7.1")


def test_listed_network_may_relay(make_server, make_sink):
    sink = make_sink()
    server = make_server(relay=f'smarthost = "127.0.0.1:{sink.port}" networks = {{"127.0.0.0/8"}}').start()
    with server.smtp() as s:
        s.sendmail("sender@far.example", ["a@elsewhere.example"], message())
    assert sink.wait(1)[0].rcpts == ["a@elsewhere.example"]
    # ... which is no substitute for a login where one is required.
    with smtplib.SMTP("127.0.0.1", server.submission_port) as s:
        s.ehlo()
        assert s.mail("sender@far.example")[0] == 530


def test_limits_of_the_config(make_server):
    server = make_server(receive="max-message-size = 65536 max-recipients = 100 command-timeout = 2s data-timeout = 2s")
    server.add_user("ann@example.com")
    server.start()
    with server.smtp() as s:
        with pytest.raises(smtplib.SMTPResponseException) as e:
            s.sendmail("a@far.example", ["ann@example.com"], message(body="x" * 70 + "\r\n") + b"y" * 60 + b"\r\n" * 40000)
        assert e.value.smtp_code == 552
    with server.smtp() as s:
        s.ehlo()
        s.mail("a@far.example")
        codes = [s.rcpt(f"ann+{i}@example.com")[0] for i in range(101)]
        assert codes == [250] * 100 + [452]
    s, f = server.raw()
    with s:
        began = time.monotonic()
        assert reply(f)[0].startswith("421-4.4.2")
        assert 1 < time.monotonic() - began < 15
