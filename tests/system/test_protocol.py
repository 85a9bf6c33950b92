# SPDX-License-Identifier: ISC
"""What a transcript of one session cannot show about the protocol."""
import re
import ssl

import pytest
from server import message


@pytest.mark.parametrize("version,suite", [(ssl.TLSVersion.TLSv1_2, r"TLS_ECDHE_ECDSA_WITH_\w+"), (ssl.TLSVersion.TLSv1_3, r"TLS_(AES|CHACHA20)_\w+")])
def test_received_names_the_cipher_suite(server, version, suite):
    """RFC 8314, 4.3: by the name that IANA has for it, in a tls clause."""
    context = server.context()
    context.maximum_version = version
    before = len(server.mail("bob@example.com"))
    with server.smtp() as s:
        s.starttls(context=context)
        s.sendmail("far@far.example", ["bob@example.com"], message(to="bob@example.com"))
    received = [str(m["Received"]) for m in server.wait_mail("bob@example.com", before + 1)]
    pattern = rf"with ESMTPS \(TLS1\.\d\)\s+id \S+\s+for <bob@example\.com>\s+tls {suite};"
    assert any(re.search(pattern, r) for r in received), received


def test_a_recipient_said_twice_is_delivered_once(server):
    """Few of them or many: more than are looked through one by one."""
    rcpts = [f"ann+{i}@example.com" for i in range(50)]
    with server.smtp() as s:
        assert s.sendmail("far@far.example", rcpts[:40] + rcpts[:40] + rcpts[30:] + rcpts[30:], message()) == {}
    server.wait_mail("ann@example.com", len(rcpts))
    server.wait_empty()
    assert len(server.mail("ann@example.com")) == len(rcpts)
