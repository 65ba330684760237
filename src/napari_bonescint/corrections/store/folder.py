"""The folder of a label store itself: what says that it is one, the secrets of its keys, and who may read it."""

from __future__ import annotations

import json
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING

from napari_bonescint import __version__
from napari_bonescint.atomic import CannotWrite, write_bytes_atomically
from napari_bonescint.corrections.errors import StoreError, reachable
from napari_bonescint.owner_only import close_to_others, is_open_to_others

if TYPE_CHECKING:
    from pathlib import Path

_FORMAT = "napari-bonescint label store"
_LAYOUT = 1
_MARKER, _SECRET = "store.json", "secret"
_SECRET_DIGITS = 64


def is_label_store(folder: Path) -> bool:
    """Whether a folder says that it is a label store, be it damaged or of another version.

    Raises
    ------
    StoreError
        If it cannot be reached.
    """
    with reachable(folder):
        return (folder / _MARKER).exists()


def make_store_folder(folder: Path) -> None:
    """Make an empty store in a folder that is empty or does not exist, and close it to all but its owner.

    Raises
    ------
    StoreError
        If there is something in the folder, or it cannot be looked into.
    CannotWrite
        If it cannot be written to.
    """
    with reachable(folder):
        names = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    if _MARKER in names:
        raise StoreError(f"{folder}: is a label store already; add to it, or choose another folder.")
    # What a call that was cut off left behind does not count, nor what desktops hide in every folder.
    if any(not name.startswith(".") for name in names - {"cases", "drafts", _SECRET}):
        raise StoreError(f"{folder}: is not empty; choose an empty or a new folder for the store.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        close_to_others(folder)
        for part in ("cases", "drafts"):
            (folder / part).mkdir(exist_ok=True)
    except OSError as error:
        raise CannotWrite(f"{folder}: could not be written ({error.strerror or error}).") from error
    write_bytes_atomically(folder / _SECRET, secrets.token_hex(_SECRET_DIGITS // 2).encode())
    close_to_others(folder / _SECRET)
    marker = {"format": _FORMAT, "layout": _LAYOUT, "version": __version__}
    write_bytes_atomically(folder / _MARKER, json.dumps(marker).encode())


def require_store_folder(folder: Path) -> None:
    """Make sure that a folder is a store of this layout.

    Raises
    ------
    StoreError
        If it is none, is of a newer layout, or cannot be reached.
    """
    path = folder / _MARKER
    with reachable(folder):
        if not folder.exists():
            raise StoreError(f"{folder}: does not exist; check the path, and whether a network folder is connected.")
        content = path.read_bytes() if path.exists() else b"{}"
    try:
        marker = json.loads(content)
        ours, layout = marker.get("format") == _FORMAT, marker.get("layout")
    except Exception:  # whatever JSON trips over, and what is no object
        ours, layout = False, None
    if not ours:
        raise StoreError(f"{folder}: is no label store; `bonescint store create {folder}` makes one.")
    if layout != _LAYOUT:
        raise StoreError(f"{folder}: is a label store of layout {layout}; install a newer version of bonescint.")


def open_to_others(folder: Path) -> list[Path]:
    """Which of a store's folder and its secret other users of the computer may read; none on Windows.

    Raises
    ------
    StoreError
        If the store cannot be reached.
    """
    exposed = []
    for path in (folder, folder / _SECRET):
        with reachable(path), suppress(FileNotFoundError):
            exposed += [path] if is_open_to_others(path) else []
    # What lies in a closed folder is closed, too.
    return exposed if folder in exposed else []


def read_secrets(folder: Path) -> tuple[bytes, ...]:
    """The secrets with which the keys of a store are made: its own first, then those of stores merged into it.

    Raises
    ------
    StoreError
        If they are missing or damaged, or cannot be reached.
    """
    path = folder / _SECRET
    with reachable(path):
        secrets_there = tuple(path.read_bytes().split()) if path.exists() else ()
    if not secrets_there or any(len(secret) != _SECRET_DIGITS for secret in secrets_there):
        raise StoreError(f"{path}: is missing or damaged, so no scan can be added; bring it back from a copy.")
    return secrets_there


def adopt_secrets(folder: Path, others: tuple[bytes, ...]) -> None:
    """Keep the secrets of another store beside a store's own, since keys made with them cannot be turned back.

    Raises
    ------
    StoreError
        If the store's own is missing or damaged, or it cannot be reached.
    CannotWrite
        If the store is full, not writable or gone.
    """
    own = read_secrets(folder)
    if new := [secret for secret in others if secret not in own]:
        path = folder / _SECRET
        write_bytes_atomically(path, b"\n".join((*own, *new)))
        close_to_others(path)
        close_to_others(path)
