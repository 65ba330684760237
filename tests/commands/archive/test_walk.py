"""The way of a clinician's scans by commands: from the archive, segmented, measured, compared, and back."""

from __future__ import annotations

import json
import tempfile
from typing import TYPE_CHECKING, Any

import numpy as np
import pydicom
import pytest

from archive_peers.orthanc import PASSWORD, find_with_dcmtk, get_with_dcmtk, kinds_with_curl
from archive_peers.patients import write_scan, write_views
from napari_bonescint.cli import main
from napari_bonescint.formats.opening import open_scan
from napari_bonescint.gui.sample_files import SIMULATED

if TYPE_CHECKING:
    from pathlib import Path

    from archive_peers.orthanc import Orthanc
    from napari_bonescint.archive.setup.archive_setup import ArchiveSetup

PATIENT = 77


def uids_of(paths: list[Path], keyword: str) -> list[str]:
    return [str(pydicom.dcmread(path, stop_before_pixels=True)[keyword].value) for path in paths]


def referenced_by(dataset: pydicom.Dataset) -> set[str]:
    """All images and other objects that a result refers to."""
    return {str(each.value) for each in dataset.iterall() if each.keyword == "ReferencedSOPInstanceUID"}


@pytest.mark.archive
def test_from_the_archive_and_back(
    orthanc: Orthanc,
    web: ArchiveSetup,
    dimse: ArchiveSetup,
    scans: list[Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """One patient among 21: a scan, and an earlier one in two files. Both protocols give and take the same.

    The guard of the tests sees that nothing else is connected to.
    """
    caplog.set_level("DEBUG")
    for name in ("temporary", "sent"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.setattr(tempfile, "tempdir", None)
    body = open_scan(SIMULATED)
    assert body.spacing is not None
    spacing = [f"{mm:.5g}" for mm in body.spacing]
    again = np.random.default_rng(1).poisson(body.counts).astype(np.uint16)
    new = write_scan(tmp_path / "sent" / "new.dcm", PATIENT, counts=body.counts, PixelSpacing=spacing)
    old = write_views(tmp_path / "sent", PATIENT, "20250110", again, one_series=False, PixelSpacing=spacing)
    orthanc.store(*scans, new, *old)
    new_study, old_study = uids_of([new, *old[:1]], "StudyInstanceUID")

    def run(*words: str | Path) -> list[str]:
        assert main([*map(str, words)]) == 0, capsys.readouterr().err
        return capsys.readouterr().out.splitlines()

    def objects(*words: str | Path) -> list[dict[str, Any]]:
        return [json.loads(line) for line in run("archive", *words, "--json")]

    got = {}
    for archive in ("web", "pacs"):
        found = objects("find", archive, "--patient-id", "PATIENT-0077")
        assert [(each["uid"], each["instances"]) for each in found] == [(new_study, 1), (old_study, 2)]
        got[archive] = tmp_path / f"got-{archive}"
        objects("get", archive, new_study, old_study, "--out", got[archive])
    came = {path.relative_to(got["web"]): path.read_bytes() for path in got["web"].rglob("*.dcm")}
    assert sorted(path.stem for path in came) == sorted(uids_of([new, *old], "SOPInstanceUID"))
    for path in came:
        mine, theirs = (pydicom.dcmread(each / path) for each in got.values())
        assert mine.PixelData == theirs.PixelData

    results = tmp_path / "results"
    scan, folder = next((got["web"] / new_study).iterdir()), results / new_study
    assert "2 segmented, 0 kept, 0 failed." in run("segment", got["web"], "--out", results)
    run("measure", got["web"], "--out", results, "--prior", got["web"], "--report")
    run("compare", scan, got["web"] / old_study, "--out", tmp_path / "compared", "--masks", results)
    compared = json.loads((tmp_path / "compared" / f"{scan.stem}.comparison.json").read_text())
    assert compared["bone_scan_index"]["within_noise"]  # the same body
    made = sorted(folder.glob("*.dcm"))
    assert {"sr", "report"} < {path.name.split(".")[-2] for path in made}

    for number, archive in enumerate(("web", "pacs"), 1):
        answers = objects("send", archive, *made, "--source", scan)
        assert [(each["outcome"], each["confirmed"]) for each in answers] == [("stored", True)] * len(made)
        assert len(kinds_with_curl(orthanc, new_study)) == 1 + number * len(made)
    keys = ["QueryRetrieveLevel=STUDY", f"StudyInstanceUID={new_study}", "NumberOfStudyRelatedInstances", "PatientID"]
    told = find_with_dcmtk(orthanc.dicom_port, orthanc.title, keys)
    assert f"[{1 + 2 * len(made)} ]" in told
    assert "[PATIENT-0077]" in told
    fetched = [pydicom.dcmread(path) for path in get_with_dcmtk(orthanc, new_study, tmp_path / "fetched")]
    assert {(each.PatientID, str(each.StudyInstanceUID)) for each in fetched} == {("PATIENT-0077", new_study)}
    assert sorted(each.Modality for each in fetched) == kinds_with_curl(orthanc, new_study)
    for each in fetched:
        assert each.Modality == "NM" or scan.stem in referenced_by(each)

    # The results of the scan in two files refer to both.
    earlier = sorted((results / old_study).glob("*.sr.dcm"))
    first = got["web"] / old_study / f"{earlier[0].name.split('.sr.')[0]}.dcm"
    objects("send", "pacs", *earlier, "--source", first)
    (report,) = [
        dataset
        for path in get_with_dcmtk(orthanc, old_study, tmp_path / "fetched-old")
        if (dataset := pydicom.dcmread(path)).Modality == "SR"
    ]
    assert set(uids_of(old, "SOPInstanceUID")) <= referenced_by(report)

    # No identity is left but in the scans and in what was made for the archive, where the user wanted them.
    own = [*got.values(), tmp_path / "sent", tmp_path / "fetched", tmp_path / "fetched-old"]
    left = [path for path in tmp_path.rglob("*") if path.is_file() and not any(each in path.parents for each in own)]
    assert [path for path in left if path.name == "archives.json"]
    for text in ("PATIENT-0077", "Person0077", PASSWORD):
        holding = {path for path in left if text.encode() in path.read_bytes()}
        assert {path for path in holding if path.suffix != ".dcm" or results not in path.parents} == set()
        assert text not in caplog.text
