"""DICOMweb with a real Orthanc."""

from __future__ import annotations

import socket
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pydicom
import pytest

from archive_peers.orthanc import PASSWORD, Orthanc, find_with_dcmtk, free_port
from archive_peers.patients import write_scan
from archive_peers.results import seg_of
from archive_peers.tls import tls_before
from napari_bonescint.archive.delivery import send_parcel, send_results
from napari_bonescint.archive.errors import ArchiveError, Unreachable
from napari_bonescint.archive.opening import open_archive
from napari_bonescint.archive.priors import find_priors
from napari_bonescint.archive.receiving.inbox import Inbox
from napari_bonescint.archive.records import Outcome, Query
from napari_bonescint.archive.sending.outbox import Outbox
from napari_bonescint.archive.sending.outgoing import prepare
from napari_bonescint.archive.setup import credentials
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
    orthanc: Orthanc, web: ArchiveSetup, scans: list[Path], tmp_path: Path
) -> None:
    orthanc.store(*scans)
    archive = open_archive(web)
    assert archive.echo().startswith("web: DICOMweb answers as test after ")

    found = archive.find_studies(Query())
    assert found.complete
    assert not found.left_out
    assert len(found.items) == 41
    assert [study.date for study in found.items[:40]] == ["20260301"] * 20 + ["20250110"] * 20

    (study, _) = archive.find_studies(Query(patient_name="identifying^person0007")).items
    assert (study.patient_id, study.patient_name) == ("PATIENT-0007", "Identifying^Person0007")
    assert (study.accession, study.modalities, study.instances) == ("ACC000720260301", ("NM",), 1)
    assert "PATIENT" not in repr(study)
    assert [prior.date for prior in find_priors(archive, study)] == ["20250110"]
    assert len(archive.find_studies(Query(accession="ACC000720260301")).items) == 1
    assert len(archive.find_studies(Query(patient_id="PATIENT-00*")).items) == 40
    assert archive.find_studies(Query(patient_id="PATIENT-0007", modality="CT")).items == ()

    (series,) = archive.find_series(study.uid).items
    assert (series.modality, series.description, series.instances) == ("NM", "Whole body", 1)
    told: list[Progress] = []
    inbox = Inbox(tmp_path / "got", "web")
    (received,) = archive.get(series, inbox, on_progress=told.append)
    assert [(each.done, each.total) for each in told] == [(0, 1), (1, 1)]
    assert open_scan(received.path).counts.tolist() == open_scan(scans[15]).counts.tolist()
    assert pydicom.dcmread(received.path).PatientID == "PATIENT-0007"
    (again,) = archive.get(series, inbox)
    assert not again.is_new
    archive.close()


def test_a_result_comes_under_the_study_of_its_scan_and_replaces_nothing(
    orthanc: Orthanc, web: ArchiveSetup, scans: list[Path], tmp_path: Path
) -> None:
    orthanc.store(scans[1])
    scan = pydicom.dcmread(scans[1])
    seg = seg_of(scans[1], tmp_path / "scan.seg.dcm")
    archive = open_archive(web)
    for number in (1, 2):  # a second time with new identifiers
        (answer,) = send_results(archive, [seg], scans[1])
        assert (answer.outcome, answer.text, answer.confirmed) == (Outcome.STORED, "web: stored it.", True)
        listed = orthanc.instances(StudyInstanceUID=str(scan.StudyInstanceUID), Modality="SEG")
        assert len(listed) == number
        assert answer.instance_uid in {each["SOPInstanceUID"] for each in listed}
        assert {each["PatientID"] for each in listed} == {"PATIENT-0000"}
    series = {each["SeriesInstanceUID"] for each in listed}
    assert len(series) == 2
    assert not series & {str(scan.SeriesInstanceUID), str(pydicom.dcmread(seg).SeriesInstanceUID)}
    keys = ["QueryRetrieveLevel=STUDY", f"StudyInstanceUID={scan.StudyInstanceUID}", "NumberOfStudyRelatedInstances"]
    assert "[3 ]" in find_with_dcmtk(orthanc.dicom_port, orthanc.title, keys)
    assert Outbox().parcels() == ()


def test_the_same_object_is_not_sent_twice(
    orthanc: Orthanc, web: ArchiveSetup, scans: list[Path], tmp_path: Path
) -> None:
    orthanc.store(scans[1])
    objects = prepare([seg_of(scans[1], tmp_path / "a.dcm")], scans[1])
    archive = open_archive(web)
    assert [answer.outcome for answer in archive.send(objects)] == [Outcome.STORED]
    assert [answer.outcome for answer in archive.send(objects)] == [Outcome.PRESENT]


def test_a_study_of_another_patient_gets_no_result(orthanc: Orthanc, web: ArchiveSetup, tmp_path: Path) -> None:
    study = "1.2.826.0.1.3680043.8.498.1"
    orthanc.store(write_scan(tmp_path / "theirs.dcm", 1, StudyInstanceUID=study))
    mine = write_scan(tmp_path / "mine.dcm", 2, StudyInstanceUID=study)
    with pytest.raises(ArchiveError, match="another patient identifier than the scan; nothing was sent"):
        send_results(open_archive(web), [seg_of(mine, tmp_path / "mine.seg.dcm")], mine)
    assert len(orthanc.instances(Modality="SEG")) == 0
    assert len(Outbox().parcels("web")) == 1


