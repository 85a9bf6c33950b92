# SPDX-License-Identifier: ISC
"""Clients that nobody here wrote: swaks, curl, msmtp (smtplib is everywhere)."""
import subprocess
import time

import pytest
from server import message, wait_for


def arrived(server, subject, who="bob@example.com"):
    wait_for(lambda: any(subject.encode() in m for m in server.mail(who)), what=f"mail with {subject}")


def run(args, input=None, status=0):
    done = subprocess.run(args, input=input, capture_output=True, timeout=60)
    assert done.returncode == status, (args, done.returncode, done.stdout[-3000:], done.stderr[-3000:])
    return done.stdout.decode(errors="replace") + done.stderr.decode(errors="replace")


@pytest.fixture
def swaks(need, server):
    program = need("swaks")
    return lambda port, *args, status=0: run([program, "--server", "127.0.0.1", "--port", str(port), "--helo", "client.example", *args],
                                             status=status)


def test_swaks_delivers(server, swaks):
    subject = f"swaks {time.time_ns()}"
    swaks(server.mx_port, "--from", "a@far.example", "--to", "bob@example.com", "--header", f"Subject: {subject}")
    arrived(server, subject)


def test_swaks_is_refused(server, swaks):
    text = swaks(server.mx_port, "--from", "a@far.example", "--to", "x@elsewhere.example", status=24)
    assert "<** 553-5.7.1" in text
    text = swaks(server.mx_port, "--from", "a@far.example", "--to", "nobody@example.com", status=24)
    assert "<** 553-5.1.1" in text


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_swaks_submits(server, swaks, mechanism):
    subject = f"swaks {mechanism} {time.time_ns()}"
    swaks(server.submission_port, "--tls", "--auth", mechanism, "--auth-user", "ann@example.com", "--auth-password", "secret",
          "--from", "ann@example.com", "--to", "bob@example.com", "--header", f"Subject: {subject}")
    arrived(server, subject)


def test_swaks_submits_under_tls_from_the_start(server, swaks):
    subject = f"swaks smtps {time.time_ns()}"
    swaks(server.submissions_port, "--tls-on-connect", "--auth-user", "ann@example.com", "--auth-password", "secret", "--from",
          "ann@example.com", "--to", "bob@example.com", "--header", f"Subject: {subject}")
    arrived(server, subject)


def test_swaks_pipelines(server, swaks):
    subject = f"swaks pipe {time.time_ns()}"
    swaks(server.mx_port, "--pipeline", "--from", "a@far.example", "--to", "ann@example.com,bob@example.com", "--header",
          f"Subject: {subject}")
    arrived(server, subject)
    arrived(server, subject, "ann@example.com")


@pytest.mark.parametrize("tls", [False, True])
def test_curl_delivers(server, need, tmp_path, tls):
    subject = f"curl {time.time_ns()}"
    file = tmp_path / "mail"
    file.write_bytes(message(subject=subject))
    more = ["--ssl-reqd", "--insecure"] if tls else []
    run([need("curl"), "-sS", "--url", f"smtp://127.0.0.1:{server.mx_port}/client.example", "--mail-from", "a@far.example", "--mail-rcpt",
         "bob@example.com", "--upload-file", str(file), *more])
    arrived(server, subject)


def test_curl_submits(server, need, tmp_path):
    subject = f"curl smtps {time.time_ns()}"
    file = tmp_path / "mail"
    file.write_bytes(message(sender="ann@example.com", subject=subject))
    run([need("curl"), "-sS", "--insecure", "--url", f"smtps://127.0.0.1:{server.submissions_port}/client.example", "--user",
         "ann@example.com:secret", "--mail-from", "ann@example.com", "--mail-rcpt", "bob@example.com", "--upload-file", str(file)])
    arrived(server, subject)


def test_curl_is_refused(server, need, tmp_path):
    file = tmp_path / "mail"
    file.write_bytes(message())
    run([need("curl"), "-sS", "--url", f"smtp://127.0.0.1:{server.mx_port}/client.example", "--mail-from", "a@far.example", "--mail-rcpt",
         "x@elsewhere.example", "--upload-file", str(file)], status=55)


def test_curl_speaking_http(server, need):
    done = subprocess.run([need("curl"), "-sS", "--http0.9", "-m", "20", f"http://127.0.0.1:{server.mx_port}/"], capture_output=True)
    assert b"554 5.5.1" in done.stdout


def test_msmtp_delivers(server, need):
    subject = f"msmtp {time.time_ns()}"
    run([need("msmtp"), "--host=127.0.0.1", f"--port={server.mx_port}", "--from=a@far.example", "--domain=client.example", "bob@example.com"],
        input=message(subject=subject).replace(b"\r\n", b"\n"))
    arrived(server, subject)


def test_msmtp_submits(server, need, tmp_path):
    subject = f"msmtp auth {time.time_ns()}"
    rc = tmp_path / "msmtprc"
    rc.write_text(f"account default\nhost 127.0.0.1\nport {server.submission_port}\ntls on\ntls_starttls on\n"
                  f"tls_trust_file {server.certificate}\nauth plain\nuser ann@example.com\npassword secret\nfrom ann@example.com\n")
    rc.chmod(0o600)
    run([need("msmtp"), f"--file={rc}", "bob@example.com"], input=message(sender="ann@example.com", subject=subject).replace(b"\r\n", b"\n"))
    arrived(server, subject)
