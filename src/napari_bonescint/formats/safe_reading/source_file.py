"""Read the bytes of a source file, and hash them."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from napari_bonescint.formats.safe_reading.budget import MOST_BYTES, MOST_TABLE_BYTES
from napari_bonescint.formats.safe_reading.refusal import NotAPlanarScan, Refusal

if TYPE_CHECKING:
    from pathlib import Path


def read_whole(path: Path) -> bytes:
    """All bytes of a file; a `Refusal` if it is missing, empty, no regular file, unreadable or far too large."""
    return _read_at_most(path, MOST_BYTES, "planar bone scan")


def read_table_bytes(path: Path) -> bytes:
    """All bytes of a table; the refusals of `read_whole`, with the smaller limit for tables."""
    return _read_at_most(path, MOST_TABLE_BYTES, "table that is read")


def _read_at_most(path: Path, limit: int, kind: str) -> bytes:
    content = _read(path, limit + 1)
    if len(content) > limit:
        raise Refusal(path, f"The file is larger than {limit // 2**20} MB, so it is no {kind}.")
    return content


def read_start(path: Path) -> bytes:
    """The first 132 bytes, which identify the format; the same refusals as `read_whole`."""
    return _read(path, 132)


def sha256(content: bytes) -> str:
    """SHA-256 of bytes, hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def _read(path: Path, limit: int) -> bytes:
    try:
        if path.is_dir():
            raise Refusal(path, "The file is a folder, not a file.")
        if path.exists() and not path.is_file():
            raise NotAPlanarScan(path, "The file is no regular file.")
        with path.open("rb") as file:
            content = file.read(limit)
    except (FileNotFoundError, ValueError) as error:  # ValueError: a path with a NUL character
        raise Refusal(path, "The file does not exist; check the path.") from error
    except PermissionError as error:
        raise Refusal(path, "The file may not be read; ask for permission to read it.") from error
    except OSError as error:
        raise Refusal(path, f"The file could not be read ({error.strerror or error}).") from error
    if not content:
        raise NotAPlanarScan(path, "The file is empty; copy or export it again.")
    return content
