"""Looks at the validation scans during a training: how well the weights do, and pictures of it."""

from __future__ import annotations

import io
import statistics
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from PIL import Image

from napari_bonescint.anatomy import CODES
from napari_bonescint.corrections.errors import StoreError
from napari_bonescint.counted_scan import CountedScan
from napari_bonescint.evaluation.metrics import Summary, cross_entropy, dice, region_dice
from napari_bonescint.evaluation.reference_sets import SimulatedSet
from napari_bonescint.evaluation.report.mask_pictures import LabelledMask, panels_of
from napari_bonescint.evaluation.verdict import SKELETON
from napari_bonescint.inference.segmenter import Segmenter
from napari_bonescint.simulation.splits import read_splits
from napari_bonescint.training.loop.checkpoint import publish

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray
    from torch import nn

    from napari_bonescint.segmentation import Segmentation
    from napari_bonescint.training.data.training_data import TrainingData
    from napari_bonescint.training.loop.recipe import Recipe

MOST_SCANS = 12
_PICTURED = 2
_WIDTH, _HEIGHT = 600, 400


class Look(NamedTuple):
    """What a look at the validation scans found.

    Attributes
    ----------
    dice : Summary
        Over views: the mean Dice of the regions of a view where both the model and the mask name them, and of the
        skeleton elsewhere.
    loss : float
        Mean over views of the cross-entropy of bone.
    regions : dict of str to float
        Mean Dice over the views that show it, of ``skeleton`` and of each region.
    scans : int
    picture : bytes
        PNG of the first scans: as acquired, with the true mask, with the model's.
    """

    dice: Summary
    loss: float
    regions: dict[str, float]
    scans: int
    picture: bytes


def validation_scans(material: TrainingData, most: int = MOST_SCANS) -> Iterator[CountedScan]:
    """Scans to look at, always the same: corrected ones if there are any, and otherwise simulated ones.

    None of them is of a patient who is held out for judging, since whatever chooses a model must not judge it. Each is
    read when it is asked for; one that cannot be read is left out.
    """
    selection = material.selection
    if selection is not None and selection.validation:
        for corrected in selection.validation[:most]:
            try:
                yield CountedScan(*corrected.read(), corrected.names_regions)
            except StoreError:
                continue
    else:
        for reference in SimulatedSet(read_splits()["test"], material.held_out_cases[:most]):
            yield CountedScan(reference.scan, reference.regions, reference.names_regions)


def has_validation(material: TrainingData) -> bool:
    """Whether there is anything to look at."""
    return bool(material.held_out_cases or (material.selection is not None and material.selection.validation))


def look_at(network: nn.Module, recipe: Recipe, material: TrainingData, device: str) -> Look | None:
    """Segment the validation scans through the code that serves a click.

    Parameters
    ----------
    network : torch.nn.Module
    recipe : Recipe
        Which the network was trained by.
    material : TrainingData
    device : str

    Returns
    -------
    Look or None
        None if no validation scan can be read.
    """
    values: list[float] = []
    losses: list[float] = []
    by_region: dict[str, list[float]] = {name: [] for name in (SKELETON, *CODES)}
    panels: list[NDArray[np.uint8]] = []
    scans = 0
    with tempfile.TemporaryDirectory(prefix="bonescint-") as folder:
        segmenter = Segmenter(publish(network, recipe, Path(folder), {}, []), device)
        for counted in validation_scans(material):
            result = segmenter.segment(counted.scan)
            for view, truth in enumerate(counted.regions):
                values.append(view_dice(result, view, counted))
                losses.append(cross_entropy(result.probability[view], truth > 0))
                by_region[SKELETON].append(dice(result.skeleton[view] > 0, truth > 0))
                if result.regions is not None and counted.names_regions:
                    for name, value in region_dice(result.regions[view], truth).items():
                        by_region[name].append(value)
            if scans < _PICTURED:
                masks = [LabelledMask.of_truth(counted), LabelledMask.of_model("model", result)]
                panels += panels_of(counted.scan.counts, masks, 0)
            scans += 1
    if not scans:
        return None
    regions = {name: round(statistics.mean(found), 4) for name, found in by_region.items() if found}
    return Look(Summary.of(values), round(statistics.mean(losses), 4), regions, scans, _png(panels))


def view_dice(result: Segmentation, view: int, truth: CountedScan) -> float:
    """How well a view is segmented, see `Look.dice`."""
    if result.regions is not None and truth.names_regions:
        by_name = region_dice(result.regions[view], truth.regions[view])
        if by_name:
            return statistics.mean(by_name.values())
    return dice(result.skeleton[view] > 0, truth.regions[view] > 0)


def _png(panels: Sequence[NDArray[np.uint8]]) -> bytes:
    """Pictures side by side, made to fit."""
    width = _WIDTH // len(panels)
    sheet = Image.new("RGB", (_WIDTH, _HEIGHT), "white")
    for index, panel in enumerate(panels):
        picture = Image.fromarray(panel)
        picture.thumbnail((width, _HEIGHT), Image.Resampling.BILINEAR)
        sheet.paste(picture, (index * width + (width - picture.width) // 2, (_HEIGHT - picture.height) // 2))
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
