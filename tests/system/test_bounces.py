# SPDX-License-Identifier: ISC
"""What gatepost explain finds, in bounces of every kind of mail server
(tests/samples/bounces, with what is expected of each in EXPECTED.tsv), in the
23 replies of the document that Gatepost grew from, and when a bounce has been
through hands that did it no good (tests/distort.py)."""
import collections
import csv
import json
import os
import subprocess
import sys

import pytest
from server import GATEPOST, TOP

sys.path.insert(0, str(TOP / "tests"))
from distort import DISTORTIONS  # noqa: E402

SAMPLES = TOP / "tests/samples/bounces"
DROP = 3.0  # points of accuracy that a distortion may cost

# The replies, the command each answers to, and its class.
REPLIES = [line.split(" | ") for line in """
553 5.7.1 Not an open relay, so get lost | RCPT | relay-denied
553 Invalid user. | RCPT | recipient-unknown
553 message blocked, you are not authorized to send mail, authentication is required. | MAIL | auth-required
553 Null Sender is not allowed. | MAIL | sender-rejected
553 5.1.1 sorry, no mailbox here by that name. | RCPT | recipient-unknown
553 #5.1.8 Domain of sender address <sender@example.com> does not exist | MAIL | sender-domain
553 5.3.0 <recipient@RemoteDomain.com>... Address does not exist | RCPT | recipient-unknown
553 5.3.0 <recipient@RemoteDomain.com>... No such user | RCPT | recipient-unknown
553 5.3.0 <recipient@RemoteDomain.com>... No such user here | RCPT | recipient-unknown
553 5.3.0 <recipient@RemoteDomain.com>... User unknown, not local address | RCPT | relay-denied
553-Message filtered. Please see the FAQs section on spam | DATA | spam
553 <recipient@RemoteDomain.com> does not have a mailbox here | RCPT | recipient-unknown
553 RemoteDomain.com does not accept mail sent to recipient@OtherRemoteDomain.com | RCPT | relay-denied
553 sorry, no mail-box here by that name. (#5.1.1) | RCPT | recipient-unknown
553 sorry, no mailbox here by that name (#5.1.1) | RCPT | recipient-unknown
553 sorry, rcpt user invalid (#5.7.1) | RCPT | recipient-unknown
553 sorry, that domain isn't in my list of allowed rcpthosts | RCPT | relay-denied
553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1) | RCPT | relay-denied
553 sorry, the recipient is not a valid user on this domain (#5.7.1) | RCPT | recipient-unknown
553 sorry, this recipient doesn't exist. | RCPT | recipient-unknown
553 sorry, this recipient is not in my validrcptto list (#5.7.1) | RCPT | recipient-unknown
553 sorry, your envelope sender is in my badmailfrom list (#5.7.1) | MAIL RCPT | sender-rejected
553 Your email address is denied. | MAIL RCPT | sender-rejected
""".strip().splitlines()]
STATUS = {0: "5.7.1", 4: "5.1.1", 5: "5.1.8", 6: "5.3.0", 7: "5.3.0", 8: "5.3.0", 9: "5.3.0", 13: "5.1.1", 14: "5.1.1",
          15: "5.7.1", 17: "5.7.1", 18: "5.7.1", 20: "5.7.1", 21: "5.7.1"}
RECIPIENT = "recipient@RemoteDomain.com"
STAGES = {"RCPT": f"RCPT TO:<{RECIPIENT}>", "MAIL": "MAIL FROM:<sender@example.com>", "DATA": "end of data"}

EXIM = """\
Return-path: <>
X-Failed-Recipients: {recipient}
Auto-Submitted: auto-replied
From: Mail Delivery System <Mailer-Daemon@mail.example.com>
To: sender@example.com
Subject: Mail delivery failed: returning message to sender
Message-Id: <E1r-1@mail.example.com>
Date: Mon, 16 Nov 2026 10:02:13 +0000

This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  {recipient}
    SMTP error from remote mail server after {stage}:
    host mx.remotedomain.com [192.0.2.1]: {reply}

------ This is a copy of the message, including all the headers. ------

Return-path: <sender@example.com>
From: sender@example.com
To: {recipient}
Subject: hello
Message-Id: <hello@example.com>
Date: Mon, 16 Nov 2026 10:02:11 +0000

Hello.
"""
POSTFIX = """\
Return-Path: <>
Date: Mon, 16 Nov 2026 10:02:13 +0000
From: MAILER-DAEMON@mail.example.com (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: sender@example.com
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b/1"

--b/1
Content-Type: text/plain; charset=us-ascii

This is the mail system at host mail.example.com.

<{recipient}>: host mx.remotedomain.com[192.0.2.1] said:
    {reply} (in reply to {stage} command)

--b/1
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example.com

Final-Recipient: rfc822; {recipient}
Action: failed
Status: 5.0.0
Remote-MTA: dns; mx.remotedomain.com
Diagnostic-Code: smtp; {reply}

--b/1
Content-Type: text/rfc822-headers

From: sender@example.com
To: {recipient}
Subject: hello
Message-ID: <hello@example.com>

--b/1--
"""
QMAIL = """\
Return-Path: <>
Date: 16 Nov 2026 10:02:13 -0000
From: MAILER-DAEMON@mail.example.com
To: sender@example.com
Subject: failure notice

Hi. This is the qmail-send program at mail.example.com.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<{recipient}>:
192.0.2.1 does not like recipient.
Remote host said: {reply}
Giving up on 192.0.2.1.

--- Below this line is a copy of the message.

Return-Path: <sender@example.com>
From: sender@example.com
To: {recipient}
Subject: hello

Hello.
"""


