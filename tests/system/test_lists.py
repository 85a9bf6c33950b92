# SPDX-License-Identifier: ISC
"""The admin's lists that are files: taken at the start, picked up when they
change, without a session lost."""
import os
import re
import smtplib
import time

import pytest

from server import message, wait_for

BAD = "badmailfrom"

GATE = """gate {
    badmailfrom = "file:lists/badmailfrom"
    rcpthosts = "file:lists/rcpthosts"
    validrcptto = "file:lists/validrcptto"
}"""


def write(path, text):
    """As careful editors do: another file, renamed over it."""
    other = path.with_name(path.name + ".tmp")
    other.write_text(text)
    os.replace(other, path)


def mail(s, sender):
    """"yes", or the reason of the refusal, or "later"."""
    s.rset()
    return verdict(s.mail(sender))


def rcpt(s, recipient):
    s.rset()
    assert s.mail("bob@far.example")[0] == 250
    return verdict(s.rcpt(recipient))


def verdict(reply):
    code, text = reply
    if code == 250:
        return "yes"
    return "later" if code < 500 else text.decode().split("\n")[-1].split()[1]


@pytest.fixture
def lists(make_server):
    server = make_server(more=GATE, domains=("example.com", "other.example"))
    folder = server.root / "lists"
    folder.mkdir()
    (folder / "badmailfrom").write_text("# junk\nspam@far.example\r\n@bad.example  since May\n.worse.example\nnonsense\n")
    (folder / "rcpthosts").write_text("Example.COM\n.other.example\n")
    (folder / "validrcptto").write_text("ann@example.com\nkim@example.com\n@elsewhere.example\n")
    server.folder = folder
    server.add_user("ann@example.com")
    server.add_user("bob@example.com")
    server.add_user("ann@other.example")
    server.start()
    return server


def test_forms(lists):
    with lists.smtp() as s:
        s.ehlo()
        for sender, expected in [
            ("ok@far.example", "yes"), ("Spam@FAR.example", BAD), ("x@bad.example", BAD), ("x@a.bad.example", "yes"),
            ("x@worse.example", "yes"), ("x@a.b.worse.example", BAD), ("", "yes"),
        ]:
            assert mail(s, sender) == expected, sender
        for recipient, expected in [
            ("ann@example.com", "yes"), ("Ann+x@EXAMPLE.com", "yes"), ("bob@example.com", "not-in-validrcptto"),
            ("ann@other.example", "not-in-rcpthosts"), ("nobody@example.com", "not-in-validrcptto"),
        ]:
            assert rcpt(s, recipient) == expected, recipient
    log = lists.log()
    assert f'{lists.folder}/badmailfrom:5: expected an address, @domain or .domain, found' in log and "nonsense" in log
    assert "entries=3 skipped=1" in log


def test_listed_without_an_account(lists):
    """Who is in validrcptto exists: the mail is in the domain's Maildirs."""
    with lists.smtp() as s:
        s.sendmail("bob@far.example", ["Kim+x@Example.com"], message(subject="for kim"))
    assert lists.wait_mail("kim@example.com")[0]["Subject"] == "for kim"


def test_change_while_running(lists):
    bad = lists.folder / "badmailfrom"
    with lists.smtp() as old:
        old.ehlo()
        assert mail(old, "new@far.example") == "yes"
        write(bad, "new@far.example\n")
        began = time.monotonic()
        wait_for(lambda: mail(old, "new@far.example")== BAD, 10, "the new entry to be in force")
        assert time.monotonic() - began < 4  # 2 s on an idle machine
        assert mail(old, "spam@far.example") == "yes"
        # written in place, too
        with open(bad, "a") as f:
            f.write("third@far.example\n")
        wait_for(lambda: mail(old, "third@far.example")== BAD, 10, "what was added to be in force")
        # with every worker, in a fresh session as in an old one
        for _ in range(8):
            with lists.smtp() as s:
                s.ehlo()
                assert mail(s, "third@far.example")== BAD
        # a list that is gone or broken stays
        bad.unlink()
        wait_for(lambda: "list-unreadable" in lists.log(), 10, "the log to say so")
        assert mail(old, "new@far.example")== BAD
        bad.write_bytes(b"\0\0\0")
        wait_for(lambda: lists.log().count("list-unreadable") == 2, 10, "the log to say so")
        assert mail(old, "new@far.example")== BAD
        old.rset()
        old.sendmail("ok@far.example", "ann@example.com", message())
    lists.wait_mail("ann@example.com")


