"""Calibrate a model for eight-bit integers, and measure the Dice that it loses."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dice_lost import mean_dice_lost
from napari_bonescint.inference.backends.openvino_graph import convert
from napari_bonescint.inference.backends.openvino_int8 import measure_ranges
from napari_bonescint.inference.model_card import Int8
from napari_bonescint.inference.preprocessing import Grid, around_body, images_on
from napari_bonescint.inference.segmenter import Segmenter

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    from numpy.typing import NDArray

    from napari_bonescint.evaluation.reference_sets import ReferenceSet
    from napari_bonescint.inference.model_card import ModelCard
    from napari_bonescint.scan import Scan


def calibrate(card: ModelCard, scans: Iterable[Scan], judged_on: ReferenceSet) -> ModelCard:
    """Calibrate a model for eight-bit integers and measure by how much Dice falls.

    Parameters
    ----------
    card : ModelCard
        The model.
    scans : iterable of Scan
        To see between what values each layer's input lies; not those it is judged on.
    judged_on : ReferenceSet
        To measure Dice on, in float32 and in eight-bit integers.

    Returns
    -------
    ModelCard
        The card with `ModelCard.int8`.

    Raises
    ------
    EngineUnavailable
        If OpenVINO cannot convert the network.
    ModelError
        If the weights are missing, damaged or not what the card says.
    """
    ranges = measure_ranges(convert(card), (_seen(scan, card.grid_mm)[:, None] for scan in scans))
    free = Int8(ranges, 0.0, data=judged_on.origin, scans=len(judged_on), weights_sha256=card.weights_sha256)
    engines = Segmenter(replace(card, int8=None), "cpu"), Segmenter(replace(card, int8=free), "cpu")
    return replace(card, int8=replace(free, dice_lost=mean_dice_lost(judged_on, *engines)))


def _seen(scan: Scan, grid_mm: float) -> NDArray[np.float32]:
    images = images_on(Grid.of(scan, grid_mm), scan)
    return images[:, *around_body(images)]
