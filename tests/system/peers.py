# SPDX-License-Identifier: ISC
"""Real peers for the system tests: Postfix as next hop and as client, its load
tools, and PostgreSQL.

    postfix = Postfix(domains={"far.example": ["friend"]})  # free port, not started
    postfix.start(); ... postfix.port ... postfix.mail("friend@far.example")
    postgres = Postgres().start(); postgres.sql("CREATE TABLE ..."); ... postgres.conninfo
    run_smtp_source(port, "-m", "1000", ...)

Their Debian packages, and the libraries they need that this machine lacks, are
unpacked below build-test/peers and stay there for the next run; nothing is
installed. What cannot be had skips the test and says why. Each instance lives
in a temporary folder, listens on loopback, and ends with close().
"""
import contextlib
import fcntl
import functools
import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile

import pytest
from server import free_port, make_certificate, wait_for

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
PEERS = TOP / "build-test" / "peers"

KERBEROS = ["libgssapi-krb5-2", "libkrb5-3", "libk5crypto3", "libkrb5support0", "libcom-err2", "libkeyutils1"]
# What is to be unpacked, and the libraries it may lack.
PACKAGES = {
    "gsasl": (["gsasl"], ["libgsasl18", "libgnutls30", "libidn12", "libntlm0", "libreadline8", *KERBEROS]),
    "postfix": (["postfix"], ["libicu72", "libdb5.3", "libnsl2", "libtirpc3", "libsasl2-2", "libssl3", "libstdc++6", *KERBEROS]),
    "postgres": (["postgresql-15", "postgresql-client-15"],
                 ["libpq5", "libicu72", "libldap-2.5-0", "libsasl2-2", "liblz4-1", "libpam0g", "libxml2", "libzstd1", "libssl3", "libsystemd0",
                  "libuuid1", "libreadline8", "tzdata", *KERBEROS]),
}


# -- packages ---------------------------------------------------------------


def run(args, **kwargs):
    return subprocess.run(args, text=True, errors="replace", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **kwargs)


def installed(packages):
    done = subprocess.run(["dpkg-query", "-W", "-f=${db:Status-Status} ${Package}\n", *packages], capture_output=True, text=True)
    return {line.split()[1] for line in done.stdout.splitlines() if line.startswith("installed ")}


def download(packages, folder):
    """None, or why not. The machine's package lists first; where they are old
    or absent, fresh ones of our own."""
    lists = PEERS / "apt"
    own = ["-o", f"Dir::State::lists={lists}/lists", "-o", f"Dir::Cache={lists}"]
    quick = ["-qq", "-o", "Acquire::Retries=1", "-o", "Acquire::http::Timeout=20", "-o", "APT::Sandbox::User="]
    if run(["apt-get", *quick, "download", *packages], cwd=folder).returncode == 0:
        return None
    (lists / "lists" / "partial").mkdir(parents=True, exist_ok=True)
    update = run(["apt-get", *quick, *own, "-o", "APT::Update::Error-Mode=any", "update"])
    if update.returncode != 0:
        return f"no package lists: {update.stdout.strip().splitlines()[-1]}"
    done = run(["apt-get", *quick, *own, "download", *packages], cwd=folder)
    return None if done.returncode == 0 else f"cannot download: {done.stdout.strip().splitlines()[-1]}"