def test_what_does_not_arrive_is_kept_and_sent_later_with_the_same_identifiers(
    orthanc: Orthanc, web: ArchiveSetup, scans: list[Path], tmp_path: Path
) -> None:
    orthanc.store(scans[1])
    orthanc.kill()
    seg = seg_of(scans[1], tmp_path / "scan.seg.dcm")
    began = time.monotonic()
    try:
        with pytest.raises(Unreachable, match="refuses connections; check the port and whether the archive runs"):
            send_results(open_archive(web), [seg], scans[1])
    finally:
        orthanc.start()
    assert time.monotonic() - began < 10
    (parcel,) = Outbox().parcels("web")
    (answer,) = send_parcel(open_archive(web), parcel)
    assert answer.is_kept
    assert f"{answer.instance_uid}.dcm" in parcel.files
    assert Outbox().parcels() == ()
    assert [each["SOPInstanceUID"] for each in orthanc.instances(Modality="SEG")] == [answer.instance_uid]


def test_failures_are_one_sentence_within_ten_seconds(
    web: ArchiveSetup, monkeypatch: pytest.MonkeyPatch, attempts: Attempts
) -> None:
    def said(setup: ArchiveSetup) -> str:
        began = time.monotonic()
        with pytest.raises(ArchiveError) as caught:
            open_archive(setup).echo()
        assert time.monotonic() - began < 10
        assert "\n" not in str(caught.value)
        return str(caught.value)

    password = credentials.variable("web", credentials.SecretKind.PASSWORD)
    monkeypatch.setenv(password, "wrong-one")
    assert said(web) == "web: the login is wrong or missing; check user and password, or the token."
    monkeypatch.delenv(password)
    assert said(web) == "web: the password is missing; enter it in the set-up of the archive."
    monkeypatch.setenv(password, PASSWORD)
    assert "there is no such thing at this address" in said(replace(web, url=f"{web.url}s/none"))
    assert "does not speak TLS at this port" in said(replace(web, url=web.url.replace("http:", "https:")))
    with monkeypatch.context() as patch:
        closed = free_port()
        patch.setenv("BONESCINT_NETWORK_PORTS", str(closed))
        assert "refuses connections" in said(replace(web, url=f"http://127.0.0.1:{closed}/dicom-web"))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("BONESCINT_NETWORK_PORTS", str(silent.getsockname()[1]))
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/dicom-web"
        assert "no answer from 127.0.0.1 port" in said(replace(web, url=url, answer_seconds=1))
    # A name is looked up, and the guard of the tests refuses that as a network without names does.
    elsewhere = replace(web, url="https://pacs.invalid/dicom-web")
    assert "pacs.invalid" in said(elsewhere)
    assert any("pacs.invalid" in attempt for attempt in attempts())


def test_nothing_else_is_connected_to(
    orthanc: Orthanc, web: ArchiveSetup, monkeypatch: pytest.MonkeyPatch, attempts: Attempts
) -> None:
    """The guard notices a connection to another port of this computer than the archive's."""
    monkeypatch.setenv("BONESCINT_NETWORK_PORTS", str(orthanc.dicom_port))
    with pytest.raises(Unreachable):
        open_archive(web).echo()
    assert all(str(orthanc.http_port) in attempt for attempt in attempts())
    # A proxy of the environment would see the patients.
    monkeypatch.setenv("BONESCINT_NETWORK_PORTS", str(orthanc.http_port))
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    open_archive(web).echo()
    assert attempts() == []


def test_cancelling_ends_the_wait_at_once(orthanc: Orthanc, web: ArchiveSetup, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        monkeypatch.setenv("BONESCINT_NETWORK_PORTS", str(port))
        archive = open_archive(replace(web, url=f"http://127.0.0.1:{port}/dicom-web"))
        cancelled = threading.Event()
        threading.Timer(0.3, cancelled.set).start()
        began = time.monotonic()
        with pytest.raises(Cancelled):
            archive.find_studies(Query(), is_cancelled=cancelled.is_set)
        assert time.monotonic() - began < 1


def test_tls_is_verified(
    orthanc: Orthanc, web: ArchiveSetup, certificates: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ports = {kind: free_port() for kind in ("plain", "mutual")}
    monkeypatch.setenv("BONESCINT_NETWORK_PORTS", ",".join(map(str, ports.values())))
    with (
        tls_before(orthanc.http_port, ports["plain"], certificates, tmp_path),
        tls_before(orthanc.http_port, ports["mutual"], certificates, tmp_path, wants_client=True),
    ):

        def echo(kind: str, host: str = "localhost", **changes: str) -> str:
            return open_archive(replace(trusting, url=f"https://{host}:{ports[kind]}/dicom-web", **changes)).echo()

        trusting = replace(web, authority=str(certificates / "authority.pem"))
        assert echo("plain").startswith("web: DICOMweb answers")
        # The certificate is for localhost alone.
        with pytest.raises(ArchiveError, match=r"certificate is for another name than 127\.0\.0\.1; check the address"):
            echo("plain", "127.0.0.1")
        with pytest.raises(ArchiveError, match="from no trusted authority"):
            echo("plain", authority="")
        with pytest.raises(ArchiveError, match=r"may want a client certificate|closed the connection"):
            echo("mutual")
        client = {"certificate": str(certificates / "server.pem"), "key": str(certificates / "server.key")}
        assert echo("mutual", **client).startswith("web: DICOMweb answers")


def test_a_name_with_accents_and_blanks_is_found(orthanc: Orthanc, web: ArchiveSetup, tmp_path: Path) -> None:
    names = ("Müller Lüdenscheidt^Ann", "Muller Ludenscheid^Ann")
    for number, name in enumerate(names):
        path = write_scan(tmp_path / f"{number}.dcm", number, SpecificCharacterSet="ISO_IR 192", PatientName=name)
        orthanc.store(path)
    for name in names:
        (study,) = open_archive(web).find_studies(Query(patient_name=name)).items
        assert study.patient_name == name
