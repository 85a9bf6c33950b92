# SPDX-License-Identifier: ISC
"""Called as sendmail, mailq or newaliases, as cron and PHP do."""
import os
import subprocess
import time

import pytest
from server import GATEPOST, parse, wait_for


@pytest.fixture
def called(server, tmp_path):
    def call(name, *args, input=b"", check=True):
        link = tmp_path / name
        if not link.exists():
            os.symlink(GATEPOST, link)
        done = subprocess.run([str(link), "--config", str(server.config), *args], input=input, capture_output=True, timeout=60,
                              env=server.environment())
        if check:
            assert done.returncode == 0, done.stderr
        return done

    return call


def arrived(server, subject, who="ann@example.com"):
    wait_for(lambda: any(subject.encode() in m for m in server.mail(who)))
    return next(m for m in server.mail(who) if subject.encode() in m)


def test_recipients_from_the_header(server, called):
    subject = f"sendmail -t {time.time_ns()}"
    called("sendmail", "-t", "-i", "-f", "cron@example.com",
           input=f"To: Ann <ann@example.com>\nCc: bob@example.com\nBcc: ann+bcc@example.com\nSubject: {subject}\n\nfirst\n.\nlast\n".encode())
    got = arrived(server, subject)
    assert got.startswith(b"Return-Path: <cron@example.com>")
    assert got.replace(b"\r\n", b"\n").endswith(b"first\n.\nlast\n")
    m = parse(got)
    assert m["Bcc"] is None and m["Date"] and m["Message-ID"]
    arrived(server, subject, "bob@example.com")


def test_recipients_on_the_line(server, called):
    subject = f"sendmail args {time.time_ns()}"
    called("sendmail", "-oi", "-fcron@example.com", "--", "ann@example.com", input=f"Subject: {subject}\n\nHello.\n".encode())
    arrived(server, subject)


def test_a_dot_ends_without_i(server, called):
    subject = f"sendmail dot {time.time_ns()}"
    called("sendmail", "-f", "cron@example.com", "ann@example.com", input=f"Subject: {subject}\n\nbefore\n.\nafter\n".encode())
    assert b"after" not in arrived(server, subject)


def test_unknown_recipient_is_an_error(server, called):
    done = called("sendmail", "-f", "cron@example.com", "nobody@example.com", input=b"Subject: x\n\nx\n", check=False)
    assert done.returncode != 0 and b"553" in done.stderr


def test_no_recipient_is_a_usage_error(called):
    done = called("sendmail", "-t", input=b"Subject: x\n\nx\n", check=False)
    assert done.returncode != 0 and done.stderr


def test_local_submission_reaches_the_world(server, called, sink):
    subject = f"sendmail far {time.time_ns()}"
    called("sendmail", "-i", "-f", "cron@example.com", "friend@far.example", input=f"Subject: {subject}\n\nHello.\n".encode())
    wait_for(lambda: any(subject.encode() in m.data for m in sink.messages))


def test_mailq(called):
    done = called("mailq")
    assert done.stdout


def test_newaliases(called):
    called("newaliases")