def explain(*args, stdin=b""):
    done = subprocess.run([GATEPOST, "explain", "--json", *map(str, args)], capture_output=True, timeout=120, input=stdin,
                          env={**os.environ, "LC_ALL": "C"})
    assert done.returncode in (0, 1), (args, done.stderr)
    return [json.loads(line) for line in done.stdout.decode().splitlines()]


def expected():
    """{file: [row]}"""
    rows = collections.defaultdict(list)
    with open(SAMPLES / "EXPECTED.tsv", newline="") as f:
        for row in csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE):
            rows[row["file"]].append(row)
    return rows


EXPECTED = expected()


def recipients(rows):
    return sorted((r.get("recipient") or "").lower() for r in rows)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_sample(name):
    got, want = explain(SAMPLES / name), EXPECTED[name]
    assert recipients(got) == recipients(want)
    for w in want:
        (g,) = [g for g in got if g.get("recipient", "").lower() == w["recipient"].lower()]
        assert g["kind"] == w["kind"]
        assert g["class"] in w["class"].split("/")
        for field in ("reply", "status"):
            if w[field] != "*":
                assert g.get(field, "") == w[field], field


def test_every_sample_is_expected():
    assert sorted(f.name for f in SAMPLES.iterdir() if f.suffix in (".eml", ".txt")) == sorted(EXPECTED)


@pytest.mark.parametrize("i", range(len(REPLIES)))
def test_a_reply(i):
    """As a bare line, and in bounces of three formats; after RCPT, and where it
    occurs by itself."""
    reply, where, klass = REPLIES[i]
    recipient = "recipient@OtherRemoteDomain.com" if "OtherRemote" in reply else RECIPIENT
    (o,) = explain(reply)
    assert (o["class"], o["reply"], o.get("status")) == (klass, "553", STATUS.get(i))
    for stage in sorted({"RCPT", *where.split()}):
        for form in (EXIM, POSTFIX, QMAIL):
            text = form.format(reply=reply, stage=STAGES[stage].replace(RECIPIENT, recipient), recipient=recipient)
            (o,) = explain(stdin=text.encode())
            assert (o["kind"], o["class"], o["reply"]) == ("failure", klass, "553"), (stage, form)
            assert o["recipient"].lower() == recipient.lower()
            assert o.get("status") == STATUS.get(i, "5.0.0" if form is POSTFIX else None), form


def accuracy(folder, change):
    """Percent of the samples whose recipients are right, of the recipients
    whose class is; and what was wrong. That an autoreply is one, only its
    header says: without it, nobody could know."""
    wrong, files, classes = [], [], []
    paths = {}
    for name, rows in EXPECTED.items():
        if not name.endswith(".eml") or (change is DISTORTIONS["headers lost"] and rows[0]["kind"] == "autoreply"):
            continue
        path = folder / name
        path.write_bytes(change((SAMPLES / name).read_bytes()))
        paths[str(path)] = name
    found = collections.defaultdict(list)
    for o in explain(*paths):
        found[o["file"]].append(o)
    for path, name in paths.items():
        got, want = found[path], EXPECTED[name]
        files.append(recipients(got) == recipients(want))
        if not files[-1]:
            wrong.append((name, recipients(want), recipients(got)))
        for w in want:
            classes.append(any(g["class"] in w["class"].split("/") for g in got
                               if g.get("recipient", "").lower() == w["recipient"].lower()))
            if not classes[-1]:
                wrong.append((name, w["class"], [g["class"] for g in got]))
    return 100 * sum(files) / len(files), 100 * sum(classes) / len(classes), wrong


@pytest.mark.parametrize("name", sorted(DISTORTIONS))
def test_a_distortion(name, tmp_path):
    before = accuracy(tmp_path, lambda octets: octets)
    after = accuracy(tmp_path, DISTORTIONS[name])
    assert after[0] >= before[0] - DROP and after[1] >= before[1] - DROP, (before[:2], after)
