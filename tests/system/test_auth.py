# SPDX-License-Identifier: ISC
"""Who comes in: SCRAM with real clients, the brake, accounts out of service."""
import base64
import contextlib
import hashlib
import hmac
import os
import smtplib
import ssl
import stat
import subprocess
import time

import peers
import pytest
from server import message, wait_for


@pytest.fixture
def house(make_server, sink):
    s = make_server(relay=f'smarthost = "127.0.0.1:{sink.port}"')
    s.add_user("ann@example.com")
    s.add_user("bob@example.com")
    s.start()
    return s


# -- SCRAM -------------------------------------------------------------------


class Scram:
    """A client written from RFC 5802, for what the others cannot be asked to do."""

    def __init__(self, smtp, user, password, binding=None, flag="n"):
        self.smtp, self.user, self.password, self.binding, self.flag = smtp, user, password, binding, flag

    def login(self):
        """(code, text) of the last reply."""
        name = "SCRAM-SHA-256-PLUS" if self.binding else "SCRAM-SHA-256"
        header = "p=tls-unique,," if self.binding else f"{self.flag},,"
        bare = f"n={self.user},r={base64.b64encode(os.urandom(18)).decode()}"
        code, text = self.smtp.docmd("AUTH", f"{name} {self.b64((header + bare).encode())}")
        if code != 334:
            return code, text
        first = base64.b64decode(text).decode()
        self.fields = dict(part.split("=", 1) for part in first.split(","))
        salted = hashlib.pbkdf2_hmac("sha256", self.password.encode(), base64.b64decode(self.fields["s"]), int(self.fields["i"]))
        key = self.hmac(salted, b"Client Key")
        final = f"c={self.b64(header.encode() + (self.binding or b''))},r={self.fields['r']}"
        signed = f"{bare},{first},{final}".encode()
        proof = bytes(a ^ b for a, b in zip(key, self.hmac(hashlib.sha256(key).digest(), signed)))
        code, text = self.smtp.docmd(self.b64(f"{final},p={self.b64(proof)}".encode()))
        if code != 334:
            return code, text
        expected = self.b64(self.hmac(self.hmac(salted, b"Server Key"), signed))
        assert base64.b64decode(text).decode() == f"v={expected}"  # the server has shown itself, too
        return self.smtp.docmd("")

    @staticmethod
    def b64(octets):
        return base64.b64encode(octets).decode()

    @staticmethod
    def hmac(key, text):
        return hmac.new(key, text, "sha256").digest()


def connect(server, version=None):
    context = server.context()
    if version:
        context.maximum_version = version
    s = smtplib.SMTP("127.0.0.1", server.submission_port, local_hostname="client.example", timeout=30)
    s.starttls(context=context)
    s.ehlo()
    return s


def test_offered_only_under_tls(server):
    with smtplib.SMTP("127.0.0.1", server.submission_port) as s:
        s.ehlo()
        assert not s.has_extn("auth")
        assert s.docmd("AUTH", "SCRAM-SHA-256 biwsbj1hbm4scj1hYmNkZWZnaA==")[0] in (530, 538)
        s.starttls(context=server.context())
        s.ehlo()
        assert s.esmtp_features["auth"].split() == ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "PLAIN", "LOGIN"]


@pytest.mark.parametrize("user, password, right", [
    ("ann@example.com", "secret", True),
    ("ANN", "secret", True),
    ("ann@example.com", "wrong", False),
    ("nobody@example.com", "secret", False),
])
def test_scram(server, user, password, right):
    with connect(server) as s:
        code, text = Scram(s, user, password).login()
        assert (code, text.split()[0]) == ((235, b"2.7.0") if right else (535, b"5.7.8")), text
        assert s.mail("ann@example.com")[0] == (250 if right else 530)


