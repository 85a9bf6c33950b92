# SPDX-License-Identifier: ISC
"""The transcripts of tests/transcript/smtp over a real socket: what the machine
says on paper, the server says on its port. A transcript whose policy no
address book can express is skipped, saying so."""
import fnmatch
import re
import select
import smtplib
import socket

import pytest
from server import TOP, Server, free_port

FILES = sorted((TOP / "tests/transcript/smtp").glob("*.txt"))


class Clear(Server):
    """A server without TLS."""

    def config_text(self):
        return "\n".join(line for line in super().config_text().split("\n") if not line.startswith(("tls ", 'listen "sub')))


def make_stage(key):
    """example.com with the names of the transcripts; unless key says otherwise everybody may relay."""
    options = dict(key)
    receive = f"max-message-size = {options.get('max-size', 1000000)} max-errors = {options.get('max-errors', 20)}"
    relay = "" if "no-relay" in options else 'networks = {"127.0.0.0/8"}'
    s = (Clear if "no-starttls" in options else Server)(receive=receive, relay=relay, queue="paused = yes", workers=1)
    try:
        if "no-starttls" not in options:
            s.tls_port = free_port()
            s.more = f'listen "mx-tls" {{ address = {{"127.0.0.1:{s.tls_port}"}} tls = implicit }}'
        if "badmailfrom" in options:
            (s.root / "bad").write_text(options["badmailfrom"] + "\n")
            s.more += '\ngate { badmailfrom = "file:bad" }\nreply "badmailfrom" { text = "550 5.7.1 not welcome" }'
        s.write_config()
        for name in ("alice", "bob"):
            s.add_user(f"{name}@example.com")
        s.cli("alias", "add", "jörg@example.com", "bob@example.com", check=False)
        s.start()
    except BaseException:
        s.close()
        raise
    return s


@pytest.fixture(scope="module")
def stages():
    """The server for these options: each is started once."""
    made = {}
    try:
        yield lambda key: made[key] if key in made else made.setdefault(key, make_stage(key))
        for s in made.values():
            s.stop()
    finally:
        for s in made.values():
            s.close()


def unescape(text, number):
    text = text.replace("%d", str(number)).encode("utf-8")
    return re.sub(rb"\\(x[0-9a-fA-F]{2}|.)", lambda m: bytes([int(m.group(1)[1:], 16)]) if m.group(1)[:1] == b"x" and len(m.group(1)) == 3
                  else {b"r": b"\r", b"n": b"\n", b"t": b"\t", b"0": b"\0"}.get(m.group(1), m.group(1)), text)


class Player:
    def __init__(self, server, tls, login, by_octet=False):
        self.by_octet = by_octet
        self.server, self.group, self.input, self.reply = server, b"", b"", []
        port = server.mx_port if not tls else server.submissions_port if login else server.tls_port
        self.s = socket.create_connection(("127.0.0.1", port), 10)
        self.s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            self.start_tls()

    def start_tls(self):
        self.s = self.server.context().wrap_socket(self.s, server_hostname="mx.example.com")

    def flush(self):
        out, self.group = self.group, b""
        try:
            for i in range(0, len(out), 1 if self.by_octet else 1 << 30):
                self.s.sendall(out[i:i + 1] if self.by_octet else out)
        except OSError:
            pass  # it hung up: what it said before is what counts

    def line(self):
        while b"\n" not in self.input:
            more = self.s.recv(65536)
            assert more, "the server hung up"
            self.input += more
        line, self.input = self.input.split(b"\n", 1)
        assert line.endswith(b"\r")
        return line[:-1].decode("utf-8", "replace")

    def take(self, pattern):
        self.reply = [self.line()]
        while self.reply[-1][3] == "-":
            self.reply.append(self.line())
        first = self.reply[0]
        bare = first[4:].startswith("mx.example.com") or first[0] == "3"
        for line in self.reply:
            assert line[:3] == first[:3], self.reply
            assert bare or re.match(r"([245])\d\d[ -]\1\.\d+\.\d+ ", line), line
        wild = pattern[4:].replace("[", "[[]")
        assert first[:3] == pattern[:3] and fnmatch.fnmatchcase(first[4:], wild), f"{first!r} is not {pattern!r}"

    def quiet(self, closed):
        """Nothing was said beyond; it hung up, or did not."""
        if hasattr(self.s, "pending") and self.s.pending():
            self.input += self.s.recv(65536)
        elif closed or select.select([self.s], [], [], 0.05)[0]:
            try:
                more = self.s.recv(65536)
            except OSError:
                more = b""
            assert closed or more, "it hung up"
            self.input += more
        assert self.input == b"", self.input


