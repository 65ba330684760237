"""A box in which the model's mask is made again with another threshold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_bonescint.corrections.tools.rethreshold import rethreshold
from napari_bonescint.gui.layers.labels import set_regions

if TYPE_CHECKING:
    from napari_bonescint.corrections.tools.rethreshold import Box
    from napari_bonescint.gui.correct.open_case import OpenCase


class Answer:
    """The model's mask in a box of one view, always a single step of the layer's history.

    Parameters
    ----------
    case : OpenCase
        A scan with a model's mask and probability.
    view : int
        Index of the view.
    box : (y0, x0, y1, x1)
        In pixels; row y1 and column x1 are outside.

    Attributes
    ----------
    labels : Labels
        The layer of the view.
    """

    def __init__(self, case: OpenCase, view: int, box: Box) -> None:
        self.labels = case.labels[view]
        self._case, self._view, self._box = case, view, box
        self._before = self.labels.data.copy()
        self._step: object = None

    def holds(self) -> bool:
        """Whether the mask is as the answer left it; False after any edit, and after Undo."""
        labels = self.labels
        if self._step is None:
            return bool((labels.data == self._before).all())
        return bool(labels._undo_history) and labels._undo_history[-1] is self._step

    def give(self, threshold: float) -> bool:
        """Apply another threshold of the probability; returns False if the mask was edited in the meantime."""
        if not self.holds():
            return False
        labels = self.labels
        if self._step is not None:
            labels.undo()
            self._step = None
        probability, model_regions = self._case.probability, self._case.model_regions
        if probability is None or model_regions is None:
            return False
        answer = rethreshold(self._before, probability[self._view], model_regions[self._view], self._box, threshold)
        if set_regions(labels, answer):
            self._step = labels._undo_history[-1]
        return True
