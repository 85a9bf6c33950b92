# SPDX-License-Identifier: ISC
"""A small SMTP server that does as it is told: the world, for the tour and the
system tests. It keeps what it takes and answers from a script.

    sink = Sink()
    sink.rcpt["no@far.example"] = "553 sorry, no mailbox here by that name (#5.1.1)"
    ... sink.port ... sink.messages ... sink.wait(1) ... sink.close()
"""
import base64
import re
import socket
import socketserver
import ssl
import threading
import time


class Message:
    def __init__(self, session, sender, params):
        self.sender = sender  # "" for the null path
        self.params = params  # of MAIL FROM
        self.rcpts = []
        self.rcpt_params = []
        self.data = b""  # CRLF lines, dots removed
        self.helo = session.helo
        self.tls = session.tls
        self.auth = session.auth
        self.connection = session.number


class Sink:
    """Replies are texts, lists (one an attempt, the last one stays) or
    functions of the address; None takes."""

    def __init__(self, port=0, host="127.0.0.1", context=None, users=None, extensions=("PIPELINING", "8BITMIME", "SMTPUTF8",
                 "SIZE 104857600", "ENHANCEDSTATUSCODES", "DSN")):
        self.rcpt = {}  # address -> reply
        self.reply = {}  # "connect", "ehlo", "mail", "rcpt", "data", "end", "starttls" -> reply
        self.delay = {}  # the same keys -> seconds
        self.context = context  # ssl.SSLContext: offers STARTTLS
        self.users = users  # {name: password}: offers AUTH and wants it
        self.extensions = list(extensions)
        self.messages = []
        self.connections = 0
        self.commands = []  # every line, for looking at
        self.lock = threading.Lock()
        self.open = set()

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True
            request_queue_size = 128
            address_family = socket.AF_INET6 if ":" in host else socket.AF_INET

        self.server = Server((host, port), lambda *a: Session(self, *a))
        self.host, self.port = self.server.server_address[:2]
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        with self.lock:
            for s in self.open:
                try:
                    s.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def wait(self, n=1, timeout=20, to=None):
        """n messages (for that recipient) have come; returns them."""
        end = time.monotonic() + timeout
        while True:
            with self.lock:
                found = [m for m in self.messages if to is None or to in m.rcpts]
            if len(found) >= n:
                return found
            if time.monotonic() > end:
                raise AssertionError(f"the sink has {len(found)} of {n} messages for {to or 'anybody'}")
            time.sleep(0.02)

    def answer(self, table, key, argument=""):
        value = table.get(key)
        if callable(value):
            value = value(argument)
        if isinstance(value, list):
            with self.lock:
                value = value.pop(0) if len(value) > 1 else value[0]
        return value


