# SPDX-License-Identifier: ISC
"""The admin's lists in SQLite and in PostgreSQL, asked by real servers."""
import contextlib
import re
import select
import socket
import sqlite3
import struct
import threading
import time

import pytest

from server import message, wait_for
from test_lists import BAD, mail, rcpt


@pytest.fixture
def database(tmp_path):
    path = tmp_path / "lists.db"
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("CREATE TABLE badmailfrom (address TEXT PRIMARY KEY)")
    db.execute("INSERT INTO badmailfrom VALUES ('spam@far.example'), ('@bad.example'), ('.worse.example')")
    db.execute("CREATE TABLE users (mail TEXT PRIMARY KEY, note TEXT)")
    db.execute("INSERT INTO users VALUES ('ann@example.com', 'the boss')")
    yield path, db
    db.close()


def start(server):
    for user in ("ann@example.com", "bob@example.com"):
        server.add_user(user)
    return server.start()


def test_sqlite(make_server, database):
    path, db = database
    server = start(make_server(more=f'gate {{ badmailfrom = "sqlite:{path}" '
                                    f'validrcptto = "sqlite:{path}?SELECT 1, note FROM users WHERE mail = ?" }}'))
    with server.smtp() as s:
        s.ehlo()
        for sender, expected in [("spam@far.example", BAD), ("x@bad.example", BAD), ("x@a.worse.example", BAD), ("ok@far.example", "yes")]:
            assert mail(s, sender) == expected, sender
        assert rcpt(s, "ann@example.com") == "yes"
        assert rcpt(s, "bob@example.com") == "not-in-validrcptto"
        # the command line asks the same database
        code, text = check(server, "x@bad.example", "ann@example.com")
        assert code == 3 and "badmailfrom (@bad.example)" in text, text
        assert check(server, "ok@far.example", "ann@example.com")[0] == 0
        # a change is in force with the next question
        db.execute("INSERT INTO users VALUES ('bob@example.com', NULL)")
        assert rcpt(s, "bob@example.com") == "yes"
        # another writer holds the database: the answer waits, others do not
        db.execute("BEGIN EXCLUSIVE")
        assert mail(s, "spam@far.example") == "later"
        db.execute("ROLLBACK")
        assert mail(s, "spam@far.example") == BAD
        # another file in its place
        other = sqlite3.connect(path.with_name("other.db"), isolation_level=None)
        other.execute("CREATE TABLE badmailfrom (address TEXT PRIMARY KEY)")
        other.execute("CREATE TABLE users (mail TEXT PRIMARY KEY, note TEXT)")
        other.close()
        path.with_name("other.db").rename(path)
        assert mail(s, "spam@far.example") == "yes"
        path.unlink()
        assert mail(s, "spam@far.example") == "later"
    assert "list-database" in server.log() and str(path) in server.log()


def check(server, sender, recipient):
    done = server.cli("check", "mail", "--ip", "192.0.2.9", "--from", sender, "--to", recipient, check=False)
    return done.returncode, done.stdout + done.stderr


def test_wrong_query(make_server, database):
    path, _ = database
    server = start(make_server(more=f'gate {{ badmailfrom = "sqlite:{path}?SELECT 1 FROM nowhere WHERE a = ?" '
                                    f'rcpthosts = "sqlite:{path}?SELECT 1" }}'))
    with server.smtp() as s:
        s.ehlo()
        assert mail(s, "ok@far.example") == "later"
    assert "no such table: nowhere" in server.log()


@pytest.fixture(scope="module")
def tables(postgres):
    postgres.sql("""CREATE TABLE badmailfrom (address text PRIMARY KEY);
        INSERT INTO badmailfrom VALUES ('spam@far.example'), ('@bad.example'), ('.worse.example');
        CREATE TABLE users (mail text PRIMARY KEY, note text);
        INSERT INTO users VALUES ('ann@example.com', 'the boss');""")
    return postgres


def test_postgres(make_server, tables):
    info = tables.conninfo
    server = start(make_server(more=f'gate {{ badmailfrom = "postgres:{info}" '
                                    f'validrcptto = "postgres:{info}?SELECT 1, note FROM users WHERE mail = $1" }}'))
    with server.smtp() as s:
        s.ehlo()
        for sender, expected in [("spam@far.example", BAD), ("x@bad.example", BAD), ("x@a.worse.example", BAD), ("ok@far.example", "yes"),
                                 ("o'k--@far.example", "yes")]:
            assert mail(s, sender) == expected, sender
        assert rcpt(s, "ann@example.com") == "yes"
        assert rcpt(s, "bob@example.com") == "not-in-validrcptto"
        code, text = check(server, "x@a.worse.example", "ann@example.com")
        assert code == 3 and "badmailfrom (.worse.example)" in text, text
        assert check(server, "ok@far.example", "ann@example.com")[0] == 0
        tables.sql("INSERT INTO users VALUES ('bob@example.com', NULL)")
        assert rcpt(s, "bob@example.com") == "yes"
        s.rset()
        s.sendmail("ok@far.example", ["ann@example.com", "bob@example.com"], message())
    server.wait_mail("ann@example.com")
    # many sessions at once, pipelined, and each gets its own answers
    sessions = [server.raw() for _ in range(30)]
    for i, (_, f) in enumerate(sessions):
        f.write(b"EHLO c.example\r\n")
        while f.readline()[3:4] == b"-":
            pass
        f.write(b"MAIL FROM:<%s@far.example>\r\nRSET\r\n" % (b"spam" if i % 3 == 0 else b"ok") * 20)
    for i, (sock, f) in enumerate(sessions):
        for _ in range(20):
            line = f.readline()
            while line[3:4] == b"-":
                line = f.readline()
            assert line[:3] == (b"550" if i % 3 == 0 else b"250"), (i, line)
            assert f.readline()[:3] == b"250"
        sock.close()


