# SPDX-License-Identifier: ISC
"""The test's own tools must do what the tests believe of them."""
import smtplib
import socket
import struct

import pytest
from dnsserver import encode_name
from server import message


def test_sink_takes_and_refuses(make_sink):
    sink = make_sink()
    sink.rcpt["no@far.example"] = "553 sorry, no mailbox here by that name (#5.1.1)"
    sink.rcpt["later@far.example"] = ["450 4.2.1 later", "250 2.1.5 ok"]
    with smtplib.SMTP("127.0.0.1", sink.port) as s:
        refused = s.sendmail("a@b.example", ["yes@far.example", "no@far.example", "later@far.example"], message(body=".dot\r\n"))
        assert refused["no@far.example"][0] == 553
        assert refused["later@far.example"][0] == 450
        assert s.sendmail("a@b.example", ["later@far.example"], message()) == {}
    first = sink.wait(2)[0]
    assert first.rcpts == ["yes@far.example"]
    assert first.data.endswith(b"\r\n.dot\r\n")


def test_sink_wants_a_login(make_sink):
    sink = make_sink(users={"u": "p"})
    with smtplib.SMTP("127.0.0.1", sink.port) as s:
        with pytest.raises(smtplib.SMTPSenderRefused):
            s.sendmail("a@b.example", ["c@d.example"], message())
        s.login("u", "p")
        s.sendmail("a@b.example", ["c@d.example"], message())
    assert sink.messages[0].auth == "u"


def ask(dns, name, kind):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(5)
        s.sendto(struct.pack(">HHHHHH", 7, 0x100, 1, 0, 0, 0) + encode_name(name) + struct.pack(">HH", kind, 1),
                 ("127.0.0.1", dns.port))
        answer = s.recv(4096)
    return answer[3] & 15, struct.unpack(">H", answer[6:8])[0]


def test_dns_knows_its_names(dns):
    dns.add("far.example", "MX", (10, "mx.far.example"))
    dns.broken.add("sick.example")
    assert ask(dns, "far.example", 15) == (0, 1)
    assert ask(dns, "far.example", 1) == (0, 0)
    assert ask(dns, "none.example", 1) == (3, 0)
    assert ask(dns, "sick.example", 1) == (2, 0)
