"""The logic of the panel "Correct masks": the open store and case, and the safety of unsaved work."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from napari.utils.notifications import show_warning
from psygnal import Signal

from napari_bonescint.corrections.entries import Entry
from napari_bonescint.corrections.queue import after_prediction, after_saving
from napari_bonescint.corrections.store.drafts import Drafts
from napari_bonescint.corrections.store.revision import Origin
from napari_bonescint.corrections.work import open_work
from napari_bonescint.gui.correct.case_layers import CaseLayers
from napari_bonescint.gui.correct.case_loader import CaseLoader
from napari_bonescint.gui.correct.correcting import Correcting
from napari_bonescint.gui.correct.open_case import OpenCase
from napari_bonescint.gui.correct.states import NoStore, StoreOpen, Unsaved
from napari_bonescint.gui.correct.work_queue import WorkQueue

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

    from napari.components import ViewerModel
    from numpy.typing import NDArray

    from napari_bonescint.corrections.opening import OpenedCase
    from napari_bonescint.corrections.queue import WorkItem
    from napari_bonescint.corrections.store.drafts import Draft
    from napari_bonescint.corrections.store.prediction import Prediction
    from napari_bonescint.corrections.store.revision import Revision
    from napari_bonescint.corrections.work import Work
    from napari_bonescint.gui.common.run import Run

_NO_NAME = "Type your name as annotator first; you need to do this only once."
_DISPLACED = "{}: does not lie exactly on its image; undo the move, scale, rotation, shear or affine, and save again."


class CorrectController:
    """Opens label stores and cases, saves drafts and revisions, and asks before unsaved work is lost.

    Parameters
    ----------
    viewer : ViewerModel
        The viewer that shows the cases.
    run : Run
        The thread that reads and writes stores.
    call_later : callable
        Calls a function a moment later, in the same thread.
    ask : callable
        Takes the key of a case, and asks the user what to do with the unsaved work on it.
    annotator : str
        Name for drafts and revisions; empty if the user has given none.

    Attributes
    ----------
    state : NoStore, StoreOpen or Correcting
    annotator : str
    comment : str
        Comment for the next revision.
    loader : CaseLoader
    """

    changed = Signal()
    """Emitted when the open case, its data or the comment has changed."""
    message = Signal(str, bool)
    """Emitted with a sentence about the store, which may be empty, and whether it is an error."""
    status = Signal(str, bool)
    """Emitted with a sentence about the open case, which may be empty, and whether it is an error."""
    name_missing = Signal()
    """Emitted when nothing can be saved because the annotator's name is missing."""
    store_opened = Signal(StoreOpen)
    """Emitted when another store is open."""
    tools_moved = Signal(object)
    """Emitted with the `OpenCase` for the tools, or None."""
    drafts_offered = Signal(object)
    """Emitted with a list of all drafts of the annotator."""
    draft_withdrawn = Signal(str)
    """Emitted with the key of a case whose draft is gone."""
    drawn = Signal()
    """Emitted when the mask may have changed; `keep` should be called within seconds."""

    def __init__(
        self,
        viewer: ViewerModel,
        run: Run,
        call_later: Callable[[Callable[[], None]], None],
        ask: Callable[[str], Unsaved],
        annotator: str,
    ) -> None:
        self.state: NoStore | StoreOpen | Correcting = NoStore()
        self.annotator = annotator
        self.comment = ""
        self.loader = CaseLoader(run, call_later)
        self._viewer, self._run, self._ask = viewer, run, ask
        self._layers = CaseLayers(viewer)
        self.loader.loaded.connect(self._on_loaded)
        self.loader.predicted.connect(self._on_predicted)
        self.loader.warned.connect(show_warning)
        self.loader.failed.connect(self._show_error)
        viewer.layers.events.removed.connect(self._on_layer_removed)

    @property
    def has_unsaved(self) -> bool:
        """Whether the mask differs from the last revision."""
        return isinstance(self.state, Correcting) and self.state.is_changed()

    def open(self, store: Path, scans: Path | None = None, *, begin: bool = True) -> None:
        """Open a label store, or make one in an empty folder; asks first if there is unsaved work.

        Parameters
        ----------
        store : Path
            Folder of the store.
        scans : Path, optional
            A folder of scans to correct, which are added to the store.
        begin : bool
            Whether to open the first case, too.
        """

        def then() -> None:
            self._show_message("Opening …")
            work = partial(open_work, store, self.annotator, scans)
            self._run(work, partial(self._on_opened, begin), self._show_error)

        self.leave(then)

    def go_to(self, item: WorkItem) -> None:
        """Open another case; asks first if there is unsaved work."""
        if isinstance(self.state, StoreOpen):
            self.leave(partial(self.loader.open, item))

    def start_from(self, regions: NDArray[np.uint8], origin: Origin) -> None:
        """Put another mask into the labels, as one undoable step."""
        if isinstance(self.state, Correcting):
            self.state.start_from(regions, origin)

    def start_empty(self) -> None:
        """Start the open case from an empty mask."""
        if isinstance(self.state, Correcting):
            self.start_from(np.zeros_like(self.state.case.regions), Origin.empty())

    def start_from_model(self) -> None:
        """Start the open case from the model's mask."""
        if not isinstance(self.state, Correcting) or self.state.case.prediction is None:
            self._show_error("No model has segmented this case yet; choose one in the tab Model.")
        elif self.state.case.prediction.names_regions is not self.state.case.names_regions:
            self._show_error("The model's mask was not used: only one of the mask and the labels names regions.")
        else:
            prediction = self.state.case.prediction
            self.start_from(prediction.regions, Entry(prediction=prediction).origin)

    def restore(self, entry: Entry, regions: NDArray[np.uint8]) -> None:
        """Save an earlier mask again, as the newest revision."""
        self.start_from(regions, entry.origin)
        self.comment = f"Restored from {entry.title}."
        self.changed.emit()
        self.save(reviewed=False)

    def keep(self) -> None:
        """Save unsaved work as a draft now."""
        if isinstance(self.state, Correcting):
            self.state.keep()

    def save(self, *, reviewed: bool, then: Callable[[], None] = lambda: None) -> None:
        """Save the mask as a revision in the background; `then` is called when it is saved, not if that fails."""
        state = self.state
        if not isinstance(state, Correcting) or not self._may_save(state):
            return

        def done(revision: Revision) -> None:
            if state is self.state:
                self.comment = ""
                self.changed.emit()
                self.status.emit(f"Saved as revision {revision.number}{', reviewed' if reviewed else ''}.", False)
            then()

        self.status.emit("Saving …", False)
        state.save(self.comment.strip(), reviewed=reviewed, then=done)

    def leave(self, then: Callable[[], None]) -> None:
        """Ask about unsaved work, then call `then`, unless the user cancels."""
        match self._ask_about_unsaved():
            case Unsaved.SAVE:
                self.save(reviewed=False, then=then)
            case Unsaved.DISCARD:
                then()

    def may_close(self) -> bool:
        """Whether napari may close; asks about unsaved work, and waits until it is saved."""
        answer = self._ask_about_unsaved()
        if answer is not Unsaved.SAVE or not isinstance(self.state, Correcting):
            return answer is Unsaved.DISCARD
        return self._may_save(self.state) and self.state.save_and_wait(self.comment.strip())

    def sign(self, name: str) -> None:
        """Change the annotator; the draft of unsaved work gets the new name."""
        if name == self.annotator:
            return
        self.annotator = name
        if isinstance(self.state, Correcting):
            self.state.sign(name)
        if isinstance(self.state, StoreOpen):
            self.loader.sign(name)
            self.loader.read_ahead(self.state.queue.neighbour(1))
            self._run(partial(Drafts(self.state.work.store).waiting, name), self._on_waiting, self._show_error)

    def open_draft(self, case: str) -> None:
        """Open the case of a draft of the annotator."""
        if isinstance(self.state, StoreOpen):
            item = self.state.queue.of_case(case)
            if item is None:
                self._show_error("The case of this draft is not in the list; open its label store.")
            else:
                self.go_to(item)

    def discard_draft(self, case: str) -> None:
        """Delete a draft of the annotator."""
        if isinstance(self.state, StoreOpen):

            def then(_: None) -> None:
                self.draft_withdrawn.emit(case)
                self.loader.forget(case)

            discard = partial(Drafts(self.state.work.store).discard, case, self.annotator)
            self._run(discard, then, self._show_error)

    def close(self) -> None:
        """Save unsaved work as a draft, and end the child process."""
        self._viewer.layers.events.removed.disconnect(self._on_layer_removed)
        self._let_go()
        self.loader.close()

    def _on_opened(self, begin: bool, work: Work) -> None:
        self._let_go()
        self._layers.clear()
        self.loader.use(work.store, self.annotator)
        self.state = StoreOpen(work, WorkQueue(work.items))
        self.store_opened.emit(self.state)
        self.drafts_offered.emit(work.waiting)
        if work.damage:
            show_warning(work.damage)
        self._show_message("" if work.items else "This store has no cases: open a folder of scans.")
        if begin and work.items:
            self.go_to(work.items[0])

    def _on_loaded(self, item: WorkItem, case: OpenedCase) -> None:
        self._end()
        if not isinstance(self.state, StoreOpen):
            return
        self._layers.show(case)
        self._move_tools(case)
        self.state = state = Correcting(self.state, item, case, self._layers.labels, self.annotator, self._run)
        state.drawn.connect(self._on_drawn)
        state.kept.connect(self._on_kept)
        state.saved.connect(partial(self._on_saved, state))
        state.failed.connect(self._on_failed)
        self.comment = ""
        self._show_message("")
        if case.draft is not None:
            self.draft_withdrawn.emit(case.key)
            self._show_message("Your unsaved work on this case was restored; Undo removes it.")
        self._show_saved()
        state.queue.open(item)
        self.changed.emit()
        self.loader.read_ahead(state.queue.neighbour(1))

    def _on_predicted(self, item: WorkItem, prediction: Prediction) -> None:
        if not isinstance(self.state, StoreOpen):
            return
        known = self.state.queue.latest(item)
        if known.case is not None:
            known = replace(known, case=after_prediction(known.case, prediction))
            self.state.queue.update(known)
        if not isinstance(self.state, Correcting) or known.identity != self.state.item.identity:
            return
        if self.state.is_untouched_and_empty():
            self.loader.open(known)
            return
        self.state.case = replace(self.state.case, prediction=prediction)
        self._move_tools(self.state.case)
        self.changed.emit()

    def _on_waiting(self, waiting: list[Draft]) -> None:
        key = self.state.key if isinstance(self.state, Correcting) else ""
        self.drafts_offered.emit([draft for draft in waiting if draft.case != key])
        # Unsaved work in the layers is this draft.
        if any(draft.case == key for draft in waiting) and not self.has_unsaved:
            self.open_draft(key)

    def _move_tools(self, case: OpenedCase) -> None:
        """Give the case and its prediction to the tools."""
        prediction, layers = case.prediction, self._layers
        model = prediction.regions if prediction is not None and prediction.names_regions else None
        probability = None if prediction is None else prediction.probability
        self.tools_moved.emit(OpenCase(case.scan, layers.images, case.windows, layers.labels, model, probability))

    def _end(self) -> None:
        """End the work on the open case; unsaved work is kept as a draft."""
        if isinstance(self.state, Correcting):
            self.state.stop()
            self.state = StoreOpen(self.state.work, self.state.queue)

    def _let_go(self) -> None:
        """End the work on the open case, and take it from the tools, too."""
        self._end()
        self.tools_moved.emit(None)
        self.status.emit("", False)
        self.changed.emit()

    def _ask_about_unsaved(self) -> Unsaved:
        """Ask about unsaved work, and discard it if the user wants that; without any, the answer is Discard."""
        self.keep()  # so that nothing is lost if napari crashes before the answer
        state = self.state
        if not isinstance(state, Correcting) or not state.is_changed():
            return Unsaved.DISCARD
        answer = self._ask(state.key)
        if state is not self.state:
            return Unsaved.CANCEL  # another case was opened in the meantime; the unsaved work is kept as a draft
        if answer is Unsaved.DISCARD:
            state.discard()
        return answer

    def _may_save(self, state: Correcting) -> bool:
        if not self.annotator:
            self.status.emit(_NO_NAME, True)
            self.name_missing.emit()
        elif displaced := state.displaced():
            self.status.emit(_DISPLACED.format(", ".join(displaced)), True)
        else:
            return True
        return False

    def _on_saved(self, of: Correcting, revision: Revision) -> None:
        of.case = replace(of.case, revisions=(*of.case.revisions, revision))
        item = of.queue.latest(of.item)
        if item.case is not None:
            of.queue.update(replace(item, case=after_saving(item.case, revision)))
        self.changed.emit()

    def _on_layer_removed(self, event: Any) -> None:
        if isinstance(self.state, Correcting) and event.value in self.state.labels:
            self._let_go()
            self._show_message("The labels of this case were removed; unsaved work is kept as a draft.")

    def _on_drawn(self) -> None:
        self.drawn.emit()
        self._show_saved()

    def _on_kept(self) -> None:
        if self.has_unsaved:
            now = datetime.now(UTC).astimezone()
            self.status.emit(f"Not saved yet; draft of {now:%H:%M:%S}.", False)

    def _on_failed(self, sentence: str) -> None:
        self.status.emit(f"{sentence} Your corrections stay in the layers.", True)

    def _show_saved(self) -> None:
        self.status.emit("Not saved yet." if self.has_unsaved else "No unsaved corrections.", False)

    def _show_message(self, sentence: str) -> None:
        self.message.emit(sentence, False)

    def _show_error(self, sentence: str) -> None:
        self.message.emit(sentence, True)