def test_bound_channel(server):
    """tls-unique (RFC 5929), TLS 1.2."""
    with connect(server, ssl.TLSVersion.TLSv1_2) as s:
        binding = s.sock.get_channel_binding("tls-unique")
        assert binding and Scram(s, "ann@example.com", "secret", binding).login()[0] == 235
    with connect(server, ssl.TLSVersion.TLSv1_2) as s:  # somebody in between has another channel
        assert Scram(s, "ann@example.com", "secret", bytes(12)).login()[0] == 535
    with connect(server) as s:  # who says that we offered no -PLUS was lied to
        assert Scram(s, "ann@example.com", "secret", flag="y").login()[0] == 535


def test_cancelled_and_silent(server):
    with connect(server) as s:
        assert s.docmd("AUTH", "SCRAM-SHA-256")[0] == 334
        assert s.docmd("*")[0] == 501
        code, text = s.docmd("AUTH", "SCRAM-SHA-256 " + base64.b64encode(b"n,,n=ann,r=abcdefgh").decode())
        assert code == 334 and base64.b64decode(text).startswith(b"r=abcdefgh")
        assert s.docmd("*")[0] == 501
        assert s.docmd("AUTH", "SCRAM-SHA-256 eA==")[0] == 535  # no message of SCRAM
        assert Scram(s, "ann@example.com", "secret").login()[0] == 235
    with connect(server) as s:  # hangs up in the middle
        s.docmd("AUTH", "SCRAM-SHA-256 " + base64.b64encode(b"n,,n=ann,r=abcdefgh").decode())
        s.close()


def memory(pid):
    """All of a process's memory that is its own."""
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as mem:
        for line in maps:
            area, rights = line.split()[:2]
            first, last = (int(x, 16) for x in area.split("-"))
            if rights.startswith("rw") and last - first < 1 << 28:
                try:
                    mem.seek(first)
                    yield mem.read(last - first)
                except OSError:  # a sanitizer's gap
                    continue


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_no_password_stays_in_memory(server, mechanism):
    password = "Zx9-Kq4-Wv7-Pm2-Jt8-" + mechanism
    user = f"{mechanism.lower()}@example.com"
    server.add_user(user, password)
    plain = base64.b64encode(f"\0{user}\0{password}".encode())
    login = base64.b64encode(password.encode())
    with connect(server) as s:
        if mechanism == "PLAIN":  # in two pieces
            s.send(b"AUTH PLAIN " + plain[:30])
            time.sleep(0.1)
            s.send(plain[30:] + b"\r\n")
            assert s.getreply()[0] == 235
        else:
            assert s.docmd("AUTH", "LOGIN")[0] == 334
            assert s.docmd(base64.b64encode(user.encode()).decode())[0] == 334
            assert s.docmd(login.decode())[0] == 235
        try:
            for pid in server.children("receive") + server.children("directory"):
                for area in memory(pid):
                    for secret in (password.encode()[:16], plain[:28], plain[-24:], login[:20]):
                        assert secret not in area, (pid, secret)
        except PermissionError:
            pytest.skip("the memory of a process that is not dumpable is root's to read")


def test_salts_tell_nothing(server):
    def salt(user):
        with connect(server) as s:
            scram = Scram(s, user, "wrong")
            scram.login()
            return scram.fields["s"], scram.fields["i"]

    assert salt("ann") == salt("ann@example.com")
    assert salt("nob") == salt("nob@example.com") == salt("NOB@Example.com")
    assert salt("nob") != salt("bob")


def test_accounts_without_a_verifier_get_one(house):
    house.cli("user", "add", "kim@example.com", "--password-stdin", input="pass word\n")
    # a password that no two keyboards say alike is for PLAIN only
    done = house.cli("user", "passwd", "bob@example.com", "--password-stdin", input="a\a\n")
    assert "SCRAM is not possible" in done.stderr
    with connect(house) as s:
        assert Scram(s, "kim", "pass word").login()[0] == 235
    house.submission("bob@example.com", "a\a").quit()


