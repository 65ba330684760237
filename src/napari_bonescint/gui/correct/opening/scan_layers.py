"""The layers of the scan that is corrected where it lies in the viewer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image, Labels

from napari_bonescint.anatomy import REGIONS
from napari_bonescint.corrections.store.records.revision import Origin
from napari_bonescint.errors import BonescintError
from napari_bonescint.gui.layers.labels import all_labels_of, empty_labels, model_of, names_regions_of, unedited
from napari_bonescint.gui.layers.scans import KEY, ViewFacts, can_be_scan, group_by_scan, layers_to_scan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari.layers import Layer
    from numpy.typing import NDArray

    from napari_bonescint.scan import Scan


class NoScanToCorrect(BonescintError):
    """The layers allow no correction; the sentence says which layer to select."""


@dataclass(frozen=True, eq=False)
class ScanLayers:
    """The images of one scan, and the labels layer of each, which may be missing.

    Attributes
    ----------
    scan : Scan
        As the images show it now.
    images : tuple of Image
        One for each view, in the order of the scan.
    labels : tuple of Labels or None
        One for each view.
    names_regions : bool
        True if the labels are region codes, False if 1 means bone.
    """

    scan: Scan
    images: tuple[Image, ...]
    labels: tuple[Labels | None, ...]
    names_regions: bool

    @property
    def name(self) -> str:
        """The names of the images."""
        return ", ".join(image.name for image in self.images)

    @property
    def title(self) -> str:
        """Name of the scan in this window, which names no patient; empty for a scan of another reader."""
        facts = self.images[0].metadata.get(KEY)
        return facts.title if isinstance(facts, ViewFacts) else ""

    @property
    def files(self) -> list[Path]:
        """The files or folders that the images were opened from."""
        return sorted({Path(image.source.path) for image in self.images if image.source.path})

    def are_in(self, layers: Any) -> bool:
        """Whether all of them are still among the layers of a viewer."""
        return all(layer in layers for layer in (*self.images, *self.labels) if layer is not None)

    def with_labels(self, layers: Any) -> tuple[Labels, ...]:
        """The labels of all views; those that are missing are added to the layers of a viewer, empty."""
        whole = []
        for image, labels in zip(self.images, self.labels, strict=True):
            each = labels if labels is not None else empty_labels(image, names_regions=self.names_regions)
            if labels is None:
                layers.append(each)
            whole.append(each)
        return tuple(whole)


def scan_to_correct(layers: Any, active: Layer | None) -> ScanLayers:
    """The scan that a layer is of; without one, the only scan of the viewer.

    Parameters
    ----------
    layers : LayerList
    active : Layer or None
        An image, or labels on it.

    Raises
    ------
    NoScanToCorrect
        If it is not clear which scan is meant, or the labels are no regions.
    Refusal
        If the pixels cannot be counts.
    """
    groups = group_by_scan([layer for layer in layers if can_be_scan(layer)])
    images = _group_of(layers, groups, active)
    found = [[each for each in all_labels_of(layers, image) if _fits(each, image)] for image in images]
    chosen = _of_active(found, active) if isinstance(active, Labels) else _topmost(layers, found)
    names_regions = True if chosen is None else names_regions_of(chosen)
    labels = [_one_of(each, chosen, names_regions=names_regions) for each in found]
    for each in labels:
        if each is not None:
            _require_regions(each, names_regions=names_regions)
    scan = layers_to_scan(images)
    return ScanLayers(replace(scan, warnings=()), images, tuple(labels), names_regions)


def origin_of(labels: Sequence[Labels]) -> Origin:
    """The origin of the masks in labels layers: a model, an empty mask, or a file."""
    if not any(each.data.any() for each in labels):
        return Origin.empty()
    models = {model_of(each) for each in labels if each.data.any()}
    (model,) = models if len(models) == 1 else (None,)
    return Origin.imported() if model is None else Origin.of_model(*model)


def unedited_masks(labels: Sequence[Labels]) -> NDArray[np.uint8]:
    """The masks before a person edited them, of shape (view, y, x)."""
    return np.stack([np.asarray(unedited(each), np.uint8) for each in labels])


def _group_of(layers: Any, groups: Sequence[tuple[Image, ...]], active: Layer | None) -> tuple[Image, ...]:
    for images in groups:
        if active in images or any(active is each for image in images for each in all_labels_of(layers, image)):
            return images
    if len(groups) == 1:
        return groups[0]
    if not groups:
        raise NoScanToCorrect("Open a bone scan first, then correct it.")
    raise NoScanToCorrect("Select a layer of the scan that you want to correct, then choose Correct this scan again.")


def _fits(labels: Labels, image: Image) -> bool:
    return labels.data.shape == image.data.shape and np.dtype(labels.dtype).kind in "ui"


def _of_active(found: Sequence[Sequence[Labels]], active: Labels) -> Labels | None:
    return next((each for labels in found for each in labels if each is active), None)


def _topmost(layers: Any, found: Sequence[Sequence[Labels]]) -> Labels | None:
    """The labels layer that lies over all others, if possible one that names regions."""
    candidates = sorted((each for labels in found for each in labels), key=layers.index)
    named = [each for each in candidates if names_regions_of(each)]
    return next(iter([*reversed(named), *reversed(candidates)]), None)


def _one_of(labels: Sequence[Labels], chosen: Labels | None, *, names_regions: bool) -> Labels | None:
    """The chosen layer, or the topmost one of the same kind."""
    alike = [each for each in labels if names_regions_of(each) is names_regions]
    return chosen if chosen in alike else next(reversed(alike), None)


def _require_regions(labels: Labels, *, names_regions: bool) -> None:
    most = REGIONS[-1].code if names_regions else 1
    highest = int(labels.data.max(initial=0))
    if highest > most or int(labels.data.min(initial=0)) < 0:
        raise NoScanToCorrect(
            f"{labels.name}: has the label {highest}, which is no region (0 to {most}); select other labels, or remove "
            "this layer to begin with an empty mask."
        )
