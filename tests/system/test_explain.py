# SPDX-License-Identifier: ISC
"""gatepost explain: what it reads, how it shows what it found, its exit
statuses. What it finds is the matter of test_bounces.py."""
import json
import os
import pty
import select
import subprocess
import time

import pytest
from server import GATEPOST, TOP

UNKNOWN = "553 5.1.1 sorry, no mailbox here by that name."
RELAY = "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)"
MAIL = "Date: Tue, 24 Nov 2026 08:05:59 +0000\nFrom: ann@example.com\nTo: bob@example.com\nSubject: lunch\n\nAt noon?\n"
FIELDS = ("file kind recipient class reason reply status action stage said remote_mta reporting_mta agent sender message_id "
          "subject date permanent confidence meaning who next lang").split()
BOUNCE = """\
From: MAILER-DAEMON@mail.example.com
To: ann@example.com
Subject: Undelivered Mail Returned to Sender
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b

<{0}>: host mx.example.net[192.0.2.7] said: {1} (in reply to RCPT TO command)

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example.com

Final-Recipient: rfc822; {0}
Action: failed
Status: 5.1.1
Remote-MTA: dns; mx.example.net
Diagnostic-Code: smtp; {1}

--b--
"""
FROM = "From MAILER-DAEMON  Tue Nov 24 08:05:59 2026\n"


def run(*args, status=0, stdin="", **env):
    plain = {k: v for k, v in os.environ.items() if k not in ("LANG", "COLUMNS", "NO_COLOR") and not k.startswith("LC_")}
    done = subprocess.run([GATEPOST, "explain", *map(str, args)], capture_output=True, timeout=60, env={**plain, **env},
                          input=stdin.encode() if isinstance(stdin, str) else stdin)
    out, err = done.stdout.decode(), done.stderr.decode()
    assert done.returncode == status, (done.returncode, out, err)
    run.stderr = err
    return out


def objects(*args, **kwargs):
    return [json.loads(line) for line in run("--json", *args, **kwargs).splitlines()]


def classes(*args, **kwargs):
    return [o["class"] for o in objects(*args, **kwargs)]


@pytest.fixture
def bounce(tmp_path):
    """bounce(name, recipient, reply): a file."""

    def make(name, recipient="bob@example.net", reply=UNKNOWN, front=""):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True, parents=True)
        file.write_text(front + BOUNCE.format(recipient, reply))
        return file

    return make


def test_what_is_read(bounce, tmp_path):
    one = bounce("one.eml")
    assert classes(one) == ["recipient-unknown"]
    assert classes("-", stdin=one.read_text()) == ["recipient-unknown"]
    assert classes(stdin=UNKNOWN) == ["recipient-unknown"]
    assert classes(RELAY) == ["relay-denied"]
    assert classes(*UNKNOWN.split()) == ["recipient-unknown"]
    assert classes(one, RELAY, "-", stdin=UNKNOWN) == ["recipient-unknown", "relay-denied", "recipient-unknown"]


def test_a_folder(bounce, tmp_path):
    for name in ("box/new/1", "box/cur/2:2,S", "box/tmp/3", "box/.Sent/cur/4"):
        bounce(name)
    got = objects(tmp_path / "box")
    assert [o["file"] for o in got] == [f"{tmp_path}/box/cur/2:2,S", f"{tmp_path}/box/new/1"]
    bounce("plain/b.eml")
    bounce("plain/a.eml")
    bounce("plain/inner/c.eml")
    (tmp_path / "plain/notes").write_text(RELAY)
    assert [o["file"] for o in objects(str(tmp_path / "plain"))] == [f"{tmp_path}/plain/a.eml", f"{tmp_path}/plain/b.eml"]
    bounce("numbered/1")
    bounce("numbered/2")
    assert len(objects(tmp_path / "numbered")) == 2
    (tmp_path / "empty").mkdir()
    assert run(tmp_path / "empty", status=1) == ""


def test_an_mbox(bounce, tmp_path):
    one = bounce("one.eml").read_text()
    box = tmp_path / "box"
    box.write_text(FROM + one + "\n" + FROM + MAIL + "\n>From here on it is text\n\nFrom now on, too\n\n" + FROM + one)
    got = objects(box)
    assert [o["file"] for o in got] == [f"{box}#1", f"{box}#2", f"{box}#3"]
    box.write_text(box.read_text().replace("\n", "\r\n"))
    assert objects(box) == got
    assert len(objects("-", stdin=box.read_bytes())) == 3
    box.write_text(FROM + one)
    assert [o["file"] for o in objects(box)] == [str(box)]


