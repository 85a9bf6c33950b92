# SPDX-License-Identifier: ISC
"""A small DNS server on loopback for tests, with the records it is told.

As a script it reads lines from standard input until an empty one, prints the
port it listens on, and ends when standard input is closed:

    example.net      MX   10 mx1.example.net
    nomail.example   MX   0 .
    mx1.example.net  A    127.0.0.1
    www.example.net  CNAME mx1.example.net
    a.example        TXT  some text
    broken.example   SERVFAIL
    silent.example   DROP

A name without records, and without names below it, does not exist.
"""

import ipaddress
import socket
import struct
import sys
import threading

TYPES = {"A": 1, "CNAME": 5, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28}
SERVFAIL, NXDOMAIN = 2, 3


def encode_name(name):
    out = b""
    for label in name.strip(".").split("."):
        if label:
            out += bytes([len(label)]) + label.encode()
    return out + b"\0"


def encode_rdata(kind, value):
    if kind in ("A", "AAAA"):
        return ipaddress.ip_address(value).packed
    if kind == "MX":
        preference, host = value.split()
        return struct.pack("!H", int(preference)) + encode_name(host)
    if kind == "TXT":
        text = value.encode()
        parts = [text[i:i + 255] for i in range(0, len(text), 255)] or [b""]
        return b"".join(bytes([len(p)]) + p for p in parts)
    return encode_name(value)


class DnsServer:
    """Answers on `port` of 127.0.0.1 until close(); `asked` lists (name, type)."""

    def __init__(self, records=""):
        self.records = {}
        self.special = {}
        self.asked = []
        for line in records.splitlines():
            self.add(line)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def add(self, line):
        fields = line.split(None, 2)
        if not fields:
            return
        name, kind = fields[0].lower().strip("."), fields[1]
        if kind in ("SERVFAIL", "DROP"):
            self.special[name] = kind
        else:
            self.records.setdefault(name, []).append((kind, fields[2]))

    def close(self):
        self.socket.close()

    def serve(self):
        while True:
            try:
                packet, peer = self.socket.recvfrom(4096)
                reply = self.answer(packet)
                if reply is not None:
                    self.socket.sendto(reply, peer)
            except OSError:
                return

    def answer(self, packet):
        ident, flags = struct.unpack("!HH", packet[:4])
        at, labels = 12, []
        while packet[at]:
            labels.append(packet[at + 1:at + 1 + packet[at]].decode().lower())
            at += 1 + packet[at]
        question = packet[12:at + 5]
        name, kind = ".".join(labels), struct.unpack("!H", packet[at + 1:at + 3])[0]
        self.asked.append((name, kind))

        if self.special.get(name) == "DROP":
            return None
        found = self.records.get(name, [])
        rcode = 0
        if name in self.special:
            rcode = SERVFAIL
        elif not found and not any(n.endswith("." + name) for n in self.records):
            rcode = NXDOMAIN
        answers = [(k, v) for k, v in found if TYPES[k] == kind or k == "CNAME"]
        body = question
        for k, v in answers:
            data = encode_rdata(k, v)
            body += b"\xc0\x0c" + struct.pack("!HHIH", TYPES[k], 1, 60, len(data)) + data
        return struct.pack("!HHHHHH", ident, 0x8180 | flags & 0x0100 | rcode, 1,
                           len(answers), 0, 0) + body


def main():
    lines = []
    for line in sys.stdin:
        if not line.strip():
            break
        lines.append(line)
    server = DnsServer("".join(lines))
    print(server.port, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
