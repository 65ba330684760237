"""Which scans a model learnt from, as its card tells it: fingerprints of their views, and no patient.

A card's `learnt_from` has an entry for each training that led to the weights, the model's own last: a random ``salt``
and the ``views`` of all scans that were trained or validated on, each as an HMAC-SHA256 of its counts under the salt.
Of what was learnt before there were fingerprints, an entry says only that it is ``unrecorded``.

A view is the same view however its scan was added: mirrored or not, alone or beside another one. Whoever holds the very
scan can find out whether a model learnt from it; nobody can find out from the card whose scans they were.
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
from napari_bonescint.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from napari_bonescint.corrections.selection import CorrectedScan
    from napari_bonescint.inference.model_card import ModelCard

# 128 bits: no two of a million views have the same by chance.
_HEX_DIGITS = 32
_SALT_BYTES = 16


@dataclass(frozen=True)
class Lineage:
    """What a model and all that it came from learnt from.

    Attributes
    ----------
    of_salt : dict of str to frozenset of str
        Fingerprints by salt.
    unrecorded : tuple of str
        What was learnt from besides, as phrases.
    """

    of_salt: dict[str, frozenset[str]]
    unrecorded: tuple[str, ...]

    @classmethod
    def of(cls, card: ModelCard) -> Lineage:
        """What a card tells.

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
                f"{card.path or card.name}: does not tell what the model learnt from ({error})."
            ) from error
        return cls(of_salt, tuple(unrecorded))

    def holds(self, counts: NDArray[np.generic]) -> bool:
        """Whether a view of a scan was learnt from.

        Parameters
        ----------
        counts : ndarray, shape (view, y, x)
        """
        digests = [_digest(view) for view in counts]
        return any(_fingerprint(salt, each) in views for salt, views in self.of_salt.items() for each in digests)

    def entries(self) -> list[dict[str, Any]]:
        """The same for a card that comes after it."""
        known = [{"salt": salt, "views": sorted(views)} for salt, views in self.of_salt.items()]
        return [*known, *({"unrecorded": phrase} for phrase in self.unrecorded)]


def lineage_after(ancestors: Iterable[ModelCard], scans: Sequence[CorrectedScan]) -> list[dict[str, Any]]:
    """What the card of a new model says that it learnt from.

    Parameters
    ----------
    ancestors : iterable of ModelCard
        Of the models whose weights training began with.
    scans : sequence of CorrectedScan
        Those trained and validated on.

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
    """Hash of a view of shape (y, x), whichever way round, and however its numbers are stored."""
    values = np.ascontiguousarray(view, "<f8")
    either = (hashlib.sha256(f"{view.shape}".encode() + each.tobytes()).digest() for each in (values, values[:, ::-1]))
    return min(either)


def _fingerprint(salt: str, digest: bytes) -> str:
    return hmac.new(bytes.fromhex(salt), digest, hashlib.sha256).hexdigest()[:_HEX_DIGITS]


def _learnt_from_people(card: ModelCard) -> bool:
    """Whether a card of an earlier version, which had no fingerprints, tells of corrected scans."""
    return "corrected scans" in str(card.training.get("data", ""))