def test_last_good_over_a_restart(lists):
    (lists.folder / "badmailfrom").unlink()
    lists.restart()
    with lists.smtp() as s:
        s.ehlo()
        assert mail(s, "spam@far.example")== BAD
        assert mail(s, "ok@far.example") == "yes"
    assert "the last good version stays in force" in lists.log()


def test_a_missing_list_is_named(lists):
    (lists.folder / "rcpthosts").rename(lists.folder / "elsewhere")
    done = lists.cli("config", "check", check=False)
    assert done.returncode == 2 and "gate.rcpthosts" in done.stderr and str(lists.folder / "rcpthosts") in done.stderr, done
    (lists.folder / "elsewhere").rename(lists.folder / "rcpthosts")
    lists.cli("config", "check")


def list_memory(pid, name):
    """(KiB of the mapped list that are in this process's memory, all of it)."""
    resident, size, inside = 0, 0, False
    for line in open(f"/proc/{pid}/smaps"):
        if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
            inside = name in line
        m = re.match(r"(Rss|Size|Private_Dirty):\s+(\d+)", line)
        if inside and m:
            assert m[1] != "Private_Dirty" or m[2] == "0", line
            resident += int(m[2]) if m[1] == "Rss" else 0
            size += int(m[2]) if m[1] == "Size" else 0
    return resident, size


def test_memory_is_what_was_touched(make_server):
    """A worker has a list mapped, and only those pages in memory that it read.
    (A million entries, time and memory: bench/lists.)"""
    server = make_server(more='gate { validrcptto = "file:valid" }', workers=1)
    (server.root / "valid").write_text("".join(f"user{i}@example.com\n" for i in range(60000)))
    server.add_user("user7@example.com")
    server.start()
    pid = server.children("receive")[0]
    before, size = list_memory(pid, "validrcptto.cdb")
    assert size > 2000 and before < 200, (before, size)
    with server.smtp() as s:
        s.ehlo()
        assert rcpt(s, "user7@example.com") == "yes"
        assert rcpt(s, "nobody@example.com") == "not-in-validrcptto"
    after, _ = list_memory(pid, "validrcptto.cdb")
    assert 0 < after < size / 2, (after, size)
    # the next start takes the compiled file
    server.restart()
    assert server.log(server.log_from).count("list-loaded") == 1
    assert "list-compiled" not in server.log(server.log_from)


def test_list_that_never_was(make_server):
    """Nobody knows who stands on it: a temporary refusal, until it is there."""
    server = make_server(more='gate { badmailfrom = "file:missing" }')
    server.add_user("ann@example.com")
    server.start()
    with server.smtp() as s:
        s.ehlo()
        assert mail(s, "spam@far.example") == "later"
        (server.root / "missing").write_text("spam@far.example\n")
        wait_for(lambda: mail(s, "ok@far.example") == "yes", 10, "the list to be read")
        assert mail(s, "spam@far.example")== BAD


def test_reload_exchanges_lists(lists):
    (lists.folder / "second").write_text("other@far.example\n")
    lists.more = 'gate { badmailfrom = "file:lists/second" }'
    lists.write_config()
    with lists.smtp() as old:
        old.ehlo()
        lists.reload()
        wait_for(lambda: "reloaded" in lists.log(), 20, "the reload")

        def fresh():
            with lists.smtp() as s:
                s.ehlo()
                return mail(s, "other@far.example")== BAD and mail(s, "spam@far.example") == "yes"

        wait_for(fresh, 20, "the second list in a new session")
        assert rcpt(old, "ann@example.com") == "yes"


def test_directory_dies(lists):
    """Workers keep what they have mapped, and get the next directory's."""
    lists.kill("directory")
    with lists.smtp() as s:
        s.ehlo()
        assert mail(s, "spam@far.example")== BAD
        write(lists.folder / "badmailfrom", "late@far.example\n")
        wait_for(lambda: mail(s, "late@far.example")== BAD, 20, "the new directory's list")
    with pytest.raises(smtplib.SMTPResponseException):
        with lists.smtp() as s:
            s.sendmail("late@far.example", "ann@example.com", message())
