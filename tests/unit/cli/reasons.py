# SPDX-License-Identifier: ISC
"""gatepost reasons, and the names under which programs call the binary."""
import json
import os
import subprocess
import sys
import tempfile
import unittest

GATEPOST = sys.argv.pop(1)


def call(*args, program=None, stdin=b""):
    return subprocess.run(args, executable=program or GATEPOST, input=stdin,
                          capture_output=True)


class Reasons(unittest.TestCase):
    def test_list(self):
        out = call("gatepost", "reasons").stdout.decode().splitlines()
        self.assertGreater(len(out), 70)
        self.assertTrue(any(l.startswith("relay-denied ") for l in out))

    def test_class(self):
        out = call("gatepost", "reasons", "--json", "client-dns").stdout
        ids = {json.loads(l)["id"] for l in out.splitlines()}
        # The id wins over the class of the same name.
        self.assertEqual(ids, {"client-dns"})
        out = call("gatepost", "reasons", "--json", "auth-required").stdout
        ids = {json.loads(l)["id"] for l in out.splitlines()}
        self.assertIn("login-needed", ids)
        self.assertIn("own-domain-without-login", ids)


class Sendmail(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.config = os.path.join(self.folder.name, "gatepost.conf")
        with open(self.config, "w") as f:
            f.write('hostname = "mx.example"\n'
                    f'state = "{self.folder.name}"\n')

    def tearDown(self):
        self.folder.cleanup()

    def status(self, want, words, *args, stdin=b"Subject: x\n\nx\n"):
        done = call("sendmail", "--config", self.config, *args, stdin=stdin)
        self.assertEqual(done.returncode, want, done.stderr)
        self.assertIn(words, done.stderr)

    def test_usage(self):
        self.status(64, b"no recipient")
        self.status(64, b"unknown option -Z", "-Z", "a@b.example")
        self.status(64, b"-f needs a value", "-t", "-f")
        self.status(64, b"-N now: expected never", "-N", "now", "a@b.example")
        self.status(64, b"not supported", "-bs")

    def test_message(self):
        self.status(65, b"no recipient in To", "-t")
        self.status(65, b"not an address", "a b@c@d")
        self.status(65, b"sender", "-f", "a@@b", "a@b.example")

    def test_no_server(self):
        self.status(75, b"does not answer", "-i", "-odb", "-oem", "-v",
                    "a@b.example")

    def test_config(self):
        os.unlink(self.config)
        self.status(78, b"No such file", "a@b.example")

    def test_as_a_command(self):
        done = call("gatepost", "sendmail", "--help")
        self.assertEqual(done.returncode, 0)
        self.assertIn(b"usage: sendmail", done.stdout)

    def test_newaliases(self):
        for args in (("newaliases",), ("/usr/sbin/sendmail", "-bi")):
            done = call(*args)
            self.assertEqual(done.returncode, 0)
            self.assertIn(b"gatepost alias", done.stdout)


unittest.main()
