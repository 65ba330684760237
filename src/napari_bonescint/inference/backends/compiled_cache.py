"""Compiled models on disk, so that an engine need not compile again what it compiled before.

    CACHE/KEY.blob      SHA-256 of what follows, then what the engine exported

CACHE is the folder ``compiled`` in the user's own cache folder, or what the environment variable BONESCINT_CACHE names.
A file is there as a whole or not at all, whoever writes at the same time; one that was damaged since counts as absent,
and so does one that belongs to another user.
Nothing here ever fails: where the folder cannot be used, nothing is kept.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path

import platformdirs

from napari_bonescint.atomic import CannotWrite, write_bytes_atomically

FOLDER_VARIABLE = "BONESCINT_CACHE"

_MOST = 16
_DIGEST_BYTES = hashlib.sha256().digest_size


def cache_folder() -> Path:
    """Where compiled models lie; it need not exist."""
    chosen = os.environ.get(FOLDER_VARIABLE)
    if chosen:
        return Path(chosen)
    return Path(platformdirs.user_cache_dir("napari-bonescint", appauthor=False)) / "compiled"


def key_of(**facts: object) -> str:
    """A name for what was compiled from these facts; any other fact gives another name."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()


def find(key: str) -> bytes | None:
    """What this user kept under a key; None if nothing is there, or it is not what was kept."""
    try:
        with _path(key).open("rb") as file:
            if os.name != "nt" and os.fstat(file.fileno()).st_uid != os.geteuid():
                return None
            data = file.read()
    except OSError:
        return None
    digest, blob = data[:_DIGEST_BYTES], data[_DIGEST_BYTES:]
    return blob if hashlib.sha256(blob).digest() == digest else None


def keep(key: str, blob: bytes) -> None:
    """Keep a compiled model, and let go of those not kept or refreshed for longest."""
    path = _path(key)
    with suppress(OSError, CannotWrite):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes_atomically(path, hashlib.sha256(blob).digest() + blob)
        kept = sorted(path.parent.glob("*.blob"), key=lambda other: other.stat().st_mtime)
        for old in kept[:-_MOST]:
            old.unlink(missing_ok=True)


def _path(key: str) -> Path:
    return cache_folder() / f"{key}.blob"