def test_postgres_goes_away(make_server, tables):
    server = start(make_server(more=f'gate {{ badmailfrom = "postgres:{tables.conninfo}" }}'))
    with server.smtp() as s:
        s.ehlo()
        assert mail(s, "spam@far.example") == BAD
        tables.stop()
        try:
            code, text = check(server, "ok@far.example", "ann@example.com")
            assert code == 3 and "list-trouble" in text and "refused" in text, text
            wait_for(lambda: mail(s, "spam@far.example") == "later", 10, "a temporary refusal")
            began = time.monotonic()
            assert mail(s, "spam@far.example") == "later"
            assert time.monotonic() - began < 3  # nobody waits for what is known to be away
        finally:
            tables.start()
        wait_for(lambda: mail(s, "spam@far.example") == BAD, 40, "the database to be asked again")
        assert mail(s, "ok@far.example") == "yes"
        # an error in one query spoils that one only
        tables.sql("ALTER TABLE badmailfrom RENAME TO elsewhere")
        assert mail(s, "spam@far.example") == "later"
        tables.sql("ALTER TABLE elsewhere RENAME TO badmailfrom")
        assert mail(s, "spam@far.example") == BAD
        # a connection that is cut while nobody asks is made anew in silence
        tables.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'gatepost'")
        assert mail(s, "spam@far.example") == BAD


def test_postgres_that_is_silent(make_server, tables):
    """A lock nobody gives up: the question ends in time, the server serves."""
    server = start(make_server(more=f'gate {{ badmailfrom = "postgres:{tables.conninfo}" }}'))
    with server.smtp() as s:
        s.ehlo()
        assert mail(s, "spam@far.example") == BAD
        locker = threading.Thread(target=tables.psql, args=("BEGIN; LOCK badmailfrom IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(7); COMMIT;",))
        locker.start()
        time.sleep(0.5)
        assert mail(s, "spam@far.example") == "later"
        locker.join()
        wait_for(lambda: mail(s, "spam@far.example") == BAD, 40, "the database to be asked again")
    assert "does not answer" in server.log()


class Flights:
    """Stands in front of PostgreSQL and counts the ways there: octets to it,
    then octets from it."""

    def __init__(self, port):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port, self.to, self.there = self.listener.getsockname()[1], port, 0
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.carry, args=(client,), daemon=True).start()

    def carry(self, client):
        outward = False
        with client, contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.to)) as server:
            while True:
                for sock in select.select([client, server], [], [])[0]:
                    octets = sock.recv(1 << 16)
                    if not octets:
                        return
                    if sock is client and not outward:
                        self.there += 1
                        time.sleep(0.01)  # what belongs together comes together
                    outward = sock is client
                    (server if outward else client).sendall(octets)

    def close(self):
        self.listener.close()


def say(f, text):
    """The replies to these commands, their codes and what stands behind."""
    f.write(text.encode())
    f.flush()
    return [reply(f) for _ in range(text.count("\r\n"))]


def reply(f):
    line = f.readline().decode()
    while line[3:4] == "-":
        line = f.readline().decode()
    return line[:3]


GROUP = 150

# A refusal, RSET and another MAIL in the middle; each recipient's own reply.
MIXED = [
    ("MAIL FROM:<ok@far.example>", "250"), ("RCPT TO:<u1@example.com>", "250"), ("RCPT TO:<nobody@example.com>", "553"),
    ("RCPT TO:<u2@example.com>", "250"), ("RCPT TO:<u2@elsewhere.example>", "553"), ("MAIL FROM:<spam@far.example>", "503"),
    ("RSET", "250"), ("RCPT TO:<u3@example.com>", "503"), ("MAIL FROM:<spam@far.example>", "550"), ("RCPT TO:<u4@example.com>", "503"),
    ("NOOP", "250"), ("MAIL FROM:<x@bad.example>", "550"), ("RCPT TO:<no syntax>", "503"), ("MAIL FROM:<ok@far.example>", "250"),
    ("RCPT TO:<no syntax>", "501"), ("RCPT TO:<u1@example.com>", "250"), ("RCPT TO:<U1@EXAMPLE.com>", "250"),
    ("RCPT TO:<also.nobody@example.com>", "553"), ("RCPT TO:<u59@example.com>", "250"), ("RSET", "250"), ("MAIL FROM:<>", "250"),
    ("RCPT TO:<u5@example.com>", "250"),
]