# What no config says, and why.
NOT_HERE = {
    "no-auth": "under TLS AUTH is always offered",
    "sender": "a list of refused senders ends no session",
    "hello": "no name is refused at EHLO",
    "content": "needs a full or a broken disk, see test_life.py",
}


def stage_for(lines):
    """The options of the server that this transcript needs; skips if there is none."""
    options = [line.split()[1:] for line in lines if line.startswith("option ")]
    policies = [line.split()[1:] for line in lines if line.startswith("policy ")]
    key = {o[0]: o[1] if len(o) > 1 else "" for o in options if o[0] not in ("tls", "forgiving")}
    if "no-auth" in key:
        pytest.skip(NOT_HERE["no-auth"])
    refused = [p[1:] for p in policies if p[0] == "refuse"]
    for p in refused:
        if p[0] == "sender" and not p[2:]:
            key["badmailfrom"] = p[1]
        elif p[0] in NOT_HERE:
            pytest.skip(NOT_HERE[p[0]])
        if p[0] == "rcpt" and not p[1].endswith("@example.com"):
            key["no-relay"] = ""
    if refused and "max-errors" in key and ["forgiving"] not in options:
        pytest.skip("to a client on this host refused recipients are not counted")
    return tuple(sorted(key.items())), [o[0] for o in options], policies


def play(stages, text, by_octet=False):
    lines = text.split("\n")
    key, options, policies = stage_for(lines)
    server = stages(key)
    login = any(p[0] == "login" for p in policies)
    player = Player(server, "tls" in options, login and "tls" in options, by_octet)
    closed = False
    for number, line in enumerate(lines, 1):
        try:
            if not line or line[0] == "#" or line.startswith(("option ", "policy ")) or line[0] in "Mm":
                continue
            if line in ("tls", "closed"):
                player.flush()
                if line == "tls":
                    player.start_tls()
                else:
                    closed = True
                continue
            who, kind, rest = re.match(r"(.)([|!]| \d+:|:) ?(.*)$", line).groups()
            times = int(kind[1:-1]) if kind[0] == " " else 1
            if who in "Cc":
                player.group += b"".join(unescape(rest, i) + (b"\r\n" if who == "C" else b"") for i in range(times))
            elif kind in "|!":
                wild = rest.replace("[", "[[]")
                assert any(fnmatch.fnmatchcase(r[4:], wild) for r in player.reply) == (kind == "|"), (rest, player.reply)
            else:
                player.flush()
                for _ in range(times):
                    player.take(rest)
        except (AssertionError, OSError) as e:
            raise AssertionError(f"line {number}: {line}: {e}") from e
    player.flush()
    player.quiet(closed)
    player.s.close()


@pytest.mark.parametrize("file", FILES, ids=[f.stem for f in FILES])
def test_over_a_socket(stages, file):
    play(stages, file.read_text())


@pytest.mark.parametrize("name", ["dots-over-borders", "pipelined-refusals-inside", "end-lf-dot-crlf", "binarymime", "bdat-zero",
                                  "auth-cancel", "pipelined-messages", "bdat-pipelined-refusals"])
def test_octet_by_octet(stages, name):
    """As all are played to the machine; here each octet is a packet, or a TLS record."""
    play(stages, (TOP / f"tests/transcript/smtp/{name}.txt").read_text(), by_octet=True)


def test_smtplib_agrees(stages):
    with smtplib.SMTP("127.0.0.1", stages(()).mx_port) as s:
        assert s.ehlo("client.example")[0] == 250
