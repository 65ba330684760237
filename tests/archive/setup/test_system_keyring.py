"""The keyring of a real system (gnome-keyring, without a desktop): open, locked, ended, and none at all."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import keyring
import pytest
from keyring.backend import KeyringBackend

from napari_bonescint.archive.setup import system_keyring
from napari_bonescint.archive.setup.system_keyring import KeyringFailed, NoKeyring

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PROGRAMS = ("dbus-run-session", "gnome-keyring-daemon")

_TRY = """
import json, sys, traceback
import secretstorage
from napari_bonescint.archive.setup.archive_setup import ArchiveSetup, Kind, Login
from napari_bonescint.archive.setup.credentials import Secret, SecretKind, find_secret, forget_secrets, keep_secret

setup = ArchiveSetup("pacs", Kind.DICOMWEB, login=Login.BASIC, user="me")
word, other = Secret("p\\u00e4ss word"), Secret("other-word")

def told(work):
    try:
        found = work()
    except Exception as error:
        assert "other-word" not in "".join(traceback.format_exception(error))
        found = f"{type(error).__name__}: {error}"
    print(json.dumps(found.reveal() if isinstance(found, Secret) else found), flush=True)

find = lambda: find_secret(setup, SecretKind.PASSWORD)
if sys.argv[1] == "open":
    told(find)
    told(lambda: keep_secret(setup, SecretKind.PASSWORD, word))
    told(find)
elif sys.argv[1] == "locked":
    secretstorage.get_default_collection(secretstorage.dbus_init()).lock()
    told(find)
    told(lambda: keep_secret(setup, SecretKind.PASSWORD, other))
    told(lambda: forget_secrets(setup))
else:
    told(find)
    told(lambda: forget_secrets(setup))
    told(find)
    told(lambda: forget_secrets(setup))
"""


@pytest.mark.archive
@pytest.mark.skipif(
    any(shutil.which(program) is None for program in _PROGRAMS),
    reason="not installed: gnome-keyring and dbus; `make test-archive` installs them",
)
def test_a_real_keyring_keeps_what_it_has_while_it_is_locked(tmp_path: Path) -> None:
    script = tmp_path / "try.py"
    script.write_text(_TRY)
    unlock = "printf login-word | gnome-keyring-daemon --unlock --components=secrets --control-directory=$RUN >$RUN/log"
    steps = f"{unlock}; $PY try.py open; $PY try.py locked; $PY try.py removed"
    again = f"{unlock}; $PY try.py removed"
    for folder in ("home", "run"):
        (tmp_path / folder).mkdir(mode=0o700)
    environment = {name: text for name, text in os.environ.items() if name not in ("DISPLAY", "PYTHON_KEYRING_BACKEND")}
    environment |= {"HOME": str(tmp_path / "home"), "RUN": str(tmp_path / "run"), "PY": sys.executable}
    environment |= {"XDG_RUNTIME_DIR": str(tmp_path / "run"), "XDG_DATA_HOME": str(tmp_path / "home")}

    def session(commands: str) -> list[object]:
        done = subprocess.run(
            ["dbus-run-session", "--", "sh", "-c", commands],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        return [json.loads(line) for line in done.stdout.splitlines()]

    locked = "ArchiveError: pacs: the system's keyring is locked, so the password"
    variable = "set the environment variable BONESCINT_ARCHIVE_PACS_PASSWORD."
    opened, kept, found, *told = session(steps)
    assert (opened, kept, found) == (None, None, "päss word")
    assert told[0] == f"{locked} cannot be read; unlock it, or {variable}"
    assert told[1] == f"{locked} was not kept; unlock it and enter the password again, or {variable}"
    assert told[2] == f"{locked} was not deleted; delete the entry pacs/password there."
    # The next session finds what was kept first, and deletes it.
    assert session(again) == ["päss word", None, None, None]


class Broken(KeyringBackend):
    priority = 1

    def get_password(self, *_names: str) -> str | None:
        raise OSError("org.freedesktop.DBus.Error hunter2")

    set_password = delete_password = get_password


class Silent(Broken):
    def get_password(self, *_names: str) -> str | None:
        time.sleep(5)
        return None


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    before = keyring.get_keyring()
    yield
    keyring.set_keyring(before)


def test_whatever_a_keyring_raises_is_a_phrase() -> None:
    keyring.set_keyring(Broken())
    with pytest.raises(KeyringFailed, match=r"^failed \(OSError\)$"):
        system_keyring.read("pacs/password")


def test_a_keyring_that_never_answers_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system_keyring, "SECONDS", 0.2)
    keyring.set_keyring(Silent())
    with pytest.raises(KeyringFailed, match="does not answer within"):
        system_keyring.read("pacs/password")


def test_a_system_without_keyring_has_no_secret_and_keeps_none() -> None:
    from keyring.backends.fail import Keyring

    keyring.set_keyring(Keyring())
    with pytest.raises(NoKeyring):
        system_keyring.read("pacs/password")
    with pytest.raises(NoKeyring):
        system_keyring.write("pacs/password", "word")
    with pytest.raises(NoKeyring):
        system_keyring.delete("pacs/password")
