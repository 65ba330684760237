"""The open scans of which something can be sent to an archive: masks, and measures if there are any."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_bonescint.gui.archive.sending import ScanToSend
from napari_bonescint.gui.export.open_scans import open_scans
from napari_bonescint.gui.layers.masks import layers_to_mask

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.layers import Image, Layer

    from napari_bonescint.gui.export.open_scans import MaskLayers, OpenScan

    Measured = Callable[[tuple[Image, ...]], ScanToSend | None]
    """Gives a scan with its measures as they are now; None if it is not measured."""


@dataclass(frozen=True)
class Offer:
    """An open scan with a mask."""

    scan: OpenScan
    mask: MaskLayers

    @property
    def title(self) -> str:
        """The names of its layers."""
        return self.scan.title

    def take(self, layers: Any, measured: Measured) -> ScanToSend:
        """Copy the scan with its measures, or else with the uppermost mask.

        Raises
        ------
        BonescintError
            If the layers are no mask of the scan.
        """
        found = measured(self.scan.images)
        if found is not None:
            return found
        mask, _ = layers_to_mask(layers, self.mask.labels)
        return ScanToSend(self.title, mask, self.scan.files)


def offers(layers: Any) -> list[Offer]:
    """The scans of a layer list that have a mask with a pixel, in its order."""
    found = []
    for scan in open_scans(layers):
        mask = next((mask for mask in scan.masks if any(labels.data.any() for labels in mask.labels)), None)
        if mask is not None:
            found.append(Offer(scan, mask))
    return found


def first_choice(found: list[Offer], chosen: tuple[Image, ...], active: Layer | None) -> int:
    """The index of the scan that was chosen in the panel Measure, or else of the active layer's, or else the last."""
    for number, offer in enumerate(found):
        if offer.scan.images == chosen:
            return number
    for number, offer in enumerate(found):
        if active in offer.scan.images or any(active in mask.labels for mask in offer.scan.masks):
            return number
    return len(found) - 1
