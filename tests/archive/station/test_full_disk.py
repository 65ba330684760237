"""A disk that is really full (a small one in memory, which root may make): one sentence, and nothing is lost."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pydicom
import pytest

from archive_peers.patients import write_scan
from archive_peers.results import seg_of
from napari_bonescint.archive.receiving.inbox import Inbox, TooMuch
from napari_bonescint.archive.sending.outbox import Outbox
from napari_bonescint.archive.sending.outgoing import prepare
from napari_bonescint.archive.setup.archive_setup import ArchiveSetup, Kind
from napari_bonescint.archive.setup.setups_file import FILE_VARIABLE, keep_setup, read_setups
from napari_bonescint.archive.station import queue
from napari_bonescint.archive.station.making import ScanResults
from napari_bonescint.archive.station.station import Station
from napari_bonescint.files.atomic import CannotWrite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from napari_bonescint.inference.model_card import ModelCard

SECONDS = 60
FULL = "No space left on device"


class Disk:
    """A disk of 4 MB."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    def fill(self) -> None:
        with self._filler.open("ab", buffering=0) as filler:
            while True:
                try:
                    filler.write(bytes(4096))
                except OSError:
                    return

    def make_room(self) -> None:
        self._filler.unlink()

    def files(self, pattern: str = "*") -> list[str]:
        return sorted(path.name for path in self.folder.rglob(pattern) if path.is_file() and path != self._filler)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    if sys.platform != "linux":
        pytest.skip("such a disk is made on Linux alone")
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tests", folder], capture_output=True, check=False)
    if made.returncode:
        pytest.skip("only root can make a small disk")
    yield Disk(folder)
    subprocess.run(["umount", "--lazy", folder], check=True)


def test_an_inbox_keeps_no_part_and_goes_on_after_room_was_made(disk: Disk, tmp_path: Path) -> None:
    content = write_scan(tmp_path / "scan.dcm", 1).read_bytes()
    inbox = Inbox(disk.folder / "in", "pacs")
    disk.fill()
    with pytest.raises(CannotWrite, match=FULL):
        inbox.take(content)
    assert disk.files() == []
    disk.make_room()
    assert inbox.take(content).path.read_bytes() == content


def test_an_outbox_keeps_whole_parcels_and_set_ups_stay(
    disk: Disk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan = write_scan(tmp_path / "scan.dcm", 1)
    objects = prepare([seg_of(scan, tmp_path / "seg.dcm")], scan)
    outbox = Outbox(disk.folder / "outbox")
    first = outbox.put("pacs", objects, "first")
    monkeypatch.setenv(FILE_VARIABLE, str(disk.folder / "archives.json"))
    setup = ArchiveSetup("pacs", Kind.DICOMWEB, url="https://pacs.example/dicom-web")
    keep_setup(setup)
    disk.fill()
    with pytest.raises(CannotWrite, match=FULL):
        outbox.put("pacs", objects, "second")
    with pytest.raises(CannotWrite, match=FULL):
        keep_setup(ArchiveSetup("other", Kind.DICOMWEB, url="https://pacs.example/dicom-web"))
    assert read_setups() == (setup,)
    assert outbox.parcels() == (first,)
    assert [each.content for each in first.objects()] == [each.content for each in objects]
    first.remove(objects[0].instance_uid)  # what has arrived leaves a full disk, too
    assert outbox.parcels() == ()
    disk.make_room()
    assert outbox.put("pacs", objects, "second").files


def test_a_station_waits_for_room_and_goes_on(
    disk: Disk, tmp_path: Path, make_model: Callable[..., ModelCard], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "_FREE_BYTES", 2**19)
    told: list[str] = []
    make = ScanResults(make_model(), "cpu")
    station = Station(disk.folder / "station", "ward", make, None, told.append, settle_seconds=0.0)
    scans = [write_scan(tmp_path / f"{number}.dcm", number) for number in range(3)]
    broken = write_scan(tmp_path / "broken.dcm", 9, PixelData=bytes(2))
    for path in (*scans[:2], broken):
        station.receive(path.read_bytes())
    disk.fill()
    with pytest.raises(TooMuch, match="has no room for further scans; make room on the disk"):
        station.receive(scans[2].read_bytes())
    waiting = disk.files("*.dcm")
    over = threading.Event()
    working = threading.Thread(target=station.run, args=(over.is_set,))
    working.start()

    def wait_for(condition: Callable[[], bool]) -> None:
        until = time.monotonic() + SECONDS
        while not condition():
            assert time.monotonic() < until, told
            assert working.is_alive(), told
            time.sleep(0.02)

    try:
        wait_for(lambda: bool(told))
        assert FULL in told[0]
        assert told[0].endswith("Next try in 2 s; nothing is lost.")
        assert disk.files("*.dcm") == waiting
        disk.make_room()
        station.receive(scans[2].read_bytes())
        wait_for(lambda: len(list((disk.folder / "station" / "done").iterdir())) == 4)
    finally:
        over.set()
        working.join(SECONDS)
    kinds = [pydicom.dcmread(path).Modality for path in (disk.folder / "station" / "results").rglob("*.dcm")]
    assert sorted(kinds) == ["NM"] * 3 + ["SEG"] * 3
    assert sorted(path.suffix for path in (disk.folder / "station" / "failed").iterdir()) == [".dcm", ".txt"]
    assert station.describe() == "0 waiting, 3 done, 1 failed."
