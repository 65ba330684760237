"""Have each case and each scan open once: bring it to the front where it is open, or say who has it."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from napari.utils.notifications import show_warning

from napari_bonescint.gui.correct.correcting import Correcting, EditedMask
from napari_bonescint.gui.correct.opening.correcting_scan import CorrectingScan
from napari_bonescint.gui.correct.opening.places import CaseInLayers, add_place
from napari_bonescint.gui.correct.opening.safe_work import SafeWork

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from napari.components import ViewerModel
    from napari.layers import Layer

    from napari_bonescint.corrections.store.label_store import LabelStore
    from napari_bonescint.corrections.work_list.open_cases import Holder
    from napari_bonescint.gui.common.run import Run
    from napari_bonescint.gui.correct.opening.places import Place
    from napari_bonescint.gui.correct.states import Unsaved, UnsavedScan


class OpenOnce(SafeWork):
    """A `Place` of the program where a case or a scan is open; see `SafeWork` for the other parameters.

    Parameters
    ----------
    viewer : ViewerModel
        The viewer that shows the cases.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        run: Run,
        ask: Callable[[str], Unsaved],
        ask_about_scan: Callable[[str], UnsavedScan],
        choose_store: Callable[[], Path | None],
        annotator: str,
    ) -> None:
        super().__init__(run, ask, ask_about_scan, choose_store, annotator)
        self._viewer = viewer
        add_place(self)

    @property
    def open_case(self) -> tuple[LabelStore, str] | None:
        """The store and the key of the open case."""
        return (self.state.work.store, self.state.key) if isinstance(self.state, Correcting) else None

    @property
    def open_scan(self) -> str | None:
        """The name of the open scan that is in no store, made of its pixels."""
        return self.state.key if isinstance(self.state, CorrectingScan) else None

    def case_in(self, labels: Collection[Layer]) -> CaseInLayers | None:
        """The open case if these are its labels layers."""
        state = self.state
        if not isinstance(state, Correcting) or set(labels) != set(state.labels):
            return None
        return CaseInLayers(state.work.store, state.key, self.annotator, state.origin)

    def come_forward(self) -> None:
        """Show the open case or scan in front of everything else."""
        if isinstance(self.state, EditedMask) and self.state.labels[0] in self._viewer.layers:
            self._viewer.layers.selection.active = self.state.labels[0]
        self.wanted.emit()

    @abstractmethod
    def _leave_case(self) -> None:
        """End the work on the open case, and take it from the viewer."""

    def _is_elsewhere(self, place: Place | None) -> bool:
        """Whether another window has something open; it comes to the front then."""
        if place is None:
            return False
        where = "in this window" if place is self else "in another window, which is in front now"
        self._show_message(f"This scan is being corrected already, {where}.")
        place.come_forward()
        return True

    def _on_open_elsewhere(self, of: Correcting, own: Holder | None, others: list[Holder]) -> None:
        if of is not self.state:
            return
        if own is None:
            who = " and ".join(map(str, others))
            show_warning(f"This case is open elsewhere, too ({who}); both masks will be kept as revisions.")
            return
        self._leave_case()
        self._show_error(f"You have this case open in another napari ({own}); go on there, or close it there first.")
