"""Random batches of training examples, one for each step."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch.utils.data import Dataset

from napari_bonescint.errors import BonescintError
from napari_bonescint.simulation.case import Case
from napari_bonescint.training.data.counted_examples import draw_counted_example
from napari_bonescint.training.data.lesion_examples import draw_lesion_examples
from napari_bonescint.training.data.simulated_examples import Example, draw_example

if TYPE_CHECKING:
    from napari_bonescint.counted_scan import CountedScan
    from napari_bonescint.training.data.sources import CaseSource

# Examples from one random generator: both views of one case, because a case takes long to simulate or to read.
_TOGETHER = 2
_MOST_FAILURES = 20


class NoLesionsError(BonescintError):
    """A case whose lesions are unknown."""


class Batch(NamedTuple):
    """Examples of one step.

    Attributes
    ----------
    images : Tensor of shape (batch, channel, y, x)
    codes : Tensor of uint8, shape (batch, samples * y, samples * x)
    skipped : tuple of str
        A sentence for each case that could not be read.
    """

    images: torch.Tensor
    codes: torch.Tensor
    skipped: tuple[str, ...]


class Batches(Dataset[Batch]):
    """Random examples from cases, indexed by step: each step always gives the same examples.

    Several processes with even batches draw the same examples as one process with the sum of their batches.

    Parameters
    ----------
    cases : CaseSource
    classes : int
        Number of classes: of region codes, 2 for background and bone, or 3 for finding hot spots.
    grid_mm : float
        Pixel size of the examples in mm.
    shape : (int, int)
        Rows and columns of the examples.
    batch : int
        Number of examples in a step of this process.
    seed : int
        Seed of the random numbers.
    rank : int
        Number of this process among those that train together.
    finds_hot_spots : bool
        True for examples of lesions, false for those of bones.
    """

    def __init__(
        self,
        cases: CaseSource,
        classes: int,
        grid_mm: float,
        shape: tuple[int, int],
        batch: int,
        seed: int,
        rank: int = 0,
        *,
        finds_hot_spots: bool = False,
    ) -> None:
        self._cases = cases
        self._classes = classes
        self._grid_mm = grid_mm
        self._shape = shape
        self._batch = batch
        self._seed = seed
        self._rank = rank
        self._finds_hot_spots = finds_hot_spots

    def __getitem__(self, step: int) -> Batch:
        """The examples of a step; an empty batch if more than 20 cases cannot be read."""
        slots = -(-self._batch // _TOGETHER)
        examples: list[Example] = []
        skipped: list[str] = []
        for slot in range(self._rank * slots, (self._rank + 1) * slots):
            rng = np.random.default_rng((self._seed, step, slot))
            drawn: list[Example] = []
            while len(drawn) < _TOGETHER:
                try:
                    case = self._cases.draw(rng)
                except BonescintError as error:
                    skipped.append(str(error))
                    if len(skipped) > _MOST_FAILURES:
                        return Batch(torch.empty(0), torch.empty(0), tuple(skipped))
                else:
                    drawn += self._examples(case, rng)
            examples += drawn[:_TOGETHER]
        images, codes = zip(*examples[: self._batch], strict=True)
        return Batch(torch.from_numpy(np.stack(images)), torch.from_numpy(np.stack(codes)), tuple(skipped))

    def _examples(self, case: Case | CountedScan, rng: np.random.Generator) -> list[Example]:
        """One example of each view."""
        if self._finds_hot_spots:
            if isinstance(case, Case):
                return draw_lesion_examples(case, rng, self._grid_mm, self._shape)
            raise NoLesionsError("Corrected scans do not tell which lesions are metastases; train on simulated cases.")
        settings, views = (self._classes, self._grid_mm, self._shape), range(len(case.regions))
        if isinstance(case, Case):
            return [draw_example(case, view, rng, *settings) for view in views]
        return [draw_counted_example(case, view, rng, *settings) for view in views]