class Session(socketserver.StreamRequestHandler):
    def __init__(self, sink, *args):
        self.sink = sink
        super().__init__(*args)

    def setup(self):
        super().setup()
        with self.sink.lock:
            self.sink.connections += 1
            self.number = self.sink.connections
            self.sink.open.add(self.request)
        self.helo, self.tls, self.auth, self.message = "", False, None, None

    def finish(self):
        with self.sink.lock:
            self.sink.open.discard(self.request)
        try:
            super().finish()
            self.request.close()
        except OSError:
            pass

    def say(self, text):
        self.wfile.write("".join(line + "\r\n" for line in text.split("\n")).encode())

    def scripted(self, stage, default, argument=""):
        """Says the scripted reply, or the default; true if it was a 2xx or 3xx."""
        time.sleep(self.sink.delay.get(stage, 0))
        reply = self.sink.answer(self.sink.reply, stage, argument) or default
        if reply == "close":
            raise ConnectionAbortedError
        self.say(reply)
        return reply[0] in "23"

    def handle(self):
        try:
            if not self.scripted("connect", "220 sink.example ESMTP"):
                return
            while self.step():
                pass
        except (OSError, ValueError):
            pass

    def step(self):
        line = self.rfile.readline(65536)
        if not line.endswith(b"\n"):
            return False
        text = line.decode("utf-8", "replace").rstrip("\r\n")
        with self.sink.lock:
            self.sink.commands.append(text)
        verb, _, rest = text.partition(" ")
        handler = getattr(self, "do_" + verb.lower(), None)
        if handler is None:
            self.say("500 5.5.1 what?")
            return True
        return handler(rest) is not False

    def do_ehlo(self, rest):
        self.helo = rest
        lines = ["sink.example"] + self.sink.extensions
        if self.sink.context and not self.tls:
            lines.append("STARTTLS")
        if self.sink.users is not None:
            lines.append("AUTH PLAIN LOGIN")
        self.scripted("ehlo", "\n".join("250" + ("-" if i < len(lines) - 1 else " ") + l for i, l in enumerate(lines)))

    def do_helo(self, rest):
        self.helo = rest
        self.say("250 sink.example")

    def do_starttls(self, rest):
        if not self.scripted("starttls", "220 2.0.0 go" if self.sink.context else "502 5.5.1 no"):
            return
        self.wfile.flush()
        self.request = self.sink.context.wrap_socket(self.request, server_side=True)
        self.rfile, self.wfile = self.request.makefile("rb"), self.request.makefile("wb", 0)
        self.tls = True

    def do_auth(self, rest):
        kind, _, first = rest.partition(" ")

        def ask(prompt):
            self.say("334 " + prompt)
            return self.rfile.readline().strip().decode()

        if kind.upper() == "PLAIN":
            name, password = base64.b64decode(first or ask("")).decode().split("\0")[1:3]
        else:
            name = base64.b64decode(first or ask("VXNlcm5hbWU6")).decode()
            password = base64.b64decode(ask("UGFzc3dvcmQ6")).decode()
        if (self.sink.users or {}).get(name) == password:
            self.auth = name
            self.say("235 2.7.0 welcome")
        else:
            self.say("535 5.7.8 no")

    def path(self, rest):
        m = re.match(r"\w+:\s*<([^>]*)>\s*(.*)$", rest)
        return (m.group(1), m.group(2)) if m else (None, None)

    def do_mail(self, rest):
        sender, params = self.path(rest)
        if sender is None:
            return self.say("501 5.5.4 syntax")
        if self.sink.users is not None and self.auth is None:
            return self.say("530 5.7.0 log in first")
        if self.scripted("mail", "250 2.1.0 ok", sender):
            self.message = Message(self, sender, params)

    def do_rcpt(self, rest):
        address, params = self.path(rest)
        if self.message is None or address is None:
            return self.say("503 5.5.1 MAIL first")
        reply = self.sink.answer(self.sink.rcpt, address, address)
        if reply is not None and reply[0] != "2":
            time.sleep(self.sink.delay.get("rcpt", 0))
            return self.say(reply)
        if self.scripted("rcpt", reply or "250 2.1.5 ok", address):
            self.message.rcpts.append(address)
            self.message.rcpt_params.append(params)

    def do_data(self, rest):
        if self.message is None or not self.message.rcpts:
            return self.say("554 5.5.1 no valid recipients")
        if not self.scripted("data", "354 go"):
            return
        lines = []
        while True:
            line = self.rfile.readline()
            if not line:
                return False
            if line == b".\r\n":
                break
            lines.append(line[1:] if line.startswith(b".") else line)
        message, self.message = self.message, None
        message.data = b"".join(lines)
        time.sleep(self.sink.delay.get("end", 0))
        reply = self.sink.answer(self.sink.reply, "end", message) or "250 2.0.0 taken"
        if reply == "close":
            return False
        if reply[0] == "2":  # before the reply is seen, so that waiting finds it
            with self.sink.lock:
                self.sink.messages.append(message)
        self.say(reply)

    def do_bdat(self, rest):
        size, _, last = rest.partition(" ")
        data = self.rfile.read(int(size))
        if self.message is None or not self.message.rcpts:
            return self.say("554 5.5.1 no valid recipients")
        self.message.data += data
        if not last:
            return self.say("250 2.0.0 more")
        message, self.message = self.message, None
        with self.sink.lock:
            self.sink.messages.append(message)
        self.say("250 2.0.0 taken")

    def do_rset(self, rest):
        self.message = None
        self.say("250 2.0.0 ok")

    def do_noop(self, rest):
        self.say("250 2.0.0 ok")

    def do_quit(self, rest):
        self.say("221 2.0.0 bye")
        return False


def server_context(certificate, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context
