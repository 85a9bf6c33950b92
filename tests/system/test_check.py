# SPDX-License-Identifier: ISC
"""gatepost check mail, route and self: the gate on paper, as the server judges."""
import json
import socket
import ssl
import threading
import warnings

import pytest

from server import Server

GATE = 'gate {\n    badmailfrom = "file:badmailfrom"\n    own-domain = login\n}\n'
STRANGER = "192.0.2.9"


class House(Server):
    def __init__(self, more=GATE, **kwargs):
        super().__init__(relay='networks = {"198.51.100.0/24"}', more=more, workers=1, **kwargs)
        (self.root / "badmailfrom").write_text("# spam\n@spam.example\n.spam.example\n")


@pytest.fixture(scope="module")
def house():
    s = House()
    try:
        s.add_user("ann@example.com")
        s.add_user("bob@example.com")
        s.cli("alias", "add", "sales@example.com", "ann@example.com", "friend@far.example")
        s.cli("user", "set", "bob@example.com", "--state", "moved", "--to", "bob@far.example", check=False)
        yield s
    finally:
        s.close()


def check(house, frm, to, ip=STRANGER, *more):
    done = house.cli("check", "mail", "--ip", ip, "--from", frm, "--to", to, *more, "--json", check=False)
    assert done.returncode in (0, 3), done.stderr
    answer = json.loads(done.stdout)
    assert (answer["verdict"] == "refused") == (done.returncode == 3)
    decided = [c for c in answer["checks"] if c["decided"]]
    assert len(decided) == (done.returncode == 3)
    if decided:
        assert decided[0]["reason"] == answer["reason"]
    return answer


@pytest.mark.parametrize("frm, to, ip, more, reason", [
    ("x@far.example", "ann@example.com", STRANGER, [], None),
    ("", "ann@example.com", STRANGER, [], None),
    ("<>", "<ann@example.com>", STRANGER, [], None),
    ("x@far.example", "nobody@example.com", STRANGER, [], "unknown-recipient"),
    ("x@far.example", "friend@far.example", STRANGER, [], "relay-denied"),
    ("x@far.example", "friend@far.example", "198.51.100.7", [], None),
    ("ann@example.com", "bob@example.com", STRANGER, [], "own-domain-without-login"),
    ("ann@example.com", "friend@far.example", STRANGER, ["--auth", "ann@example.com"], None),
    ("bob@example.com", "friend@far.example", STRANGER, ["--auth", "ann@example.com"], "sender-not-yours"),
    ("ann@example.com", "friend@far.example", STRANGER, ["--port", "submission"], "login-needed"),
    ("x@SPAM.example", "ann@example.com", STRANGER, [], "badmailfrom"),
    ("x@deep.spam.example", "ann@example.com", STRANGER, [], "badmailfrom"),
    ("x@far.example", "two words@example.com", STRANGER, [], "bad-recipient-address"),
])
def test_mail(house, frm, to, ip, more, reason):
    answer = check(house, frm, to, ip, *more)
    assert answer.get("reason") == reason


def test_every_check_and_its_line_is_shown(house):
    answer = check(house, "x@spam.example", "nobody@example.com")
    checks = {c["check"]: c for c in answer["checks"]}
    assert {"login", "badmailfrom", "relay", "recipient"} <= set(checks)
    bad = checks["badmailfrom"]
    assert bad["decided"] and bad["note"] == "@spam.example" and bad["option"] == "gate.badmailfrom"
    lines = house.config.read_text().split("\n")
    assert "badmailfrom" in lines[bad["line"] - 1]
    assert checks["recipient"]["result"] == "refused" and not checks["recipient"]["decided"]
    assert answer["reply"].startswith("550-5.7.1 ")


def test_text_marks_what_decides(house):
    done = house.cli("check", "mail", "--ip", STRANGER, "--from", "x@far.example", "--to", "y@far.example", check=False)
    assert done.returncode == 3
    marked = [line for line in done.stdout.split("\n") if line.startswith(">")]
    assert len(marked) == 1 and "relay-denied" in marked[0]


@pytest.mark.parametrize("args", [
    [], ["--ip", "here", "--from", "a@b.example", "--to", "a@b.example"], ["--ip", STRANGER, "--from", "a@b.example"],
    ["--ip", STRANGER, "--from", "a@b.example", "--to", "a@b.example", "--port", "25"],
])
def test_usage(house, args):
    done = house.cli("check", "mail", *args, check=False)
    assert done.returncode == 2 and "expected" in done.stderr


def test_route(house):
    done = house.cli("check", "route", "Sales@example.com", "--json")
    steps = json.loads(done.stdout)["route"]
    assert [(s["depth"], s["address"]) for s in steps] == [
        (0, "Sales@example.com"), (1, "ann@example.com"), (1, "friend@far.example")]
    assert steps[1]["to"].startswith("maildir:") and steps[1]["to"].endswith("/ann")
    assert steps[2]["to"] == "MX of far.example"
    assert house.cli("check", "route", "nobody@example.com", check=False).returncode == 3
    assert house.cli("check", "route", "postmaster@example.com").returncode == 0


