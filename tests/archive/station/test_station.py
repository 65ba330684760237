"""The unattended station, with storescu that sends and Orthanc that gets the results."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pydicom
import pytest

from archive_peers.orthanc import Orthanc, free_port
from archive_peers.patients import write_scan
from napari_bonescint.archive.sending.outbox import Outbox
from napari_bonescint.archive.setup.archive_setup import ArchiveSetup, Kind
from napari_bonescint.archive.setup.setups_file import keep_setup

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from napari_bonescint.inference.model_card import ModelCard

pytestmark = pytest.mark.archive

SECONDS = 60


def limit_files(largest: int) -> None:
    """Let this process write no larger file, as on a full disk."""
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))


class Station:
    """`bonescint archive listen` in a process of its own."""

    def __init__(self, folder: Path, model: Path, setup: ArchiveSetup) -> None:
        self.folder, self.setup = folder, setup
        self.log = folder.with_suffix(".log")
        self._model = str(model)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *more: str, largest_file: int | None = None) -> None:
        command = [sys.executable, "-m", "napari_bonescint", "archive", "listen", self.setup.name, "--json", "--settle"]
        command += ["0.3", "--out", str(self.folder), "--segment", "--model", self._model, "--device", "cpu", *more]
        before = self.log.read_text().count("listens at") if self.log.exists() else 0
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                env={**os.environ, "OMP_NUM_THREADS": "1"},
                preexec_fn=None if largest_file is None else partial(limit_files, largest_file),
            )
        self.wait_for(lambda: self.log.read_text().count("listens at") > before)

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        assert self._process is not None
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        return self._process.wait(30)

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Wait as long as the station tells of something within `SECONDS`."""
        until, told = time.monotonic() + SECONDS, 0
        while not condition():
            if self.log.exists() and (size := self.log.stat().st_size) > told:
                until, told = time.monotonic() + SECONDS, size
            assert time.monotonic() < until, self.log.read_text()[-3000:]
            assert self._process is not None
            assert self._process.poll() is None, self.log.read_text()[-3000:]
            time.sleep(0.05)

    def send(self, *paths: Path) -> bool:
        address = ["127.0.0.1", str(self.setup.own_port)]
        done = subprocess.run(
            ["storescu", "-aet", "WORKSTATION", "-aec", "BONESCINT", *address, *paths],
            capture_output=True,
            check=False,
            timeout=SECONDS,
        )
        return done.returncode == 0

    @property
    def texts(self) -> list[str]:
        lines = [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]
        return [line.get("text", "") for line in lines]

    def left(self, folder: str) -> list[Path]:
        return [path for path in (self.folder / folder).rglob("*") if path.is_file()]


@pytest.fixture
def station(
    orthanc: Orthanc, tmp_path: Path, make_model: Callable[..., ModelCard], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Station]:
    setup = ArchiveSetup(
        "ward",
        Kind.RECEIVER,
        host="127.0.0.1",
        port=orthanc.dicom_port,
        title=orthanc.title,
        own_port=free_port(),
        allowed_titles=("WORKSTATION",),
    )
    keep_setup(setup)
    make_model()
    made = Station(tmp_path / "station", tmp_path / "tiny.safetensors", setup)
    yield made
    if made._process is not None:
        made.kill()


def references(orthanc: Orthanc) -> list[str]:
    """The scan that each mask in the archive refers to."""
    found = []
    for each in orthanc.ask("/tools/find", {"Level": "Instance", "Query": {"Modality": "SEG"}, "Expand": False}):
        tags = orthanc.ask(f"/instances/{each}/simplified-tags")
        (series,) = tags["ReferencedSeriesSequence"]
        found.append(series["ReferencedInstanceSequence"][0]["ReferencedSOPInstanceUID"])
    return found


