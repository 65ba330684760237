"""The receiver, with dcmtk's storescu as its peer."""

from __future__ import annotations

import socket
import subprocess
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from archive_peers.orthanc import free_port
from archive_peers.patients import write_scan
from napari_bonescint.archive.errors import ArchiveError, NotPossible
from napari_bonescint.archive.opening import open_archive
from napari_bonescint.archive.receiving import inbox as inbox_module
from napari_bonescint.archive.receiving.inbox import Inbox, Limits
from napari_bonescint.archive.receiving.receiver import Receiver, Refused
from napari_bonescint.archive.receiving.server import MOST_CONNECTIONS
from napari_bonescint.archive.records import Query, Received
from napari_bonescint.archive.setup.archive_setup import ArchiveSetup, Kind
from napari_bonescint.formats.opening import open_scan

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.archive, pytest.mark.usefixtures("_peers_are_there")]


class Station:
    def __init__(self, setup: ArchiveSetup, inbox: Inbox) -> None:
        self.setup, self.inbox = setup, inbox
        self.events: list[Received | Refused] = []
        self.receiver = Receiver(setup, inbox.take, self.events.append)

    def send(self, *paths: Path, calling: str = "WORKSTATION", called: str = "BONESCINT") -> bool:
        done = subprocess.run(
            ["storescu", "-aet", calling, "-aec", called, "127.0.0.1", str(self.setup.own_port), *paths],
            capture_output=True,
            check=False,
            timeout=30,
        )
        return done.returncode == 0


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    setup = ArchiveSetup(
        "ward", Kind.RECEIVER, own_port=free_port(), allowed_titles=("WORKSTATION",), answer_seconds=1.0
    )
    made = Station(setup, Inbox(tmp_path / "in", "ward"))
    made.receiver.start()
    yield made
    made.receiver.stop()


def test_a_workstation_sends(station: Station, tmp_path: Path) -> None:
    paths = [write_scan(tmp_path / f"{number}.dcm", number) for number in range(3)]
    assert station.send(*paths)
    assert all(isinstance(event, Received) for event in station.events)
    assert [open_scan(event.path).counts.sum() for event in station.events] == [
        open_scan(path).counts.sum() for path in paths
    ]
    station.receiver.stop()
    assert not station.send(paths[0])
    station.receiver.start()
    assert station.send(paths[0])
    assert not station.events[-1].is_new


def test_only_those_that_are_allowed_may_send(station: Station, tmp_path: Path) -> None:
    path = write_scan(tmp_path / "scan.dcm", 1)
    assert not station.send(path, calling="STRANGER")
    assert not station.send(path, called="ELSE")
    assert station.events == []
    assert not station.inbox.folder.exists()


def test_too_much_is_refused_and_told(station: Station, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_scan(tmp_path / "scan.dcm", 1)
    monkeypatch.setattr(inbox_module, "MOST_OBJECT_BYTES", 1000)
    assert not station.send(path)
    (event,) = station.events
    assert event == Refused(
        "WORKSTATION sent what was not taken: ward: sent an object of more than 0 MB, so it is no planar scan."
    )
    monkeypatch.undo()
    station.inbox.limits = Limits(objects=0)
    assert not station.send(path)
    assert "more than 0 objects" in station.events[-1].sentence


def test_a_full_disk_is_told_to_the_sender(station: Station, tmp_path: Path) -> None:
    (tmp_path / "in").write_text("no folder")
    assert not station.send(write_scan(tmp_path / "scan.dcm", 1))
    assert "cannot be made" in station.events[-1].sentence


def test_silent_and_wrong_peers_are_left_and_others_served(station: Station, tmp_path: Path) -> None:
    address = ("127.0.0.1", station.setup.own_port)
    silent = [socket.create_connection(address) for _ in range(3)]
    for wrong in (b"GET / HTTP/1.1\r\n\r\n", b"\x01\x00\xff\xff\xff\xff", b"\x04\x00\x7f\xff\xff\xff" + b"x" * 1000):
        with socket.create_connection(address) as peer:
            peer.sendall(wrong)
    assert station.send(write_scan(tmp_path / "scan.dcm", 1))
    for peer in silent:
        peer.settimeout(5)
        assert peer.recv(100)[:1] in (b"", b"\x07")  # closed, or aborted before
        peer.close()


def test_there_is_a_limit_to_connections(station: Station, tmp_path: Path) -> None:
    address = ("127.0.0.1", station.setup.own_port)
    peers = [socket.create_connection(address) for _ in range(3 * MOST_CONNECTIONS)]
    closed = 0
    for peer in peers:
        peer.settimeout(4)
        try:
            closed += peer.recv(1) == b""
        except OSError:
            closed += 1
        peer.close()
    assert closed >= 2 * MOST_CONNECTIONS
    time.sleep(1.5)
    assert station.send(write_scan(tmp_path / "scan.dcm", 1))


def test_a_taken_port_is_told(station: Station) -> None:
    other = replace(station.setup, address="192.0.2.7")
    with pytest.raises(ArchiveError, match=r"ward: cannot listen at 192\.0\.2\.7 port"):
        Receiver(other, station.inbox.take, station.events.append).start()


def test_such_an_archive_cannot_be_searched(station: Station) -> None:
    archive = open_archive(station.setup)
    with pytest.raises(NotPossible, match="cannot be searched; send images from a workstation"):
        archive.find_studies(Query())
    with pytest.raises(NotPossible, match="has no host, so it cannot be tested"):
        archive.echo()
