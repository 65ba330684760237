"""`bonescint archive` with a real archive: what it prints, and how it ends."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, NamedTuple

import pydicom
import pytest

from archive_peers.failing import failing_archives, full_disk
from archive_peers.results import seg_of
from napari_bonescint.archive.sending.outbox import Outbox
from napari_bonescint.archive.setup.setups_file import keep_setup, setups_file
from napari_bonescint.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from archive_peers.orthanc import Orthanc
    from napari_bonescint.archive.setup.archive_setup import ArchiveSetup

    Run = Callable[..., "Ended"]


class Ended(NamedTuple):
    status: int
    out: list[str]
    err: list[str]

    @property
    def objects(self) -> list[dict[str, object]]:
        """The JSON objects that were printed."""
        return [json.loads(line) for line in self.out]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*words: str | Path) -> Ended:
        status = main(["archive", *map(str, words)])
        said = capsys.readouterr()
        return Ended(status, said.out.splitlines(), said.err.splitlines())

    return call


@pytest.mark.archive
def test_the_way_of_a_scan_and_of_its_mask(
    orthanc: Orthanc, web: ArchiveSetup, scans: list[Path], tmp_path: Path, run: Run
) -> None:
    orthanc.store(*scans[:5])
    source = pydicom.dcmread(scans[1])
    assert run("test", "web").out[0].startswith("web: DICOMweb answers as test")

    ended = run("find", "web", "--patient-id", "PATIENT-0000", "--since", "2026-01-01")
    assert ended.out[0].split()[:3] == ["DATE", "PATIENT", "NAME"]
    assert ended.out[1].split()[:3] == ["2026-03-01", "PATIENT-0000", "Identifying^Person0000"]
    assert ended.out[-1] == "1 study."
    (study,) = run("find", "web", "--patient-id", "PATIENT-0000", "--until", "2025-12-31", "--json").objects
    assert study["date"] == "20250110"
    assert run("find", "web", "--name", "Nobody").out == ["No study matches."]
    (series,) = run("find", "web", "--study", str(source.StudyInstanceUID), "--json").objects
    assert series["uid"] == str(source.SeriesInstanceUID)

    got = tmp_path / "got"
    ended = run("get", "web", str(source.StudyInstanceUID), "--out", got)
    assert (ended.status, ended.out) == (0, [f"1 image in {got}."])
    path = got / str(source.StudyInstanceUID) / f"{source.SOPInstanceUID}.dcm"
    assert run("get", "web", str(source.StudyInstanceUID), "--out", got, "--json").objects == [
        {
            "path": str(path),
            "study_uid": str(source.StudyInstanceUID),
            "series_uid": str(source.SeriesInstanceUID),
            "instance_uid": str(source.SOPInstanceUID),
            "sop_class": str(source.SOPClassUID),
            "is_new": False,
        }
    ]

    seg = seg_of(path, tmp_path / "scan.seg.dcm")
    (answer,) = run("send", "web", seg, "--source", path, "--json").objects
    assert (answer["outcome"], answer["confirmed"]) == ("stored", True)
    orthanc.kill()
    ended = run("send", "web", seg, "--source", path)
    orthanc.start()
    assert ended.status == 1
    assert "refuses connections" in ended.err[0]
    (line,) = run("send", "web", "--kept").out
    assert line.endswith("web: stored it.")
    assert run("send", "web", "--kept").out == ["Nothing waits to be sent."]
    assert len(orthanc.instances(StudyInstanceUID=str(source.StudyInstanceUID), Modality="SEG")) == 2


@pytest.mark.archive
def test_no_identity_and_no_secret_is_left_behind(
    orthanc: Orthanc, web: ArchiveSetup, scans: list[Path], tmp_path: Path, run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    """Searched for in everything but the folder that the user named, the archive itself, and what was printed."""
    orthanc.store(scans[1])
    caplog.set_level("DEBUG")
    study = str(pydicom.dcmread(scans[1]).StudyInstanceUID)
    got = tmp_path / "got"
    assert run("find", "web", "--patient-id", "PATIENT-0000").status == 0
    assert run("get", "web", study, "--out", got).status == 0
    (path,) = got.rglob("*.dcm")
    seg = seg_of(path, got / "scan.seg.dcm")
    assert run("send", "web", seg, "--source", path).status == 0
    left = [each for each in tmp_path.rglob("*") if each.is_file() and got not in each.parents]
    assert setups_file() in left
    for text in (b"PATIENT-0000", b"Identifying", b"s3cret-of-tests"):
        assert [each for each in left if text in each.read_bytes()] == []
        assert text.decode() not in caplog.text
    assert setups_file().stat().st_mode & 0o077 == 0


@pytest.mark.archive
def test_what_cannot_be_used_is_one_sentence_within_ten_seconds(
    orthanc: Orthanc,
    web: ArchiveSetup,
    certificates: Path,
    scans: list[Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    run: Run,
) -> None:
    orthanc.store(scans[1])
    study = str(pydicom.dcmread(scans[1]).StudyInstanceUID)
    seg = seg_of(scans[1], tmp_path / "scan.seg.dcm")

    def told(*words: str | Path) -> str:
        began = time.monotonic()
        ended = run(*words)
        assert time.monotonic() - began < 10
        assert ended.status == 1
        (sentence,) = ended.err
        assert "hunter2" not in sentence
        return sentence

    with failing_archives(orthanc, web, certificates, tmp_path, monkeypatch) as failing:
        for number, (setup, part) in enumerate(failing, 1):
            keep_setup(setup)
            for words in (["echo"], ["find"], ["get", study, "--out", tmp_path / "got"]):
                assert part in told(words[0], setup.name, *words[1:])
            assert part in told("send", setup.name, seg, "--source", scans[1])
            assert len(Outbox().parcels()) == number
    with full_disk(1000):
        assert "could not be written (File too large)" in told("get", "web", study, "--out", tmp_path / "got")
        assert "could not be written (File too large)" in told("send", "web", seg, "--source", scans[1])
    assert not list((tmp_path / "got").rglob("*.dcm"))
    assert len(Outbox().parcels()) == len(failing)
    assert len(orthanc.instances()) == 1
    assert run("get", "web", study, "--out", tmp_path / "got").status == 0


def test_wrong_arguments_and_set_ups_are_told(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    ended = run("echo", "pacs")
    assert ended.status == 1
    assert ended.err == [f"bonescint: No archive is called 'pacs'; {setups_file()} has: none."]
    for words in (["send", "pacs"], ["send", "pacs", "a.dcm"], ["get", "pacs", "../etc", "--out", "x"]):
        with pytest.raises(SystemExit):
            main(["archive", *words])
    assert "'../etc' is no identifier" in capsys.readouterr().err
