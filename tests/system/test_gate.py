# SPDX-License-Identifier: ISC
"""The gate's checks in a running server: lists, the DNS, parked sessions."""
import os
import pathlib
import socket
import subprocess
import sys
import time

import pytest

from server import Server, wait_for


class House(Server):
    def __init__(self, dns, **more):
        super().__init__(dns=f'servers = {{"127.0.0.1@{dns.port}"}} timeout = 1s', workers=1, **more)


@pytest.fixture(scope="module")
def world():
    from dnsserver import DnsServer
    dns = DnsServer()
    dns.add("mx.example", "MX", (10, "host.mx.example"))
    dns.add("a.example", "A", "192.0.2.1")
    dns.add("aaaa.example", "AAAA", "2001:db8::1")
    dns.add("null.example", "MX", (0, "."))
    dns.add("text.example", "TXT", "no mail here")
    dns.add("misrouted.example", "MX", (10, "MX.example.com"))
    dns.add("byaddress.example", "MX", (10, "loop.byaddress.example"))
    dns.add("loop.byaddress.example", "A", "127.0.0.1")
    dns.add("elsewhere.example", "MX", (10, "host.elsewhere.example"))
    dns.broken.add("broken.example")
    dns.silent.add("silent.example")
    server = House(dns, more='gate { sender-domain = must-exist recipient-mx = check badmailfrom = "file:bad" }')
    (server.root / "bad").write_text("@spam.example\n")
    try:
        server.add_user("ann@example.com")
        server.start()
        yield server, dns
        server.stop()
    finally:
        server.close()
        dns.close()


def dialogue(server, *lines):
    """Pipelined; the replies, one each, without their continuation lines."""
    with socket.create_connection(("127.0.0.1", server.mx_port), 30) as s:
        f = s.makefile("rwb", 0)
        f.write("".join(line + "\r\n" for line in ("EHLO client.example", *lines, "QUIT")).encode())
        replies = []
        for line in f.readlines():
            if line[3:4] == b" ":
                replies.append(line.decode().rstrip("\r\n"))
        assert replies[-1].startswith("221 ")
        return replies[2:-1]


@pytest.mark.parametrize("domain, want", [
    ("mx.example", "250 2.1.0"), ("a.example", "250 2.1.0"), ("aaaa.example", "250 2.1.0"), ("A.EXAMPLE.", "250 2.1.0"),
    ("nowhere.example", "550 5.1.8 sender-domain-missing"), ("text.example", "550 5.1.8 sender-domain-missing"),
    ("null.example", "550 5.7.27 sender-domain-no-mail"),
    ("broken.example", "450 4.4.3 sender-domain-trouble"), ("silent.example", "450 4.4.3 sender-domain-trouble"),
])
def test_the_senders_domain(world, domain, want):
    server, _ = world
    reply, = dialogue(server, f"MAIL FROM:<x@{domain}>")
    assert reply.startswith(want), reply


def test_a_parked_session_keeps_the_order(world):
    server, _ = world
    replies = dialogue(server, "MAIL FROM:<x@mx.example>", "RCPT TO:<ann@example.com>", "RCPT TO:<nobody@example.com>",
                       "RCPT TO:<x@misrouted.example>", "RCPT TO:<x@byaddress.example>", "RCPT TO:<x@elsewhere.example>",
                       "RCPT TO:<x@silent.example>", "RCPT TO:<ann+again@example.com>", "RSET",
                       "MAIL FROM:<x@nowhere.example>", "NOOP")
    assert [r.split()[2] if r[0] == "5" else r.split()[0] for r in replies] == [
        "250", "250", "unknown-recipient", "domain-not-here", "domain-not-here", "relay-denied", "relay-denied", "250", "250",
        "sender-domain-missing", "250"]


def test_nothing_is_asked_about_who_is_refused_anyway(world):
    server, dns = world
    before = len(dns.queries)
    reply, = dialogue(server, "MAIL FROM:<x@spam.example>")
    assert "badmailfrom" in reply
    replies = dialogue(server, "MAIL FROM:<ann@example.com>", "MAIL FROM:<>", "RCPT TO:<ann@example.com>")
    assert "own-domain-without-login" in replies[0] and replies[2].startswith("250")
    assert len(dns.queries) == before


