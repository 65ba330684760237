"""Where cases and scans are being corrected in this program, so that none is open twice.

Several windows of napari may run in one program; `corrections.open_cases` knows those of other programs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol
from weakref import WeakSet

from napari_bonescint.corrections.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from napari.layers import Layer

    from napari_bonescint.corrections.store.label_store import LabelStore
    from napari_bonescint.corrections.store.records.revision import Origin
    from napari_bonescint.scan import Scan


class CaseInLayers(NamedTuple):
    """A case of a label store that is open: its store and key, who corrects it, and the origin of its present mask."""

    store: LabelStore
    key: str
    annotator: str
    origin: Origin


class Place(Protocol):
    """A panel that may have something open for correction."""

    @property
    def open_case(self) -> tuple[LabelStore, str] | None:
        """The store and the key of the open case."""

    @property
    def open_scan(self) -> str | None:
        """The name of the open scan that is in no store, made of its pixels."""

    def case_in(self, labels: Collection[Layer]) -> CaseInLayers | None:
        """The open case if these are its labels layers."""

    def come_forward(self) -> None:
        """Show the open case or scan in front of everything else."""


_PLACES: WeakSet[Place] = WeakSet()


def add_place(place: Place) -> None:
    """Take note of a panel, until it is deleted."""
    _PLACES.add(place)


def place_of_case(folder: Path, key: str) -> Place | None:
    """The panel that has a case of the store in a folder open."""
    return next((place for place, store, case in _open_cases() if case == key and _same(store.folder, folder)), None)


def case_in(labels: Collection[Layer]) -> CaseInLayers | None:
    """The case of a label store whose mask is in these labels layers; None if they hold no case."""
    return next((found for place in _PLACES if (found := place.case_in(labels)) is not None), None)


def place_of_file(scan: Scan) -> Place | None:
    """The panel that has the case of a scan's file open."""
    for place, store, case in _open_cases():
        try:
            if scan.source_sha256 and store.find(scan) == case:
                return place
        except StoreError:  # its secret is missing, so it is not known what its cases are of
            continue
    return None


def place_of_scan(key: str) -> Place | None:
    """The panel that has a scan open that is in no store; see `Place.open_scan`."""
    return next((place for place in _PLACES if place.open_scan == key), None)


def _open_cases() -> Iterator[tuple[Place, LabelStore, str]]:
    for place in list(_PLACES):
        opened = place.open_case
        if opened is not None:
            yield place, *opened


def _same(folder: Path, other: Path) -> bool:
    return folder.resolve() == other.resolve()
