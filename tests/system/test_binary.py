# SPDX-License-Identifier: ISC
"""BODY=BINARYMIME (RFC 3030) on its whole way: any octets in, the same out, or
a bounce that says why not."""
import pytest
from server import Server, parse

HEADER = b"From: sue@example.com\r\nSubject: octets\r\nContent-Transfer-Encoding: binary\r\n\r\n"
BODY = bytes(range(256)) + b"\r\n.\r\n\n\r\r\n" + b"x" * 70000 + b"\r"


@pytest.fixture(scope="module")
def office(sink):
    s = Server(relay=f'smarthost = "127.0.0.1:{sink.port}" networks = {{"127.0.0.0/8"}}')
    try:
        s.add_user("ann@example.com")
        s.add_user("sue@example.com")
        s.start()
        yield s
        s.stop()
    finally:
        s.close()


def submit(server, rcpt):
    """In two chunks that part a line end; the reply to the second."""
    data = HEADER + BODY
    s, f = server.raw()
    with s:
        f.write(b"EHLO c.example\r\n")
        lines = [f.readline()]
        while lines[-1][3:4] == b"-":
            lines.append(f.readline())
        assert b"250-BINARYMIME\r\n" in lines and b"250-CHUNKING\r\n" in lines
        f.write(b"MAIL FROM:<sue@example.com> BODY=BINARYMIME\r\nRCPT TO:<" + rcpt.encode() + b">\r\n")
        cut = len(HEADER) - 1
        for chunk, last in ((data[:cut], b""), (data[cut:], b" LAST")):
            s.sendall(b"BDAT %d%s\r\n" % (len(chunk), last) + chunk)
        return [f.readline() for _ in range(4)]


def test_into_a_maildir(office):
    assert all(line.startswith(b"250 ") for line in submit(office, "ann@example.com"))
    office.wait_mail("ann@example.com")
    (octets,) = office.mail("ann@example.com")
    header, _, body = octets.partition(b"\n\n")
    assert b"\r" not in header and body == BODY


def test_to_a_host_that_takes_it(office, sink):
    sink.extensions += ["CHUNKING", "BINARYMIME"]
    try:
        assert all(line.startswith(b"250 ") for line in submit(office, "far@elsewhere.example"))
        (m,) = sink.wait(1, to="far@elsewhere.example")
        assert "BODY=BINARYMIME" in m.params.upper()
        assert m.data.endswith(HEADER + BODY)
    finally:
        del sink.extensions[-2:]
        office.wait_empty()


def test_to_a_host_that_does_not(make_server, make_sink):
    sink = make_sink()
    server = make_server(relay=f'smarthost = "127.0.0.1:{sink.port}" networks = {{"127.0.0.0/8"}}')
    server.add_user("sue@example.com")
    server.start()
    assert all(line.startswith(b"250 ") for line in submit(server, "near@elsewhere.example"))
    (bounce,) = server.wait_mail("sue@example.com")
    report = bounce.as_bytes()
    assert b"Status: 5.6.3" in report and b"BINARYMIME" in report
    assert b"\0" not in server.mail("sue@example.com")[0], "a bounce is no binary message"
    assert not sink.messages and "Subject: octets" in report.decode("utf-8", "replace")
    assert parse(server.mail("sue@example.com")[0]).get_content_type() == "multipart/report"
