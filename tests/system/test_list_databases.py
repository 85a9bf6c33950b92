# SPDX-License-Identifier: ISC
"""The admin's lists in SQLite and in PostgreSQL, asked by real servers."""
import sqlite3
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
