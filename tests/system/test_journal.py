# SPDX-License-Identifier: ISC
"""What happened, and asking about it: why, trace, rejects."""
import json
import os
import re
import shutil
import signal
import smtplib
import time

import pytest
from server import message, wait_for


def refused(s, recipient):
    """The incident id of the refusal of a recipient."""
    code, text = s.rcpt(recipient)
    assert code == 553, (code, text)
    return text.decode().split()[-1]


def ask(server, *args, status=0):
    done = server.cli(*args, check=False)
    assert done.returncode == status, (args, done.stdout, done.stderr)
    return done.stdout if status == 0 else done.stderr


def asked(server, *args):
    """Until the journal has written it: a moment."""
    return wait_for(lambda: server.cli_json(*args), 10, f"an answer to {args}")


def test_why_of_a_refusal(server):
    with server.smtp() as s:
        s.ehlo("pc.far.example")
        s.mail("sender@far.example")
        incident = refused(s, "friend@other.example")
    event = asked(server, "why", incident)[0]
    assert event["event"] == "refused" and event["reason"] == "relay-denied"
    assert event["client"] == "127.0.0.1" and event["helo"] == "pc.far.example"
    assert event["sender"] == "sender@far.example" and event["recipients"] == ["friend@other.example"]
    assert event["reply"].startswith("553") and incident in event["reply"]
    decided = [c for c in event["checks"] if c.get("decided")]
    assert [c["check"] for c in decided] == [event["check"]] and decided[0]["result"] == "refused"
    assert any(c["result"] == "passed" for c in event["checks"]) and event["next"] and event["who"]
    text = ask(server, "why", incident)
    for part in (incident, "relay-denied", "friend@other.example", "<- decided", "what to do"):
        assert part in text, text
    # What is to be done stands there whole, however its lines are parted.
    words = " ".join(text.split())
    for advice in (event["meaning"], event["next"], "who acts " + event["who"]):
        assert " ".join(advice.split()) in words, text
    # As somebody reads it aloud.
    assert incident in ask(server, "why", incident.lower().replace("-", ""))
    # The session has a name, too.
    assert [e["incident"] for e in asked(server, "why", event["session"])] == [incident]


def test_as_it_was_read_aloud(server):
    """Neither O nor I nor L is in a name: who reads a zero or a one so means that."""
    incident = ""
    while not {"0", "1"} <= set(incident):
        with server.smtp() as s:
            s.ehlo()
            s.mail("aloud@far.example")
            incidents = [refused(s, "x@other.example") for _ in range(10)]
        incident = next((i for i in incidents if {"0", "1"} <= set(i)), "")
    for zero, one in ("OI", "ol"):
        aloud = incident.replace("0", zero).replace("1", one).replace("-", " ")
        assert [e["incident"] for e in asked(server, "why", aloud)] == [incident]


def test_why_names_the_line_of_the_config(make_server):
    server = make_server(more='gate {\n  own-domain = login\n  badmailfrom = "file:bad"\n}')
    (server.root / "bad").write_text("@spam.example\n")
    server.start()
    with server.smtp() as s:
        s.ehlo()
        code, text = s.mail("x@spam.example")
        assert code == 550
    incident = text.decode().split()[-1]
    event = asked(server, "why", incident)[0]
    line = server.config.read_text().splitlines().index('  badmailfrom = "file:bad"') + 1
    assert (event["check"], event["option"], event["line"]) == ("badmailfrom", "gate.badmailfrom", line)
    assert f"gate.badmailfrom, line {line} of the config" in ask(server, "why", incident)


def test_a_sessions_repeats_are_counted(server):
    with server.smtp() as s:
        s.ehlo()
        s.mail("guess@far.example")
        incidents = [refused(s, f"nobody{i}@example.com") for i in range(15)]
    assert len(set(incidents)) == 10 and len(set(incidents[9:])) == 1
    event = wait_for(lambda: [e for e in server.cli_json("why", incidents[-1]) if e["count"] == 6])[0]
    assert event["recipients"] == ["nobody9@example.com"] and event["last"] >= event["time"]
    found = server.cli_json("trace", "--from", "guess@far.example")
    assert len(found) == 10 and sum(e["count"] for e in found) == 15
    by_reason = {e["reason"]: e["count"] for e in server.cli_json("rejects", "--from", "guess@far.example")}
    assert by_reason == {"unknown-recipient": 15}
    by_sender = {e["sender"]: e["count"] for e in server.cli_json("rejects", "--by", "sender")}
    assert by_sender["guess@far.example"] == 15


