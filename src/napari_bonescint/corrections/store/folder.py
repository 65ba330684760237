"""The folder of a label store: its marker file, its secrets, and its access rights.

All functions raise `StoreError` if the folder cannot be reached.
"""

from __future__ import annotations

import json
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING

from napari_bonescint import __version__
from napari_bonescint.corrections.errors import StoreError, reachable
from napari_bonescint.files.atomic import write_bytes_atomically, writing
from napari_bonescint.files.owner_only import close_to_others, is_open_to_others

if TYPE_CHECKING:
    from pathlib import Path

_FORMAT = "napari-bonescint label store"
_LAYOUT = 1
_MARKER, _SECRET = "store.json", "secret"
_SECRET_DIGITS = 64


def is_label_store(folder: Path) -> bool:
    """Whether a folder has the marker of a label store, even a damaged one or one of another version."""
    with reachable(folder):
        return (folder / _MARKER).exists()


def holds_other_files(folder: Path) -> bool:
    """Whether a folder holds files that are of no label store.

    Hidden files, and those of an interrupted `make_store_folder`, do not count.
    """
    with reachable(folder):
        names = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    return any(not name.startswith(".") for name in names - {"cases", "drafts", _SECRET, _MARKER})


def make_store_folder(folder: Path) -> None:
    """Make a store in an empty or a new folder, and deny access to all but its owner.

    Raises
    ------
    StoreError
        If the folder is not empty.
    CannotWrite
        If the folder is not writable.
    """
    if is_label_store(folder):
        raise StoreError(f"{folder}: is a label store already; add to it, or choose another folder.")
    if holds_other_files(folder):
        raise StoreError(f"{folder}: is not empty; choose an empty or a new folder for the store.")
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        close_to_others(folder)
        for part in ("cases", "drafts"):
            (folder / part).mkdir(exist_ok=True)
    write_bytes_atomically(folder / _SECRET, secrets.token_hex(_SECRET_DIGITS // 2).encode())
    close_to_others(folder / _SECRET)
    marker = {"format": _FORMAT, "layout": _LAYOUT, "version": __version__}
    write_bytes_atomically(folder / _MARKER, json.dumps(marker).encode())


def require_store_folder(folder: Path) -> None:
    """Raise `StoreError` unless a folder is a store of this layout."""
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
        raise StoreError(
            f"{folder}: is no label store; choose another folder, or make a store with the panel Correct masks or "
            f"`bonescint store create {folder}`."
        )
    if layout != _LAYOUT:
        raise StoreError(f"{folder}: is a label store of layout {layout}; install a newer version of bonescint.")


def open_to_others(folder: Path) -> list[Path]:
    """The folder of a store, and its secret, if other users of the computer can read them; empty on Windows."""
    exposed = []
    for path in (folder, folder / _SECRET):
        with reachable(path), suppress(FileNotFoundError):
            exposed += [path] if is_open_to_others(path) else []
    # A file in a closed folder is closed, too.
    return exposed if folder in exposed else []


def read_secrets(folder: Path) -> tuple[bytes, ...]:
    """The secrets for the keys of a store: its own first, then those of stores merged into it.

    Raises
    ------
    StoreError
        If they are missing or damaged.
    """
    path = folder / _SECRET
    with reachable(path):
        secrets_there = tuple(path.read_bytes().split()) if path.exists() else ()
    if not secrets_there or any(len(secret) != _SECRET_DIGITS for secret in secrets_there):
        raise StoreError(f"{path}: is missing or damaged, so no scan can be added; restore it from a backup.")
    return secrets_there


def adopt_secrets(folder: Path, others: tuple[bytes, ...]) -> None:
    """Add the secrets of another store to a store's own, to recognise the patients of both.

    Raises
    ------
    StoreError
        If the store's own secret is missing or damaged.
    CannotWrite
        If the store is full, not writable or gone.
    """
    own = read_secrets(folder)
    if new := [secret for secret in others if secret not in own]:
        path = folder / _SECRET
        write_bytes_atomically(path, b"\n".join((*own, *new)))
        close_to_others(path)
