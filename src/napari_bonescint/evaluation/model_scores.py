"""Scores and speed of a model, measured with the code that the plugin segments with."""

from __future__ import annotations

import os
import statistics
from dataclasses import dataclass
from functools import reduce
from itertools import islice
from operator import add
from typing import TYPE_CHECKING, Any

from napari_bonescint.anatomy import CODES
from napari_bonescint.evaluation.calibration import Reliability  # noqa: TC001 - `facts.build` looks at the types
from napari_bonescint.evaluation.metrics import Summary
from napari_bonescint.inference.devices import cpu_facts
from napari_bonescint.scan import ViewName

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from napari_bonescint.evaluation.reference_sets import Reference
    from napari_bonescint.evaluation.view_scores import ViewScore
    from napari_bonescint.inference.segmenter import Segmenter

_SCANS_TO_TIME = 5


@dataclass(frozen=True)
class Scores:
    """Scores of a model on a set.

    Attributes
    ----------
    skeleton : Summary
        Skeleton Dice over all views.
    of_view : dict of str to Summary
        Skeleton Dice over the anterior and over the posterior views.
    macro : Summary or None
        Mean Dice over the regions of a view; None if the model names no regions.
    regions : dict of str to float
        Mean Dice of each region.
    loss : float
        Mean over views of the binary cross-entropy of bone, on the acquired pixels.
    reliability : Reliability
        Calibration of the probability of bone over all views.
    """

    skeleton: Summary
    of_view: dict[str, Summary]
    macro: Summary | None
    regions: dict[str, float]
    loss: float
    reliability: Reliability

    @classmethod
    def of(cls, views: Sequence[ViewScore]) -> Scores:
        """Summarise the scores of one or more views."""
        of_view = {name: [each.skeleton for each in views if each.view is name] for name in ViewName}
        # A view that shows no region has no macro Dice.
        macro = [each.macro for each in views if each.macro is not None]
        regions = {name: [each.regions[name] for each in views if name in each.regions] for name in CODES}
        return cls(
            skeleton=Summary.of([each.skeleton for each in views]),
            of_view={name.value: Summary.of(values) for name, values in of_view.items() if values},
            macro=Summary.of(macro) if macro else None,
            regions={name: round(statistics.mean(values), 4) for name, values in regions.items() if values},
            loss=round(statistics.mean(each.loss for each in views), 4),
            reliability=reduce(add, (each.reliability for each in views)),
        )

    def on_card(self, data: str, scans: int) -> list[dict[str, Any]]:
        """The scores as entries of a model card.

        Parameters
        ----------
        data : str
            Description of the scans, as a phrase.
        scans : int
            Number of scans.

        Returns
        -------
        list of dict
            Metric, value (mean over views), spread (standard deviation), lowest, data and scans; the entry of the
            regions also has the mean of each region.
        """
        found = {"skeleton Dice": self.skeleton} | ({} if self.macro is None else {"regions Dice": self.macro})
        entries: list[dict[str, Any]] = [
            {"metric": metric, "value": each.mean, "spread": each.spread, "lowest": each.lowest}
            for metric, each in found.items()
        ]
        entries = [{**entry, "data": data, "scans": scans} for entry in entries]
        if self.macro is not None:
            entries[-1]["regions"] = self.regions
        return entries


@dataclass(frozen=True)
class Speed:
    """Time that a model needs.

    Attributes
    ----------
    milliseconds : float
        Time for one view, from counts in memory to masks in memory: median over scans.
    scans : int
        Number of timed scans.
    hardware : str
        Name of the processor or GPU.
    """

    milliseconds: float
    scans: int
    hardware: str


def time_views(segmenter: Segmenter, references: Iterable[Reference]) -> Speed:
    """Time a model on the first scans of a set (one to five), after one untimed scan."""
    scans = [reference.scan for reference in islice(references, _SCANS_TO_TIME)]
    segmenter.segment(scans[0])
    milliseconds = [1000 * segmenter.segment(scan).seconds / len(scan.views) for scan in scans]
    return Speed(round(statistics.median(milliseconds), 1), len(scans), describe_hardware(segmenter.device.device))


def describe_hardware(device: str) -> str:
    """Name of a device's processor and, for a CPU, the number of cores in use."""
    import torch

    if device != "cpu":
        return torch.cuda.get_device_name(device)
    return f"{cpu_facts()[0]}, {torch.get_num_threads()} of {os.cpu_count()} cores"