def test_the_story_of_a_message(server):
    with server.smtp() as s:
        s.ehlo()
        s.mail("writer@far.example")
        s.rcpt("ann@example.com")
        s.rcpt("bob@example.com")
        code, text = s.data(message(subject="story"))
        assert code == 250
    id = re.search(r"kept as (\S+)", text.decode())[1]
    events = wait_for(lambda: [e for e in [server.cli_json("why", id)] if len(e) >= 3])[0]
    assert [e["event"] for e in events] == ["accepted", "delivered", "delivered"]
    assert events[0]["recipients"] == ["ann@example.com", "bob@example.com"] and events[0]["size"] > 100
    for filters in (["--to", "BOB@example.com"], ["--domain", "far.example"], ["--id", id], ["--from", "<writer@far.example>"],
                    ["--from", "writer@far.example", "--ip", "127.0.0.1", "--since", "1h"]):
        found = server.cli_json("trace", *filters)
        assert [e["event"] for e in found if e.get("message") == id] == ["accepted", "delivered", "delivered"], (filters, found)
    assert f"message {id}" in ask(server, "trace", "--to", "bob@example.com")


def test_each_filter_leaves_out(server):
    """What does not match is not shown, by trace as by rejects."""
    for sender, client, recipient in (("one@one.example", "127.0.0.3", "nobody@example.com"),
                                      ("two@two.example", "127.0.0.4", "x@other.example")):
        with smtplib.SMTP("127.0.0.1", server.mx_port, source_address=(client, 0), timeout=30) as s:
            s.ehlo()
            s.mail(sender)
            incident = refused(s, recipient)
        asked(server, "why", incident)
    today = time.strftime("%Y-%m-%d", time.gmtime())
    everything = server.cli_json("trace", "--limit", "0")
    for filters, key, value in ((["--ip", "127.0.0.3"], "client", "127.0.0.3"), (["--from", "One@one.example"], "sender", "one@one.example"),
                                (["--domain", "two.example"], "sender", "two@two.example"),
                                (["--to", "x@other.example"], "recipients", ["x@other.example"]),
                                (["--reason", "unknown-recipient"], "reason", "unknown-recipient"),
                                (["--reason", "relay-denied", "--ip", "127.0.0.4"], "client", "127.0.0.4")):
        found = server.cli_json("trace", *filters, "--limit", "0")
        assert found and all(e[key] == value for e in found) and len(found) < len(everything), filters
        rows = server.cli_json("rejects", *filters)
        assert sum(r["count"] for r in rows) == sum(e["count"] for e in found), filters
    for times, n in ((["--since", "1h"], 2), (["--since", today], 2), (["--at", time.strftime("%H:%M", time.gmtime())], 2),
                     (["--since", "2099-01-01"], 0), (["--until", "2001-01-01"], 0), (["--at", "2001-01-01T10:32"], 0)):
        found = [e for e in server.cli_json("trace", *times) if e.get("client") in ("127.0.0.3", "127.0.0.4")]
        assert len(found) == n, times
    by_rule = {r["rule"]: r["count"] for r in server.cli_json("rejects", "--domain", "two.example", "--by", "rule")}
    assert by_rule == {"relay": 1}


def test_logins(server):
    with server.submission("ann@example.com", "secret") as s:
        s.noop()
    with server.submission() as s:
        with pytest.raises(smtplib.SMTPAuthenticationError) as e:
            s.login("bob@example.com", "wrong")
    incident = e.value.smtp_error.decode().split()[-1]
    event = asked(server, "why", incident)[0]
    assert event["event"] == "login-failed" and event["login"] == "bob@example.com" and event["reason"] == "login-failed"
    found = asked(server, "trace", "--auth", "ann@example.com")
    assert "login" in [e["event"] for e in found] and {e["login"] for e in found} == {"ann@example.com"}
    for filters in ([], ["--auth", "bob@example.com"]):
        assert {r["reason"]: r["count"] for r in server.cli_json("rejects", *filters)}["login-failed"] >= 1
    with server.submission("bob@example.com", "secret") as s:
        s.sendmail("bob@example.com", ["ann@example.com"], message(sender="bob@example.com"))
    found = wait_for(lambda: [e for e in server.cli_json("trace", "--auth", "bob@example.com") if e["event"] == "delivered"])
    assert len(found) == 1  # the story of a message of theirs, whole