def test_the_running_server_judges_the_same(house):
    house.start()
    try:
        with house.smtp() as s:
            s.ehlo()
            for frm, to in [("x@far.example", "ann@example.com"), ("x@far.example", "nobody@example.com"),
                            ("ann@example.com", "ann@example.com"), ("x@spam.example", "ann@example.com"),
                            ("x@far.example", "friend@far.example")]:
                answer = check(house, frm, to, "127.0.0.1")
                code, text = s.mail(frm)
                if code == 250:
                    code, text = s.rcpt(to)
                assert (code >= 400) == (answer["verdict"] == "refused"), (frm, to)
                if code >= 400:
                    said, told = text.decode().split("\n"), [line[4:] for line in answer["reply"].strip().split("\r\n")]
                    assert said[:-1] == told[:-1] and said[-1].split()[:2] == told[-1].split()[:2]
                s.rset()
        done = house.cli("check", "self", "--json")
        last = json.loads(done.stdout.strip().split("\n")[-1])
        assert last["abusable"] is False and last["tried"] > 100
    finally:
        house.stop()


def test_an_open_relay_is_found(make_server):
    server = make_server(relay='networks = {"0.0.0.0/0"}', workers=1)
    done = server.cli("check", "self", "--json", check=False)
    assert done.returncode == 3
    kinds = [json.loads(line) for line in done.stdout.strip().split("\n")]
    assert kinds[-1]["abusable"] is True
    assert any("open relay" in k.get("text", "") and "victim@abroad.invalid" in k["text"] for k in kinds)


class Careless(threading.Thread):
    """A server that does under TLS what no server should."""

    def __init__(self, port, certificate, key, implicit):
        super().__init__(daemon=True)
        self.implicit = implicit
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate, key)
        self.context.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            self.context.minimum_version = ssl.TLSVersion.TLSv1
        self.listener = socket.create_server(("127.0.0.1", port))
        self.start()

    def run(self):
        while True:
            try:
                s, _ = self.listener.accept()
            except OSError:
                return
            try:
                self.serve(s)
            except (OSError, ssl.SSLError):
                pass
            s.close()

    def serve(self, s):
        if self.implicit:
            s = self.context.wrap_socket(s, server_side=True)
        s.sendall(b"220 careless.example\r\n")
        had, tls = b"", self.implicit
        while True:
            while b"\r\n" not in had:
                more = s.recv(4096)
                if not more:
                    return
                had += more
            line, had = had.split(b"\r\n", 1)
            verb = line.split()[0].upper() if line.split() else b""
            if verb == b"STARTTLS":
                s.sendall(b"220 go ahead\r\n")
                s, tls = self.context.wrap_socket(s, server_side=True), True
            elif verb == b"EHLO":
                s.sendall(b"250-careless.example\r\n250-AUTH PLAIN\r\n250 STARTTLS\r\n" if not tls else b"250 careless.example\r\n")
            else:
                s.sendall({b"HELP": b"214 help\r\n", b"AUTH": b"535 no\r\n", b"VRFY": b"252 maybe\r\n"}.get(verb, b"250 ok\r\n"))


def self_check(server):
    done = server.cli("check", "self", "--json", check=False)
    lines = [json.loads(line) for line in done.stdout.strip().split("\n")]
    assert (done.returncode == 3) == lines[-1]["abusable"]
    return [x["text"] for x in lines if x["kind"] == "abuse"], [x["text"] for x in lines if x["kind"] == "note"]


def test_self_tries_the_ports_under_tls(make_server):
    server = make_server(workers=1)
    server.start()
    abuses, notes = self_check(server)
    assert abuses == [] and not any("submission" in note for note in notes), notes
    server.stop()

    careless = [Careless(server.submission_port, server.certificate, server.key, False),
                Careless(server.submissions_port, server.certificate, server.key, True)]
    try:
        abuses, notes = self_check(server)
    finally:
        for c in careless:
            c.listener.close()
    for name, what in [("submission", "looks at a password that came without TLS"), ("submission", "came in clear behind STARTTLS"),
                       ("submission", "older than 1.2"), ("submission", "takes a sender without a login"),
                       ("submissions", "older than 1.2"), ("submissions", "takes a sender without a login")]:
        assert any(f'listen "{name}"' in text and what in text for text in abuses), (name, what, abuses)
    for name in ("submission", "submissions"):
        assert any(f'listen "{name}"' in text and "no AUTH under TLS" in text for text in notes), notes
    assert any('listen "mx"' in text and "does not answer" in text for text in notes)
