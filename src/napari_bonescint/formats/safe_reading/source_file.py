"""The bytes of a source file, and its hash."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from napari_bonescint.formats.safe_reading.budget import MOST_BYTES, MOST_TABLE_BYTES
from napari_bonescint.formats.safe_reading.refusal import NotAPlanarScan, Refusal
from napari_bonescint.formats.safe_reading.silence import quiet as quiet

if TYPE_CHECKING:
    from pathlib import Path

_LARGEST = MOST_BYTES


def read_whole(path: Path) -> bytes:
    """All bytes of a file; a `Refusal` if it is missing, empty, no regular file, unreadable or far too large."""
    content = _read(path, _LARGEST + 1)
    if len(content) > _LARGEST:
        raise Refusal(path, f"The file is larger than {_LARGEST // 2**20} MB, so it is no planar bone scan.")
    return content


def read_table_bytes(path: Path) -> bytes:
    """All bytes of a table; the refusals of `read_whole`, and one of a file that is too large for a table."""
    content = _read(path, MOST_TABLE_BYTES + 1)
    if len(content) > MOST_TABLE_BYTES:
        raise Refusal(path, f"The file is larger than {MOST_TABLE_BYTES // 2**20} MB, so it is no table that is read.")
    return content


def read_start(path: Path) -> bytes:
    """The first 132 bytes, enough to tell the formats apart; the same refusals as `read_whole`."""
    return _read(path, 132)


def sha256(content: bytes) -> str:
    """Hash of a file's bytes, hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def _read(path: Path, limit: int) -> bytes:
    try:
        if path.is_dir():
            raise Refusal(path, "The file is a folder, not a file.")
        if path.exists() and not path.is_file():
            raise NotAPlanarScan(path, "The file is no regular file.")
        with path.open("rb") as file:
            content = file.read(limit)
    except FileNotFoundError as error:
        raise Refusal(path, "The file does not exist; check the path.") from error
    except PermissionError as error:
        raise Refusal(path, "The file may not be read; ask for permission to read it.") from error
    except OSError as error:
        raise Refusal(path, f"The file could not be read ({error.strerror or error}).") from error
    except ValueError as error:  # a path with a NUL character in it
        raise Refusal(path, "The file does not exist; check the path.") from error
    if not content:
        raise NotAPlanarScan(path, "The file is empty; copy or export it again.")
    return content
