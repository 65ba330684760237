from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pydicom.uid import UID

from archive_peers.patients import write_scan
from napari_bonescint.archive.receiving import inbox as inbox_module
from napari_bonescint.archive.receiving.inbox import Inbox, Limits, TooMuch, Unwanted
from napari_bonescint.files.atomic import CannotWrite
from napari_bonescint.formats.safe_reading.refusal import Refusal

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def content(tmp_path: Path) -> bytes:
    return write_scan(tmp_path / "scan.dcm", 1, SOPInstanceUID="1.2.3").read_bytes()


def test_an_object_becomes_a_file_once(tmp_path: Path, content: bytes) -> None:
    inbox = Inbox(tmp_path / "in", "pacs")
    received = inbox.take(content, instance="1.2.3")
    assert received.path == tmp_path / "in" / received.study_uid / "1.2.3.dcm"
    assert received.path.read_bytes() == content
    assert received.is_new
    assert not inbox.take(content).is_new
    assert [path.name for path in received.path.parent.iterdir()] == ["1.2.3.dcm"]


def test_nothing_is_replaced(tmp_path: Path, content: bytes) -> None:
    inbox = Inbox(tmp_path / "in", "pacs")
    path = inbox.take(content).path
    with pytest.raises(Unwanted, match="whose identifier another file in"):
        inbox.take(content + b"\0\0")
    assert path.read_bytes() == content


@pytest.mark.parametrize("uid", ["../../etc/passwd", "..", "1.2/3", "", "1." * 33, "C:\\x"])
def test_an_identifier_is_no_path(tmp_path: Path, content: bytes, uid: str) -> None:
    import io

    import pydicom

    dataset = pydicom.dcmread(io.BytesIO(content))
    for keyword in ("SOPInstanceUID", "StudyInstanceUID"):
        changed = pydicom.dcmread(io.BytesIO(content))
        changed.add_new(keyword, "UT", uid)
        buffer = io.BytesIO()
        changed.save_as(buffer)
        with pytest.raises((Unwanted, Refusal)):
            Inbox(tmp_path / "in", "pacs").take(buffer.getvalue())
    assert isinstance(dataset.SOPInstanceUID, UID)
    assert not (tmp_path / "in").exists()


def test_another_object_than_the_one_asked_for_is_not_kept(tmp_path: Path, content: bytes) -> None:
    inbox = Inbox(tmp_path / "in", "pacs")
    with pytest.raises(Unwanted, match="another image than the one asked for"):
        inbox.take(content, instance="1.2.4")
    with pytest.raises(Refusal, match=r"pacs: The file is no DICOM file\."):
        inbox.take(b"<html>")
    assert not (tmp_path / "in").exists()


def test_too_much_is_told(tmp_path: Path, content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    inbox = Inbox(tmp_path / "in", "pacs", Limits(objects=1))
    inbox.take(content)
    with pytest.raises(TooMuch, match="more than 1 objects"):
        inbox.take(content)
    with pytest.raises(TooMuch, match="more than 0 MB"):
        Inbox(tmp_path / "in", "pacs", Limits(bytes=10)).take(content)
    monkeypatch.setattr(inbox_module, "MOST_OBJECT_BYTES", 10)
    with pytest.raises(TooMuch, match="no planar scan"):
        Inbox(tmp_path / "in", "pacs").take(content)


@pytest.mark.skipif(not __import__("pathlib").Path("/dev/full").exists(), reason="no /dev/full")
def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "in").write_text("a file")
    with pytest.raises(CannotWrite):
        Inbox(tmp_path / "in", "pacs").take(content)