@pytest.mark.parametrize("way", ["on", "scram-sha-256"])
def test_msmtp(server, sink, tmp_path, way):
    config = tmp_path / "msmtprc"
    config.write_text(f"account default\nhost 127.0.0.1\nport {server.submission_port}\nfrom ann@example.com\nauth {way}\nuser ann\n"
                      "password secret\ntls on\ntls_starttls on\ntls_certcheck off\ndomain client.example\n")
    config.chmod(stat.S_IRUSR | stat.S_IWUSR)
    subject = f"msmtp {time.time_ns()}"
    done = subprocess.run(["msmtp", "-d", "-C", str(config), "friend@far.example"], capture_output=True, timeout=60,
                          input=message(sender="ann@example.com", subject=subject).replace(b"\r\n", b"\n"))
    assert done.returncode == 0, done.stderr
    assert b"AUTH SCRAM-SHA-256" in done.stdout
    wait_for(lambda: [m for m in sink.messages if subject.encode() in m.data])


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"])
@pytest.mark.parametrize("password", ["secret", "wrong"])
def test_gsasl(server, mechanism, password):
    """GNU SASL's own client; it binds the channel of TLS 1.3 by tls-exporter (RFC 9266)."""
    root = peers.folder_of("gsasl")
    done = subprocess.run([str(root / "usr/bin/gsasl"), "--smtp", "--client", "--starttls", "--mechanism", mechanism, "--connect",
                           f"127.0.0.1:{server.submission_port}", "--authentication-id", "ann@example.com", "--authorization-id", "",
                           "--password", password, "--verbose", "--no-client-first", "--x509-ca-file", "",
                           *([] if mechanism.endswith("PLUS") else ["--no-cb"])],  # else it will not do without
                          capture_output=True, text=True, timeout=60, input="QUIT\n", env=peers.environment(root))
    assert f"AUTH {mechanism}" in done.stdout + done.stderr, done.stdout + done.stderr
    assert ("235 2.7.0" in done.stdout) == (password == "secret"), done.stdout + done.stderr


# -- the brake ----------------------------------------------------------------


def attempt(server, user, password):
    """(seconds, code) of one login."""
    with server.submission() as s:
        s.ehlo()
        s.user, s.password = user, password
        began = time.monotonic()
        try:
            code = s.auth("PLAIN", s.auth_plain)[0]
        except smtplib.SMTPAuthenticationError as e:
            code = e.smtp_code
        return time.monotonic() - began, code


def test_brake_survives_a_restart(house):
    for i in range(9):
        seconds, code = attempt(house, ["ann", "ann@example.com", "ANN@example.com"][i % 3], "wrong")
        assert code == 535
    house.restart()
    seconds, code = attempt(house, "ann@example.com", "secret")
    assert code == 235 and seconds > 0.95  # slower, not locked
    seconds, code = attempt(house, "ann@example.com", "secret")
    assert code == 235 and seconds < 0.95  # known here by now
    seconds, code = attempt(house, "bob", "secret")
    assert code == 235 and seconds < 0.95


def test_who_never_stops_is_not_looked_at(house):
    """Many at once are not checked all at once, and those told so are told why."""
    sessions = [house.submission() for _ in range(24)]
    for s in sessions:
        s.ehlo()
        s.send(b"AUTH PLAIN " + base64.b64encode(b"\0bob@example.com\0wrong") + b"\r\n")
    first = sessions[-1].getreply()
    assert first[0] == 454 and first[1].startswith(b"4.7.0 Too many logins failed"), first
    assert b"too-many-failed-logins" in first[1]
    for s in sessions:
        s.close()


# -- accounts out of service -----------------------------------------------------


def refusal(server, user, password):
    with server.submission() as s, pytest.raises(smtplib.SMTPAuthenticationError) as e:
        s.login(user, password)
    return e.value.smtp_code, e.value.smtp_error.decode()