def test_relayed_deferred_failed_and_told(make_server, make_sink):
    sink = make_sink()
    sink.rcpt["later@far.example"] = "451 4.2.1 try later"
    sink.rcpt["never@far.example"] = "550 5.1.1 no such user"
    server = make_server(relay=f'smarthost = "127.0.0.1:{sink.port}"', queue="retry-min = 5m give-up = 1h")
    server.add_user("ann@example.com")
    server.cli("alias", "add", "team@example.com", "ann@example.com")
    server.start()
    rcpts = ["friend@far.example", "later@far.example", "never@far.example", "team@example.com"]
    with server.submission("ann@example.com", "secret") as s:
        assert s.sendmail("ann@example.com", rcpts, message(sender="ann@example.com")) == {}
    def story():
        found = server.cli_json("trace", "--auth", "ann@example.com")
        kinds = {e["event"]: e for e in found if e.get("message")}
        return kinds if {"accepted", "relayed", "deferred", "failed", "bounced", "expanded", "delivered"} <= kinds.keys() else None
    events = wait_for(story)
    assert str(sink.port) in events["relayed"]["remote"] and events["relayed"]["reply"].startswith("250")
    assert events["deferred"]["reply"].startswith("451") and events["deferred"]["next_attempt"] > events["deferred"]["time"]
    assert events["failed"]["reply"].startswith("550 5.1.1") and events["failed"]["detail"] == "the sender is told"
    assert events["expanded"]["recipients"] == ["team@example.com"]
    bounce = events["bounced"]["related"]
    assert "as message " + bounce in ask(server, "why", bounce)
    # A message taken out of the queue says so.
    id = events["accepted"]["message"]
    server.cli("queue", "remove", id)
    wait_for(lambda: "removed" in [e["event"] for e in server.cli_json("why", id)])
    assert "550 5.1.1 no such user" in ask(server, "why", id)


def test_rejects(server):
    with server.smtp() as s:
        s.ehlo()
        s.mail("count@far.example")
        incident = refused(s, "x@other.example")
    asked(server, "why", incident)
    for by in ("reason", "rule", "sender"):
        rows = server.cli_json("rejects", "--since", "24h", "--by", by)
        assert rows and all(by in row and row["count"] > 0 for row in rows)
    assert {"sender": "count@far.example", "count": 1}.items() <= [
        r for r in server.cli_json("rejects", "--by", "sender") if r["sender"] == "count@far.example"][0].items()
    assert "relay-denied" in ask(server, "rejects")


def test_what_is_not_there(server):
    assert "nothing is kept about 00000-00000" in ask(server, "why", "00000-00000", status=1)
    assert "nothing" in ask(server, "trace", "--from", "nobody@nowhere.example", status=1)
    assert "is no time" in ask(server, "trace", "--since", "yesterday", status=2)
    assert "is no address" in ask(server, "trace", "--ip", "192.0.2.0/24", status=2)
    assert "expected reason, rule or sender" in ask(server, "rejects", "--by", "colour", status=2)
    assert "nothing" in ask(server, "rejects", "--until", "2001-01-01", status=1)


def test_no_server_and_damage(make_server):
    server = make_server()
    assert "holds nothing yet" in ask(server, "why", "00000-00000", status=1)
    server.start()
    with server.smtp() as s:
        s.ehlo()
        s.mail("a@far.example")
        incident = refused(s, "x@other.example")
    server.stop()  # the last events are written on the way down
    assert incident in ask(server, "why", incident)
    day = next((server.state / "journal").glob("*.db"))
    assert day.stat().st_mode & 0o077 == 0
    day.write_bytes(b"x" * 8192)
    assert "left out" in ask(server, "why", incident, status=1)
    server.start()
    wait_for(lambda: "journal-damaged" in server.log())
    with server.smtp() as s:
        s.ehlo()
        s.mail("a@far.example")
        again = refused(s, "x@other.example")
    asked(server, "why", again)
    done = server.cli("why", incident, check=False)
    assert done.returncode == 1 and "unknown number of events" in done.stderr and "set aside" in done.stderr, done.stderr


