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
from server import TOP, Server

FILES = sorted((TOP / "tests/transcript/smtp").glob("*.txt"))


@pytest.fixture(scope="module")
def stage():
    """example.com with the names of the transcripts; everybody may relay."""
    s = Server(receive="max-message-size = 1000000", relay='networks = {"127.0.0.0/8"}', queue="paused = yes",
               more="")
    from server import free_port

    s.tls_port = free_port()
    s.more = f'listen "mx-tls" {{ address = {{"127.0.0.1:{s.tls_port}"}} tls = implicit }}'
    s.write_config()
    try:
        for name in ("alice", "bob"):
            s.add_user(f"{name}@example.com")
        s.cli("alias", "add", "jörg@example.com", "bob@example.com", check=False)
        s.start()
        yield s
        s.stop()
    finally:
        s.close()


def unescape(text, number):
    text = text.replace("%d", str(number)).encode("utf-8")
    return re.sub(rb"\\(x[0-9a-fA-F]{2}|.)", lambda m: bytes([int(m.group(1)[1:], 16)]) if m.group(1)[:1] == b"x" and len(m.group(1)) == 3
                  else {b"r": b"\r", b"n": b"\n", b"t": b"\t", b"0": b"\0"}.get(m.group(1), m.group(1)), text)


class Player:
    def __init__(self, server, tls, login):
        self.server, self.group, self.input, self.reply = server, b"", b"", []
        port = server.mx_port if not tls else server.submissions_port if login else server.tls_port
        self.s = socket.create_connection(("127.0.0.1", port), 10)
        if tls:
            self.start_tls()

    def start_tls(self):
        self.s = self.server.context().wrap_socket(self.s, server_hostname="mx.example.com")

    def flush(self):
        out, self.group = self.group, b""
        try:
            self.s.sendall(out)
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


def play(server, text):
    lines = text.split("\n")
    options = [line.split(maxsplit=1)[1] for line in lines if line.startswith("option ")]
    policies = [line.split()[1:] for line in lines if line.startswith("policy ")]
    for o in options:
        if o != "tls":
            pytest.skip(f"needs a server with option {o}")
    for p in policies:
        if p[0] == "refuse" and p[1:3] not in (["rcpt", "nobody@example.com"],):
            pytest.skip(f"needs policy {' '.join(p)}")
    if "C: AUTH PLAIN =" in lines:
        pytest.skip("libgsasl asks again after an empty initial response, which is as right")
    if any('"a@b.example"@' in line for line in lines):
        pytest.skip("has a recipient that is not there")
    login = any(p[0] == "login" for p in policies)
    player = Player(server, "tls" in options, login and "tls" in options)
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
def test_over_a_socket(stage, file):
    play(stage, file.read_text())


def test_smtplib_agrees(stage):
    with smtplib.SMTP("127.0.0.1", stage.mx_port) as s:
        assert s.ehlo("client.example")[0] == 250
