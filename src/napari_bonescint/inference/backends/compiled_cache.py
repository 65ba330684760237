"""A cache of compiled models on disk.

    CACHE/KEY.blob      SHA-256 of the rest of the file, then the model exported by the engine

CACHE is the folder ``compiled`` in the user's cache folder, or the folder in the environment variable BONESCINT_CACHE.
The sixteen files used last are kept. Files are written atomically. Damaged files, and those of another user, are
ignored. No function raises an error: if the folder is not writable, nothing is cached.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path

import platformdirs

from napari_bonescint.files.atomic import CannotWrite, write_bytes_atomically

FOLDER_VARIABLE = "BONESCINT_CACHE"

_MOST = 16
_DIGEST_BYTES = hashlib.sha256().digest_size


def cache_folder() -> Path:
    """The folder of compiled models; it need not exist."""
    chosen = os.environ.get(FOLDER_VARIABLE)
    if chosen:
        return Path(chosen)
    return Path(platformdirs.user_cache_dir("napari-bonescint", appauthor=False)) / "compiled"


def key_of(**facts: object) -> str:
    """The key of a model compiled from these facts; it differs if any fact differs."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()


def find(key: str) -> bytes | None:
    """The model that this user cached under a key; None if it is missing or damaged."""
    try:
        with _path(key).open("rb") as file:
            if os.name != "nt" and os.fstat(file.fileno()).st_uid != os.geteuid():
                return None
            data = file.read()
    except OSError:
        return None
    digest, blob = data[:_DIGEST_BYTES], data[_DIGEST_BYTES:]
    if hashlib.sha256(blob).digest() != digest:
        return None
    with suppress(OSError):
        os.utime(_path(key))
    return blob


def keep(key: str, blob: bytes) -> None:
    """Cache a compiled model, and delete those that were not used for the longest time."""
    path = _path(key)
    with suppress(OSError, CannotWrite):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes_atomically(path, hashlib.sha256(blob).digest() + blob)
        kept = sorted(path.parent.glob("*.blob"), key=lambda other: other.stat().st_mtime)
        for old in kept[:-_MOST]:
            old.unlink(missing_ok=True)


def _path(key: str) -> Path:
    return cache_folder() / f"{key}.blob"
