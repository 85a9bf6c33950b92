# SPDX-License-Identifier: ISC
"""Fixtures: a server, the world it sends to, names in DNS, real peers.

`server` is shared by the tests of one file and has two accounts, ann and bob
(password "secret"), and a smarthost, `sink`, shared too. A test that kills,
reloads or needs a config of its own asks for `make_server`.
"""
import os
import pathlib
import shutil
import sys

import pytest

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "tools"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from dnsserver import DnsServer  # noqa: E402
from peers import Postfix, Postgres, SmtpSink  # noqa: E402
from server import GATEPOST, Server  # noqa: E402
from sink import Sink  # noqa: E402


def pytest_collection_modifyitems(config, items):
    if not os.access(GATEPOST, os.X_OK):
        raise pytest.UsageError(f"{GATEPOST} is not there: build it first")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test shows the end of its servers' logs."""
    report = (yield).get_result()
    if report.when == "call" and report.failed:
        for value in item.funcargs.values():
            for server in value if isinstance(value, list) else [value]:
                if isinstance(server, Server) and server.log_file.exists():
                    report.sections.append(("server log", server.log()[-6000:]))


@pytest.fixture(scope="module")
def sink():
    s = Sink()
    yield s
    s.close()


@pytest.fixture(scope="module")
def server(sink):
    s = Server(relay=f'smarthost = "127.0.0.1:{sink.port}"')
    try:
        s.add_user("ann@example.com")
        s.add_user("bob@example.com")
        s.start()
        yield s
        s.stop()
    finally:
        s.close()


@pytest.fixture
def make_server():
    """make_server(**config): not started; stopped and removed afterwards."""
    made = []

    def make(**kwargs):
        made.append(Server(**kwargs))
        return made[-1]

    make.made = made
    yield make
    try:
        for s in made:
            s.stop()
    finally:
        for s in made:
            s.close()


@pytest.fixture
def make_sink():
    made = []

    def make(**kwargs):
        made.append(Sink(**kwargs))
        return made[-1]

    yield make
    for s in made:
        s.close()


@pytest.fixture
def dns():
    d = DnsServer()
    yield d
    d.close()


@pytest.fixture
def make_postfix():
    """make_postfix(**as in peers.py): not started; removed afterwards."""
    made = []

    def make(**kwargs):
        made.append(Postfix(**kwargs))
        return made[-1]

    yield make
    for p in made:
        p.close()


@pytest.fixture
def make_smtp_sink():
    made = []

    def make(*args):
        made.append(SmtpSink(*args))
        return made[-1]

    yield make
    for s in made:
        s.close()


@pytest.fixture(scope="module")
def postgres():
    """A running PostgreSQL with an empty database, shared by one file's tests."""
    p = Postgres()
    try:
        yield p.start()
    finally:
        p.close()


@pytest.fixture
def need():
    """need("swaks"): skips the test where that program is missing."""

    def check(program):
        path = shutil.which(program)
        if path is None:
            pytest.skip(f"{program} is not installed")
        return path

    return check
