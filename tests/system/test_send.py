# SPDX-License-Identifier: ISC
"""The back door: smarthost, MX, retries, TLS, and what comes back."""
import re
import time

import pytest
from server import make_certificate, message, parse, wait_for
from sink import Sink, server_context

FAST = "retry-min = 300ms retry-max = 500ms give-up = 1h"


def world(dns, sink, **more):
    """Config that finds its way by DNS to a sink on this host."""
    return dict(dns=f'servers = {{"127.0.0.1@{dns.port}"}} timeout = 3s', send=f"port = {sink.port} idle-timeout = 200ms", queue=FAST, **more)


def ready(server):
    server.add_user("ann@example.com")
    return server.start()


def submit(server, *rcpts, subject="Hello", body="Hello.\r\n"):
    with server.submission("ann@example.com", "secret") as s:
        assert s.sendmail("ann@example.com", list(rcpts), message(sender="ann@example.com", to=", ".join(rcpts), subject=subject, body=body)) == {}


def the_bounce(server, n=1):
    return server.wait_mail("ann@example.com", n)[-1]


def test_to_the_mx(make_server, make_sink, dns):
    sink = make_sink()
    dns.add("far.example", "MX", (10, "mx.far.example"))
    dns.add("mx.far.example", "A", "127.0.0.1")
    server = ready(make_server(**world(dns, sink)))
    submit(server, "friend@far.example", body=".dot\r\nend\r\n")
    m = sink.wait(1)[0]
    assert m.rcpts == ["friend@far.example"] and m.helo == "mx.example.com"
    assert m.data.endswith(b"\r\n\r\n.dot\r\nend\r\n")
    server.wait_empty()


def test_to_the_address_without_mx(make_server, make_sink, dns):
    sink = make_sink()
    dns.add("far.example", "A", "127.0.0.1")
    server = ready(make_server(**world(dns, sink)))
    submit(server, "friend@far.example")
    sink.wait(1)


def test_second_mx_when_the_first_is_dead(make_server, make_sink, dns):
    sink = make_sink()
    dns.add("far.example", "MX", (10, "dead.far.example"))
    dns.add("far.example", "MX", (20, "mx.far.example"))
    dns.add("dead.far.example", "A", "127.0.0.99")  # nobody listens there
    dns.add("mx.far.example", "A", "127.0.0.1")
    server = ready(make_server(**world(dns, sink)))
    submit(server, "friend@far.example")
    sink.wait(1)


@pytest.mark.parametrize("setup, status, words", [
    (lambda d: d.add("far.example", "MX", (0, ".")), "5.1.10", "null"),
    (lambda d: None, "5.1.2", ""),
    (lambda d: d.add("far.example", "MX", (10, "mx.example.com")), "5.4.6", ""),
], ids=["null MX", "no such domain", "the MX is this server"])
def test_no_way_out(make_server, make_sink, dns, setup, status, words):
    sink = make_sink()
    dns.add("mx.example.com", "A", "127.0.0.1")
    setup(dns)
    server = ready(make_server(**world(dns, sink)))
    submit(server, "friend@far.example")
    bounce = the_bounce(server)
    assert bounce["X-Failed-Recipients"] == "friend@far.example"
    report = bounce.get_payload()[1].as_string()
    assert re.search(r"^Status: 5\.\d+\.\d+", report, re.M)
    assert not sink.messages


def test_dns_trouble_waits(make_server, make_sink, dns):
    sink = make_sink()
    dns.broken.add("far.example")
    server = ready(make_server(**world(dns, sink)))
    submit(server, "friend@far.example")
    entry = wait_for(lambda: [q for q in server.queue() if q["attempts"] >= 1])[0]
    assert entry["sender"] == "ann@example.com" and entry["recipients"]
    dns.broken.clear()
    dns.add("far.example", "A", "127.0.0.1")
    server.cli("queue", "retry")
    sink.wait(1)
    server.wait_empty()
    assert server.mail("ann@example.com") == []


def test_retries_what_is_refused_for_now(make_server, make_sink):
    sink = make_sink()
    sink.rcpt["later@far.example"] = ["450 4.2.1 come back later", "450 4.2.1 come back later", "250 2.1.5 ok"]
    server = ready(make_server(relay=f'smarthost = "127.0.0.1:{sink.port}"', queue=FAST))
    submit(server, "later@far.example", "now@far.example")
    assert sink.wait(1, to="now@far.example")[0].rcpts == ["now@far.example"]
    later = sink.wait(1, to="later@far.example")
    assert later[0].rcpts == ["later@far.example"]
    server.wait_empty()
    assert len(sink.messages) == 2 and server.mail("ann@example.com") == []