def test_clients_that_leave_while_parked(world):
    server, _ = world
    for _ in range(20):
        s = socket.create_connection(("127.0.0.1", server.mx_port), 10)
        s.sendall(b"EHLO c.example\r\nMAIL FROM:<x@silent.example>\r\n")
        s.close()
    sockets = []
    for _ in range(5):  # and some who wait to the end
        s = socket.create_connection(("127.0.0.1", server.mx_port), 10)
        s.sendall(b"EHLO c.example\r\nMAIL FROM:<x@silent.example>\r\nQUIT\r\n")
        s.shutdown(socket.SHUT_WR)
        sockets.append(s)
    for s in sockets:
        assert b"\r\n450 4.4.3 sender-domain-trouble " in s.makefile("rb").read()
        s.close()
    reply, = dialogue(server, "MAIL FROM:<x@mx.example>")
    assert reply.startswith("250")


def test_a_list_takes_effect_when_it_changes(world):
    server, _ = world
    assert dialogue(server, "MAIL FROM:<x@mx.example>")[0].startswith("250")
    (server.root / "bad").write_text("@spam.example\nx@mx.example\n")
    wait_for(lambda: "badmailfrom" in dialogue(server, "MAIL FROM:<X@MX.example>")[0], 20, "the list to be read")
    (server.root / "bad").write_text("@spam.example\n")
    wait_for(lambda: dialogue(server, "MAIL FROM:<x@mx.example>")[0].startswith("250"), 20, "the list to be read again")


def test_nobody_is_asked_without_a_gate(make_server, dns):
    server = House(dns)
    make_server.made.append(server)
    server.add_user("ann@example.com")
    server.start()
    begin = time.monotonic()
    replies = dialogue(server, "MAIL FROM:<x@nowhere.example>", "RCPT TO:<ann@example.com>", "RCPT TO:<x@far.example>")
    assert [r[:3] for r in replies] == ["250", "250", "553"]
    assert time.monotonic() - begin < 2 and not dns.queries


def test_rcpthosts_is_a_backup_mx_too(make_server, make_sink, dns):
    sink = make_sink()
    server = make_server(relay=f'smarthost = "127.0.0.1:{sink.port}"', workers=1,
                         more='gate { rcpthosts = "file:rcpthosts" }')
    (server.root / "rcpthosts").write_text("example.com\nbackup.example\n.below.example\n")
    server.add_user("ann@example.com")
    server.start()
    replies = dialogue(server, "MAIL FROM:<x@far.example>", "RCPT TO:<ann@example.com>", "RCPT TO:<x@BACKUP.example.>",
                       "RCPT TO:<x@deep.below.example>", "RCPT TO:<x@below.example>", "RCPT TO:<x%other.example@backup.example>",
                       "RCPT TO:<@backup.example:x@other.example>", "RCPT TO:<postmaster>")
    assert [r.split()[2] if r[0] == "5" else r.split()[0] for r in replies] == [
        "250", "250", "250", "250", "not-in-rcpthosts", "250", "not-in-rcpthosts", "250"]


@pytest.fixture(scope="module")
def door():
    """Its own tests come from 127.0.0.1, so the networks are others."""
    server = Server(workers=1, more='gate { clients-refused = "file:clients" }')
    (server.root / "clients").write_text("127.0.0.66\n127.1.0.0/16   a whole network\n")
    try:
        server.add_user("ann@example.com")
        server.start()
        yield server
        server.stop()
    finally:
        server.close()


def greeting(server, source="127.0.0.1", say=b"", wait=0.0):
    with socket.create_connection(("127.0.0.1", server.mx_port), 10, (source, 0)) as s:
        if say:
            s.sendall(say)
        time.sleep(wait)
        return s.makefile("rb").readline().decode()


def test_clients_are_refused(door):
    for source in ("127.0.0.66", "127.1.2.3"):
        wait_for(lambda a=source: greeting(door, a).startswith("554-5.7.1 "), 20, "the list to be read")
    assert greeting(door, "127.0.0.65").startswith("220 ")