def test_the_fields_of_json(bounce):
    for o in objects(bounce("one.eml"), RELAY):
        assert set(o) <= set(FIELDS) and [f for f in FIELDS if f in o] == list(o)
        assert o["kind"] == "failure" and o["lang"] == "en" and o["confidence"] in ("high", "medium", "low")
        assert o["meaning"] and o["who"] and o["next"] and isinstance(o["permanent"], bool)
        assert all(isinstance(v, str) and v for k, v in o.items() if k != "permanent")
    assert "file" not in objects(RELAY)[0]


def test_the_text(bounce):
    text = run(RELAY)
    lines = text.splitlines()
    assert lines[0].startswith("Rejected    ")
    labels = [line[:12].strip() for line in lines if line[0] != " "]
    assert [x for x in labels if x not in ("By", "Said")] == ["Rejected", "Means", "Who acts", "You can", "Certain"]
    assert all(len(line) <= 80 for line in lines)
    assert max(len(line) for line in run(RELAY, COLUMNS="50").splitlines()) <= 50
    assert max(len(line) for line in run(RELAY, COLUMNS="200").splitlines()) > 80
    assert not [line for line in run(RELAY, COLUMNS="1").splitlines() if not line.strip()]
    assert "\033" not in text
    two = run(bounce("a.eml"), bounce("b.eml"), RELAY)
    blocks = two.split("\n\n")
    assert len(blocks) == 3 and blocks[0].startswith("== ") and blocks[0].splitlines()[0].endswith("a.eml")
    assert not run(bounce("a.eml")).startswith("==")


def test_colours(bounce):
    colored = run("--color", "always", RELAY)
    assert colored.startswith("\033[1;31mRejected\033[0m")
    assert "\033" not in run("--color", "never", RELAY)
    assert "\033" not in run(RELAY)
    assert "always or never" in (run("--color", "blue", RELAY, status=2) or run.stderr)


def on_a_terminal(*args, typed=b"", **env):
    """What is shown there."""
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm", **env)
        for name in ("COLUMNS", "LANG", "LC_ALL"):
            os.environ.pop(name, None)
        os.execv(GATEPOST, [GATEPOST, "explain", *args])
    shown = b""
    end = time.time() + 30
    while time.time() < end:
        if not select.select([fd], [], [], 1)[0]:
            continue
        try:
            octets = os.read(fd, 4096)
        except OSError:
            break
        if not octets:
            break
        shown += octets
        if typed and b"Ctrl-D" in shown:
            os.write(fd, typed)
            typed = b""
    _, status = os.waitpid(pid, 0)
    os.close(fd)
    assert os.waitstatus_to_exitcode(status) == 0, shown
    return shown.decode()


def test_on_a_terminal():
    assert on_a_terminal(RELAY).startswith("\033[1;31mRejected\033[0m")
    assert "\033" not in on_a_terminal(RELAY, NO_COLOR="1")
    text = on_a_terminal(typed=RELAY.encode() + b"\n\004", NO_COLOR="1")
    assert "Ctrl-D" in text.splitlines()[0] and "Certain     high" in text


@pytest.mark.parametrize("lang", ["de", "es", "fr", "ja", "th"])
def test_languages(lang):
    english = objects(RELAY)[0]
    (o,) = objects("--lang", lang, RELAY)
    assert o["lang"] == lang
    assert o["meaning"] != english["meaning"] and o["next"] != english["next"] and o["who"] != english["who"]
    text = run("--lang", lang, RELAY)
    assert "Rejected" not in text and "Who acts" not in text
    assert text == run(RELAY, LANG=f"{lang}_XX.UTF-8")
    # A label and its text stay one column, and lines end where the words do.
    assert all(line[0] != " " or line.startswith(" " * 12) for line in text.splitlines())


def test_controls_never_reach_the_terminal(tmp_path):
    evil = tmp_path / "\033[2Jx\u202ey\u009b"
    text = "553 sorry,\033]0;x\007 this recipient doesn't exist\u009b2J\u202e\r\n"
    evil.write_text(text)
    for args in (["--color", "never"], ["--json"], ["--summary"], ["--summary", "--json"]):
        shown = run(*args, evil, RELAY)
        assert not {c for c in shown if c != "\n" and (ord(c) < 32 or 126 < ord(c) < 160 or c == "\u202e") and
                    not ("--json" in args and c == "\u202e")}