def test_queue_shows_why_it_waits(make_server, make_sink):
    sink = make_sink()
    sink.rcpt["later@far.example"] = "450 4.2.1 come back later"
    server = ready(make_server(relay=f'smarthost = "127.0.0.1:{sink.port}"', queue="retry-min = 1h"))
    submit(server, "later@far.example")
    entry = wait_for(lambda: [q for q in server.queue() if q["attempts"] == 1])[0]
    assert set(entry) >= {"id", "sender", "recipients", "size", "arrived", "next_attempt", "attempts", "last_reply"}
    assert "come back later" in entry["last_reply"]
    text = server.cli("queue", "list").stdout
    assert entry["id"] in text and "later@far.example" in text
    assert "come back later" in server.cli("queue", "show", entry["id"]).stdout
    sink.rcpt.clear()
    server.cli("queue", "retry")
    sink.wait(1)
    server.wait_empty()


def test_queue_remove(make_server, make_sink):
    sink = make_sink()
    sink.rcpt["later@far.example"] = "450 4.2.1 come back later"
    server = ready(make_server(relay=f'smarthost = "127.0.0.1:{sink.port}"', queue="retry-min = 1h"))
    submit(server, "later@far.example")
    entry = wait_for(lambda: [q for q in server.queue() if q["attempts"] == 1])[0]
    server.cli("queue", "remove", entry["id"])
    assert server.queue() == []
    assert server.cli("queue", "remove", entry["id"], check=False).returncode == 1
    assert server.mail("ann@example.com") == []  # removed, not returned


def test_gives_up_in_the_end(make_server, make_sink):
    sink = make_sink()
    sink.rcpt["never@far.example"] = "450 4.2.2 mailbox full"
    server = ready(make_server(relay=f'smarthost = "127.0.0.1:{sink.port}"', queue="retry-min = 200ms retry-max = 200ms give-up = 1s"))
    submit(server, "never@far.example", subject="too late")
    bounce = the_bounce(server)
    assert str(bounce["Subject"]) == "Mail delivery failed (450): too late"
    assert b"450 4.2.2 mailbox full" in server.mail("ann@example.com")[0]


def test_nobody_listens(make_server, make_sink):
    sink = make_sink()
    port = sink.port
    sink.close()
    server = ready(make_server(relay=f'smarthost = "127.0.0.1:{port}"', queue=FAST))
    submit(server, "friend@far.example")
    wait_for(lambda: [q for q in server.queue() if q["attempts"] >= 2])
    again = Sink(port=port)
    try:
        again.wait(1)
    finally:
        again.close()


def test_starttls_when_offered(make_server, make_sink, tmp_path):
    certificate, key = make_certificate(tmp_path, "sink.example")
    sink = make_sink(context=server_context(certificate, key))
    server = ready(make_server(relay=f'smarthost = "127.0.0.1:{sink.port}"'))
    submit(server, "friend@far.example")
    assert sink.wait(1)[0].tls


def test_broken_starttls_falls_back_or_waits(make_server, make_sink):
    sink = make_sink()
    sink.extensions.append("STARTTLS")
    sink.reply["starttls"] = "454 4.7.0 not now"
    server = ready(make_server(relay=f'smarthost = "127.0.0.1:{sink.port}"', queue=FAST))
    submit(server, "friend@far.example")
    assert not sink.wait(1)[0].tls


def test_smarthost_login(make_server, make_sink, tmp_path):
    certificate, key = make_certificate(tmp_path, "localhost")
    sink = make_sink(context=server_context(certificate, key), users={"gate": "post word"})
    password = tmp_path / "password"
    password.write_text("post word\n")
    server = ready(make_server(relay=f'smarthost = "localhost:{sink.port}" smarthost-user = "gate" smarthost-password-file = "{password}" '
                                     f'smarthost-ca-file = "{certificate}"'))
    submit(server, "friend@far.example")
    m = sink.wait(1)[0]
    assert m.tls and m.auth == "gate"


def test_no_password_without_tls(make_server, make_sink, tmp_path):
    sink = make_sink(users={"gate": "post word"})
    password = tmp_path / "password"
    password.write_text("post word\n")
    server = ready(make_server(relay=f'smarthost = "127.0.0.1:{sink.port}" smarthost-user = "gate" smarthost-password-file = "{password}"',
                               queue=FAST))
    submit(server, "friend@far.example")
    wait_for(lambda: [q for q in server.queue() if q["attempts"] >= 1])
    assert not any("AUTH" in c for c in sink.commands) and not sink.messages