@pytest.mark.parametrize("name, reason", [
    ("client.example", None), ("client", None), ("[127.0.0.1]", None), ("[IPv6:::1]", None), ("client.example.", None),
    ("my_laptop", None), ("client..example", "bad-hello"), ("[127.0.0.256]", "bad-hello"), ("-", "bad-hello"),
    ("mx.example.com", "own-name-forged"), ("MX.Example.COM", "own-name-forged"), ("mx2.example.com", None),
])
def test_hello(door, name, reason):
    s, f = door.raw()
    with s:
        f.write(f"EHLO {name}\r\nNOOP\r\n".encode())
        lines = [f.readline().decode() for _ in range(3)]
        assert (reason or "250-") in (lines[2] if reason else lines[0]), lines


def test_on_submission_programs_may_say_what_they_like(door):
    s, f = door.raw(door.submission_port)
    with s:
        f.write(b"EHLO my_laptop\r\n")
        assert f.readline().startswith(b"250-")


def test_too_early(make_server):
    server = make_server(workers=1, more='gate { greeting-delay = 1s client-connections = 1 client-rate = 1 }')
    server.start()
    begin = time.monotonic()
    for _ in range(3):  # this host is never kept waiting, nor counted
        with socket.create_connection(("127.0.0.1", server.mx_port), 10) as s, \
                socket.create_connection(("127.0.0.1", server.mx_port), 10) as t:
            assert s.recv(4) == t.recv(4) == b"220 "
    assert time.monotonic() - begin < 1


ELSEWHERE = """
import os, signal, socket, subprocess, sys
subprocess.run("ip link set lo up && ip addr add 192.0.2.1/32 dev lo && ip addr add 192.0.2.9/32 dev lo", shell=True, check=True)
sys.path[:0] = sys.argv[1:]
from server import Server, wait_for

server = Server(workers=2, more="gate { client-connections = 4 client-rate = 1000 }")
held = []

def come(source="192.0.2.1"):
    s = socket.create_connection(("127.0.0.1", server.mx_port), 20, source_address=(source, 0))
    s.settimeout(20)
    held.append(s)
    return s.recv(3).decode()

def admitted(source="192.0.2.1"):
    # those that left are seen to leave only after a moment
    if come(source) == "220":
        return True
    held.pop().close()

def fill(n):
    for i in range(n):
        wait_for(lambda: admitted("192.0.2.9" if i == 2 else "192.0.2.1"), what="room for another")
    code = come()
    held.pop().close()
    assert code == "421", (n, code)

def leave():
    while held:
        held.pop().close()

def workers():
    # who serves the connections that we hold: their inodes in /proc
    return [len([f for f in os.listdir(f"/proc/{p}/fd") if os.readlink(f"/proc/{p}/fd/{f}").startswith("socket:")])
            for p in server.children("receive")]

try:
    server.start()
    idle = workers()
    for turn in range(6):
        # one from the same /24, the fifth whatever worker it comes to
        leave()
        fill(4)
    # kill the worker of some of them: what it counted is gone with it
    before = server.children("receive")
    busy = max(zip([now - then for now, then in zip(workers(), idle)], before))[1]
    os.kill(busy, signal.SIGKILL)
    wait_for(lambda: len(server.children("receive")) == 2 and busy not in server.children("receive"), what="another worker")
    lost = 0
    for s in held:
        s.settimeout(0.2)
        try:
            s.recv(4000)   # the rest of the greeting
            lost += s.recv(1) == b""
        except ConnectionResetError:
            lost += 1
        except TimeoutError:
            pass
    assert lost > 0
    wait_for(lambda: "ready" in server.log() and server.log().count("room-ready role=receive") == 3, what="it serves")
    fill(lost)
    leave()
    server.stop()
finally:
    server.close()
"""


def test_connections_are_counted_over_all_workers():
    """This host is never counted, so it takes a network of our own to come from elsewhere."""
    here = pathlib.Path(__file__).resolve().parent
    ours = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--net", "--map-root-user"]
    if subprocess.run([*ours, "true"], capture_output=True).returncode != 0:
        pytest.skip("this machine makes no network namespaces")
    done = subprocess.run([*ours, sys.executable, "-c", ELSEWHERE, str(here), str(here.parent.parent / "tools")],
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