def groups(server, batches):
    """Plays groups, each in one packet; batches(): how many there were so far."""
    sock, f = server.raw()
    with sock:
        assert say(f, "EHLO c.example\r\n") == ["250"]
        # connected to the database by now
        assert say(f, "MAIL FROM:<ok@far.example>\r\nRCPT TO:<u0@example.com>\r\nRSET\r\n") == ["250"] * 3
        before = batches()
        group = "MAIL FROM:<ok@far.example>\r\n" + "".join(
            f"RCPT TO:<{'u' if i % 3 else 'nobody'}{i}@example.com>\r\n" for i in range(GROUP))
        assert say(f, group) == ["250"] + ["250" if i % 3 else "553" for i in range(GROUP)]
        assert 0 < batches() - before <= 4, "look-ups of one group went a recipient at a time"
        assert say(f, "RSET\r\n") == ["250"]
        before = batches()
        assert say(f, "".join(f"{c}\r\n" for c, _ in MIXED)) == [code for _, code in MIXED]
        assert 0 < batches() - before <= 4
        # more than is asked at once
        many = [f"u{i % GROUP}" if i % 5 else f"nobody{i}" for i in range(700)]
        assert say(f, "RSET\r\nMAIL FROM:<ok@far.example>\r\n" + "".join(f"RCPT TO:<{name}@example.com>\r\n" for name in many)) == \
            ["250"] * 2 + ["250" if name[0] == "u" else "553" for name in many]
        # the group goes on into the content, which is no command
        assert say(f, "RSET\r\nMAIL FROM:<ok@far.example>\r\nRCPT TO:<nobody@example.com>\r\nRCPT TO:<u7@example.com>\r\nDATA\r\n") == \
            ["250", "250", "553", "250", "354"]
        f.write(b"RCPT TO:<u8@example.com>\r\n.\r\n")
        assert reply(f) == "250"
    assert "RCPT TO:<u8@example.com>" in str(server.wait_mail("u7@example.com")[0])
    # clients that die in the middle of their group leave nothing behind
    for _ in range(5):
        sock, f = server.raw()
        f.write(b"EHLO c.example\r\n" + group.encode())
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        f.close()
        sock.close()
    with server.smtp() as s:
        s.ehlo()
        assert rcpt(s, "u1@example.com") == "yes" and rcpt(s, "nobody@example.com") == "not-in-validrcptto"


USERS = [f"u{i}@example.com" for i in range(GROUP)]


def test_a_group_is_asked_at_once_postgres(make_server, postgres):
    postgres.sql("CREATE TABLE boxes (mail text PRIMARY KEY); CREATE TABLE bad (address text PRIMARY KEY);"
                 "INSERT INTO bad VALUES ('spam@far.example'), ('@bad.example');"
                 f"INSERT INTO boxes VALUES {', '.join(f'($${u}$$)' for u in USERS)}")
    flights = Flights(postgres.port)
    try:
        info = postgres.conninfo.replace(f"port={postgres.port}", f"port={flights.port}")
        server = make_server(workers=1, more=f'''gate {{
            badmailfrom = "postgres:{info}?SELECT 1 FROM bad WHERE address = $1"
            validrcptto = "postgres:{info}?SELECT 1 FROM boxes WHERE mail = $1" }}''').start()
        groups(server, lambda: flights.there)
        # what was asked ahead when the database went is a temporary refusal, for all of the group, and in order
        sock, f = server.raw()
        with sock:
            assert say(f, "EHLO c.example\r\n") == ["250"]
            postgres.stop()
            codes = say(f, "MAIL FROM:<>\r\n" + "".join(f"RCPT TO:<u{i}@example.com>\r\n" for i in range(GROUP)))
            assert codes == ["250"] + ["451"] * GROUP
            postgres.start()
            wait_for(lambda: say(f, "RCPT TO:<u1@example.com>\r\n") == ["250"], 40, "the database to be asked again")
    finally:
        flights.close()


def test_a_group_is_asked_at_once_sqlite(make_server, database):
    path, db = database
    db.executemany("INSERT INTO users VALUES (?, NULL)", [(u,) for u in USERS])
    server = make_server(workers=1, more=f'''gate {{
        badmailfrom = "sqlite:{path}"
        validrcptto = "sqlite:{path}?SELECT 1 FROM users WHERE mail = ?" }}''').start()
    directory = server.children("directory")[0]

    def wakings():
        """How often directory's loop slept and was woken: twice for a batch, by receive and by its pool."""
        status = open(f"/proc/{directory}/task/{directory}/status").read()
        return int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", status, re.M)[1])

    groups(server, lambda: wakings() / 4)
