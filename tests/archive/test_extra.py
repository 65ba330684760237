"""Without the packages of the extra, one sentence says what to install."""

from __future__ import annotations

import subprocess
import sys

import pytest

from napari_bonescint.archive.errors import ArchiveError
from napari_bonescint.archive.extra import require_extra
from napari_bonescint.archive.setup.archive_setup import ArchiveSetup, Kind
from napari_bonescint.archive.setup.setups_file import keep_setup

# Where a module is None, Python imports and finds it as little as one that is not installed.
COMMAND = """
import sys
for name in ("dicomweb_client", "keyring", "pynetdicom", "requests"):
    sys.modules[name] = None
from napari_bonescint.cli import main
sys.exit(main(["archive", "echo", "web"]))
"""


def test_a_command_says_what_to_install() -> None:
    keep_setup(ArchiveSetup("web", Kind.DICOMWEB, url="https://pacs.example/dicom-web"))
    ended = subprocess.run([sys.executable, "-c", COMMAND], capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stderr == (
        "bonescint: Archives need packages that are not installed (dicomweb-client, keyring, pynetdicom, requests); "
        'install them in the panel Archive, or by pip install "napari-bonescint[archive]", and start again.\n'
    )


def test_only_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    require_extra()
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(ArchiveError, match=r"not installed \(keyring\)"):
        require_extra()
