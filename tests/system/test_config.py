# SPDX-License-Identifier: ISC
"""Bad input to the server itself: a clear error, exit status 2, nothing started."""
import os
import pathlib
import re
import shutil
import socket
import subprocess

import pytest
from server import GATEPOST, TOP


def refuses(server, *words, status=2):
    """serve ends at once, names each of the words, and starts nothing."""
    server.launch()
    try:
        assert server.process.wait(20) == status, server.log()
        assert not server.session_pids(server.process.pid)
        log = server.log()
        for word in words:
            assert word in log, log
    finally:
        server.kill_all()
        server.process = None
    return log


def test_unknown_key(make_server):
    server = make_server(top='hostnam = "x"')
    refuses(server, f"{server.config}:4: unknown key \"hostnam\", did you mean hostname?")


def test_config_check_names_the_line(make_server):
    server = make_server(relay='networks = {"10.0.0.0/99"}')
    done = server.cli("config", "check", check=False)
    assert done.returncode == 2 and done.stdout == ""
    assert re.search(r"gatepost\.conf:\d+: relay\.networks: expected a network", done.stderr)


def test_config_check_is_content(make_server):
    done = make_server().cli("config", "check")
    assert "good" in done.stdout and done.stderr == ""


def test_no_such_file(tmp_path):
    done = subprocess.run([GATEPOST, "serve", "--config", str(tmp_path / "none.conf")], capture_output=True, text=True, timeout=20)
    assert done.returncode == 2 and "none.conf: No such file" in done.stderr


def test_port_taken(make_server):
    server = make_server()
    with socket.create_server(("127.0.0.1", server.submission_port)):
        log = refuses(server, str(server.submission_port))
        assert "in use" in log


@pytest.mark.parametrize("which", ["certificate", "key"])
def test_certificate_missing(make_server, which):
    server = make_server()
    file = getattr(server, which)
    file.unlink()
    refuses(server, str(file), "No such file")


def test_certificate_of_another_key(make_server, tmp_path):
    from server import make_certificate

    server = make_server()
    _, other = make_certificate(tmp_path)
    server.key.write_bytes(other.read_bytes())
    refuses(server, "key")


def test_certificate_is_no_certificate(make_server):
    server = make_server()
    server.certificate.write_text("not a certificate\n")
    refuses(server, "certificate")


def test_state_not_writable(make_server, tmp_path):
    blocker = tmp_path / "file"
    blocker.write_text("")
    server = make_server(state=blocker / "state")
    refuses(server, str(blocker))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be asked to change accounts")
def test_missing_account_is_named(make_server):
    server = make_server()
    server.config.write_text(server.config_text().replace("run-as = caller", "run-as = accounts"))
    accounts = pathlib.Path("/etc/passwd").read_text()
    if "gatepost-in:" in accounts:
        pytest.skip("the accounts are installed here")
    refuses(server, "gatepost-in")


@pytest.mark.skipif(os.geteuid() != 0, reason="the warning is for root")
def test_caller_as_root_warns_once(make_server):
    server = make_server().start()
    assert server.log().count("running-as-root") == 1


def test_two_servers_on_one_state(make_server):
    first = make_server().start()
    second = make_server(state=first.state)
    refuses(second, str(first.state))
    with first.smtp() as s:
        assert s.noop()[0] == 250


def test_sample_config_is_good(tmp_path):
    text = (TOP / "install/gatepost.conf").read_text().replace("@HOSTNAME@", "mx1.example.com")
    for name, variant in [("as it is", text), ("all of it", re.sub(r"^#?( *)#([a-z}])", r"\1\2", re.sub(r"^#    ", "    ", text, flags=re.M), flags=re.M))]:
        variant = re.sub(r'"(/etc/letsencrypt/\S+|/etc/gatepost/smarthost-password)"', f'"{tmp_path}/file"', variant)
        for name_of_file in ("file", "badmailfrom", "rcpthosts", "validrcptto"):
            (tmp_path / name_of_file).write_text("# x\n")
        (tmp_path / "gatepost.conf").write_text(variant)
        done = subprocess.run([GATEPOST, "config", "check", str(tmp_path / "gatepost.conf")], capture_output=True, text=True)
        assert done.returncode == 0, (name, done.stderr)


def test_manual_lists_the_keys():
    done = subprocess.run([str(TOP / "tools/conf-manual"), GATEPOST, "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_help_is_for_every_command():
    text = subprocess.run([GATEPOST, "--help"], capture_output=True, text=True).stdout
    commands = re.findall(r"^  gatepost ((?:[a-z]+ ?)+)", text, re.M)
    assert len(commands) > 15
    for command in commands:
        done = subprocess.run([GATEPOST, *command.split(), "--help"], capture_output=True, text=True)
        assert done.returncode == 0 and done.stdout.startswith(f"usage: gatepost {command.strip()}"), command


@pytest.mark.parametrize("args", [["nonsense"], ["user"], ["user", "add"], ["user", "add", "a@b.example", "--colour"], ["config", "check", "a", "b"],
                                  ["--config"], []])
def test_usage_errors(args):
    done = subprocess.run([GATEPOST, *args], capture_output=True, text=True, timeout=20)
    assert done.returncode == 2 and done.stderr.startswith("gatepost: ")


def test_a_front_without_its_server(tmp_path):
    """It explains alone, and says what the other commands lack."""
    alone = shutil.copy(GATEPOST, tmp_path / "gatepost")
    done = subprocess.run([alone, "explain", "550 5.1.1 no such user"], capture_output=True, text=True, timeout=20)
    assert done.returncode == 0 and "no mailbox of that name" in done.stdout
    done = subprocess.run([alone, "--version"], capture_output=True, text=True, timeout=20)
    assert done.returncode == 3 and f"start {tmp_path}/gatepost-server: No such file or directory" in done.stderr


def test_unreachable_server(make_server):
    done = make_server().cli("queue", "list", check=False)
    assert done.returncode == 4 and done.stderr.startswith("gatepost: ")


def test_install_into_a_folder(tmp_path):
    env = dict(os.environ, DESTDIR=str(tmp_path), PREFIX="/usr", BINARY=GATEPOST)
    done = subprocess.run([str(TOP / "install/install")], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for path in ["usr/bin/gatepost", "usr/bin/gatepost-server", "usr/share/man/man5/gatepost.conf.5", "usr/lib/sysusers.d/gatepost.conf",
                 "usr/lib/systemd/system/gatepost.service", "etc/gatepost/gatepost.conf"]:
        assert (tmp_path / path).is_file(), path
    assert os.readlink(tmp_path / "usr/sbin/sendmail") == "/usr/bin/gatepost"
    conf = tmp_path / "etc/gatepost/gatepost.conf"
    conf.write_text("mine")
    (tmp_path / "usr/sbin/sendmail").unlink()
    (tmp_path / "usr/sbin/sendmail").write_text("another")
    done = subprocess.run([str(TOP / "install/install")], env=env, capture_output=True, text=True)
    assert conf.read_text() == "mine" and "stays as it is" in done.stdout
    assert (tmp_path / "usr/sbin/sendmail").read_text() == "another" and "another mail server" in done.stdout
