"""The receiver with TLS, with dcmtk's storescu as its peer."""

from __future__ import annotations

import socket
import subprocess
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from archive_peers.orthanc import free_port
from archive_peers.patients import write_scan
from napari_bonescint.archive.receiving.inbox import Inbox
from napari_bonescint.archive.receiving.receiver import Receiver, Refused
from napari_bonescint.archive.receiving.server import MOST_CONNECTIONS
from napari_bonescint.archive.records import Received
from napari_bonescint.archive.setup.archive_setup import ArchiveSetup, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Start = Callable[..., "Ward"]

pytestmark = [pytest.mark.archive, pytest.mark.usefixtures("_peers_are_there")]


class Ward:
    """A receiver with TLS, and a workstation that sends to it."""

    def __init__(self, setup: ArchiveSetup, folder: Path, certificates: Path) -> None:
        self.setup, self.certificates = setup, certificates
        self.events: list[Received | Refused] = []
        self.receiver = Receiver(setup, Inbox(folder / "in", "ward").take, self.events.append)
        self.scan = write_scan(folder / "scan.dcm", 1)
        self.receiver.start()

    def send(self, *options: str) -> bool:
        address = ["127.0.0.1", str(self.setup.own_port)]
        done = subprocess.run(
            ["storescu", *options, "-aet", "WORKSTATION", "-aec", "BONESCINT", *address, self.scan],
            cwd=self.certificates,
            capture_output=True,
            check=False,
            timeout=30,
        )
        return done.returncode == 0

    def told(self) -> str:
        """The next sentence about a connection that was refused."""
        until = time.monotonic() + 10
        while time.monotonic() < until:
            for event in self.events:
                if isinstance(event, Refused):
                    self.events.remove(event)
                    return event.sentence
            time.sleep(0.02)
        raise AssertionError("nothing was refused")


def is_closed(peer: socket.socket) -> bool:
    """Wait until the other end closes a connection."""
    with peer:
        peer.settimeout(5)
        try:
            return peer.recv(1) == b""
        except ConnectionResetError:
            return True


@pytest.fixture
def start(certificates: Path, tmp_path: Path) -> Iterator[Start]:
    setup = ArchiveSetup(
        "ward",
        Kind.RECEIVER,
        own_port=free_port(),
        own_tls=True,
        certificate=str(certificates / "server.pem"),
        key=str(certificates / "server.key"),
        allowed_titles=("WORKSTATION",),
        answer_seconds=1.0,
    )
    wards: list[Ward] = []

    def start(**changes: str) -> Ward:
        wards.append(Ward(replace(setup, **changes), tmp_path, certificates))
        return wards[-1]

    yield start
    for ward in wards:
        ward.receiver.stop()


def test_a_scan_comes_by_tls_and_not_without(start: Start) -> None:
    ward = start()
    assert ward.send("+tla", "+cf", "authority.pem")
    (event,) = ward.events
    assert isinstance(event, Received)
    assert event.path.read_bytes()[128:132] == b"DICM"
    assert not ward.send()
    assert ward.told() == "a connection from 127.0.0.1 was refused: it does not speak TLS; switch TLS on there."
    assert not ward.send()  # the same is not told again and again
    assert not ward.send("+tla", "+cf", "stranger.pem")
    assert "it does not trust the certificate of this computer" in ward.told()
    assert ward.send("+tls", "server.key", "server.pem", "+cf", "authority.pem")


def test_senders_show_a_certificate_of_the_authority(start: Start, certificates: Path) -> None:
    ward = start(sender_authority=str(certificates / "authority.pem"))
    assert ward.send("+tls", "server.key", "server.pem", "+cf", "authority.pem")
    for options, why in (
        (("+tla",), "it shows no certificate; set one up there"),
        (("+tls", "stranger.key", "stranger.pem"), "its certificate is from another authority than that for senders"),
        (("+tls", "server.key", "old.pem"), "its certificate is out of date"),
    ):
        assert not ward.send(*options, "+cf", "authority.pem")
        assert why in ward.told()


def test_peers_that_do_not_begin_tls_keep_nobody_waiting(start: Start) -> None:
    ward = start()
    address = ("127.0.0.1", ward.setup.own_port)
    silent = [socket.create_connection(address) for _ in range(MOST_CONNECTIONS // 2)]
    slow = socket.create_connection(address)
    slow.sendall(b"\x16\x03\x01\x02")
    assert ward.send("+tla", "+cf", "authority.pem")
    further = [socket.create_connection(address) for _ in range(2 * MOST_CONNECTIONS)]
    assert all(map(is_closed, (*silent, slow, *further)))
    assert ward.told().endswith("it does not speak TLS, or is too slow.")
    assert ward.send("+tla", "+cf", "authority.pem")


def test_stopping_ends_those_that_begin(start: Start) -> None:
    ward = start()
    peer = socket.create_connection(("127.0.0.1", ward.setup.own_port))
    ward.receiver.stop()
    assert not ward.send("+tla", "+cf", "authority.pem")
    assert is_closed(peer)
