# SPDX-License-Identifier: ISC
"""A DNS server with a few names, over UDP and TCP on 127.0.0.1.

    dns = DnsServer()
    dns.add("far.example", "MX", (10, "mx.far.example"))
    dns.add("mx.far.example", "A", "127.0.0.1")
    dns.broken.add("sick.example")      # SERVFAIL
    dns.silent.add("slow.example")      # no answer at all
    ... f"127.0.0.1@{dns.port}" ...

As a script it reads lines "NAME TYPE VALUE" up to an empty one (types as above,
or BROKEN, SILENT), prints its port and ends when standard input is closed.
"""
import ipaddress
import socket
import struct
import sys
import threading

TYPES = {"A": 1, "CNAME": 5, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28}


def encode_name(name):
    out = b""
    for label in name.rstrip(".").split("."):
        if label:
            out += bytes([len(label)]) + label.encode()
    return out + b"\0"


def encode_record(kind, value):
    if kind in ("A", "AAAA"):
        return ipaddress.ip_address(value).packed
    if kind == "MX":
        return struct.pack(">H", value[0]) + encode_name(value[1])
    if kind == "TXT":
        return bytes([len(value)]) + value.encode()
    return encode_name(value)


class DnsServer:
    def __init__(self, ttl=0):
        self.records = {}  # (name, type number) -> [data]
        self.names = set()
        self.broken, self.silent = set(), set()
        self.queries = []
        self.ttl = ttl
        while True:  # one number for both protocols
            self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.udp.bind(("127.0.0.1", 0))
            self.port = self.udp.getsockname()[1]
            self.tcp = socket.socket()
            self.tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                self.tcp.bind(("127.0.0.1", self.port))
                break
            except OSError:
                self.udp.close()
                self.tcp.close()
        self.tcp.listen(16)
        for target in (self.serve_udp, self.serve_tcp):
            threading.Thread(target=target, daemon=True).start()

    def add(self, name, kind, value):
        name = name.lower().rstrip(".")
        self.names.add(name)
        self.records.setdefault((name, TYPES[kind]), []).append(encode_record(kind, value))

    def close(self):
        for s in (self.udp, self.tcp):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            s.close()

    def serve_udp(self):
        try:
            while True:
                query, peer = self.udp.recvfrom(65535)
                if len(query) < 17:
                    continue
                answer = self.answer(query)
                if answer:
                    self.udp.sendto(answer, peer)
        except OSError:
            pass

    def serve_tcp(self):
        try:
            while True:
                connection, _ = self.tcp.accept()
                with connection:
                    n = struct.unpack(">H", connection.recv(2))[0]
                    answer = self.answer(connection.recv(n))
                    if answer:
                        connection.sendall(struct.pack(">H", len(answer)) + answer)
        except (OSError, struct.error):
            pass

    def answer(self, query):
        number, flags = struct.unpack(">HH", query[:4])
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1 : at + 1 + query[at]].decode("latin-1"))
            at += 1 + query[at]
        name = ".".join(labels).lower()
        kind = struct.unpack(">H", query[at + 1 : at + 3])[0]
        question = query[12 : at + 5]
        self.queries.append((name, kind))
        if name in self.silent:
            return None
        code, answers = 0, []
        if name in self.broken:
            code = 2
        else:
            cname = self.records.get((name, TYPES["CNAME"]))
            if cname and kind != TYPES["CNAME"]:
                answers = [(question[:-4], TYPES["CNAME"], cname[0])]
                target = self.decode(cname[0])
                answers += [(cname[0], kind, d) for d in self.records.get((target, kind), [])]
            else:
                answers = [(b"\xc0\x0c", kind, d) for d in self.records.get((name, kind), [])]
            if not answers and name not in self.names and not any(n.endswith("." + name) for n in self.names):
                code = 3
        out = struct.pack(">HHHHHH", number, 0x8180 | (flags & 0x0110) | code, 1, len(answers), 0, 0) + question
        for owner, k, data in answers:
            out += owner + struct.pack(">HHIH", k, 1, self.ttl, len(data)) + data
        return out

    @staticmethod
    def decode(wire):
        labels, at = [], 0
        while wire[at]:
            labels.append(wire[at + 1 : at + 1 + wire[at]].decode())
            at += 1 + wire[at]
        return ".".join(labels).lower()


def main():
    dns = DnsServer()
    for line in sys.stdin:
        name, kind, value = (line.split(None, 2) + ["", "", ""])[:3]
        if not name:
            break
        if kind in ("BROKEN", "SILENT"):
            (dns.broken if kind == "BROKEN" else dns.silent).add(name)
        elif kind == "MX":
            preference, host = value.split()
            dns.add(name, kind, (int(preference), host))
        else:
            dns.add(name, kind, value.strip())
    print(dns.port, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
