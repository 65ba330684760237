"""A test fails in which something would have left this computer, whoever tried and whoever hid it."""

from __future__ import annotations

import ctypes
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from network_guard import local_only, native

if TYPE_CHECKING:
    from collections.abc import Callable

    Attempts = Callable[[], list[str]]

# Set aside for documentation: no computer has this address, and none this name.
ELSEWHERE = "192.0.2.1"
NAME = "somebody.example"


def connect() -> None:
    socket.create_connection((ELSEWHERE, 80), timeout=0.1)


def ask_for_a_name() -> None:
    socket.getaddrinfo(NAME, 80)


def ask_a_server_for_names() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.sendto(b"", ("127.0.0.53", 53))


def find_own_address() -> None:
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as finding:
        finding.connect(("2001:db8::1", 53))


@pytest.mark.parametrize(
    ("leave", "told"),
    [
        (connect, f"socket.connect {ELSEWHERE} port 80"),
        (ask_for_a_name, f"socket.getaddrinfo {NAME}"),
        (ask_a_server_for_names, "socket.sendto 127.0.0.53 port 53"),
        (find_own_address, "socket.connect 2001:db8::1 port 53"),
    ],
)
def test_what_would_leave_fails_and_is_told(leave: Callable[[], None], told: str, attempts: Attempts) -> None:
    with pytest.raises(OSError, match="let nothing leave this computer"):
        leave()
    (attempt,) = attempts()
    assert attempt.startswith(f"{told}, by {os.getpid()} ")
    assert f"{__file__}:" in attempt


HIDDEN = f"""
import multiprocessing, socket

def leave():
    try:
        socket.create_connection(({NAME!r}, 443))
    except Exception:
        pass

if __name__ == "__main__":
    child = multiprocessing.get_context("spawn").Process(target=leave)
    child.start()
    child.join()
"""


def test_a_childs_child_that_hides_it_is_told(tmp_path: Path, attempts: Attempts) -> None:
    (tmp_path / "hidden.py").write_text(HIDDEN)
    subprocess.run([sys.executable, tmp_path / "hidden.py"], check=True)
    (attempt,) = attempts()
    assert attempt.startswith(f"socket.getaddrinfo {NAME}, by ")


def test_this_computer_is_reached(attempts: Attempts) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
        pass
    socket.getaddrinfo("localhost", 80)
    socket.getaddrinfo(ELSEWHERE, 80)  # a number needs no look-up
    if hasattr(socket, "AF_UNIX"):
        one, other = socket.socketpair()
        one.close()
        other.close()
    assert attempts() == []


@pytest.mark.parametrize(
    ("host", "here"),
    [
        *((host, True) for host in ("127.8.9.1", "::1", "::ffff:127.0.0.1", "0.0.0.0", None)),  # noqa: S104
        *((host, False) for host in ("10.0.0.7", "::ffff:10.0.0.7", "<broadcast>", b"localhost.example")),
    ],
)
def test_which_hosts_are_this_computer(host: object, here: bool) -> None:
    assert local_only.is_this_computer(host) is here


@pytest.mark.skipif(not native.is_isolated(), reason="needs scripts/offline.sh, which `make test` uses")
def test_native_code_is_told(attempts: Attempts) -> None:
    # Python knows nothing of what the C library does here.
    ctypes.CDLL(None).gethostbyname(NAME.encode())
    (attempt,) = attempts()
    assert attempt.endswith("packets of native code found no way out")


INNER = f"""
import socket

def test_quiet():
    pass

def test_hides():
    try:
        socket.create_connection(({ELSEWHERE!r}, 80))
    except OSError:
        pass
"""


def test_a_test_fails_that_hides_an_attempt(tmp_path: Path, attempts: Attempts) -> None:
    (tmp_path / "test_inner.py").write_text(INNER)
    tests = str(Path(__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([os.environ["PYTHONPATH"], tests])}
    command = [sys.executable, "-m", "pytest", "-p", "network_guard.plugin", "-p", "no:cacheprovider", "-q", tmp_path]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "1 error" in done.stdout
    assert "2 passed" in done.stdout
    assert f"would have left this computer: socket.connect {ELSEWHERE} port 80" in done.stdout
    assert attempts() == []