def test_suspended(house):
    with house.submission("ann@example.com", "secret") as before:
        before.mail("ann@example.com")
        assert before.rcpt("bob@example.com")[0] == 250
        house.cli("user", "suspend", "ann@example.com", "--reason", "unpaid since May")
        assert before.data(message(sender="ann@example.com"))[0] == 250  # began before
        code, text = before.mail("ann@example.com")  # on the same connection
        assert code == 525 and b"The reason: unpaid since May." in text, text
        assert before.noop()[0] == 250
    code, text = refusal(house, "ann@example.com", "secret")
    assert code == 525 and "The account ann@example.com is suspended. The reason: unpaid since May." in text
    assert refusal(house, "ann@example.com", "wrong")[0] == 535  # strangers learn nothing
    with connect(house) as s:
        assert Scram(s, "ann@example.com", "wrong").login()[0] == 535
        code, text = Scram(s, "ann@example.com", "secret").login()
        assert code == 525 and b"unpaid since May" in text
    with house.smtp() as s:
        s.ehlo()
        s.mail("x@far.example")
        code, text = s.rcpt("ann@example.com")
        assert code == 550 and text.startswith(b"5.2.1") and b"unpaid" not in text
    house.cli("user", "resume", "ann@example.com")
    house.submission("ann@example.com", "secret").quit()


def test_kicked(house):
    """Every session of the account, whatever it is doing; nobody else's."""
    with contextlib.ExitStack() as stack:
        ann = [stack.enter_context(house.submission("ann@example.com", "secret")) for _ in range(4)]
        bob = stack.enter_context(house.submission("bob@example.com", "secret"))
        for s in ann[:2]:
            s.mail("ann@example.com")
        ann[1].rcpt("bob@example.com")
        assert ann[1].docmd("DATA")[0] == 354
        ann[1].send(b"Subject: half of it\r\n\r\n")
        house.cli("user", "suspend", "ann@example.com", "--reason", "stolen password", "--kick")
        for s in ann:
            code, text = s.getreply()
            assert code == 421 and text.startswith(b"4.7.13 "), text
            assert s.sock.recv(1) == b""  # and hung up
            s.close()
        assert bob.noop()[0] == 250
    assert house.log().count(" kicked ") == 4 and house.queue() == []
    code, text = refusal(house, "ann@example.com", "secret")
    assert code == 525 and "stolen password" in text
    # Once back, an account is not kicked by a state without --kick.
    house.cli("user", "resume", "ann@example.com")
    with house.submission("ann@example.com", "secret") as ann:
        house.cli("user", "set", "ann@example.com", "--state", "disabled")
        assert ann.noop()[0] == 250
        house.cli("user", "set", "ann@example.com", "--state", "disabled", "--kick")
        assert ann.getreply()[0] == 421
        ann.close()
    code, text = refusal(house, "ann@example.com", "secret")
    assert code == 525 and "It is switched off." in text


def test_receive_only(house):
    house.cli("user", "set", "ann@example.com", "--receive-only", "yes")
    with house.submission("ann@example.com", "secret") as s:
        code, text = s.mail("ann@example.com")
        assert code == 550 and b"receive-only" in text


# -- what an account may send ------------------------------------------------------


def test_limits(house, sink):
    house.cli("user", "limit", "ann@example.com", "--messages-per-hour", "2", "--recipients-per-day", "4")
    (row,) = house.cli_json("user", "show", "ann@example.com")
    assert row["limits"] == {"messages_per_hour": 2, "recipients_per_day": 4}
    with house.submission("ann@example.com", "secret") as s:
        for _ in range(5):  # what does not come to be does not count
            assert s.mail("ann@example.com")[0] == 250
            assert s.rcpt("friend@far.example")[0] == 250
            s.rset()
        s.mail("ann@example.com")
        for to in ("one@far.example", "one@far.example", "two@far.example", "three@far.example", "four@far.example"):
            assert s.rcpt(to)[0] == 250  # said twice counts once
        code, text = s.rcpt("five@far.example")
        assert code == 450 and b"It is 4 recipients a day, and counted anew from 20" in text and b"sending-limit" in text, text
        assert s.data(message(sender="ann@example.com"))[0] == 250
    house.restart()
    house.cli("user", "limit", "ann@example.com", "--recipients-per-day", "none")
    with house.submission("ann@example.com", "secret") as s, house.submission("ann@example.com", "secret") as other:
        assert s.mail("ann@example.com")[0] == 250
        code, text = other.mail("ann@example.com")  # the message under way is the second
        assert code == 450 and b"It is 2 messages an hour, and counted anew from 20" in text, text
        s.rset()
        assert other.mail("ann@example.com")[0] == 250
    with house.submission("bob@example.com", "secret") as s:
        assert s.mail("bob@example.com")[0] == 250


