"""C-FIND, C-GET, C-MOVE and C-STORE with a real Orthanc, and what goes wrong."""

from __future__ import annotations

import socket
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pydicom
import pytest

from archive_peers.orthanc import Orthanc, find_with_dcmtk, free_port
from archive_peers.patients import write_scan
from archive_peers.results import seg_of
from archive_peers.tls import tls_before
from napari_bonescint.archive.delivery import send_results
from napari_bonescint.archive.errors import ArchiveError, Unreachable
from napari_bonescint.archive.opening import open_archive
from napari_bonescint.archive.priors import find_priors
from napari_bonescint.archive.receiving.inbox import Inbox, Limits, TooMuch
from napari_bonescint.archive.records import Outcome, Query, Series
from napari_bonescint.archive.sending.outbox import Outbox
from napari_bonescint.archive.sending.outgoing import prepare
from napari_bonescint.errors import Cancelled
from napari_bonescint.formats.opening import open_scan

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari_bonescint.archive.progress import Progress
    from napari_bonescint.archive.setup.archive_setup import ArchiveSetup

    Attempts = Callable[[], list[str]]

pytestmark = pytest.mark.archive


def test_a_patient_is_found_and_the_scan_is_got(
    orthanc: Orthanc, dimse: ArchiveSetup, scans: list[Path], tmp_path: Path
) -> None:
    orthanc.store(*scans)
    archive = open_archive(dimse)
    assert archive.echo().startswith("pacs: ORTHANC answers NAPARI after ")
    assert len(archive.find_studies(Query()).items) == 41
    (study, _) = archive.find_studies(Query(patient_name="Identifying^Person0007")).items
    assert (study.date, study.patient_id, study.modalities) == ("20260301", "PATIENT-0007", ("NM",))
    assert [prior.date for prior in find_priors(archive, study)] == ["20250110"]
    (series,) = archive.find_series(study.uid).items
    told: list[Progress] = []
    (received,) = archive.get(series, Inbox(tmp_path / "got", "pacs"), on_progress=told.append)
    assert told[-1].done == 1
    assert open_scan(received.path).counts.tolist() == open_scan(scans[15]).counts.tolist()
    # NM1 is compressed (JPEG lossless), and stays so.
    nm1 = pydicom.dcmread(scans[0])
    (series,) = archive.find_series(str(nm1.StudyInstanceUID)).items
    (received,) = archive.get(series, Inbox(tmp_path / "nm1", "pacs"))
    assert open_scan(received.path).counts.tolist() == open_scan(scans[0]).counts.tolist()


