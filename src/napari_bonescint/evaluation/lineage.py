"""Record on a model's card which scans it learnt from, as fingerprints that identify no patient.

A card's `learnt_from` has one entry for each training that led to the weights, its own training last: a random ``salt``
and the ``views`` of all scans for training and validation, each as an HMAC-SHA256 of its counts with the salt. An entry
``unrecorded`` stands for scans without fingerprints.

The fingerprint of a view is the same if the view is mirrored, or stored with or without another view. A person who has
the scan can test if a model learnt from it; the card alone does not reveal the patients.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_bonescint.corrections.errors import StoreError
from napari_bonescint.corrections.store.label_store import LabelStore
from napari_bonescint.inference.devices import usable_cores
from napari_bonescint.inference.model_card import ModelError
from napari_bonescint.text.formatting import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from napari_bonescint.corrections.selection import CorrectedScan
    from napari_bonescint.inference.model_card import ModelCard

# 128 bits: two equal ones among a million views are practically impossible.
_HEX_DIGITS = 32
_SALT_BYTES = 16


@dataclass(frozen=True)
class Lineage:
    """The scans that a model and its ancestors learnt from.

    Attributes
    ----------
    of_salt : dict of str to frozenset of str
        Fingerprints by salt.
    unrecorded : tuple of str
        Phrases for scans without fingerprints.
    """

    of_salt: dict[str, frozenset[str]]
    unrecorded: tuple[str, ...]

    @classmethod
    def of(cls, card: ModelCard) -> Lineage:
        """Read the lineage on a card.

        Raises
        ------
        ModelError
            If it cannot be read.
        """
        if card.learnt_from is None:
            return cls({}, (f"model {card.name}",) if _learnt_from_people(card) else ())
        of_salt: dict[str, frozenset[str]] = {}
        unrecorded: list[str] = []
        try:
            for entry in card.learnt_from:
                if "unrecorded" in entry:
                    unrecorded.append(str(entry["unrecorded"]))
                else:
                    bytes.fromhex(entry["salt"])
                    of_salt[entry["salt"]] = frozenset(map(str, entry["views"]))
        except (TypeError, ValueError, LookupError) as error:
            raise ModelError(
                f"{card.path or card.name}: has no readable list of the scans that the model learnt from ({error})."
            ) from error
        return cls(of_salt, tuple(unrecorded))

    def holds(self, counts: NDArray[np.generic]) -> bool:
        """True if the model learnt from a view of a scan, given as counts of shape (view, y, x)."""
        digests = [_digest(view) for view in counts]
        return any(_fingerprint(salt, each) in views for salt, views in self.of_salt.items() for each in digests)

    def entries(self) -> list[dict[str, Any]]:
        """The lineage as entries of a card."""
        known = [{"salt": salt, "views": sorted(views)} for salt, views in self.of_salt.items()]
        return [*known, *({"unrecorded": phrase} for phrase in self.unrecorded)]


def lineage_after(ancestors: Iterable[ModelCard], scans: Sequence[CorrectedScan]) -> list[dict[str, Any]]:
    """The entries for the card of a new model.

    Parameters
    ----------
    ancestors : iterable of ModelCard
        Cards of the models whose weights training started from.
    scans : sequence of CorrectedScan
        Scans for training and validation.

    Raises
    ------
    ModelError
        If the card of an ancestor cannot be read.
    """
    entries: list[dict[str, Any]] = []
    for card in ancestors:
        entries += [entry for entry in Lineage.of(card).entries() if entry not in entries]
    salt = secrets.token_hex(_SALT_BYTES)
    with ThreadPoolExecutor(usable_cores()) as threads:
        found = list(threads.map(_digests_of, scans))
    views = {_fingerprint(salt, digest) for digests in found for digest in digests or ()}
    if views:
        entries.append({"salt": salt, "views": sorted(views)})
    if unread := sum(digests is None for digests in found):
        entries.append({"unrecorded": f"{counted(unread, 'scan')} that could not be read at the end of the training"})
    return entries


def _digests_of(scan: CorrectedScan) -> list[bytes] | None:
    try:
        return [_digest(view) for view in LabelStore(scan.store_folder).scan(scan.case).counts]
    except StoreError:
        return None


def _digest(view: NDArray[np.generic]) -> bytes:
    """Hash of a view of shape (y, x); the same for its mirror image and for any number type."""
    values = np.ascontiguousarray(view, "<f8")
    either = (hashlib.sha256(f"{view.shape}".encode() + each.tobytes()).digest() for each in (values, values[:, ::-1]))
    return min(either)


def _fingerprint(salt: str, digest: bytes) -> str:
    return hmac.new(bytes.fromhex(salt), digest, hashlib.sha256).hexdigest()[:_HEX_DIGITS]


def _learnt_from_people(card: ModelCard) -> bool:
    """True if a card of an earlier version, without fingerprints, mentions corrected scans."""
    return "corrected scans" in str(card.training.get("data", ""))