def test_the_summary(bounce, tmp_path):
    for i in range(3):
        bounce(f"box/new/{i}", f"user{i}@Example.Net")
    bounce("box/new/9", "x@example.org", RELAY)
    text = run("--summary", tmp_path / "box")
    assert text.splitlines()[0].startswith("Messages: 4, ")
    assert "  recipient-unknown         3  75 %\n" in text
    assert run("--summary", "--lang", "de", tmp_path / "box").startswith("Nachrichten: 4, ")
    (o,) = objects("--summary", tmp_path / "box")
    assert o["messages"] == 4 and o["kinds"] == {"failure": 4}
    assert o["classes"] == {"recipient-unknown": 3, "relay-denied": 1}
    assert run("--summary", tmp_path / "nothing", status=2).startswith("Messages: 0")


def test_only(bounce):
    files = [bounce("a.eml"), bounce("b.eml", reply=RELAY), bounce("c.eml", reply="550 5.2.2 mailbox full")]
    assert classes("--only", "class=relay-denied", *files) == ["relay-denied"]
    assert classes("--only=class=relay-denied,recipient-unknown", *files) == ["recipient-unknown", "relay-denied"]
    assert objects("--only", "class=virus", *files, status=1) == []
    (o,) = objects("--summary", "--only", "class=relay-denied", *files)
    assert o["messages"] == 1
    run("--only", "class=relay-denid", *files, status=2)
    assert 'unknown class "relay-denid"' in run.stderr
    run("--only", "kind=delay", *files, status=2)
    assert "expected class=" in run.stderr


def test_what_cannot_be_read(bounce, tmp_path):
    good = bounce("good.eml")
    got = objects(tmp_path / "missing.eml", good, status=2)
    assert [o["file"] for o in got] == [str(good)]
    assert run.stderr == f"gatepost: {tmp_path}/missing.eml: No such file or directory\n"
    run("--colour", good, status=2)
    run("--lang", "tlh", good, status=2)
    assert "expected one of" in run.stderr


def test_nothing_to_explain(tmp_path):
    assert run(status=1) == ""
    assert run(status=1, stdin=" \n\r\n") == ""


def test_a_message_too_long(tmp_path):
    """50 MB of one are read, whether in an mbox or alone."""
    line = ("x" * 75 + "\n") * 13800
    for name, front in (("mbox", FROM), ("one.eml", "")):
        with open(tmp_path / name, "w") as f:
            f.write(front + UNKNOWN + "\n\n" + line * 51)
            if front:
                f.write("\n" + FROM + RELAY)
        got = objects(tmp_path / name)
        assert len(got) == (2 if front else 1)
        assert "the rest was not read" in run.stderr and str(tmp_path / name) in run.stderr
        text = run(tmp_path / name)
        assert "Note        The message is too long" in text and run.stderr == ""


def test_no_library_of_a_server_is_loaded():
    """A third of a start's time, and nothing a hostile mail could make use of."""
    listed = subprocess.run([GATEPOST, "explain"], capture_output=True, text=True, timeout=20,
                            env=dict(os.environ, LD_TRACE_LOADED_OBJECTS="1")).stdout
    libraries = {line.split(".so")[0].split("/")[-1].strip() for line in listed.splitlines()}
    sanitizers = {"libasan", "libubsan", "libstdc++", "libgcc_s", "libm"}
    assert libraries - sanitizers == {"linux-vdso", "libhs_runtime", "libc", "ld-linux-x86-64"}, listed


def test_hostile_messages_take_time_in_proportion():
    """bench/hostile does it with 50 MB of each."""
    done = subprocess.run([str(TOP / "bench/hostile")], capture_output=True, text=True, timeout=300,
                          env=dict(os.environ, GATEPOST=GATEPOST, MB="0.4"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(done.stdout.splitlines()) > 50


def peak(*args):
    """KiB of memory the command needs at most; what is freed is not kept back
    by the sanitizer."""
    pid = os.fork()
    if pid == 0:
        os.environ["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1:thread_local_quarantine_size_kb=64"
        null = os.open(os.devnull, os.O_RDWR)
        for fd in (0, 1, 2):
            os.dup2(null, fd)
        os.execv(GATEPOST, [GATEPOST, "explain", *map(str, args)])
    _, status, used = os.wait4(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    return used.ru_maxrss


def test_memory_stays_flat(bounce, tmp_path):
    """As much for 20 MB as for 2; bench/explain does it with 1 GB."""
    one = (FROM + bounce("one.eml").read_text() + "\n").encode()
    few, many = tmp_path / "few", tmp_path / "many"
    few.write_bytes(one * (2_000_000 // len(one)))
    many.write_bytes(one * (20_000_000 // len(one)))
    assert peak("--json", many) < peak("--json", few) * 1.2
