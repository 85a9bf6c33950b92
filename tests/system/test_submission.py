# SPDX-License-Identifier: ISC
"""Logging in and sending to the world."""
import base64
import json
import smtplib
import time

import pytest
from server import message, parse, wait_for


def test_auth_only_under_tls(server):
    with smtplib.SMTP("127.0.0.1", server.submission_port) as s:
        s.ehlo()
        assert not s.has_extn("auth")
        assert s.docmd("AUTH", "PLAIN AGFubkBleGFtcGxlLmNvbQBzZWNyZXQ=")[0] in (530, 538)
        assert s.mail("ann@example.com")[0] == 530
        s.starttls(context=server.context())
        s.ehlo()
        assert set(s.esmtp_features["auth"].split()) >= {"PLAIN", "LOGIN"}
        assert s.mail("ann@example.com")[0] == 530  # still nobody


@pytest.mark.parametrize("way", ["submission", "submissions"])
def test_relayed_after_login(server, sink, way):
    subject = f"{way} {time.time_ns()}"
    with getattr(server, way)("ann@example.com", "secret") as s:
        assert s.sendmail("ann@example.com", ["friend@far.example"], message(sender="ann@example.com", subject=subject)) == {}
    found = wait_for(lambda: [m for m in sink.messages if subject.encode() in m.data])
    assert found[0].sender == "ann@example.com" and found[0].rcpts == ["friend@far.example"]
    received = " ".join(parse(found[0].data)["Received"].split())
    assert "with ESMTPSA" in received


@pytest.mark.parametrize("mechanism", ["auth_plain", "auth_login"])
@pytest.mark.parametrize("name", ["ann@example.com", "ann", "ANN@Example.com"])
def test_login_names(server, mechanism, name):
    with server.submission() as s:
        s.ehlo()
        s.user, s.password = name, "secret"
        code, text = s.auth(mechanism[5:].upper(), getattr(s, mechanism))
        assert code == 235 and text.startswith(b"2.7.0")


def test_wrong_and_unknown_look_the_same(server):
    answers = []
    for user, password in [("ann@example.com", "wrong"), ("nobody@example.com", "wrong"), ("x@elsewhere.example", "wrong"), ("ann@example.com", "")]:
        with server.submission() as s:
            with pytest.raises(smtplib.SMTPAuthenticationError) as e:
                s.login(user, password)
            text = e.value.smtp_error.decode()
            answers.append((e.value.smtp_code, "\n".join(line.rsplit(" ", 1)[0] if "login-failed" in line else line for line in text.split("\n"))))
    assert answers[0][0] == 535 and answers[0][1].startswith("5.7.8")
    assert len(set(answers)) == 1, answers


def test_unknown_users_take_as_long(server):
    """A hash is computed for a name that does not exist, too."""

    def seconds(user):
        times = []
        for _ in range(3):
            with server.submission() as s:
                s.ehlo()
                began = time.monotonic()
                with pytest.raises(smtplib.SMTPAuthenticationError):
                    s.login(user, "wrong", initial_response_ok=True)
                times.append(time.monotonic() - began)
        return min(times)

    known, unknown = seconds("ann@example.com"), seconds("nobody@example.com")
    assert unknown > known / 4, (known, unknown)


def test_only_ones_own_sender(server):
    server.cli("alias", "add", "sales@example.com", "ann@example.com")
    with server.submission("ann@example.com", "secret") as s:
        s.ehlo()
        for sender, code in [("ann@example.com", 250), ("ann+shop@example.com", 250), ("sales@example.com", 250), ("bob@example.com", 553),
                             ("ann@far.example", 553), ("", 250)]:
            got, text = s.mail(sender)
            if sender == "" and got == 553:
                continue  # a null sender is nobody's own: either is right
            assert got == code, (sender, got, text)
            if code == 553:
                assert text.startswith(b"5.7.1") and b"sender-not-yours" in text
            s.rset()


def test_which_senders_are_yours(server):
    server.add_user("dora@example.com")
    server.cli("alias", "add", "office@example.com", "dora@example.com")
    server.cli("alias", "add", "staff@example.com", "office@example.com", "bob@example.com")

    def refusal():
        with server.submission("dora@example.com", "secret") as s:
            s.ehlo()
            code, text = s.mail("bob@example.com")
            assert code == 553 and all(len(line) <= 194 for line in text.split(b"\n"))
            return text.decode()

    assert "send as dora@example.com, office@example.com, staff@example.com, or ask" in refusal()
    for i in range(10):
        server.cli("alias", "add", f"a{i}@example.com", "dora@example.com")
    assert "send as dora@example.com, a0@example.com, a1@example.com, a2@example.com, a3@example.com and 8 more, or ask" in refusal()
    for i in range(10):
        server.cli("alias", "remove", f"a{i}@example.com")
    server.cli("alias", "remove", "staff@example.com")
    server.cli("alias", "add", "staff@example.com", "bob@example.com")
    assert "send as dora@example.com, office@example.com, or ask" in refusal()
    done = server.cli("check", "mail", "--ip", "192.0.2.1", "--auth", "dora@example.com", "--from", "bob@example.com",
                      "--to", "ann@example.com", "--json", check=False)
    note = next(c["note"] for c in json.loads(done.stdout)["checks"] if c["check"] == "sender-yours")
    assert note == "may send as dora@example.com office@example.com"


def test_submission_completes_the_header(server):
    subject = f"bare {time.time_ns()}"
    with server.submission("ann@example.com", "secret") as s:
        s.sendmail("ann@example.com", ["bob@example.com"], f"From: ann@example.com\r\nSubject: {subject}\r\n\r\nHello.\r\n")
    wait_for(lambda: any(subject.encode() in m for m in server.mail("bob@example.com")))
    m = parse(next(m for m in server.mail("bob@example.com") if subject.encode() in m))
    assert m["Date"] and m["Message-ID"].endswith("@mx.example.com>")


def test_password_change_and_removal_take_effect_at_once(server):
    server.add_user("carol@example.com", "first")
    with server.submission("carol@example.com", "first"):
        pass
    server.cli("user", "passwd", "carol@example.com", "--password-stdin", input="second\n")
    with server.submission() as s:
        with pytest.raises(smtplib.SMTPAuthenticationError):
            s.login("carol@example.com", "first")
    with server.submission("carol@example.com", "second"):
        pass
    server.cli("user", "remove", "carol@example.com")
    with server.submission() as s:
        with pytest.raises(smtplib.SMTPAuthenticationError):
            s.login("carol@example.com", "second")
    with server.smtp() as s:
        s.ehlo()
        s.mail("a@far.example")
        assert s.rcpt("carol@example.com")[0] == 553


def test_logins_do_not_stop_the_others(server):
    """Hashing is off the loop: a stranger is served meanwhile."""
    sessions = [server.submission() for _ in range(8)]
    for i, s in enumerate(sessions):  # names of their own: the brake has nothing to say
        s.ehlo()
        s.putcmd("AUTH", "PLAIN " + base64.b64encode(f"\0stranger{i}\0wrong".encode()).decode())
    began = time.monotonic()
    with server.smtp() as s:
        s.ehlo()
        assert s.noop()[0] == 250
    quick = time.monotonic() - began
    assert [s.getreply()[0] for s in sessions] == [535] * 8
    for s in sessions:
        s.close()
    assert quick < 5
