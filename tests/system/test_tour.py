# SPDX-License-Identifier: ISC
"""`make run ONCE=1`, with the binary under test and ports of its own."""
import os
import subprocess

from server import GATEPOST, SANITIZER, TOP, free_port


def tour(folder, **more):
    env = dict(os.environ, ONCE="1", GATEPOST=GATEPOST, RUN=str(folder), MX_PORT=str(free_port()), SUBMISSION_PORT=str(free_port()),
               ASAN_OPTIONS=f"{SANITIZER}{folder}/asan", UBSAN_OPTIONS=f"{SANITIZER}{folder}/ubsan", **more)
    return subprocess.run([str(TOP / "tools/run")], env=env, capture_output=True, text=True, timeout=180)


def test_six_steps_twice(need, tmp_path):
    need("swaks")
    for _ in range(2):  # the second time on the state of the first
        done = tour(tmp_path / "run")
        assert done.returncode == 0, done.stdout[-6000:] + done.stderr
        assert "6 of 6 steps came out." in done.stdout
        assert done.stdout.count("as it should be") == 6
    assert not list((tmp_path / "run").glob("*san.*"))


def test_taken_port_is_said(need, tmp_path):
    import socket

    need("swaks")
    with socket.create_server(("127.0.0.1", 0)) as s:
        env = dict(os.environ, ONCE="1", GATEPOST=GATEPOST, RUN=str(tmp_path), MX_PORT=str(s.getsockname()[1]), SUBMISSION_PORT=str(free_port()))
        done = subprocess.run([str(TOP / "tools/run")], env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "in use" in done.stderr