def test_killed_three_times_it_gives_each_of_200_scans_its_one_result(
    orthanc: Orthanc, station: Station, tmp_path: Path
) -> None:
    paths = [write_scan(tmp_path / "sent" / f"{number:03d}.dcm", number) for number in range(200)]
    uids = [str(pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID) for path in paths]
    station.start("--send-back")
    for killed in range(4):
        batch = paths[50 * killed : 50 * (killed + 1)]
        assert station.send(*batch)
        if killed < 3:
            # In the middle of the work: some results have arrived, others not.
            wanted = 50 * killed + 10
            station.wait_for(lambda wanted=wanted: len(station.left("done")) >= wanted)
            station.kill()
            assert len(station.left("waiting")) > 0
            station.start("--send-back")
    assert station.send(*paths[:20])  # what is done is not done again
    station.wait_for(lambda: len(station.left("done")) == 200 and not station.left("outbox"))
    assert sorted(references(orthanc)) == sorted(uids)
    assert station.stop() == 0
    assert station.left("waiting") == station.left("outbox") == station.left("work") == station.left("failed") == []
    assert "Traceback" not in station.log.read_text()
    text = b"".join(path.read_bytes() for path in station.folder.rglob("*") if path.is_file())
    assert b"PATIENT-" not in text + station.log.read_bytes()


def test_results_wait_for_an_archive_that_is_down(orthanc: Orthanc, station: Station, tmp_path: Path) -> None:
    orthanc.kill()
    try:
        station.start("--send-back")
        assert station.send(write_scan(tmp_path / "scan.dcm", 1))
        station.wait_for(lambda: any("refuses connections" in text for text in station.texts))
        (parcel,) = Outbox(station.folder / "outbox").parcels()
        station.kill()
    finally:
        orthanc.start()
    station.start("--send-back")
    station.wait_for(lambda: len(station.left("done")) == 1)
    assert [f"{each['SOPInstanceUID']}.dcm" for each in orthanc.instances(Modality="SEG")] == list(parcel.files)


def test_what_is_no_planar_scan_is_left_out_or_set_aside(orthanc: Orthanc, station: Station, tmp_path: Path) -> None:
    tomo = write_scan(tmp_path / "tomo.dcm", 1, ImageType=["ORIGINAL", "PRIMARY", "TOMO", "EMISSION"])
    broken = write_scan(tmp_path / "broken.dcm", 2, PixelData=bytes(2))
    station.start("--send-back")
    assert station.send(tomo, broken, write_scan(tmp_path / "scan.dcm", 3))
    station.wait_for(lambda: len(station.left("done")) == 3)
    assert len(references(orthanc)) == 1
    assert sorted(path.suffix for path in station.left("failed")) == [".dcm", ".txt"]
    assert any("1 image left out: no planar bone scan." in text for text in station.texts)


def test_a_measured_scan_goes_back_by_dicomweb(
    orthanc: Orthanc, web: ArchiveSetup, station: Station, tmp_path: Path
) -> None:
    keep_setup(replace(station.setup, name="workstation", host="", port=0, title=""))
    station.setup = replace(station.setup, name="workstation")
    scan = write_scan(tmp_path / "scan.dcm", 1)
    orthanc.store(scan)
    station.start("--measure", "--send-back", "web")
    assert station.send(scan)
    station.wait_for(lambda: len(station.left("done")) == 1)
    study = str(pydicom.dcmread(scan).StudyInstanceUID)
    kinds = [each["Modality"] for each in orthanc.instances(StudyInstanceUID=study)]
    assert {"NM", "SEG", "SR", "DOC"} <= set(kinds)
    assert {each["PatientID"] for each in orthanc.instances()} == {"PATIENT-0001"}


def test_without_an_archive_scan_and_results_stay(station: Station, tmp_path: Path) -> None:
    station.start()
    assert station.send(write_scan(tmp_path / "scan.dcm", 1))
    station.wait_for(lambda: len(station.left("done")) == 1)
    assert sorted(pydicom.dcmread(path).Modality for path in station.left("results")) == ["NM", "SEG"]
    second = subprocess.run(
        [sys.executable, "-m", "napari_bonescint", "archive", "listen", "ward", "--segment", "--out", station.folder],
        capture_output=True,
        text=True,
        check=False,
    )
    assert second.returncode == 1
    assert "another station works in this folder" in second.stderr


def test_a_disk_that_takes_no_more_is_told_to_the_sender(orthanc: Orthanc, station: Station, tmp_path: Path) -> None:
    scan = write_scan(tmp_path / "scan.dcm", 1)
    station.start("--send-back", largest_file=10_000)
    began = time.monotonic()
    assert not station.send(scan)
    assert time.monotonic() - began < 10
    station.wait_for(lambda: any("could not be written (File too large)" in text for text in station.texts))
    assert station.left("waiting") == station.left("done") == []
    station.kill()
    station.start("--send-back")
    assert station.send(scan)
    station.wait_for(lambda: len(station.left("done")) == 1)
    assert len(references(orthanc)) == 1
