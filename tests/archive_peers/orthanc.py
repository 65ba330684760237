"""Start Orthanc, a real archive, on the loopback for tests, and end it."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

PROGRAM = "/usr/sbin/Orthanc"
PLUGIN = "/usr/share/orthanc/plugins/libOrthancDicomWeb.so"
TOOLS = ("stunnel4", "dcmsend", "storescu", "findscu", "getscu", "dcmdump", "curl")
USER, PASSWORD = "test", "s3cret-of-tests"

_SECONDS_TO_START = 20


def missing() -> list[str]:
    """What is not installed."""
    programs = [name for name in TOOLS if shutil.which(name) is None]
    return programs + [path for path in (PROGRAM, PLUGIN) if not Path(path).exists()]


_given: set[int] = set()


def free_port() -> int:
    """A port where nothing listens, never the same one twice: the system may choose one anew that was just closed."""
    while True:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = int(server.getsockname()[1])
        if port not in _given:
            _given.add(port)
            return port


class Orthanc:
    """One server with its own folder; `changes` go into its configuration."""

    title = "ORTHANC"

    def __init__(self, folder: Path, **changes: Any) -> None:
        self.folder = folder
        self.http_port, self.dicom_port, self.napari_port = free_port(), free_port(), free_port()
        self.is_tls = bool(changes.get("SslEnabled"))
        self._settings = {
            "Name": "test archive",
            "StorageDirectory": str(folder / "storage"),
            "IndexDirectory": str(folder / "storage"),
            "HttpPort": self.http_port,
            "DicomPort": self.dicom_port,
            "RemoteAccessAllowed": False,
            "AuthenticationEnabled": True,
            "RegisteredUsers": {USER: PASSWORD},
            "DicomAlwaysAllowStore": True,
            "DicomAlwaysAllowFind": True,
            "DicomAlwaysAllowGet": True,
            "DicomAlwaysAllowMove": True,
            "DicomModalities": {
                "napari": {
                    "AET": "NAPARI",
                    "Host": "127.0.0.1",
                    "Port": self.napari_port,
                    "AllowGet": changes.get("DicomAlwaysAllowGet", True),
                }
            },
            "Plugins": [PLUGIN],
            "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
            "HttpServerEnabled": True,
            **changes,
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"{'https' if self.is_tls else 'http'}://127.0.0.1:{self.http_port}/dicom-web"

    def start(self) -> Orthanc:
        (self.folder / "storage").mkdir(parents=True, exist_ok=True)
        settings = self.folder / "orthanc.json"
        settings.write_text(json.dumps(self._settings))
        path = self.folder / "log.txt"
        with path.open("wb") as log:
            self._process = subprocess.Popen([PROGRAM, settings], stdout=log, stderr=log)
        until = time.monotonic() + _SECONDS_TO_START
        while time.monotonic() < until and self._process.poll() is None:
            # A connection that only tries ends Debian's Orthanc where it speaks TLS.
            if b"Orthanc has started" in path.read_bytes():
                return self
            time.sleep(0.02)
        raise AssertionError(f"Orthanc does not start: {path.read_text()[-2000:]}")

    def stop(self) -> None:
        """End it as an administrator does."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None

    def kill(self) -> None:
        """End it as a power cut does."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(10)
        self._process = None

    def store(self, *paths: Path) -> None:
        """Put files into the archive by dcmtk, which our code has no part in."""
        subprocess.run(
            ["dcmsend", "-aec", self.title, "127.0.0.1", str(self.dicom_port), *paths], check=True, capture_output=True
        )

    def ask(self, path: str, body: object = None) -> Any:
        """An answer of Orthanc's own interface, which our code does not use."""
        return json.loads(self._answer(path, body))

    def file(self, instance: str) -> bytes:
        """The DICOM file of an instance, by Orthanc's name of it."""
        return self._answer(f"/instances/{instance}/file")

    def _answer(self, path: str, body: object = None) -> bytes:
        request = urllib.request.Request(f"http://127.0.0.1:{self.http_port}{path}")
        request.add_header("Authorization", "Basic " + b64encode(f"{USER}:{PASSWORD}".encode()).decode())
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(request, data, timeout=10) as answer:  # noqa: S310
            content: bytes = answer.read()
        return content

    def instances(self, **query: str) -> list[dict[str, Any]]:
        """The objects in the archive that match, with their main attributes."""
        return self._tags("Instance", query)

    def _tags(self, level: str, query: dict[str, str]) -> list[dict[str, Any]]:
        wanted = ["SOPInstanceUID", "SOPClassUID", "StudyInstanceUID", "SeriesInstanceUID", "PatientID", "Modality"]
        found = self.ask("/tools/find", {"Level": level, "Query": query, "Expand": False, "CaseSensitive": True})
        return [{name: self._simple(each).get(name, "") for name in wanted} for each in found]

    def _simple(self, instance: str) -> dict[str, Any]:
        tags: dict[str, Any] = self.ask(f"/instances/{instance}/simplified-tags")
        return tags

    def clear(self) -> None:
        """Delete all studies."""
        for study in self.ask("/studies"):
            self.delete(f"/studies/{study}")

    def delete(self, path: str) -> None:
        request = urllib.request.Request(f"http://127.0.0.1:{self.http_port}{path}", method="DELETE")
        request.add_header("Authorization", "Basic " + b64encode(f"{USER}:{PASSWORD}".encode()).decode())
        urllib.request.urlopen(request, timeout=10).close()  # noqa: S310


def find_with_dcmtk(port: int, title: str, keys: Iterable[str]) -> str:
    """What dcmtk's findscu prints for keys such as ``StudyInstanceUID=1.2``."""
    arguments = [part for key in keys for part in ("-k", key)]
    done = subprocess.run(
        ["findscu", "-S", "-aec", title, *arguments, "127.0.0.1", str(port)], capture_output=True, text=True, check=True
    )
    return done.stdout + done.stderr


def get_with_dcmtk(server: Orthanc, study: str, folder: Path) -> list[Path]:
    """All files of a study, by dcmtk's getscu."""
    folder.mkdir()
    keys = ["-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={study}"]
    address = ["127.0.0.1", str(server.dicom_port)]
    subprocess.run(["getscu", "-S", "-aec", server.title, *keys, "-od", folder, *address], check=True)
    return sorted(folder.iterdir())


def kinds_with_curl(server: Orthanc, study: str) -> list[str]:
    """The modalities of the objects in a study, by DICOMweb and curl."""
    url = f"{server.url}/studies/{study}/instances?includefield=00080060"
    done = subprocess.run(["curl", "-sS", "-u", f"{USER}:{PASSWORD}", url], capture_output=True, check=True)
    return sorted(each["00080060"]["Value"][0] for each in json.loads(done.stdout))