def test_untrusted_certificate_gets_no_password(make_server, make_sink, tmp_path):
    certificate, key = make_certificate(tmp_path, "localhost")
    other, _ = make_certificate(tmp_path, "localhost", "other")
    sink = make_sink(context=server_context(certificate, key), users={"gate": "post word"})
    password = tmp_path / "password"
    password.write_text("post word\n")
    server = ready(make_server(relay=f'smarthost = "localhost:{sink.port}" smarthost-user = "gate" smarthost-password-file = "{password}" '
                                     f'smarthost-ca-file = "{other}"', queue=FAST))
    submit(server, "friend@far.example")
    wait_for(lambda: [q for q in server.queue() if q["attempts"] >= 1])
    assert not any("AUTH" in c for c in sink.commands) and not sink.messages


def test_one_transaction_for_many_recipients(make_server, make_sink):
    sink = make_sink()
    server = ready(make_server(relay=f'smarthost = "127.0.0.1:{sink.port}"'))
    rcpts = [f"r{i}@far.example" for i in range(50)]
    submit(server, *rcpts)
    m = sink.wait(1)[0]
    assert m.rcpts == rcpts
    assert len(sink.messages) == 1


def test_connections_are_used_again(make_server, make_sink):
    sink = make_sink()
    server = ready(make_server(relay=f'smarthost = "127.0.0.1:{sink.port}"', workers=1,
                               send="connections-per-destination = 2 idle-timeout = 5s"))
    for i in range(20):
        submit(server, f"r{i}@far.example")
    sink.wait(20)
    assert sink.connections <= 4


def test_peer_that_hangs_up_at_the_end(make_server, make_sink):
    sink = make_sink()
    sink.reply["end"] = ["close", "250 2.0.0 taken"]
    server = ready(make_server(relay=f'smarthost = "127.0.0.1:{sink.port}"', queue=FAST))
    submit(server, "friend@far.example")
    sink.wait(1)
    server.wait_empty()
    assert server.mail("ann@example.com") == []


def test_peer_that_says_nonsense(make_server, make_sink):
    sink = make_sink()
    sink.reply["mail"] = ["hello there", "250 2.1.0 ok"]
    server = ready(make_server(relay=f'smarthost = "127.0.0.1:{sink.port}"', queue=FAST))
    submit(server, "friend@far.example")
    sink.wait(1)


def test_aliases_lead_far_and_near(make_server, make_sink):
    sink = make_sink()
    server = make_server(relay=f'smarthost = "127.0.0.1:{sink.port}"')
    server.cli("alias", "add", "team@example.com", "ann@example.com", "friend@far.example")
    ready(server)
    with server.smtp() as s:
        s.sendmail("sender@far.example", ["team@example.com"], message())
    assert sink.wait(1)[0].rcpts == ["friend@far.example"]
    server.wait_mail("ann@example.com")


def test_dsn_parameters_travel(make_server, make_sink):
    sink = make_sink()
    server = ready(make_server(relay=f'smarthost = "127.0.0.1:{sink.port}"'))
    with server.submission("ann@example.com", "secret") as s:
        s.ehlo()
        s.sendmail("ann@example.com", ["friend@far.example"], message(sender="ann@example.com"), mail_options=["RET=HDRS", "ENVID=x42"],
                   rcpt_options=["NOTIFY=FAILURE,DELAY", "ORCPT=rfc822;friend@far.example"])
    m = sink.wait(1)[0]
    assert "RET=HDRS" in m.params and "ENVID=x42" in m.params
    assert "ORCPT=rfc822;friend@far.example" in m.rcpt_params[0]
    assert re.search(r"NOTIFY=(FAILURE,DELAY|DELAY,FAILURE)", m.rcpt_params[0])


