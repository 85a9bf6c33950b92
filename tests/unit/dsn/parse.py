# SPDX-License-Identifier: ISC
"""What dsn/ writes, read by Python's email package."""
import email
import email.policy
import subprocess
import sys
import unittest

SAMPLE = sys.argv.pop(1)
COPY = "------ This is a copy of the message, including all the headers. ------"


class Report:
    def __init__(self, name):
        run = subprocess.run([SAMPLE, name], capture_output=True, check=True)
        self.raw = run.stdout
        self.needs = run.stderr.decode().split()
        self.mail = email.message_from_bytes(self.raw,
                                             policy=email.policy.default)
        self.text, self.status, self.copy = self.mail.get_payload()
        self.body = self.text.get_content().replace("\r\n", "\n")
        groups = self.status.get_payload()
        self.message, self.rcpts = groups[0], groups[1:]


class Parse(unittest.TestCase):
    def check(self, r):
        """What is true of every report."""
        for part in (r.mail, r.text, r.status, r.copy):
            self.assertEqual(part.defects, [])
        self.assertEqual(r.mail.get_content_type(), "multipart/report")
        self.assertEqual(len(r.mail.get_payload()), 3)
        self.assertEqual(r.text.get_content_type(), "text/plain")
        self.assertEqual(r.text.get_content_charset(), "utf-8")
        self.assertNotEqual(r.text["Content-Transfer-Encoding"], "base64")
        self.assertEqual(r.mail["Auto-Submitted"], "auto-replied")
        self.assertEqual(r.mail["From"],
                         "Mail Delivery System <Mailer-Daemon@mx1.acme.example>")
        self.assertEqual(r.message["Reporting-MTA"], "dns; mx1.acme.example")
        for name in ("Received", "From", "To", "Subject", "Date", "Message-ID",
                     "MIME-Version", "X-Failed-Recipients"):
            self.assertEqual(len(r.mail.get_all(name)), 1, name)
        for line in r.raw.split(b"\r\n"):
            self.assertLessEqual(len(line), 998)
        if "8bit" not in r.needs:
            self.assertTrue(r.raw.isascii())
        if "smtputf8" not in r.needs:
            self.assertTrue(r.raw.split(b"\r\n\r\n")[0].isascii())

    def test_plain(self):
        r = Report("plain")
        self.check(r)
        self.assertEqual(r.needs, [])
        self.assertEqual(r.mail["Subject"],
                         "Mail delivery failed (553): Hello there")
        self.assertEqual(r.mail["To"], "ann@acme.example")
        self.assertEqual(r.mail["X-Failed-Recipients"],
                         "recipient@RemoteDomain.com")
        self.assertEqual(r.mail.get_param("report-type"), "delivery-status")
        lines = r.body.splitlines()
        self.assertEqual(lines[-1], COPY)
        self.assertIn("553 sorry, no mailbox here by that name (#5.1.1)", lines)
        self.assertIn("  recipient@RemoteDomain.com", lines)
        self.assertIn("What happened: ", r.body)
        self.assertIn("Who must act: sender\n", r.body)
        self.assertIn("What to do: Check the spelling", r.body)
        self.assertLess(max(len(l) for l in lines), 79)
        self.assertEqual(r.message["Original-Envelope-Id"], "QQ+1")
        self.assertEqual(r.message["Arrival-Date"],
                         "Tue, 24 Nov 2026 05:46:40 +0000")
        self.assertEqual(r.rcpts[0].items(), [
            ("Original-Recipient", "rfc822; re+cipient@x.example"),
            ("Final-Recipient", "rfc822; recipient@RemoteDomain.com"),
            ("Action", "failed"), ("Status", "5.1.1"),
            ("Remote-MTA", "dns; mx.remotedomain.com"),
            ("Diagnostic-Code",
             "smtp; 553 sorry, no mailbox here by that name (#5.1.1)"),
            ("Last-Attempt-Date", "Tue, 24 Nov 2026 05:47:40 +0000")])
        self.assertEqual(r.copy.get_content_type(), "message/rfc822")
        self.assertIn(b"\r\n\r\nReceived: from client\r\n\tby mx1", r.raw)
        self.assertIn(b"Subject: Hello there\r\n\r\nBody\r\n.dot\r\n\r\n--",
                      r.raw)

    def test_many(self):
        r = Report("many")
        self.check(r)
        self.assertEqual(r.mail["Subject"],
                         "Mail delivery failed (550): Gr\u00fc\u00dfe from afar")
        self.assertIn(b"=?UTF-8?B?R3LDvMOfZQ==?= from afar\r\n", r.raw)
        self.assertEqual(r.mail["X-Failed-Recipients"].split(),
                         ["one@far.example,", "two@gone.example"])
        self.assertEqual([x["Status"] for x in r.rcpts],
                         ["5.1.1", "5.2.2", "5.1.2"])
        lines = r.body.splitlines()
        self.assertIn("550-5.1.1 first line", lines)
        self.assertIn("550 5.1.1 last", lines)
        self.assertIn("552 5.2.2 gr\u00f6\u00dfer", lines)
        self.assertEqual(r.rcpts[0]["Diagnostic-Code"],
                         "smtp; 550-5.1.1 first line 550 5.1.1 last")
        self.assertIsNone(r.rcpts[2]["Diagnostic-Code"])
        self.assertEqual(r.text["Content-Transfer-Encoding"],
                         "quoted-printable")
        self.assertEqual(r.copy.get_payload(0).get_content(), "Body")

    def test_headers_only(self):
        r = Report("headers")
        self.check(r)
        self.assertEqual(r.mail["Subject"], "Mail delivery failed: Hello")
        self.assertEqual(r.copy.get_content_type(), "text/rfc822-headers")
        self.assertNotIn("Body", r.copy.get_payload())
        self.assertNotIn(COPY, r.body)
        self.assertEqual(r.rcpts[0]["Status"], "4.4.1")
        self.assertIn("again and again", r.body)

    def test_eight_bit(self):
        r = Report("eight-bit")
        self.check(r)
        self.assertEqual(r.needs, ["8bit"])
        self.assertEqual(r.copy.get_content_type(), "message/rfc822")
        self.assertEqual(r.copy["Content-Transfer-Encoding"], "8bit")
        self.assertEqual(r.mail["Content-Transfer-Encoding"], "8bit")
        self.assertEqual(r.mail["Subject"],
                         "Mail delivery failed (550): Gr\u00fc\u00dfe")
        self.assertIn("550 ?? no Bcc: x", r.body.splitlines())
        self.assertTrue(self.part(r, 1).isascii())

    def part(self, r, i):
        return r.raw.split(b"--=_7K3MQ-2DF9P\r\n")[1 + i]

    def test_utf8(self):
        r = Report("utf8")
        self.assertEqual(r.needs, ["8bit", "smtputf8"])
        self.assertEqual(r.mail.get_param("report-type"),
                         "global-delivery-status")
        self.assertIn("To: j\u00f6rg@acme.example\r\n".encode(), r.raw)
        self.assertIn("Final-Recipient: utf-8; \u00e4nn@far.example\r\n"
                      .encode(), self.part(r, 1))
        self.assertIn(b"Content-Type: message/global-delivery-status\r\n",
                      self.part(r, 1))
        self.assertIn(b"Content-Type: message/global\r\n", self.part(r, 2))

    def test_no_subject(self):
        r = Report("no-subject")
        self.check(r)
        self.assertEqual(r.mail["Subject"], "Mail delivery failed (554)")
        self.assertEqual(r.rcpts[0]["Status"], "5.0.0")
        self.assertIn("answer does not say", r.body)

    def test_success(self):
        r = Report("success")
        self.assertEqual(r.mail["Subject"], "Mail delivery report: Hello")
        self.assertIsNone(r.mail["X-Failed-Recipients"])
        self.assertEqual([(x["Action"], x["Status"]) for x in r.rcpts],
                         [("delivered", "2.0.0"), ("relayed", "2.0.0")])
        self.assertEqual(r.rcpts[0]["Original-Recipient"],
                         "rfc822; robert@x.example")
        self.assertEqual(r.copy.get_content_type(), "text/rfc822-headers")
        self.assertIn("was delivered to", r.body)
        self.assertNotIn("What to do", r.body)

    def test_binary(self):
        r = Report("binary")
        self.check(r)
        self.assertEqual(r.copy.get_content_type(), "text/rfc822-headers")


unittest.main()
