# SPDX-License-Identifier: ISC
"""Ten thousand clients that say nothing: they cost next to nothing, and the
next one is served as ever."""
import pathlib
import re
import resource
import select
import socket
import time

import pytest
from server import Server, message, wait_for

SESSIONS = 10000
KIB_EACH = 10


def resident_kib(pids):
    """What these processes have in memory, shared pages counted once a process."""
    status = (pathlib.Path(f"/proc/{pid}/status").read_text() for pid in pids)
    return sum(int(re.search(r"VmRSS:\s+(\d+) kB", text).group(1)) for text in status)


@pytest.fixture(scope="module")
def descriptors():
    """Room for both ends of every connection: ours here, the server's in its workers."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    need = SESSIONS + 500
    if hard != resource.RLIM_INFINITY and hard < need:
        pytest.skip(f"at most {hard} descriptors a process here, {need} needed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, need), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture(scope="module")
def office(descriptors):
    s = Server()
    try:
        s.add_user("ann@example.com")
        s.start()
        yield s
        s.stop()
    finally:
        s.close()


class Crowd:
    """Connections that are read by epoll, so that ten thousand of them are no work."""

    def __init__(self):
        self.sockets, self.poll, self.got = {}, select.epoll(), {}

    def join(self, port, n, said=b"EHLO client.example\r\n", answered=b"250 DSN\r\n"):
        """n more, a hundred at a time, each greeted, then saying something once."""
        for _ in range(n // 100):
            new = []
            for _ in range(100):
                s = socket.create_connection(("127.0.0.1", port), 20)
                self.sockets[s.fileno()], self.got[s.fileno()] = s, b""
                self.poll.register(s, select.EPOLLIN)
                new.append(s)
            self.wait(new, b"220 ")
            for s in new:
                s.sendall(said)
            self.wait(new, answered)

    def wait(self, new, what):
        waiting = {s.fileno() for s in new}
        end = time.monotonic() + 60
        while waiting:
            assert time.monotonic() < end, f"{len(waiting)} clients were not answered"
            for fd, _ in self.poll.poll(1):
                more = self.sockets[fd].recv(4096)
                assert more, "the server hung up"
                self.got[fd] += more
                if what in self.got[fd]:
                    self.got[fd] = b""
                    waiting.discard(fd)

    def leave(self):
        for s in self.sockets.values():
            s.close()
        self.poll.close()


def test_ten_thousand_idle_sessions(office, record_property):
    crowd = Crowd()
    try:
        crowd.join(office.mx_port, 500)  # what a process needs at first is no session's
        pids = office.children("receive")
        before = resident_kib(pids)
        crowd.join(office.mx_port, SESSIONS - 500)
        each = (resident_kib(pids) - before) / (SESSIONS - 500)
        record_property("kib_each", each)
        print(f"{each:.2f} KiB a session")
        assert each <= KIB_EACH

        started = time.monotonic()
        with office.smtp() as s:
            s.sendmail("far@far.example", ["ann@example.com"], message())
        office.wait_mail("ann@example.com")
        assert time.monotonic() - started < 10
        assert len(office.children("receive")) == len(pids) and office.children("receive") == pids
    finally:
        crowd.leave()
    wait_for(lambda: len(list(pathlib.Path(f"/proc/{pids[0]}/fd").iterdir())) < 100, 30, "the sessions to be gone")


def test_idle_in_the_middle(office):
    """In a transaction, half a command said: that is kept, and little more."""
    crowd = Crowd()
    said = b"EHLO client.example\r\nMAIL FROM:<far@far.example>\r\nRCPT TO:<ann@example.com>\r\nRCPT TO:<someone@exa"
    try:
        crowd.join(office.mx_port, 500, said, b"250 2.1.5 ")
        pids = office.children("receive")
        before = resident_kib(pids)
        crowd.join(office.mx_port, 2000, said, b"250 2.1.5 ")
        each = (resident_kib(pids) - before) / 2000
        print(f"{each:.2f} KiB a session")
        assert each <= KIB_EACH
    finally:
        crowd.leave()
