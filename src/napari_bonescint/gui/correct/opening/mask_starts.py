"""Begin the open mask anew: empty, from the model's mask, or from an earlier one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.corrections.store.records.revision import Origin
from napari_bonescint.gui.correct.correcting import EditedMask
from napari_bonescint.gui.correct.opening.safe_work import SafeWork

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_bonescint.corrections.entries import Entry


class MaskStarts(SafeWork):
    """Replaces the whole mask that is being corrected; see `SafeWork` for the parameters."""

    def start_from(self, regions: NDArray[np.uint8], origin: Origin) -> None:
        """Put another mask into the labels, as one undoable step."""
        if isinstance(self.state, EditedMask):
            self.state.start_from(regions, origin)

    def start_empty(self) -> None:
        """Start the open case or scan from an empty mask."""
        if isinstance(self.state, EditedMask):
            self.start_from(np.zeros_like(self.state.regions()), Origin.empty())

    def start_from_model(self) -> None:
        """Start the open case or scan from the model's mask."""
        model = self.state.model_mask if isinstance(self.state, EditedMask) else None
        if model is None or not isinstance(self.state, EditedMask):
            self._show_error("No model has segmented this scan yet; choose one in the tab Model.")
        elif model.names_regions is not self.state.names_regions:
            self._show_error("The model's mask was not used: only one of the mask and the labels names regions.")
        else:
            self.start_from(model.regions, Origin.of_model(model.name, model.sha256))

    def restore(self, entry: Entry, regions: NDArray[np.uint8], *, reviewed: bool) -> None:
        """Save an earlier mask again, as the newest revision."""
        self.start_from(regions, entry.origin)
        self.comment = f"Restored from {entry.title}{f', reviewed by {entry.reviewer}' if entry.reviewer else ''}."
        self.changed.emit()
        self.save(reviewed=reviewed)
