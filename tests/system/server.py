# SPDX-License-Identifier: ISC
"""A real server in a temporary root, and the ways to talk to it.

    server = Server()            # a config with one domain, free ports
    server.start()
    server.add_user("ann@example.com", "secret")
    with server.smtp() as s: s.sendmail(...)
    server.wait_mail("ann@example.com")
    server.stop()                # asserts a clean end
"""
import contextlib
import email
import email.policy
import json
import os
import pathlib
import re
import shutil
import signal
import smtplib
import socket
import ssl
import subprocess
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
GATEPOST = os.environ.get("GATEPOST", str(TOP / "build-test/src/cli/gatepost"))
ROLES = ("receive", "directory", "queue", "send", "mailbox", "notify", "journal")
START_SECONDS = 30

# A child's report must end it and be found by us. LeakSanitizer would have to
# trace its own process, which our processes do not allow.
SANITIZER = "abort_on_error=1:detect_leaks=0:log_path="


def wait_for(condition, timeout=20, what="what the test waits for", step=0.02):
    """The first true value of condition(); its last exception, or a failure."""
    end = time.monotonic() + timeout
    while True:
        try:
            value = condition()
            if value:
                return value
            error = None
        except (AssertionError, OSError, smtplib.SMTPException) as e:
            error = e
        if time.monotonic() > end:
            raise error or AssertionError(f"{what}: not within {timeout} seconds")
        time.sleep(step)


PORTS_GIVEN = set()


def free_port(host="127.0.0.1"):
    """One that nobody listens on, and none that was given before: the kernel may pick the same again."""
    while True:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind((host, 0))
            port = s.getsockname()[1]
        if port not in PORTS_GIVEN:
            PORTS_GIVEN.add(port)
            return port


def make_certificate(folder, name="mx.example.com", prefix="cert"):
    """A self-signed certificate; (certificate, key) as paths."""
    certificate, key = folder / f"{prefix}.pem", folder / f"{prefix}-key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
         "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name},DNS:localhost,IP:127.0.0.1",
         "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )
    return certificate, key


