# SPDX-License-Identifier: ISC
"""Domains, users, aliases and vacations from the command line: with no server
running, and in force at once in a running one."""
import os
import pathlib
import signal
import smtplib
import sqlite3
import stat
import subprocess
import time

import pytest
from server import GATEPOST, message, wait_for


@pytest.fixture
def house(make_server):
    """A server that is not started, with a domain in its config."""
    return make_server()


def refused(house, status, *words, **kwargs):
    """Runs the command, which must end with this status and say `says`."""
    says = kwargs.pop("says")
    done = house.cli(*words, check=False, **kwargs)
    assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
    assert says in done.stderr, done.stderr
    return done


def addresses(house, *words):
    return [row["address"] for row in house.cli_json(*words)]


# -- without a server -------------------------------------------------------


def test_state_is_made(house):
    assert not house.state.exists()
    house.add_user("ann@example.com")
    folder = house.state / "directory"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "accounts.db").stat().st_mode) == 0o600
    assert addresses(house, "user", "list") == ["ann@example.com"]


def test_config_anywhere_on_the_line(house):
    for words in (["--config", house.config, "user", "list"], ["user", f"--config={house.config}", "list"],
                  ["user", "list", "--config", house.config, "--json"]):
        done = subprocess.run([GATEPOST, *map(str, words)], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr


def test_user(house):
    house.add_user("Bob@Example.COM")
    house.add_user("ann@example.com")
    assert addresses(house, "user", "list") == ["ann@example.com", "bob@example.com"]
    assert addresses(house, "user", "list", "other.example") == []
    shown = house.cli("user", "show", "ann@example.com").stdout
    assert f"maildir:{house.state}/mail/example.com/ann" in shown
    (row,) = house.cli_json("user", "show", "ANN@example.com")
    assert row["address"] == "ann@example.com" and row["vacation"] is False and row["aliases"] == []
    refused(house, 3, "user", "add", "ann@example.com", "--password-stdin", input="x\n", says="exists already")
    house.cli("user", "remove", "bob@example.com")
    refused(house, 1, "user", "remove", "bob@example.com", says="no account bob@example.com")
    refused(house, 1, "user", "show", "bob@example.com", says="no account")
    refused(house, 1, "user", "passwd", "bob@example.com", "--password-stdin", input="x\n", says="no account")


@pytest.mark.parametrize("address, status, says", [
    ("ann", 2, "is no address"),
    ("ann@", 2, "is no address"),
    ("ann@[192.0.2.1]", 2, "is no address"),
    ("", 2, "is no address"),
    ("ann+x@example.com", 3, "+"),
    ("a/b@example.com", 3, "/"),
    ('".ann"@example.com', 3, "begin with"),
    ("ann@other.example", 3, "gatepost domain add other.example"),
    ("ann@other.example", 3, 'domain "other.example" { }'),
])
def test_user_add_refused(house, address, status, says):
    refused(house, status, "user", "add", address, "--password-stdin", input="secret\n", says=says)
    assert house.cli_json("user", "list") == []


@pytest.mark.parametrize("typed, says", [("", "empty"), ("\n", "empty"), ("x" * 600, "longer")])
def test_password_refused(house, typed, says):
    refused(house, 3, "user", "add", "ann@example.com", "--password-stdin", input=typed, says=says)
    refused(house, 2, "user", "add", "ann@example.com", input=typed, says="--password-stdin")


def stored_hash(house, address):
    with sqlite3.connect(house.state / "directory" / "accounts.db") as db:
        return db.execute("SELECT password FROM account WHERE address = ?", [address]).fetchone()[0]


def test_password_is_yescrypt_and_changes(house):
    house.add_user("ann@example.com", "one")
    first = stored_hash(house, "ann@example.com")
    assert first.startswith("$y$")
    house.cli("user", "passwd", "ann@example.com", "--password-stdin", input="two\n")
    assert stored_hash(house, "ann@example.com") != first
    refused(house, 3, "user", "passwd", "ann@example.com", "--password-stdin", input="\n", says="empty")


def test_domain(house):
    house.cli("domain", "add", "Other.example.")
    house.cli("domain", "add", "third.example", "--deliver", "maildir:/third/%{user}")
    rows = {row["name"]: row for row in house.cli_json("domain", "list")}
    assert set(rows) == {"example.com", "other.example", "third.example"}
    assert rows["example.com"]["source"] == "config" and rows["other.example"]["source"] == "directory"
    assert rows["third.example"]["deliver"] == "maildir:/third/%{user}"
    house.add_user("ann@third.example")
    assert "maildir:/third/ann" in house.cli("user", "show", "ann@third.example").stdout
    refused(house, 3, "domain", "add", "other.example", says="hosted already")
    refused(house, 3, "domain", "add", "example.com", says="its section in")
    refused(house, 3, "domain", "remove", "example.com", says="remove its section")
    refused(house, 3, "domain", "remove", "third.example", says="still has 1 account and 0 aliases")
    house.cli("user", "remove", "ann@third.example")
    house.cli("domain", "remove", "third.example")
    refused(house, 1, "domain", "remove", "third.example", says="not hosted")
    refused(house, 1, "domain", "show", "third.example", says="not hosted")
    assert "other.example" in house.cli("domain", "show", "other.example").stdout


@pytest.mark.parametrize("words, says", [
    (["add", "no_domain"], "is no domain name"),
    (["add", "x..example"], "is no domain name"),
    (["add", "x.example", "--deliver", "/var/mail"], "maildir:"),
    (["add", "x.example", "--deliver", "maildir:/m/%{name}"], "%{user}"),
    (["add", "x.example", "--deliver", "maildir:/m/../%{user}"], "expected"),
    (["add", "x.example", "--deliver", "maildir:/m/\n%{user}"], "control"),
    (["add"], "too few"),
])
def test_domain_usage(house, words, says):
    refused(house, 2, "domain", *words, says=says)


def test_international_domain(house):
    house.cli("domain", "add", "Bücher.example")
    house.add_user("ann@bücher.example")
    assert addresses(house, "user", "list", "xn--bcher-kva.example") == ["ann@xn--bcher-kva.example"]


def test_alias(house):
    house.add_user("ann@example.com")
    done = house.cli("alias", "add", "Sales@example.com", "ann@example.com", "Kim@Far.example", "ANN@example.com")
    assert done.stderr == ""
    (row,) = house.cli_json("alias", "list")
    assert row == {"address": "sales@example.com", "targets": ["ann@example.com", "Kim@Far.example"], "members_only": False,
                   "members": []}
    assert house.cli("alias", "show", "sales@example.com").stdout == "sales@example.com: ann@example.com Kim@Far.example\n"
    assert house.cli_json("user", "show", "ann@example.com")[0]["aliases"] == ["sales@example.com"]
    done = house.cli("alias", "add", "@example.com", "nobody@example.org")
    assert done.stderr == ""
    assert addresses(house, "alias", "list", "example.com") == ["@example.com", "sales@example.com"]
    refused(house, 3, "alias", "add", "sales@example.com", "ann@example.com", says="exists already")
    refused(house, 3, "alias", "add", "ann@example.com", "x@far.example", says="is an account")
    refused(house, 3, "user", "add", "sales@example.com", "--password-stdin", input="x\n", says="is an alias")
    refused(house, 3, "alias", "add", "x@far.example", "ann@example.com", says="not hosted")
    refused(house, 2, "alias", "add", "x@example.com", "|/bin/sh", says="is no address")
    refused(house, 2, "alias", "add", "x@example.com", says="too few")
    assert "still leads to" in house.cli("user", "remove", "ann@example.com").stderr
    house.cli("alias", "remove", "@example.com")
    refused(house, 1, "alias", "remove", "@example.com", says="no alias")
    refused(house, 1, "alias", "show", "@example.com", says="no alias")


def test_alias_to_nobody_is_warned_of(house):
    done = house.cli("alias", "add", "x@example.com", "typo@example.com", "y@far.example")
    assert "no account or alias typo@example.com" in done.stderr and "far.example" not in done.stderr


@pytest.mark.parametrize("before, last, chain", [
    ([], ["a", "a"], "itself"),
    ([], ["a", "A+list"], "a@example.com -> A+list@example.com"),
    ([["a", "b"]], ["b", "a"], "b@example.com -> a@example.com -> b@example.com"),
    ([["a", "b"], ["b", "c", "x"]], ["c", "y", "a"], "c@example.com -> a@example.com -> b@example.com -> c@example.com"),
    ([["a", "who"]], ["", "a"], "@example.com -> a@example.com -> who@example.com"),
])
def test_alias_loop(house, before, last, chain):
    for words in before:
        house.cli("alias", "add", *[f"{w}@example.com" for w in words])
    refused(house, 3, "alias", "add", *[f"{w}@example.com" for w in last], says=chain)
    assert len(house.cli_json("alias", "list")) == len(before)


def test_vacation(house, tmp_path):
    text = tmp_path / "text"
    text.write_text("Zurück am Montag.\n")
    house.add_user("ann@example.com")
    refused(house, 1, "vacation", "show", "ann@example.com", says="not on vacation")
    house.cli("vacation", "set", "ann@example.com", "--subject", "Im Urlaub – Ann", "--file", str(text))
    (row,) = house.cli_json("vacation", "show", "ann@example.com")
    assert row["subject"] == "Im Urlaub – Ann" and row["body"] == "Zurück am Montag.\n"
    house.cli("vacation", "set", "ann@example.com", "--subject=Away", "--file", "-", input="From stdin")
    assert "Away" in house.cli("vacation", "show", "ann@example.com").stdout
    assert house.cli_json("user", "list")[0]["vacation"] is True
    house.cli("vacation", "clear", "ann@example.com")
    refused(house, 1, "vacation", "clear", "ann@example.com", says="not on vacation")
    refused(house, 1, "vacation", "set", "eve@example.com", "--subject", "x", "--file", str(text), says="no account")
    refused(house, 1, "vacation", "show", "eve@example.com", says="no account")


@pytest.mark.parametrize("subject, text, says", [
    ("", "x", "--subject"),
    ("two\nlines: x", "x", "one line"),
    ("x" * 501, "x", "at most 500"),
    ("ok", b"\xff\xfe", "UTF-8"),
    ("ok", "x" * 70000, "longer than"),
])
def test_vacation_refused(house, tmp_path, subject, text, says):
    file = tmp_path / "text"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    house.add_user("ann@example.com")
    refused(house, 2, "vacation", "set", "ann@example.com", "--subject", subject, "--file", str(file), says=says)


def test_vacation_needs_its_options(house):
    house.add_user("ann@example.com")
    refused(house, 2, "vacation", "set", "ann@example.com", "--subject", "x", says="--file")
    refused(house, 2, "vacation", "set", "ann@example.com", "--subject", "x", "--file", "/nonexistent", says="/nonexistent")


def test_many_at_once(house):
    """Command lines side by side, the database not yet made."""
    processes = [
        subprocess.Popen([GATEPOST, "user", "add", f"u{i}@example.com", "--password-stdin", "--config", house.config],
                         stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for i in range(12)
    ]
    for p in processes:
        _, err = p.communicate("secret\n", timeout=60)
        assert p.returncode == 0, err
    assert len(house.cli_json("user", "list")) == 12


def test_foreign_database(house):
    house.add_user("ann@example.com")
    (house.state / "directory" / "accounts.db").write_bytes(b"x" * 8192)
    refused(house, 3, "user", "list", says="not a database")


# -- with a running server --------------------------------------------------


@pytest.fixture(scope="module")
def running(server):
    return server


def rcpt(server, address):
    with server.smtp() as s:
        s.ehlo()
        s.mail("sender@far.example")
        return s.rcpt(address)[0]


def test_user_in_force_at_once(running):
    for i in range(10):
        address = f"new{i}@example.com"
        assert rcpt(running, address) == 553
        running.add_user(address)
        assert rcpt(running, address) == 250
        running.cli("user", "remove", address)
        assert rcpt(running, address) == 553


def test_domain_in_force_at_once(running):
    assert rcpt(running, "ann@second.example") == 553
    running.cli("domain", "add", "second.example")
    running.add_user("ann@second.example")
    assert rcpt(running, "ann@second.example") == 250
    assert rcpt(running, "postmaster@second.example") == 250
    assert rcpt(running, "eve@second.example") == 553
    running.cli("user", "remove", "ann@second.example")
    running.cli("domain", "remove", "second.example")
    assert rcpt(running, "ann@second.example") == 553


def test_alias_and_catch_all_in_force_at_once(running):
    running.cli("domain", "add", "third.example")
    running.cli("alias", "add", "sales@third.example", "ann@example.com", "bob@example.com")
    before = len(running.mail("ann@example.com")), len(running.mail("bob@example.com"))
    with running.smtp() as s:
        s.sendmail("sender@far.example", ["sales+x@third.example"], message(to="sales@third.example"))
    running.wait_mail("ann@example.com", before[0] + 1)
    running.wait_mail("bob@example.com", before[1] + 1)
    assert rcpt(running, "who@third.example") == 553
    running.cli("alias", "add", "@third.example", "ann@example.com")
    assert rcpt(running, "who@third.example") == 250
    running.cli("alias", "remove", "@third.example")
    assert rcpt(running, "who@third.example") == 553


def can_login(server, user, password):
    with server.submission() as s:
        try:
            s.login(user, password)
            return True
        except smtplib.SMTPAuthenticationError:
            return False


def test_password_in_force_at_once(running):
    running.add_user("cy@example.com", "one")
    assert can_login(running, "cy@example.com", "one")
    assert can_login(running, "Cy", "one")  # the local part is unique
    running.cli("user", "passwd", "cy@example.com", "--password-stdin", input="two")
    assert not can_login(running, "cy@example.com", "one")
    assert can_login(running, "cy@example.com", "two")
    running.cli("user", "remove", "cy@example.com")
    assert not can_login(running, "cy@example.com", "two")


def test_unknown_user_and_wrong_password_look_the_same(running):
    answers, times = [], []
    for user in ("ann@example.com", "eve@example.com", "eve@far.example", "eve"):
        with running.submission() as s:
            began = time.monotonic()
            with pytest.raises(smtplib.SMTPAuthenticationError) as refusal:
                s.login(user, "wrong")
            times.append(time.monotonic() - began)
            answers.append((refusal.value.smtp_code, refusal.value.smtp_error.split()[0]))
    assert len(set(answers)) == 1, answers
    assert min(times) > 0.005, times  # each was hashed


def test_database_changed_by_another_program(running):
    """Nobody pokes; the directory looks itself."""
    with sqlite3.connect(running.state / "directory" / "accounts.db") as db:
        db.execute("INSERT INTO account (address, local, domain, password, created_ms)"
                   " SELECT 'sql@example.com', 'sql', domain, password, created_ms FROM account"
                   " WHERE address = 'ann@example.com'")
    wait_for(lambda: rcpt(running, "sql@example.com") == 250, 5, "the account to be noticed")
    running.cli("user", "remove", "sql@example.com")


def test_server_that_does_not_answer(make_server):
    server = make_server()
    server.start()
    (pid,) = server.children("directory")
    os.kill(pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        done = server.cli("user", "add", "ann@example.com", "--password-stdin", input="secret\n", check=False)
        assert done.returncode == 4 and "has not confirmed" in done.stderr, done.stderr
        assert time.monotonic() - began < 15
    finally:
        os.kill(pid, signal.SIGCONT)
    assert addresses(server, "user", "list") == ["ann@example.com"]
    wait_for(lambda: rcpt(server, "ann@example.com") == 250, 10, "the account to be in force")


def test_directory_killed(make_server):
    server = make_server()
    server.add_user("ann@example.com")
    server.start()
    for i in range(5):
        server.kill("directory")
        address = f"u{i}@example.com"
        wait_for(lambda: server.children("directory"), 10, "directory to be back")
        server.cli("user", "add", address, "--password-stdin", input="secret\n", check=False)
        wait_for(lambda: rcpt(server, address) == 250, 10, f"{address} to be known")
        assert rcpt(server, "ann@example.com") == 250


def test_config_domains_reload(make_server):
    server = make_server()
    server.start()
    assert rcpt(server, "postmaster@later.example") == 553
    server.domains = ("example.com", "later.example")
    server.write_config()
    server.reload()
    wait_for(lambda: rcpt(server, "postmaster@later.example") == 250, 10, "the domain to be hosted")


# -- states -----------------------------------------------------------------


def test_first_version_is_brought_up_to_date(house):
    folder = house.state / "directory"
    folder.mkdir(parents=True)
    with sqlite3.connect(folder / "accounts.db") as db:
        db.executescript((pathlib.Path(__file__).parent / "accounts-1.sql").read_text())
    db.close()
    (ann,) = house.cli_json("user", "show", "ann@example.com")
    assert ann["state"] == "active" and ann["receive_only"] is False and ann["created"] == "1970-01-01T00:00:01Z"
    assert house.cli_json("alias", "list") == [
        {"address": "sales@example.com", "targets": ["ann@example.com"], "members_only": False, "members": []}]
    house.cli("user", "suspend", "ann@example.com", "--reason", "unpaid")
    house.cli("user", "show", "ann@example.com")  # opened again


def state_of(house, address="ann@example.com"):
    (row,) = house.cli_json("user", "show", address)
    return {k: row[k] for k in ("state", "reason", "new_address", "receive_only") if k in row}


def test_states(house):
    house.add_user("ann@example.com")
    assert state_of(house) == {"state": "active", "receive_only": False}
    house.cli("user", "suspend", "ann@example.com", "--reason", " unpaid since May ")
    assert state_of(house) == {"state": "suspended", "reason": "unpaid since May", "receive_only": False}
    assert "state:    suspended: unpaid since May\n" in house.cli("user", "show", "ann@example.com").stdout
    assert house.cli("user", "list").stdout == "ann@example.com suspended\n"
    house.cli("user", "set", "ann@example.com", "--state", "moved", "--new-address", "Ann@new.example", "--receive-only", "yes")
    assert state_of(house) == {"state": "moved", "new_address": "Ann@new.example", "receive_only": True}
    assert "state:    moved to Ann@new.example, may not send\n" in house.cli("user", "show", "ann@example.com").stdout
    house.cli("user", "resume", "ann@example.com")
    assert state_of(house) == {"state": "active", "receive_only": True}
    for state in ("disabled", "full", "active"):
        house.cli("user", "set", "ann@example.com", "--state", state, "--receive-only", "no")
        assert state_of(house) == {"state": state, "receive_only": False}


@pytest.mark.parametrize("words, status, says", [
    (["suspend", "ann@example.com"], 2, "expected --reason TEXT"),
    (["suspend", "ann@example.com", "--reason", " "], 2, "expected --reason TEXT"),
    (["suspend", "ann@example.com", "--reason", "two\nlines"], 2, "one line of at most 120 ASCII"),
    (["suspend", "ann@example.com", "--reason", "é"], 2, "one line of at most 120 ASCII"),
    (["suspend", "eve@example.com", "--reason", "x"], 1, "no account eve@example.com"),
    (["resume", "eve@example.com"], 1, "no account eve@example.com"),
    (["set", "ann@example.com"], 2, "expected --state or --receive-only"),
    (["set", "ann@example.com", "--state", "dead"], 2, "expected active, disabled, suspended, full or moved"),
    (["set", "ann@example.com", "--state", "suspended"], 2, "expected --reason TEXT"),
    (["set", "ann@example.com", "--state", "full", "--new-address", "x@y.example"], 2, "together with --state moved"),
    (["set", "ann@example.com", "--state", "moved", "--new-address", "x"], 2, "is no address"),
    (["set", "ann@example.com", "--state", "moved", "--new-address", "Ann@example.com"], 3, "cannot move to itself"),
    (["set", "ann@example.com", "--state", "active", "--kick"], 2, "together with a --state that is not active"),
    (["set", "ann@example.com", "--receive-only", "maybe"], 2, "expected yes or no"),
])
def test_wrong_states(house, words, status, says):
    house.add_user("ann@example.com")
    refused(house, status, "user", *words, says=says)
    assert state_of(house) == {"state": "active", "receive_only": False}


def test_members(house):
    house.add_user("ann@example.com")
    house.cli("alias", "add", "staff@example.com", "ann@example.com", "--members-only")
    house.cli("alias", "add", "all@example.com", "ann@example.com", "--members", "Boss@Example.com, @Other.Example")
    assert house.cli("alias", "list").stdout == (
        "all@example.com: ann@example.com (only from boss@example.com @other.example)\n"
        "staff@example.com: ann@example.com (members only)\n")
    house.cli("alias", "set", "all@example.com", "--everybody")
    house.cli("alias", "set", "staff@example.com", "--members", "ann@example.com")
    assert [(r["members_only"], r["members"]) for r in house.cli_json("alias", "list")] == [
        (False, []), (True, ["ann@example.com"])]
    refused(house, 2, "alias", "set", "all@example.com", says="expected --members-only, --members LIST or --everybody")
    refused(house, 2, "alias", "set", "all@example.com", "--everybody", "--members-only", says="expected --members-only")
    refused(house, 2, "alias", "set", "all@example.com", "--members", "x", says="is no address")
    refused(house, 1, "alias", "set", "no@example.com", "--members-only", says="no alias no@example.com")