@functools.lru_cache(None)
def unpacked(name):
    """(folder, None) with that peer's packages in it, or (None, why not)."""
    root = PEERS / name
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        return None, "this is no Debian: no apt-get and dpkg-deb"
    PEERS.mkdir(parents=True, exist_ok=True)
    with open(PEERS / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if root.is_dir():
            return root, None
        programs, libraries = PACKAGES[name]
        with tempfile.TemporaryDirectory(dir=PEERS) as work:
            work = pathlib.Path(work)
            work.chmod(0o755)
            (work / "root").mkdir()
            why = download(programs + sorted(set(libraries) - installed(libraries)), work)
            if why:
                return None, f"{' and '.join(programs)} {why}"
            for package in work.glob("*.deb"):
                done = run(["dpkg-deb", "-x", str(package), str(work / "root")])
                if done.returncode != 0:
                    return None, f"{package.name}: {done.stdout.strip()}"
            (work / "root").rename(root)
    return root, None


def folder_of(name):
    root, why = unpacked(name)
    if root is None:
        pytest.skip(f"{name}: {why}")
    return root


def library_path(root):
    folders = [root / "usr/lib/postfix", *root.glob("usr/lib/*-linux-gnu*"), *root.glob("lib/*-linux-gnu*")]
    return ":".join(str(f) for f in folders if f.is_dir())


def environment(root):
    return dict(os.environ, LD_LIBRARY_PATH=library_path(root), LC_ALL="C")


def need_root(name):
    if os.getuid() != 0:
        pytest.skip(f"{name} wants to be started by root")


def end(process, signo=signal.SIGTERM):
    if process is not None and process.poll() is None:
        process.send_signal(signo)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


# -- Postfix ----------------------------------------------------------------

MASTER_CF = """\
127.0.0.1:{port} inet n - n - 100 smtpd
pickup  unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr    unix n - n 300 1 qmgr
tlsmgr  unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce  unix - - n - 0 bounce
defer   unix - - n - 0 bounce
trace   unix - - n - 0 bounce
verify  unix - - n - 1 verify
flush   unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp    unix - - n - - smtp
relay   unix - - n - - smtp
showq   unix n - n - - showq
error   unix - - n - - error
retry   unix - - n - - error
virtual unix - n n - - virtual
anvil   unix - - n - 1 anvil
scache  unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""

QUEUE_FOLDERS = {"root": ["pid"], "": ["active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private", "saved",
                                       "trace", "maildrop", "public"]}


class Postfix:
    """Takes mail for `domains` (domain -> local parts) into Maildirs of its
    own, and for the world from loopback, which goes to `next_hop`, a port."""

    def __init__(self, domains=None, next_hop=None, settings=(), hostname="postfix.far.example"):
        need_root("postfix")
        self.binaries = folder_of("postfix")
        self.domains = domains or {"far.example": ["friend"]}
        self.next_hop, self.settings, self.hostname = next_hop, dict(settings), hostname
        self.port = free_port()
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="gatepost-postfix-"))
        self.root.chmod(0o755)
        self.log_file = self.root / "log" / "maillog"
        self.process = None
        # Accounts that each Debian has; what they own is in our folder only.
        self.owner, self.group, self.mailbox = "daemon", "mail", pwd.getpwnam("nobody")

    def main_cf(self):
        boxes = " ".join("{ %s@%s = %s/%s/ }" % (user, domain, domain, user) for domain, users in self.domains.items() for user in users)
        sbin = self.binaries / "usr/lib/postfix/sbin"
        certificate, key = make_certificate(self.root, self.hostname)
        settings = {
            "compatibility_level": "3.6",
            "queue_directory": self.root / "queue",
            "data_directory": self.root / "data",
            "daemon_directory": sbin,
            "command_directory": self.binaries / "usr/sbin",
            "shlib_directory": self.binaries / "usr/lib/postfix",
            "meta_directory": self.root / "etc",
            "mail_owner": self.owner,
            "setgid_group": self.group,
            "import_environment": f"MAIL_CONFIG MAIL_DEBUG MAIL_LOGTAG TZ LD_LIBRARY_PATH={library_path(self.binaries)}",
            "maillog_file": self.log_file,
            "maillog_file_prefixes": self.root,
            "myhostname": self.hostname,
            "mydestination": "",
            "alias_maps": "",
            "alias_database": "",
            "local_recipient_maps": "",
            "inet_interfaces": "127.0.0.1",
            "inet_protocols": "ipv4",
            "mynetworks": "127.0.0.0/8",
            "smtp_dns_support_level": "disabled",
            "smtp_host_lookup": "native",
            "smtpd_peername_lookup": "no",
            "biff": "no",
            "in_flow_delay": "0s",
            "smtpd_error_sleep_time": "0",
            "smtpd_client_connection_count_limit": "0",
            "smtpd_tls_security_level": "may",
            "smtpd_tls_cert_file": certificate,
            "smtpd_tls_key_file": key,
            "smtpd_tls_received_header": "yes",
            "smtpd_tls_loglevel": "1",
            "smtp_tls_security_level": "may",
            "smtp_tls_loglevel": "1",
            "smtputf8_enable": "yes",
            "virtual_mailbox_domains": " ".join(self.domains),
            "virtual_mailbox_base": self.root / "mail",
            "virtual_mailbox_maps": "inline:{ %s }" % boxes,
            "virtual_uid_maps": f"static:{self.mailbox.pw_uid}",
            "virtual_gid_maps": f"static:{self.mailbox.pw_gid}",
            "virtual_transport": "virtual",
            "virtual_mailbox_limit": "0",
            "message_size_limit": "104857600",
        }
        if self.next_hop:
            settings["relayhost"] = f"[127.0.0.1]:{self.next_hop}"
        settings.update(self.settings)
        return "".join(f"{key} = {value}\n" for key, value in settings.items())

    def make_folders(self):
        owner = pwd.getpwnam(self.owner)
        for name in ("etc", "queue", "log"):
            (self.root / name).mkdir(exist_ok=True)
        for path, uid in ((self.root / "data", owner.pw_uid), (self.root / "mail", self.mailbox.pw_uid)):
            path.mkdir(exist_ok=True)
            os.chown(path, uid, -1)
        for who, names in QUEUE_FOLDERS.items():
            for name in names:
                path = self.root / "queue" / name
                path.mkdir(exist_ok=True)
                os.chown(path, 0 if who == "root" else owner.pw_uid, -1)

    def start(self):
        self.make_folders()
        (self.root / "etc" / "main.cf").write_text(self.main_cf())
        (self.root / "etc" / "master.cf").write_text(MASTER_CF.format(port=self.port))
        master = self.binaries / "usr/lib/postfix/sbin/master"
        self.out = open(self.root / "master.out", "wb")
        self.process = subprocess.Popen([str(master), "-d", "-c", str(self.root / "etc")], stdin=subprocess.DEVNULL, stdout=self.out,
                                        stderr=self.out, cwd=self.root, env=environment(self.binaries), start_new_session=True)
        try:
            wait_for(self.is_ready, 20, "postfix to be ready")
        except BaseException:
            print(self.log()[-4000:], (self.root / "master.out").read_text(errors="replace")[-4000:])
            self.close()
            raise
        return self

    def is_ready(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"postfix ended with {self.process.returncode}")
        with socket.create_connection(("127.0.0.1", self.port), 5) as s:
            return s.recv(4) == b"220 "

    def close(self):
        """Ends it and removes all it had."""
        if self.process is not None:
            end(self.process)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process = None
        shutil.rmtree(self.root, ignore_errors=True)

    def log(self):
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def mail(self, address):
        """The messages it delivered to that mailbox, as octets with LF."""
        user, _, domain = address.partition("@")
        return [f.read_bytes() for f in sorted((self.root / "mail" / domain / user / "new").glob("*"))]

    def wait_mail(self, address, n=1, timeout=30):
        wait_for(lambda: len(self.mail(address)) >= n, timeout, f"{n} messages for {address} at postfix")
        return self.mail(address)

    def is_idle(self):
        return not any(f.is_file() for d in ("incoming", "active", "deferred", "maildrop") for f in (self.root / "queue" / d).rglob("*"))


def postfix_tool(name):
    """(program, environment) of smtp-source, smtp-sink or posttls-finger."""
    root = folder_of("postfix")
    return str(root / "usr/sbin" / name), environment(root)


def run_smtp_source(port, *args, timeout=120):
    """Postfix's smtp-source, done when all its messages were accepted."""
    program, env = postfix_tool("smtp-source")
    done = run([program, "-4", *args, f"127.0.0.1:{port}"], env=env, timeout=timeout)
    assert done.returncode == 0, done.stdout[-3000:]
    assert "fatal" not in done.stdout and "warning" not in done.stdout, done.stdout[-3000:]


class SmtpSink:
    """Postfix's smtp-sink: takes everything. `args` as in its manual."""

    def __init__(self, *args):
        program, env = postfix_tool("smtp-sink")
        self.port = free_port()
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="gatepost-smtp-sink-"))
        # It refuses to stay root and changes its root folder with -R only.
        self.user = ["-u", "nobody"] if os.getuid() == 0 else []
        self.root.chmod(0o777)
        self.out = open(self.root / "out", "wb")
        self.process = subprocess.Popen([program, "-c", *self.user, *args, f"127.0.0.1:{self.port}", "128"], stdin=subprocess.DEVNULL,
                                        stdout=self.out, stderr=self.out, cwd=self.root, env=env)

    def text(self):
        return (self.root / "out").read_text(errors="replace").replace("\r", "\n")

    def count(self, what="mesg"):
        """How many it took of: sess, mesg."""
        found = re.findall(rf"{what}=(\d+)", self.text())
        return int(found[-1]) if found else 0

    def close(self):
        end(self.process)
        self.out.close()
        shutil.rmtree(self.root, ignore_errors=True)


