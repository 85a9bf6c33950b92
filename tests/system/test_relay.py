# SPDX-License-Identifier: ISC
"""The back door, closer: what one connection and one transaction carry."""
import hashlib
import threading
from collections import Counter

from server import message, wait_for
from test_send import FAST, ready, submit, the_bounce, world


def smarthost(sink, **more):
    return dict(relay=f'smarthost = "127.0.0.1:{sink.port}"', queue=FAST, **more)


def test_large_message_arrives_octet_by_octet(make_server, make_sink):
    sink = make_sink()
    server = ready(make_server(**smarthost(sink)))
    # Beyond what a segment holds; dots at the line's beginning on the way.
    body = "".join(f".{i}\r\n..{'x' * (i % 70)}\r\n" for i in range(150_000))
    submit(server, "friend@far.example", body=body)
    m = sink.wait(1, timeout=60)[0]
    got = m.data.split(b"\r\n\r\n", 1)[1]
    assert len(got) == len(body)
    assert hashlib.sha256(got).digest() == hashlib.sha256(body.encode()).digest()
    server.wait_empty()


def test_too_many_recipients_go_in_the_next_transaction(make_server, make_sink):
    sink = make_sink()
    n = {}

    def only_ten(address):
        thread = threading.get_ident()
        n[thread] = n.get(thread, 0) + 1
        if n[thread] > 10:
            return "452 4.5.3 too many recipients"
        return "250 2.1.5 ok"

    def taken(m):
        n.clear()
        return "250 2.0.0 taken"

    rcpts = [f"r{i}@far.example" for i in range(35)]
    sink.rcpt = {r: only_ten for r in rcpts}
    sink.reply["end"] = taken
    server = ready(make_server(relay=f'smarthost = "127.0.0.1:{sink.port}"', queue="retry-min = 1h"))
    submit(server, *rcpts)
    wait_for(lambda: sum(len(m.rcpts) for m in sink.messages) == 35)
    assert [len(m.rcpts) for m in sink.messages] == [10, 10, 10, 5]
    assert sink.connections == 1
    server.wait_empty()


def test_each_recipient_has_its_own_outcome(make_server, make_sink):
    sink = make_sink()
    sink.rcpt["no@far.example"] = "550-5.1.1 first line\n550 5.1.1 second line"
    sink.rcpt["later@far.example"] = "451 4.7.1 greylisted"
    server = ready(make_server(relay=f'smarthost = "127.0.0.1:{sink.port}"', queue="retry-min = 1h"))
    submit(server, "yes@far.example", "no@far.example", "later@far.example")
    assert sink.wait(1)[0].rcpts == ["yes@far.example"]
    bounce = the_bounce(server)
    assert bounce["X-Failed-Recipients"] == "no@far.example"
    text = bounce.as_string()
    assert "first line" in text and "second line" in text
    entry = wait_for(server.queue)[0]
    assert "451 4.7.1 greylisted" in entry["last_reply"]


def test_refusal_at_each_stage_bounces(make_server, make_sink):
    for stage, code in (("connect", 554), ("mail", 553), ("data", 550), ("end", 552)):
        sink = make_sink()
        sink.reply[stage] = f"{code} 5.7.1 not at {stage}"
        server = ready(make_server(**smarthost(sink)))
        submit(server, "friend@far.example", subject=stage)
        bounce = the_bounce(server)
        assert str(bounce["Subject"]) == f"Mail delivery failed ({code}): {stage}"
        assert f"not at {stage}" in bounce.as_string()
        server.wait_empty()


def test_an_mx_at_our_own_address_is_a_loop(make_server, make_sink, dns):
    sink = make_sink()
    dns.add("far.example", "MX", (10, "elsewhere.example"))
    dns.add("elsewhere.example", "A", "127.0.0.1")
    server = make_server(**world(dns, sink))
    server.sections["send"] = f"port = {server.mx_port}"
    server.write_config()
    ready(server)
    submit(server, "friend@far.example")
    bounce = the_bounce(server)
    assert "Status: 5.4.6" in bounce.get_payload()[1].as_string()


def test_a_better_mx_than_ourselves_is_used(make_server, make_sink, dns):
    sink = make_sink()
    dns.add("far.example", "MX", (10, "mx.far.example"))
    dns.add("far.example", "MX", (20, "mx.example.com"))
    dns.add("mx.far.example", "A", "127.0.0.1")
    server = ready(make_server(**world(dns, sink)))
    submit(server, "friend@far.example")
    sink.wait(1)
    server.wait_empty()


def test_an_address_literal_is_its_own_route(make_server, make_sink, dns):
    sink = make_sink()
    server = ready(make_server(**world(dns, sink)))
    submit(server, "friend@[127.0.0.1]")
    assert sink.wait(1)[0].rcpts == ["friend@[127.0.0.1]"]


def test_smtputf8_needs_a_peer_that_takes_it(make_server, make_sink):
    sink = make_sink(extensions=("PIPELINING", "8BITMIME"))
    server = ready(make_server(**smarthost(sink)))
    with server.submission("ann@example.com", "secret") as s:
        s.ehlo()
        s.sendmail("ann@example.com", ["b\u00f6rge@far.example"], message(sender="ann@example.com"), mail_options=["SMTPUTF8"])
    bounce = the_bounce(server)
    assert "Status: 5.6.7" in bounce.get_payload()[1].as_string()
    assert not sink.messages


def test_a_peer_without_pipelining_gets_one_command_at_a_time(make_server, make_sink):
    sink = make_sink(extensions=())
    server = ready(make_server(**smarthost(sink)))
    submit(server, "a@far.example", "b@far.example")
    m = sink.wait(1)[0]
    assert m.rcpts == ["a@far.example", "b@far.example"] and m.params == ""


def test_a_peer_that_knows_only_helo(make_server, make_sink):
    sink = make_sink()
    sink.reply["ehlo"] = "502 5.5.1 never heard of it"
    server = ready(make_server(**smarthost(sink)))
    submit(server, "a@far.example")
    assert sink.wait(1)[0].helo == "mx.example.com"


def post(server, n, first=0):
    with server.smtp() as s:
        for i in range(first, first + n):
            s.sendmail("cron@near.example", [f"r{i}@far.example"], message(subject=f"number {i}"))


def test_reload_hands_the_work_over(make_server, make_sink):
    """Under way is finished, what waits goes to the new process: each once."""
    sink = make_sink()
    sink.delay["end"] = 0.05
    server = make_server(relay=f'smarthost = "127.0.0.1:{sink.port}" networks = {{"127.0.0.1"}}', queue=FAST,
                         send="connections-per-destination = 4")
    ready(server)
    post(server, 100)
    wait_for(lambda: len(sink.messages) > 10)
    server.reload()
    post(server, 50, 100)
    server.reload()
    wait_for(lambda: len(sink.messages) >= 150, timeout=60)
    server.wait_empty()
    assert set(Counter(r for m in sink.messages for r in m.rcpts).values()) == {1}


def test_reload_changes_the_smarthost(make_server, make_sink):
    old, new = make_sink(), make_sink()
    server = make_server(**smarthost(old))
    ready(server)
    submit(server, "a@far.example")
    old.wait(1)
    server.sections["relay"] = f'smarthost = "127.0.0.1:{new.port}"'
    server.write_config()
    server.reload()
    wait_for(lambda: "master reloaded" in server.log(), 20, "the reload")
    submit(server, "b@far.example")
    assert new.wait(1)[0].rcpts == ["b@far.example"]
    assert len(old.messages) == 1
