"""Hot spots of a case as a reader left them: numbered records beside the revisions of its mask.

``cases/KEY/hotspots/0001.tif`` has the hot spots, numbered within a view, and ``0001.json`` the rest. Cases of earlier
versions lack the folder; it is made with the first record.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.corrections.errors import Damaged, StoreError, reachable
from napari_bonescint.corrections.store.files import append_only
from napari_bonescint.corrections.store.files.plane_files import read_planes, salted
from napari_bonescint.corrections.store.records.found_hot_spots import (
    FoundPixels,  # noqa: TC001 - `facts.build` looks at the types
)
from napari_bonescint.corrections.store.records.revision import Origin  # noqa: TC001 - `facts.build` looks at the types
from napari_bonescint.files.atomic import make_folder
from napari_bonescint.scan import ViewName  # noqa: TC001 - `facts.build` looks at the types

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_bonescint.corrections.store.files.checksummed_json import Facts
    from napari_bonescint.corrections.store.files.plane_files import Shape
    from napari_bonescint.scan import Spacing

_LABELS = ".tif"


@dataclass(frozen=True)
class SpotDecision:
    """A decision on one hot spot.

    Attributes
    ----------
    view : ViewName
    id : int
        Its number within the view: the value of its pixels.
    suspicious : bool
        Whether it counts in the bone scan index.
    by_reader : bool
        True if a person decided, False if the model did.
    probability : float or None
        Probability of a metastasis by the model; None without one.
    """

    view: ViewName
    id: int
    suspicious: bool
    by_reader: bool
    probability: float | None = None


@dataclass(frozen=True)
class HotSpotRevision:
    """Saved hot spots of a case, without their pixels, which `read_hot_spots` reads.

    Attributes
    ----------
    number : int
        From 1, rising; numbers may be missing.
    annotator : str
    when : str
        Time of saving in UTC: ``2026-03-01T09:30:00+00:00``.
    origin : Origin
        What the reader began with: the hot spots of a model, or an earlier revision of them.
    mask : Origin
        The mask of the bones that they were measured with.
    spots : tuple of SpotDecision
        One for each hot spot.
    image_sha256 : str
        `case_files.CaseFacts.image` of the case.
    labels_sha256 : str
        Hash of the file of the hot spots; see `plane_files.salted`.
    changed : tuple of FoundPixels
        Where the reader has changed the hot spots that were found; records of earlier versions lack it.
    """

    number: int
    annotator: str
    when: str
    origin: Origin
    mask: Origin
    spots: tuple[SpotDecision, ...]
    image_sha256: str
    labels_sha256: str
    changed: tuple[FoundPixels, ...] = ()

    @classmethod
    def read(cls, folder: Path, number: int) -> HotSpotRevision:
        """Read a record; raises `Damaged` if it is missing or damaged, `StoreError` if it cannot be reached."""
        return append_only.read_facts(cls, folder, number, "has no hot spots")

    def as_facts(self) -> Facts:
        """The content of the JSON file."""
        return append_only.facts_of(self, origin=self.origin.as_facts(), mask=self.mask.as_facts())


def hot_spot_numbers(folder: Path) -> list[int]:
    """Numbers of the records in a folder, in order; none if there is no folder."""
    with reachable(folder):
        there = folder.exists()
    return append_only.numbers(folder) if there else []


def revisions_of_hot_spots(folder: Path) -> list[HotSpotRevision]:
    """The intact records in a folder, in order."""
    found = []
    for number in hot_spot_numbers(folder):
        with suppress(Damaged):
            found.append(HotSpotRevision.read(folder, number))
    return found


def add_hot_spots(
    folder: Path, labels: NDArray[np.uint16], spacing: Spacing | None, revision: HotSpotRevision
) -> HotSpotRevision:
    """Add a record; it is on the disk when this returns.

    Parameters
    ----------
    folder : Path
        Made if it is missing.
    labels : ndarray of uint16, shape (view, y, x)
        Hot spots, numbered within a view from 1.
    spacing : (float, float) or None
        Pixel spacing (y, x) in mm.
    revision : HotSpotRevision
        Its number and hash of the labels are not used.

    Returns
    -------
    HotSpotRevision
        With its number and its hash.

    Raises
    ------
    CannotWrite
        If the store is full, not writable or gone; nothing is written then.
    """
    # Anybody who has the scan can compute the hot spots of a shipped model, so their hash must be salted.
    kept = salted(labels, spacing)
    make_folder(folder)
    whole = replace(revision, labels_sha256=kept.sha256)
    return replace(whole, number=append_only.append(folder, {_LABELS: kept.content}, whole.as_facts()))


def read_hot_spots(folder: Path, revision: HotSpotRevision, shape: Shape) -> NDArray[np.uint16]:
    """The hot spots of a record, uint16 of shape (view, y, x); raises `StoreError` if a file is damaged."""
    path = append_only.part_of(folder, revision.number, _LABELS)
    return read_planes(path, shape, revision.labels_sha256).astype(np.uint16, copy=False)


def require_hot_spots(
    labels: NDArray[np.uint16], shape: Shape, revision: HotSpotRevision, views: Sequence[ViewName]
) -> None:
    """Raise `StoreError` unless there is one decision on each hot spot of the labels."""
    if labels.dtype != np.uint16 or labels.shape != shape:
        raise StoreError(
            f"The hot spots are {labels.dtype} of shape {labels.shape}; they must be uint16 of shape {shape}."
        )
    there = {
        (view, int(number)) for view, plane in zip(views, labels, strict=True) for number in np.unique(plane) if number
    }
    said = [(spot.view, spot.id) for spot in revision.spots]
    if there != set(said) or len(there) != len(said):
        raise StoreError("The hot spots and the decisions on them are not the same; measure the scan again.")