class Server:
    """Keywords change the config: whole sections as text (relay="..."), keys of
    the top level through `top`, what comes at the end through `more`."""

    hostname = "mx.example.com"

    def __init__(self, root=None, domains=("example.com",), relay="", queue="retry-min = 1s retry-max = 2s give-up = 1h",
                 spool="segment-size = 4M reserve = 1M min-free = 1M", send="idle-timeout = 200ms", receive="", dns="",
                 mailbox="", top="", more="", workers=2, state=None):
        self.root = pathlib.Path(root or tempfile.mkdtemp(prefix="gatepost-"))
        self.own_root = root is None
        self.state = pathlib.Path(state or self.root / "state")
        self.mx_port, self.submission_port, self.submissions_port = free_port(), free_port(), free_port()
        self.certificate, self.key = make_certificate(self.root)
        self.config = self.root / "gatepost.conf"
        self.log_file = self.root / "log"
        self.sanitizer = self.root / "sanitizer"
        self.sanitizer.mkdir(exist_ok=True)
        self.domains, self.top, self.more = domains, top, more
        self.sections = {"relay": relay, "queue": queue, "spool": spool, "send": send, "receive": receive, "dns": dns,
                         "mailbox": mailbox}
        for section in ("receive", "send", "mailbox"):
            if "workers" not in self.sections[section]:
                self.sections[section] += f" workers = {workers}"
        self.process = None
        self.write_config()

    # -- the config ---------------------------------------------------------

    def config_text(self):
        lines = [
            f'hostname = "{self.hostname}"',
            f'state = "{self.state}"',
            "run-as = caller",
            self.top,
            f'listen "mx" {{ address = {{"127.0.0.1:{self.mx_port}"}} }}',
            f'listen "submission" {{ address = {{"127.0.0.1:{self.submission_port}"}} auth = required }}',
            f'listen "submissions" {{ address = {{"127.0.0.1:{self.submissions_port}"}} auth = required tls = implicit }}',
            f'tls {{ certificate = "{self.certificate.name}" key = "{self.key.name}" }}',
        ]
        lines += [f'domain "{d}" {{ }}' for d in self.domains]
        lines += [f"{name} {{ {text} }}" for name, text in self.sections.items() if text]
        return "\n".join(lines + [self.more]) + "\n"

    def write_config(self):
        self.config.write_text(self.config_text())

    # -- life ---------------------------------------------------------------

    def environment(self):
        return dict(os.environ, ASAN_OPTIONS=f"{SANITIZER}{self.sanitizer}/asan",
                    UBSAN_OPTIONS=f"halt_on_error=1:print_stacktrace=1:{SANITIZER}{self.sanitizer}/ubsan")

    def launch(self):
        """Starts it without waiting."""
        self.log_from = self.log_file.stat().st_size if self.log_file.exists() else 0
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen([GATEPOST, "serve", "--config", str(self.config)], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, cwd=self.root, env=self.environment(), start_new_session=True)
        return self

    def start(self):
        self.launch()
        try:
            wait_for(self.is_ready, START_SECONDS, "the server to be ready")
        except BaseException:
            print(self.log()[-8000:])
            self.kill_all()
            raise
        return self

    def is_ready(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"gatepost serve ended with {self.process.returncode}:\n{self.log()[-4000:]}")
        if not re.search(r"\bmaster ready\b|\"room\":\"master\",\"event\":\"ready\"", self.log(self.log_from)):
            return False
        with socket.create_connection(("127.0.0.1", self.mx_port), 5) as s:
            return s.recv(4) == b"220 "

    def stop(self, check=True, timeout=30):
        """SIGTERM; asserts that it ends well and leaves nothing behind."""
        if self.process is None:
            return
        session = self.process.pid
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout)
            wait_for(lambda: not self.session_pids(session), 10, "the children to end")
        except BaseException:
            print(self.log()[-8000:])
            print("still there:", [(p, self.command_line(p)) for p in self.session_pids(session)])
            self.kill_all()
            if check:
                raise
        status, self.process = self.process.returncode, None
        self.check_sanitizer()
        if check:
            assert status == 0, f"gatepost serve ended with {status}:\n{self.log()[-4000:]}"

    def restart(self):
        self.stop()
        self.start()

    def kill_all(self):
        """As a power cut would, but for the disk: everything dies at once."""
        if self.process is None:
            return
        session = self.process.pid
        for pid in self.session_pids(session) | {session}:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait(10)
        wait_for(lambda: not self.session_pids(session), 10, "killed processes to go")
        self.process = None

    def close(self):
        """Whatever happened: nothing of it stays."""
        self.kill_all()
        if self.own_root:
            shutil.rmtree(self.root, ignore_errors=True)

    def check_sanitizer(self):
        reports = [f for f in self.sanitizer.iterdir() if f.stat().st_size > 0]
        text = "\n".join(f.read_text(errors="replace")[:6000] for f in reports)
        for f in reports:  # reported once
            f.unlink()
        assert not reports, f"sanitizer reports:\n{text}"

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    # -- processes ----------------------------------------------------------

    @staticmethod
    def command_line(pid):
        try:
            return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace").strip()
        except OSError:
            return ""

    @staticmethod
    def session_pids(session):
        found = set()
        for entry in os.listdir("/proc"):
            if not entry.isdigit():
                continue
            try:
                fields = pathlib.Path(f"/proc/{entry}/stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(fields[3]) == session and fields[0] != "Z":
                found.add(int(entry))
        return found

    def children(self, role):
        """pids of that room's processes."""
        pattern = re.compile(rf"(gatepost: {role}|--room {role})\b")
        return sorted(p for p in self.session_pids(self.process.pid) if pattern.search(self.command_line(p)))

    def kill(self, role, number=0, signo=signal.SIGKILL):
        pid = self.children(role)[number]
        os.kill(pid, signo)
        return pid

    # -- talking to it ------------------------------------------------------

    def smtp(self, **kwargs):
        return smtplib.SMTP("127.0.0.1", self.mx_port, local_hostname="client.example", timeout=30, **kwargs)

    @staticmethod
    def context():
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context

    def submission(self, user=None, password=None):
        s = smtplib.SMTP("127.0.0.1", self.submission_port, local_hostname="client.example", timeout=30)
        s.starttls(context=self.context())
        if user:
            s.login(user, password)
        return s

    def submissions(self, user=None, password=None):
        s = smtplib.SMTP_SSL("127.0.0.1", self.submissions_port, local_hostname="client.example", timeout=30,
                             context=self.context())
        if user:
            s.login(user, password)
        return s

    def raw(self, port=None):
        """A socket to the mx port, its greeting read."""
        s = socket.create_connection(("127.0.0.1", port or self.mx_port), 20)
        f = s.makefile("rwb", 0)
        line = f.readline()
        assert line.startswith(b"220 "), line
        return s, f

    def cli(self, *args, input=None, check=True):
        """gatepost ARGS --config ...; its CompletedProcess."""
        done = subprocess.run([GATEPOST, *args, "--config", str(self.config)], input=input, capture_output=True, text=True,
                              timeout=60, env=self.environment(), cwd=self.root)
        if check:
            assert done.returncode == 0, f"gatepost {' '.join(args)}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def cli_json(self, *args, **kwargs):
        """The JSON lines that a command prints."""
        done = self.cli(*args, "--json", check=False, **kwargs)
        assert done.returncode in (0, 1), done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    def add_user(self, address, password="secret"):
        self.cli("user", "add", address, "--password-stdin", input=password + "\n")

    # -- what came of it ----------------------------------------------------

    def mail_folder(self, address):
        user, _, domain = address.partition("@")
        return self.state / "mail" / domain / user.lower().split("+")[0]

    def mail(self, address=None, folder=None):
        """The messages in that Maildir, as octets."""
        folder = folder or self.mail_folder(address)
        files = [f for sub in ("new", "cur") for f in sorted((folder / sub).glob("*"))]
        return [f.read_bytes() for f in files]

    def wait_mail(self, address, n=1, timeout=20):
        wait_for(lambda: len(self.mail(address)) >= n, timeout, f"{n} messages for {address}")
        return [parse(m) for m in self.mail(address)]

    def queue(self):
        return self.cli_json("queue", "list")

    def wait_empty(self, timeout=30):
        wait_for(lambda: self.queue() == [], timeout, "an empty queue")

    def log(self, start=0):
        if not self.log_file.exists():
            return ""
        with open(self.log_file, "rb") as f:
            f.seek(start)
            return f.read().decode("utf-8", "replace")


def parse(octets):
    return email.message_from_bytes(octets, policy=email.policy.SMTP)


def message(sender="sender@far.example", to="ann@example.com", subject="Hello", body="Hello there.\r\n", **headers):
    """A small message with CRLF lines; header names with _ for -."""
    lines = [f"From: {sender}", f"To: {to}", f"Subject: {subject}", "Date: Tue, 24 Nov 2026 06:00:00 +0000",
             f"Message-ID: <{os.urandom(8).hex()}@far.example>"]
    lines += [f"{k.replace('_', '-')}: {v}" for k, v in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()