def test_bounce_is_as_described(make_server, make_sink):
    sink = make_sink()
    words = "553 sorry, no mailbox here by that name (#5.1.1)"
    sink.rcpt["gone@far.example"] = words
    server = ready(make_server(relay=f'smarthost = "127.0.0.1:{sink.port}"'))
    submit(server, "friend@far.example", "gone@far.example", subject="Both of you", body="The body.\r\n")
    sink.wait(1)
    bounce = the_bounce(server)
    assert bounce["Return-Path"] == "<>"
    assert bounce["Envelope-to"] == "ann@example.com" and bounce["Delivery-date"]
    assert bounce["Auto-Submitted"] == "auto-replied"
    assert str(bounce["From"]) == "Mail Delivery System <Mailer-Daemon@mx.example.com>"
    assert str(bounce["To"]) == "ann@example.com"
    assert bounce["X-Failed-Recipients"] == "gone@far.example"
    assert str(bounce["Subject"]) == "Mail delivery failed (553): Both of you"
    assert bounce.get_content_type() == "multipart/report"
    assert bounce.get_param("report-type") == "delivery-status"
    text, status, original = bounce.get_payload()
    assert text.get_content_type() == "text/plain"
    assert text["Content-Transfer-Encoding"] in (None, "7bit", "8bit", "quoted-printable")
    lines = text.get_content().rstrip("\n").split("\n")
    assert lines[-1] == "------ This is a copy of the message, including all the headers. ------"
    assert any(words in line for line in lines)
    assert status.get_content_type() == "message/delivery-status"
    report = status.as_string().replace("\r\n", "\n")
    assert re.search(r"^Status: 5\.1\.1\r?$", report, re.M) and "Final-Recipient: rfc822; gone@far.example" in report
    assert words in report
    assert original.get_content_type() == "message/rfc822"
    assert "The body." in original.as_string()
    assert "friend@far.example" not in text.get_content() and "friend@far.example" not in report


def test_no_bounce_for_a_bounce(make_server, make_sink):
    sink = make_sink()
    sink.rcpt["gone@far.example"] = "550 5.1.1 no"
    server = make_server(relay=f'smarthost = "127.0.0.1:{sink.port}" networks = {{"127.0.0.1"}}')
    ready(server)
    with server.smtp() as s:
        s.sendmail("", ["gone@far.example"], message())
    server.wait_empty()
    time.sleep(0.5)
    assert sink.messages == [] and server.mail(folder=server.state / "postmaster") == []


def test_bounce_to_afar_leaves_with_a_null_sender(make_server, make_sink):
    sink = make_sink()
    sink.rcpt["gone@far.example"] = "550 5.1.1 no"
    server = make_server(relay=f'smarthost = "127.0.0.1:{sink.port}" networks = {{"127.0.0.1"}}')
    ready(server)
    with server.smtp() as s:
        s.sendmail("cron@near.example", ["gone@far.example"], message())
    m = sink.wait(1)[0]
    assert m.sender == "" and m.rcpts == ["cron@near.example"]
    assert parse(m.data)["X-Failed-Recipients"] == "gone@far.example"


def test_vacation(make_server, make_sink):
    sink = make_sink()
    server = make_server(relay=f'smarthost = "127.0.0.1:{sink.port}"')
    ready(server)
    server.cli("vacation", "set", "ann@example.com", "--subject", "On vacation", "--file", "-", input="Away until Monday.\n")
    assert "On vacation" in server.cli("vacation", "show", "ann@example.com").stdout

    def write(sender="w@far.example", to="ann@example.com", **headers):
        n = len(server.mail("ann@example.com"))
        with server.smtp() as s:
            s.sendmail(sender, ["ann@example.com"], message(sender=sender or "x@far.example", to=to, **headers))
        server.wait_mail("ann@example.com", n + 1)

    write()
    reply = sink.wait(1)[0]
    m = parse(reply.data)
    assert reply.sender == "" and reply.rcpts == ["w@far.example"]
    assert str(m["Subject"]) == "On vacation" and m["X-Autorespond"] == "On vacation"
    assert m["X-Loop"] == '"On vacation" <ann@example.com>'
    assert m["Precedence"] == "auto_reply" and m["X-Precedence"] == "auto_reply"
    assert m["Auto-Submitted"] == "auto-replied"
    assert m["In-Reply-To"] and m["References"]
    assert "Away until Monday." in m.get_content()
    write()  # the same sender again
    write("", "ann@example.com")
    write("list@far.example", "ann@example.com", List_Id="<x.far.example>")
    write("bulk@far.example", "ann@example.com", Precedence="bulk")
    write("auto@far.example", "ann@example.com", Auto_Submitted="auto-generated")
    write("noreply@far.example")
    write("hidden@far.example", "somebody@else.example")  # not addressed to ann
    write("second@far.example")
    sink.wait(1, to="second@far.example")
    time.sleep(1)
    assert sorted(r for m in sink.messages for r in m.rcpts) == ["second@far.example", "w@far.example"]
    server.cli("vacation", "clear", "ann@example.com")
    write("third@far.example")
    time.sleep(1)
    assert len(sink.messages) == 2
