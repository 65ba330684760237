"""JSON files with a checksum of their content, so that incomplete, changed and foreign files are detected."""

from __future__ import annotations

import hashlib
import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from napari_bonescint.corrections.errors import Damaged, read_bytes
from napari_bonescint.files.facts import parse_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

Facts = dict[str, Any]
_SEAL = "facts_sha256"


def seal(facts: Mapping[str, Any]) -> bytes:
    """The bytes of a JSON file that holds `facts` and their hash."""
    return (json.dumps({**facts, _SEAL: _sha256(facts)}, indent=1, ensure_ascii=False) + "\n").encode()


def unseal(path: Path, content: bytes) -> Facts:
    """The facts in the bytes of a file that `seal` made.

    Raises
    ------
    Damaged
        If they are not what was sealed; the sentence names `path`.
    """
    try:
        facts: Any = parse_json(content)
        sealed = facts.pop(_SEAL) == _sha256(facts)
    except Exception:  # whatever JSON trips over, and what is no object with a seal
        sealed = False
    if not sealed:
        raise Damaged(f"{path}: is damaged, or was changed by something other than bonescint.")
    return dict(facts)


def read_sealed(path: Path) -> Facts:
    """The facts in a file that `seal` made.

    Raises
    ------
    Damaged
        If the file is missing or holds anything else.
    StoreError
        If it cannot be reached.
    """
    return unseal(path, read_bytes(path))


@contextmanager
def known_facts(path: Path, claim: str) -> Iterator[None]:
    """Turn every error while facts of `path` become an object into `Damaged`.

    The file may come from elsewhere, even with a valid checksum. `claim` is a phrase such as ``is no revision``.
    """
    try:
        yield
    except Exception as error:
        raise Damaged(f"{path}: {claim} that this version of bonescint can read.") from error


def _sha256(facts: Mapping[str, Any]) -> str:
    canonical = json.dumps(facts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