def test_limits_of_the_config(make_server):
    """For all accounts; those of one account go before, also none at all."""
    house = make_server(queue="paused = yes", more="login { messages-per-day = 1 }")
    for user in ("ann", "bob", "cy"):
        house.add_user(f"{user}@example.com")
    house.cli("user", "limit", "bob@example.com", "--messages-per-day", "2")
    house.cli("user", "limit", "cy@example.com", "--messages-per-day", "none")
    house.start()

    def send(user):
        with house.submission(f"{user}@example.com", "secret") as s:
            code, text = s.mail(f"{user}@example.com")
            if code == 250:
                s.rcpt("friend@far.example")
                assert s.data(message(sender=f"{user}@example.com"))[0] == 250
        return code, text

    for _ in range(3):  # those who hang up have sent nothing
        with house.submission("ann@example.com", "secret") as s:
            assert s.mail("ann@example.com")[0] == 250
            s.close()
    assert [send("ann")[0] for _ in range(2)] == [250, 450]
    assert b"It is 1 messages a day" in send("ann")[1]
    assert [send("bob")[0] for _ in range(3)] == [250, 250, 450]
    assert [send("cy")[0] for _ in range(4)] == [250] * 4


def test_purged(make_server):
    """Who logged in counts, not which sender they used."""
    house = make_server(queue="paused = yes")
    house.add_user("ann@example.com")
    house.add_user("bob@example.com")
    house.cli("alias", "add", "team@example.com", "ann@example.com", "bob@example.com")
    house.start()
    for user, sender in (("ann", "ann"), ("ann", "team"), ("bob", "bob"), ("bob", "team")):
        with house.submission(f"{user}@example.com", "secret") as s:
            s.sendmail(f"{sender}@example.com", ["friend@far.example"], message(sender=f"{sender}@example.com"))
    wait_for(lambda: len(house.queue()) == 4)
    assert len(house.cli_json("queue", "list", "--auth", "ann@example.com")) == 2
    done = house.cli("user", "suspend", "Ann@example.com", "--reason", "stolen password", "--purge-queue", "--kick")
    assert done.stdout == "2 removed from the queue\n"
    assert sorted(m["sender"] for m in house.queue()) == ["bob@example.com", "team@example.com"]
    assert house.cli_json("user", "suspend", "ann@example.com", "--reason", "again", "--purge-queue") == [{"removed": 0, "busy": 0}]
    house.stop()
    done = house.cli("user", "suspend", "bob@example.com", "--reason", "x", "--purge-queue", check=False)
    assert done.returncode == 4 and "suspended, but the queue was not purged: no server is running" in done.stderr
    assert house.cli_json("user", "show", "bob@example.com")[0]["state"] == "suspended"


def test_what_is_being_sent_cannot_be_purged(make_server, make_sink):
    sink = make_sink()
    sink.delay["end"] = 2
    house = make_server(relay=f'smarthost = "127.0.0.1:{sink.port}"')
    house.add_user("ann@example.com")
    house.start()
    with house.submission("ann@example.com", "secret") as s:
        s.sendmail("ann@example.com", ["friend@far.example"], message(sender="ann@example.com"))
    wait_for(lambda: "DATA" in sink.commands)
    done = house.cli("user", "suspend", "ann@example.com", "--reason", "x", "--purge-queue", check=False)
    assert done.returncode == 3 and "1 could not be removed: being delivered now" in done.stderr, done.stderr
    assert done.stdout == "0 removed from the queue\n"
    sink.wait(1)
    house.wait_empty()
