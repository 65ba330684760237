"""Real archives for tests. `make test-archive` installs them, and runs these tests where a skip is a failure."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from typing import TYPE_CHECKING

import pytest

from archive_peers import orthanc as peers
from archive_peers.patients import write_patients
from napari_bonescint.archive.receiving import private_folder
from napari_bonescint.archive.sending import outbox
from napari_bonescint.archive.setup import credentials, setups_file
from napari_bonescint.archive.setup.archive_setup import ArchiveSetup, Kind, Login
from network_guard import local_only, native

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from archive_peers.orthanc import Orthanc

NO_SKIP_VARIABLE = "BONESCINT_ARCHIVE_TESTS"


def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get(NO_SKIP_VARIABLE) and reporter is not None and reporter.stats.get("skipped"):
        print("\na test was skipped, which `make test-archive` takes for a failure")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(autouse=True)
def _own_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No test finds or changes the developer's own files and keyring, and none leaves a receiver open."""
    monkeypatch.setenv(setups_file.FILE_VARIABLE, str(tmp_path / "config" / "archives.json"))
    monkeypatch.setenv(outbox.FOLDER_VARIABLE, str(tmp_path / "outbox"))
    monkeypatch.setenv(private_folder.FOLDER_VARIABLE, str(tmp_path / "received"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    yield
    receivers = [thread for thread in threading.enumerate() if thread.name == "archive receiver"]
    assert receivers == [], "a receiver still listens"


@pytest.fixture(scope="session")
def _peers_are_there() -> None:
    if missing := peers.missing():
        pytest.skip(f"not installed: {', '.join(missing)}; `make test-archive` installs them")
    if not native.is_isolated():
        # Orthanc's DICOM port listens on all addresses.
        pytest.skip("needs a network of its own: run `make test-archive`")


@pytest.fixture(scope="session")
def scans(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """NM1, and 20 patients with two studies each."""
    return write_patients(tmp_path_factory.mktemp("scans"), 20)


@pytest.fixture(scope="session")
def _orthanc(_peers_are_there: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    server = peers.Orthanc(tmp_path_factory.mktemp("orthanc")).start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def orthanc(_orthanc: Orthanc, monkeypatch: pytest.MonkeyPatch) -> Iterator[Orthanc]:
    """An empty archive, the only thing that may be connected to."""
    _orthanc.clear()
    ports = (_orthanc.http_port, _orthanc.dicom_port, _orthanc.napari_port)
    monkeypatch.setenv(local_only.PORTS_VARIABLE, ",".join(map(str, ports)))
    yield _orthanc
    # What was left behind ends by itself, and soon.
    for thread in threading.enumerate():
        if thread.name.startswith(("archive", "RequestorThread", "AcceptorThread")):
            thread.join(5)
            assert not thread.is_alive()


@pytest.fixture
def web(orthanc: Orthanc, monkeypatch: pytest.MonkeyPatch) -> ArchiveSetup:
    """The archive by DICOMweb, with its password in the environment."""
    setup = ArchiveSetup("web", Kind.DICOMWEB, url=orthanc.url, login=Login.BASIC, user=peers.USER)
    monkeypatch.setenv(credentials.variable("web", credentials.SecretKind.PASSWORD), peers.PASSWORD)
    setups_file.keep_setup(setup)
    return setup


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an authority, and a server's certificate of it for localhost (`both.pem` with its key).

    `locked.key` is the same key with the password "key-word", `old.pem` the same certificate out of date, and
    `stranger.pem` has no authority.
    """
    folder = tmp_path_factory.mktemp("certificates")
    if shutil.which("openssl") is None:
        pytest.skip("not installed: openssl; `make test-archive` installs it")

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    new = ("req", "-newkey", "rsa:2048", "-nodes")
    openssl(*new, "-x509", "-days", "2", "-subj", "/CN=tests", "-keyout", "authority.key", "-out", "authority.pem")
    openssl(*new, "-subj", "/CN=localhost", "-keyout", "server.key", "-out", "server.csr")
    (folder / "names").write_text("subjectAltName=DNS:localhost\n")
    sign = ("-CA", "authority.pem", "-CAkey", "authority.key", "-CAcreateserial", "-extfile", "names")
    openssl("x509", "-req", "-in", "server.csr", *sign, "-days", "2", "-out", "server.pem")
    openssl("x509", "-req", "-in", "server.csr", *sign, "-days", "-1", "-out", "old.pem")
    openssl("rsa", "-in", "server.key", "-aes256", "-passout", "pass:key-word", "-out", "locked.key")
    openssl(*new, "-x509", "-days", "2", "-subj", "/CN=stranger", "-keyout", "stranger.key", "-out", "stranger.pem")
    (folder / "both.pem").write_bytes((folder / "server.pem").read_bytes() + (folder / "server.key").read_bytes())
    return folder


@pytest.fixture
def dimse(orthanc: Orthanc) -> ArchiveSetup:
    """The archive by DICOM's own protocol."""
    setup = ArchiveSetup(
        "pacs",
        Kind.QUERY_RETRIEVE,
        host="127.0.0.1",
        port=orthanc.dicom_port,
        title=orthanc.title,
        own_title="NAPARI",
        own_port=orthanc.napari_port,
    )
    setups_file.keep_setup(setup)
    return setup
