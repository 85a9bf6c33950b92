# SPDX-License-Identifier: ISC
"""The way from the spool to the doors out: what is in hand when something
dies, aliases, mailboxes that cannot be written, the commands that look in."""
import os
import socket
import subprocess
import threading
import time

from server import GATEPOST, message, wait_for


class SlowSink:
    """Takes its time between the end of a message and the 250."""

    def __init__(self, seconds):
        self.seconds, self.taken = seconds, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        f = client.makefile("rwb")

        def say(text):
            f.write(text + b"\r\n")
            f.flush()

        say(b"220 slow")
        for line in f:
            verb = line[:4].upper()
            if verb == b"DATA":
                say(b"354 go")
                while f.readline() not in (b".\r\n", b""):
                    pass
                self.taken += 1
                time.sleep(self.seconds)
                say(b"250 ok")
            elif verb == b"QUIT":
                say(b"221 bye")
                return
            else:
                say(b"250 ok")

    def close(self):
        self.listener.close()


def relaying(make_server, port, **more):
    server = make_server(relay=f'smarthost = "127.0.0.1:{port}" networks = {{"127.0.0.1"}}', **more)
    server.add_user("ann@example.com")
    server.add_user("bob@example.com")
    return server.start()


def send(server, *rcpts, sender="sender@far.example", subject="Hello"):
    with server.smtp() as s:
        assert s.sendmail(sender, list(rcpts), message(sender=sender, to=", ".join(rcpts), subject=subject)) == {}


def test_a_worker_outlives_the_queue(make_server):
    """What a worker has in hand when the queue dies is not given out again."""
    sink = SlowSink(3)
    server = relaying(make_server, sink.port)
    send(server, "friend@far.example")
    wait_for(lambda: sink.taken == 1)
    server.kill("queue")
    wait_for(lambda: server.children("queue"))
    server.wait_empty()
    time.sleep(1)
    assert sink.taken == 1
    assert server.log().count(" relayed ") == 1
    sink.close()


def test_reload_with_work_in_hand(make_server):
    sink = SlowSink(2)
    server = relaying(make_server, sink.port)
    send(server, "friend@far.example")
    wait_for(lambda: sink.taken == 1)
    server.reload()
    send(server, "friend@far.example", subject="Another")
    server.wait_empty()
    assert sink.taken == 2
    sink.close()


def test_a_worker_dies_at_work(make_server):
    """Its message is tried again, by another."""
    sink = SlowSink(1)
    server = relaying(make_server, sink.port)
    send(server, "friend@far.example")
    wait_for(lambda: sink.taken == 1)
    for pid in server.children("send"):
        os.kill(pid, 9)
    server.wait_empty()
    assert sink.taken == 2
    sink.close()


def test_aliases(make_server, make_sink):
    """One message, two aliases, nobody gets it twice."""
    sink = make_sink()
    server = relaying(make_server, sink.port)
    server.cli("alias", "add", "team@example.com", "ann@example.com", "bob@example.com", "friend@far.example")
    server.cli("alias", "add", "all@example.com", "team@example.com", "ann@example.com")
    send(server, "all@example.com", "team@example.com")
    assert sink.wait(1)[0].rcpts == ["friend@far.example"]
    server.wait_empty()
    assert len(server.mail("ann@example.com")) == len(server.mail("bob@example.com")) == 1
    assert len(sink.messages) == 1


def test_an_alias_target_that_is_refused(make_server, make_sink):
    """The bounce names the address that the sender wrote to."""
    sink = make_sink()
    sink.rcpt["gone@far.example"] = "553 sorry, no mailbox here by that name (#5.1.1)"
    server = relaying(make_server, sink.port)
    server.cli("alias", "add", "sales@example.com", "gone@far.example")
    send(server, "sales@example.com", sender="bob@example.com")
    bounce = server.wait_mail("bob@example.com")[0]
    assert bounce["X-Failed-Recipients"] == "sales@example.com"


def test_mailbox_in_the_way(make_server, make_sink):
    """A mailbox that cannot be written now: deferred with a clear reply."""
    server = relaying(make_server, make_sink().port, queue="retry-min = 1h")
    folder = server.mail_folder("ann@example.com")
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_text("not a folder")
    send(server, "ann@example.com")
    entry = wait_for(lambda: [q for q in server.queue() if q["attempts"] == 1])[0]
    assert "set up wrongly" in entry["last_reply"]
    folder.unlink()
    server.cli("queue", "retry", entry["id"])
    server.wait_mail("ann@example.com")
    server.wait_empty()


def test_commands(make_server, make_sink):
    sink = make_sink()
    for name in ("one", "two"):
        sink.rcpt[f"{name}@{name}.example"] = "450 4.2.1 later"
    server = relaying(make_server, sink.port, queue="retry-min = 1h")
    assert server.cli("queue", "list").stdout == "The queue is empty.\n"
    send(server, "one@one.example", sender="ann@example.com")
    send(server, "two@two.example", sender="bob@example.com")
    wait_for(lambda: len([q for q in server.queue() if q["attempts"] == 1]) == 2)

    one = server.cli_json("queue", "list", "--domain", "one.example")
    assert [q["recipients"] for q in one] == [["one@one.example"]]
    assert one[0]["sender"] == "ann@example.com" and one[0]["size"] > 0
    assert [q["sender"] for q in server.cli_json("queue", "list", "--to", "TWO@two.example")] == ["bob@example.com"]
    assert server.cli("queue", "list", "--from", "nobody@example.com", check=False).returncode == 1
    assert server.cli("queue", "show", "zzz-zzz", check=False).returncode == 1
    assert server.cli("queue", "remove", check=False).returncode == 2
    details = server.cli_json("queue", "show", one[0]["id"])[0]["details"]
    assert details[0]["last_reply"] == "450 4.2.1 later" and details[0]["state"] == "waiting"

    mailq = server.root / "mailq"
    mailq.symlink_to(GATEPOST)
    done = subprocess.run([mailq, "--config", server.config], capture_output=True, text=True, timeout=20, env=server.environment())
    assert done.returncode == 0 and "2 messages" in done.stdout

    server.cli("queue", "remove", "--from", "bob@example.com")
    assert [q["sender"] for q in server.queue()] == ["ann@example.com"]
    sink.rcpt.clear()
    server.cli("queue", "retry", "--domain", "one.example")
    sink.wait(1)
    server.wait_empty()


def test_a_long_queue(make_server, make_sink):
    """Hundreds of messages for a destination that is not there hold up nobody."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    server = relaying(make_server, port, queue="retry-min = 1h destination-window = 4 max-in-flight = 50")
    with server.smtp() as s:
        for n in range(300):
            s.sendmail("sender@far.example", [f"x{n}@far.example"], message(subject=str(n)))
    send(server, "ann@example.com")
    server.wait_mail("ann@example.com")
    wait_for(lambda: len([q for q in server.queue() if q["attempts"] == 1]) == 300, 60)
    server.cli("queue", "remove", "--domain", "far.example")
    assert server.queue() == []