# -- PostgreSQL -------------------------------------------------------------


def postgres_programs():
    """The folder with initdb in it, and its environment. A PostgreSQL that is
    installed lends its programs, never its cluster."""
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    if found and not os.environ.get("PEERS_UNPACK"):
        return found[-1].parent, dict(os.environ, LC_ALL="C")
    root = folder_of("postgres")
    return root / "usr/lib/postgresql/15/bin", environment(root)


class Postgres:
    """A server with a new, empty cluster; user postgres, without password."""

    def __init__(self):
        self.bin, self.env = postgres_programs()
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="gatepost-postgres-"))
        self.root.chmod(0o755)
        self.data = self.root / "data"
        self.data.mkdir(0o700)
        self.port, self.process = free_port(), None
        self.conninfo = f"host=127.0.0.1 port={self.port} user=postgres dbname=postgres"
        # It refuses to run as root: nobody owns the cluster and must reach the programs.
        self.user = {}
        if os.getuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(self.data, nobody.pw_uid, nobody.pw_gid)
            self.user = dict(user=nobody.pw_uid, group=nobody.pw_gid, extra_groups=[])
            self.bring_within_reach()
        done = run([str(self.bin / "initdb"), "-D", str(self.data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"],
                   env=self.env, cwd="/", **self.user)
        if done.returncode != 0:
            shutil.rmtree(self.root, ignore_errors=True)
            raise RuntimeError(f"initdb: {done.stdout}")

    def bring_within_reach(self):
        try:
            run([str(self.bin / "initdb"), "--version"], env=self.env, cwd="/", **self.user)
        except PermissionError:
            copy = self.root / "programs"
            shutil.copytree(PEERS / "postgres", copy, symlinks=True)
            self.bin, self.env = copy / "usr/lib/postgresql/15/bin", environment(copy)

    def start(self):
        self.out = open(self.root / "log", "ab")
        options = {"listen_addresses": "127.0.0.1", "port": self.port, "unix_socket_directories": "", "fsync": "off",
                   "max_connections": 50, "shared_buffers": "16MB"}
        args = [a for key, value in options.items() for a in ("-c", f"{key}={value}")]
        self.process = subprocess.Popen([str(self.bin / "postgres"), "-D", str(self.data), *args], stdin=subprocess.DEVNULL, stdout=self.out,
                                        stderr=self.out, env=self.env, cwd="/", start_new_session=True, **self.user)
        try:
            wait_for(lambda: self.psql("SELECT 1").returncode == 0, 30, "PostgreSQL to answer", step=0.1)
        except BaseException:
            print((self.root / "log").read_text(errors="replace")[-4000:])
            self.close()
            raise
        return self

    def stop(self):
        """Ends it at once; the cluster stays for another start()."""
        end(self.process, signal.SIGQUIT)
        self.process = None

    def close(self):
        self.stop()
        shutil.rmtree(self.root, ignore_errors=True)

    def psql(self, text):
        return run([str(self.bin / "psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", self.conninfo], input=text, env=self.env)

    def sql(self, text):
        """What the statements printed, lines of fields with |."""
        done = self.psql(text)
        assert done.returncode == 0, done.stdout
        return done.stdout.strip()