def test_retention(make_server):
    """Days that ended longer ago go, with what lies beside them, at the start
    and when the config says less."""
    server = make_server(more="journal { retention = 20d }")
    server.start()
    wait_for(lambda: list((server.state / "journal").glob("*.db")))
    server.stop()
    (today,) = (server.state / "journal").glob("*.db")

    def day(ago):
        return today.with_name(time.strftime("%Y-%m-%d.db", time.gmtime(time.time() - ago * 86400)))

    for ago in (5, 19, 22):
        shutil.copy(today, day(ago))
    day(22).with_name(day(22).name + "-damaged-1").write_text("x")
    (today.parent / "2001-01-01.txt").write_text("not ours")
    server.start()
    wait_for(lambda: not day(22).exists())
    assert day(5).exists() and day(19).exists() and not day(22).with_name(day(22).name + "-damaged-1").exists()
    assert (today.parent / "2001-01-01.txt").exists() and f"file={day(22).name}" in server.log()
    server.more = "journal { retention = 10d }"
    server.write_config()
    server.reload()
    wait_for(lambda: not day(19).exists())
    assert day(5).exists() and today.exists()


def test_nobody_waits_for_the_journal(make_server):
    """It stands still, then it is killed, again and again: mail goes on."""
    server = make_server(workers=1)
    server.add_user("ann@example.com")
    server.start()
    pid = server.children("journal")[0]
    os.kill(pid, signal.SIGSTOP)
    began = time.monotonic()
    with server.smtp() as s:
        for i in range(30):
            s.sendmail("a@far.example", ["ann@example.com"], message(subject=str(i)))
    server.wait_mail("ann@example.com", 30)
    assert time.monotonic() - began < 10
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: server.children("journal") not in ([], [pid]), 10, "another journal")
    # What the dead one had not written is told to the next.
    count = lambda kind: len([e for e in server.cli_json("trace", "--from", "a@far.example", "--limit", "0") if e["event"] == kind])
    wait_for(lambda: count("accepted") == 30 and count("delivered") == 30, 10, "all of the events, once")
    for _ in range(3):
        server.kill("journal")
        with server.smtp() as s:
            s.sendmail("b@far.example", ["ann@example.com"], message())
        wait_for(lambda: server.children("journal"), 10)
    server.wait_mail("ann@example.com", 33)
    wait_for(lambda: len([e for e in server.cli_json("trace", "--from", "b@far.example") if e["event"] == "delivered"]) == 3, 10)


def test_overload_is_counted(make_server):
    """Away for longer than rooms remember: what is lost has a number, and who
    asks for it hears so."""
    server = make_server(workers=1)
    server.start()
    with server.smtp() as s:
        s.ehlo()
        s.mail("first@far.example")
        asked(server, "why", refused(s, "x@other.example"))
    os.kill(server.children("journal")[0], signal.SIGSTOP)
    # Twelve a session: the last two are repeats, and count like the others.
    commands = b"".join(b"MAIL FROM:<%s%d@far.example>\r\nRCPT TO:<x@other.example>\r\nRSET\r\n" % (b"y" * 50, i) for i in range(12))
    for _ in range(900):
        s, f = server.raw()
        f.write(b"EHLO " + b".".join([b"c" * 50] * 4) + b".example\r\n" + commands + b"QUIT\r\n")
        text = f.read()
        while text and b"221 " not in text:
            more = f.read()
            text = text + more if more else b""
        s.close()
    with server.smtp() as s:
        s.ehlo()
        s.mail("last@far.example")
        incident = refused(s, "x@other.example")
    os.kill(server.children("journal")[0], signal.SIGCONT)
    done = wait_for(lambda: [d for d in [server.cli("why", incident, check=False)] if "dropped between" in d.stderr], 20)[0]
    assert done.returncode == 1
    found = re.search(r"(\d+) events dropped between (\d{4}-\d\d-\d\d \d\d:\d\d) and \S+ UTC: the journal was behind", done.stderr)
    assert found, done.stderr
    kept = wait_for(lambda: sum(r["count"] for r in server.cli_json("rejects") if "reason" in r), 10)
    assert kept + int(found[1]) == 900 * 12 + 2
    assert "dropped between" in server.cli("rejects").stderr
    for other_times in (["--until", "2001-01-01"], ["--since", "2099-01-01"]):
        assert "dropped" not in server.cli("trace", *other_times, check=False).stderr
    gap = [json.loads(line) for line in server.cli("trace", "--since", "1h", "--limit", "1", "--json").stdout.splitlines()][-1]
    assert gap["event"] == "dropped" and gap["count"] == int(found[1])
