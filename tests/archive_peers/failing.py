"""Archives that cannot be used, each in a way of its own, and what is to be said about it."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from archive_peers.hostile import hostile
from archive_peers.orthanc import free_port
from archive_peers.tls import tls_before
from napari_bonescint.archive.setup.archive_setup import ArchiveSetup, Kind
from napari_bonescint.archive.setup.credentials import SecretKind, variable
from network_guard import local_only

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator
    from pathlib import Path

    import pytest

    from archive_peers.orthanc import Orthanc

# A-ASSOCIATE-RJ of PS3.8: for ever, by the user of the service, since the calling AE title is not known.
_REFUSAL = bytes([3, 0, 0, 0, 0, 4, 0, 1, 1, 3])


def _refuse(peer: socket.socket) -> None:
    peer.recv(2**16)
    peer.sendall(_REFUSAL)


@contextmanager
def failing_archives(
    orthanc: Orthanc, web: ArchiveSetup, certificates: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[list[tuple[ArchiveSetup, str]]]:
    """Set-ups that fail, with a part of the sentence for each."""
    closed, tls = free_port(), free_port()
    with ExitStack() as stack:
        refusing = stack.enter_context(hostile(_refuse))
        stack.enter_context(tls_before(orthanc.http_port, tls, certificates, folder))
        ports = (orthanc.http_port, orthanc.dicom_port, closed, tls, refusing)
        monkeypatch.setenv(local_only.PORTS_VARIABLE, ",".join(map(str, ports)))
        for name, password in {"locked": "hunter2", "gone": "any", "renamed": "any"}.items():
            monkeypatch.setenv(variable(name, SecretKind.PASSWORD), password)
        other_name = {"url": f"https://127.0.0.1:{tls}/dicom-web", "authority": str(certificates / "authority.pem")}
        pacs = ArchiveSetup("stranger", Kind.QUERY_RETRIEVE, host="127.0.0.1", port=refusing, title="PACS")
        yield [
            (replace(web, name="locked"), "locked: the login is wrong or missing"),
            (replace(web, name="gone", url=f"http://127.0.0.1:{closed}/dicom-web"), "refuses connections"),
            (replace(web, name="renamed", **other_name), "certificate is for another name than 127.0.0.1"),
            (pacs, "does not know the AE title BONESCINT of this computer"),
            (replace(pacs, name="dead", port=closed), "refuses connections"),
        ]


@contextmanager
def full_disk(largest: int = 10_000) -> Iterator[None]:
    """Within, this process writes no larger file, as on a full disk."""
    import resource  # Windows has none

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
