"""Hostile DICOMweb servers: each ends in a sentence, in time, with nothing kept and nothing followed."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from archive_peers.hostile import hostile, http, whole
from archive_peers.patients import write_scan
from napari_bonescint.archive.connection import http_session
from napari_bonescint.archive.connection.multipart import encode
from napari_bonescint.archive.errors import ArchiveError
from napari_bonescint.archive.opening import open_archive
from napari_bonescint.archive.receiving.inbox import Inbox
from napari_bonescint.archive.records import Query, Series
from napari_bonescint.archive.setup.archive_setup import ArchiveSetup, Kind

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from pathlib import Path

    from napari_bonescint.archive.interface import Archive

CHUNK = b"1000\r\n" + b" " * 4096 + b"\r\n"
JSON = "Content-Type: application/dicom+json\r\n"


def opened(port: int) -> Archive:
    url = f"http://127.0.0.1:{port}/dicom-web"
    return open_archive(ArchiveSetup("pacs", Kind.DICOMWEB, url=url, answer_seconds=1.0))


def answer_with(entries: object) -> Callable[[socket.socket], None]:
    return whole(json.dumps(entries).encode())


def study(uid: str, **tags: Any) -> dict[str, Any]:
    return {"0020000D": {"vr": "UI", "Value": [uid]}, **tags}


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (http("302 Found\r\nLocation: http://192.0.2.1/\r\nContent-Length: 0"), "sends on to another address"),
        (http("301 Moved\r\nLocation: https://somebody.example/\r\nContent-Length: 0"), "which was not followed"),
        (http("307 Temporary\r\nLocation: //somebody.example/\r\nContent-Length: 0"), "which was not followed"),
        (
            http("200 OK\r\n" + JSON + "Transfer-Encoding: chunked", endless=b"1000\r\n" + b" " * 4096 + b"\r\n"),
            "more than 1 MB",
        ),
        (http("200 OK\r\n" + JSON + "Content-Length: 99999999999", endless=b" " * 2**16), "more than 1 MB"),
        (http("200 OK\r\n" + JSON + "Content-Length: 1000", b"[half"), "closed the connection before its answer"),
        (http("200 OK\r\n" + JSON.strip(), b"[" * 100_000), "its answer is no DICOMweb"),
        (whole(b"<html>login</html>", "text/html"), "its answer is no DICOMweb"),
        (whole(b'"text"'), "its answer is no DICOMweb"),
        (whole(b"\xff\xfe"), "its answer is no DICOMweb"),
        (whole(b"", status="500 Oh"), "answered with the error 500"),
        (whole(b"", status="403 No"), "this login may not do that"),
        (whole(b"", status="999 \x1b[2J"), "answered with the unknown code 999"),
        (lambda peer: peer.sendall(b"\x00" * 1000), "closed the connection before its answer"),
        (lambda peer: peer.sendall(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 10000), "closed the connection"),
    ],
)
def test_a_hostile_answer_ends_in_a_sentence(
    answer: Callable[[socket.socket], None], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("napari_bonescint.archive.backends.dicomweb.MOST_JSON_BYTES", 2**20)
    began = time.monotonic()
    with hostile(answer) as port:
        archive = opened(port)
        with pytest.raises(ArchiveError, match=said) as caught:
            archive.find_studies(Query())
        archive.close()
    assert time.monotonic() - began < 10
    assert "\x1b" not in str(caught.value)


def test_an_answer_that_drips_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_session, "MOST_SECONDS", 0.5)

    def drip(peer: socket.socket) -> None:
        http("200 OK\r\n" + JSON + "Content-Length: 1000")(peer)
        while True:
            peer.sendall(b" ")
            time.sleep(0.05)

    with hostile(drip) as port:
        began = time.monotonic()
        with pytest.raises(ArchiveError, match=r"took more than|no answer"):
            opened(port).find_studies(Query())
        assert time.monotonic() - began < 10


def test_wrong_identifiers_and_wild_texts_are_left_out_or_made_harmless() -> None:
    wild = {"00100010": {"vr": "PN", "Value": [{"Alphabetic": "a\x1b[2J\n" + "b" * 10_000}]}}
    entries = [
        study("../../etc/passwd"),
        study(""),
        {"0020000D": {"vr": "SQ", "Value": [{}]}},
        {"0020000D": {"vr": "UI", "BulkDataURI": "http://192.0.2.1/"}},
        "text",
        None,
        [],
        study("1.2.3", **wild),
        study("1.2.3", **wild),
    ]
    with hostile(answer_with(entries)) as port:
        found = opened(port).find_studies(Query())
    (item,) = found.items
    assert found.left_out == 7
    assert item.patient_name.startswith("a\\x1b[2J")
    assert len(item.patient_name) < 300


def test_more_studies_than_were_asked_for_are_cut_off() -> None:
    with hostile(answer_with([study(f"1.2.{number}") for number in range(2000)])) as port:
        found = opened(port).find_studies(Query())
    assert len(found.items) == 500
    assert not found.complete


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda content: encode([content], "application/dicom"), "another image than the one asked for"),
        (lambda content: encode([content, content], "application/dicom"), "cut off or no DICOM file"),
        (lambda _content: ("application/dicom", b"<html>"), "no DICOM file"),
        (lambda content: (encode([content], "x")[0], b"--"), "cut off or no DICOM file"),
    ],
)
def test_a_wrong_image_is_not_kept(make: Callable[[bytes], tuple[str, bytes]], said: str, tmp_path: Path) -> None:
    content = write_scan(tmp_path / "scan.dcm", 1).read_bytes()
    kind, body = make(content)
    listed = answer_with([{"00080018": {"vr": "UI", "Value": ["1.2.5"]}}])

    def answer(peer: socket.socket) -> None:
        # Both are one connection each: a search first, then the image.
        request = peer.recv(2**16)
        replay = whole(body, kind) if b"/instances/1.2.5" in request else listed
        replay(_Read(peer, request))

    with hostile(answer) as port, pytest.raises(Exception, match=said):
        opened(port).get(Series("1.2.3", "1.2.4", "NM", "", 1, 1), Inbox(tmp_path / "in", "pacs"))
    assert not (tmp_path / "in").exists()


class _Read:
    """A connection whose request was read already."""

    def __init__(self, peer: socket.socket, request: bytes) -> None:
        self._peer, self._request = peer, request
        self.sendall = peer.sendall

    def recv(self, _count: int) -> bytes:
        return self._request
