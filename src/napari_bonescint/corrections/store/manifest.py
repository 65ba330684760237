"""A hash of the whole label store, for the record of a training."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import TYPE_CHECKING

from napari_bonescint.corrections.errors import Damaged, read_bytes
from napari_bonescint.corrections.store.files import append_only

if TYPE_CHECKING:
    from napari_bonescint.corrections.store.label_store import LabelStore


def manifest_sha256(store: LabelStore) -> str:
    """Hash of all cases and revisions, hexadecimal; equal for stores with the same scans and labels.

    Damaged and missing files change the hash. Raises `StoreError` if the store cannot be reached.
    """
    manifest = hashlib.sha256()
    for key in store.keys():  # noqa: SIM118  (a store is no mapping)
        case = store.files(key)
        paths = [case.facts_path]
        with suppress(Damaged):
            paths += [
                append_only.part_of(case.revisions, n, append_only.FACTS) for n in append_only.numbers(case.revisions)
            ]
        for path in paths:
            try:
                # The facts contain the hashes of counts and masks.
                digest = hashlib.sha256(read_bytes(path)).hexdigest()
            except Damaged:
                digest = "damaged"
            manifest.update(f"{key}/{path.name} {digest}\n".encode())
    return manifest.hexdigest()