def test_where_c_get_is_refused_the_images_come_by_c_move(
    dimse: ArchiveSetup, scans: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Orthanc(tmp_path / "orthanc", DicomAlwaysAllowGet=False)
    server.start()
    try:
        ports = (server.dicom_port, server.napari_port)
        monkeypatch.setenv("BONESCINT_NETWORK_PORTS", ",".join(map(str, ports)))
        server.store(scans[1])
        setup = replace(dimse, port=server.dicom_port, own_port=server.napari_port)
        archive = open_archive(setup)
        (study,) = archive.find_studies(Query()).items
        (series,) = archive.find_series(study.uid).items
        (received,) = archive.get(series, Inbox(tmp_path / "got", "pacs"))
        assert open_scan(received.path).counts.tolist() == open_scan(scans[1]).counts.tolist()

        inbox = Inbox(tmp_path / "none", "pacs")
        with pytest.raises(ArchiveError, match="does not send to STRANGER; ask the archive"):
            open_archive(replace(setup, own_title="STRANGER")).get(series, inbox)
        with pytest.raises(ArchiveError, match="does not send to NAPARI; ask the archive"):
            # Orthanc sends to another port than the one that listens.
            open_archive(replace(setup, own_port=free_port())).get(series, inbox)
        with pytest.raises(ArchiveError, match=r"set up C-MOVE with a port|could not send|closed the connection"):
            open_archive(replace(setup, own_port=0)).get(series, inbox)
        assert not inbox.folder.exists()
    finally:
        server.stop()


def test_results_come_under_the_study_once(
    orthanc: Orthanc, dimse: ArchiveSetup, scans: list[Path], tmp_path: Path
) -> None:
    orthanc.store(scans[1])
    archive = open_archive(dimse)
    segs = [seg_of(scans[1], tmp_path / f"{number}.dcm") for number in range(2)]
    objects = prepare(segs, scans[1])
    assert [(each.outcome, each.confirmed) for each in archive.send(objects)] == [(Outcome.STORED, True)] * 2
    assert [each.outcome for each in archive.send(objects)] == [Outcome.PRESENT] * 2
    study = str(pydicom.dcmread(scans[1]).StudyInstanceUID)
    listed = orthanc.instances(StudyInstanceUID=study, Modality="SEG")
    assert {each["SOPInstanceUID"] for each in listed} == {each.instance_uid for each in objects}
    keys = ["QueryRetrieveLevel=STUDY", f"StudyInstanceUID={study}", "NumberOfStudyRelatedInstances"]
    assert "[3 ]" in find_with_dcmtk(orthanc.dicom_port, orthanc.title, keys)

    theirs = write_scan(tmp_path / "mine.dcm", 9, StudyInstanceUID=study)
    with pytest.raises(ArchiveError, match="under another patient identifier"):
        send_results(archive, [seg_of(theirs, tmp_path / "mine.seg.dcm")], theirs)


def test_a_killed_archive_loses_no_result(
    orthanc: Orthanc, dimse: ArchiveSetup, scans: list[Path], tmp_path: Path
) -> None:
    orthanc.kill()
    try:
        with pytest.raises(Unreachable, match="refuses connections"):
            send_results(open_archive(dimse), [seg_of(scans[1], tmp_path / "a.dcm")], scans[1])
    finally:
        orthanc.start()
    assert len(Outbox().parcels("pacs")) == 1


def test_failures_are_one_sentence_within_ten_seconds(
    orthanc: Orthanc, dimse: ArchiveSetup, monkeypatch: pytest.MonkeyPatch, attempts: Attempts
) -> None:
    def said(setup: ArchiveSetup) -> str:
        began = time.monotonic()
        with pytest.raises(ArchiveError) as caught:
            open_archive(setup).echo()
        assert time.monotonic() - began < 10
        assert "\n" not in str(caught.value)
        return str(caught.value)

    with monkeypatch.context() as patch:
        closed = free_port()
        patch.setenv("BONESCINT_NETWORK_PORTS", str(closed))
        assert "refuses connections" in said(replace(dimse, port=closed))
    assert "gives no association" in said(replace(dimse, port=orthanc.http_port, answer_seconds=2))
    assert "does not speak TLS" in said(replace(dimse, tls=True))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        monkeypatch.setenv("BONESCINT_NETWORK_PORTS", str(port))
        assert "gives no association" in said(replace(dimse, port=port, answer_seconds=1))
    assert "no computer is called" in said(replace(dimse, host="pacs.invalid")) or attempts()
    attempts()


def test_an_archive_that_knows_its_peers_refuses_others(
    dimse: ArchiveSetup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = dict.fromkeys(("DicomAlwaysAllowEcho", "DicomAlwaysAllowStore", "DicomAlwaysAllowFind"), False)
    server = Orthanc(
        tmp_path / "orthanc", **closed, DicomAlwaysAllowGet=False, DicomAlwaysAllowMove=False, DicomCheckCalledAet=True
    ).start()
    try:
        monkeypatch.setenv("BONESCINT_NETWORK_PORTS", str(server.dicom_port))
        known = replace(dimse, port=server.dicom_port)
        assert open_archive(known).echo()
        with pytest.raises(ArchiveError, match="does not know the AE title STRANGER of this computer"):
            open_archive(replace(known, own_title="STRANGER")).echo()
        with pytest.raises(ArchiveError, match="is not called ELSE; check the archive's AE title"):
            open_archive(replace(known, title="ELSE")).echo()
    finally:
        server.stop()


def test_tls_is_verified(
    orthanc: Orthanc, dimse: ArchiveSetup, certificates: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    monkeypatch.setenv("BONESCINT_NETWORK_PORTS", str(port))
    with tls_before(orthanc.dicom_port, port, certificates, tmp_path):
        setup = replace(dimse, port=port, tls=True, host="localhost", authority=str(certificates / "authority.pem"))
        assert open_archive(setup).echo().startswith("pacs: ORTHANC answers")
        with pytest.raises(ArchiveError, match="certificate is for another name than 127"):
            open_archive(replace(setup, host="127.0.0.1")).echo()
        with pytest.raises(ArchiveError, match="from no trusted authority"):
            open_archive(replace(setup, authority="")).echo()


def test_limits_end_what_is_got(orthanc: Orthanc, dimse: ArchiveSetup, tmp_path: Path) -> None:
    study, series = "1.2.3.1", "1.2.3.2"
    for number in range(4):
        path = write_scan(tmp_path / f"{number}.dcm", 1, StudyInstanceUID=study, SeriesInstanceUID=series)
        orthanc.store(path)
    inbox = Inbox(tmp_path / "got", "pacs", Limits(objects=2))
    with pytest.raises(TooMuch, match="sent more than 2 objects"):
        open_archive(dimse).get(Series(study, series, "NM", "", 1, 4), inbox)
    assert len(list(inbox.folder.rglob("*.dcm"))) == 2


def test_cancelling_ends_the_wait_at_once(dimse: ArchiveSetup, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        monkeypatch.setenv("BONESCINT_NETWORK_PORTS", str(port))
        cancelled = threading.Event()
        threading.Timer(0.3, cancelled.set).start()
        began = time.monotonic()
        with pytest.raises(Cancelled):
            open_archive(replace(dimse, port=port)).find_studies(Query(), is_cancelled=cancelled.is_set)
        assert time.monotonic() - began < 1
