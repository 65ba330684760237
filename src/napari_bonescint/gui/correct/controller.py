"""The logic of the panel "Correct masks": the open store and case, and the safety of unsaved work."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from napari.utils.notifications import show_warning

from napari_bonescint.corrections.store.drafts import Drafts
from napari_bonescint.corrections.work_list.queue import after_prediction
from napari_bonescint.corrections.work_list.work import open_work, resume_work
from napari_bonescint.errors import BonescintError
from napari_bonescint.gui.common.run import ignore
from napari_bonescint.gui.correct.case_layers import CaseLayers
from napari_bonescint.gui.correct.case_loader import CaseLoader
from napari_bonescint.gui.correct.correcting import Correcting, EditedMask
from napari_bonescint.gui.correct.open_case import OpenCase
from napari_bonescint.gui.correct.opening.correcting_scan import CorrectingScan, read_scan
from napari_bonescint.gui.correct.opening.mask_starts import MaskStarts
from napari_bonescint.gui.correct.opening.open_once import OpenOnce
from napari_bonescint.gui.correct.opening.places import place_of_case, place_of_file, place_of_scan
from napari_bonescint.gui.correct.opening.scan_layers import scan_to_correct
from napari_bonescint.gui.correct.opening.scan_segmenter import ScanSegmenter
from napari_bonescint.gui.correct.states import NoStore, StoreOpen, Unsaved, UnsavedScan
from napari_bonescint.gui.correct.work_queue import WorkQueue
from napari_bonescint.gui.layers.labels import hold_case

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from typing import Any

    from napari.components import ViewerModel
    from napari.layers import Image, Labels

    from napari_bonescint.corrections.opening import OpenedCase
    from napari_bonescint.corrections.store.drafts import Draft
    from napari_bonescint.corrections.store.records.prediction import Prediction
    from napari_bonescint.corrections.store.records.revision import Origin
    from napari_bonescint.corrections.work_list.queue import WorkItem
    from napari_bonescint.corrections.work_list.work import Work
    from napari_bonescint.gui.common.run import Run
    from napari_bonescint.gui.correct.opening.correcting_scan import SavedScan, ScanRead
    from napari_bonescint.gui.correct.opening.scan_layers import ScanLayers
    from napari_bonescint.segmentation import Segmentation

_RESTORED = "Your unsaved work on this case was restored; Undo removes it."
_SEGMENTING = "The model is segmenting this scan; an empty mask is filled then, unless you draw first."
_SEGMENTED = "The model has segmented this scan: Start from … has its mask."


class CorrectController(OpenOnce, MaskStarts):
    """Opens label stores, cases and scans, saves drafts and revisions, and asks before unsaved work is lost.

    Parameters
    ----------
    viewer : ViewerModel
        The viewer that shows the cases.
    run : Run
        The thread that reads and writes stores.
    call_later : callable
        Calls a function a moment later, in the same thread.
    ask : callable
        Takes the name of a case, and asks the user what to do with the unsaved work on it.
    annotator : str
        Name for drafts and revisions; empty if the user has given none.
    ask_about_scan : callable
        As `ask`, with the name of a scan that is in no label store.
    choose_store : callable
        Asks for the folder of a label store for a scan; None if the user cancels.

    Attributes
    ----------
    state : NoStore, StoreOpen, Correcting or CorrectingScan
    annotator : str
    comment : str
        Comment for the next revision.
    loader : CaseLoader
    """

    def __init__(
        self,
        viewer: ViewerModel,
        run: Run,
        call_later: Callable[[Callable[[], None]], None],
        ask: Callable[[str], Unsaved],
        annotator: str,
        *,
        ask_about_scan: Callable[[str], UnsavedScan],
        choose_store: Callable[[], Path | None],
    ) -> None:
        super().__init__(viewer, run, ask, ask_about_scan, choose_store, annotator)
        self._call_later = call_later
        self.loader = CaseLoader(run, call_later)
        self._layers = CaseLayers(viewer)
        self._images: tuple[Image, ...] = ()  # of the open case or scan
        self._is_closed = False
        self._segmenter = ScanSegmenter(self.loader.child, call_later)
        self.loader.loaded.connect(self._on_loaded)
        self.loader.predicted.connect(self._on_predicted)
        self.loader.warned.connect(show_warning)
        self.loader.failed.connect(self._show_error)
        self._segmenter.segmented.connect(self._on_scan_segmented)
        self._segmenter.failed.connect(self._show_error)
        viewer.layers.events.removed.connect(self._on_layer_removed)

    def name_of(self, case: str) -> str:
        """The name by which the annotator knows a case, or its key."""
        opened = self.opened
        if opened is None:
            return case
        item = opened.queue.of_case(case)
        return opened.work.names.get(case, case) if item is None else item.name

    def open(self, store: Path, scans: Path | None = None, *, begin: bool = True, anew: bool = False) -> None:
        """Open a label store, or make one in an empty folder; asks first if there is unsaved work.

        Parameters
        ----------
        store : Path
            Folder of the store.
        scans : Path, optional
            A folder of scans to correct, which are added to the store.
        begin : bool
            Whether to open the case that was open last, or the first one, too.
        anew : bool
            Whether to order the list anew, the most useful case first.
        """
        self._open(partial(open_work, store, self.annotator, scans, anew=anew), begin=begin)

    def resume(self, store: Path) -> None:
        """Open a label store with the list and the order of the last time, without a case."""
        self._open(partial(resume_work, store, self.annotator), begin=False)

    def order_anew(self) -> None:
        """Order the list anew, the most useful case first."""
        if self.opened is not None:
            work = self.opened.work
            self.open(work.store.folder, work.folder, anew=True)

    def go_to(self, item: WorkItem) -> None:
        """Open another case; asks first if there is unsaved work. A case that is open somewhere comes to the front."""
        opened = self.opened
        if opened is None:
            return
        if isinstance(self.state, Correcting) and item.identity == self.state.item.identity:
            self.come_forward()
        elif item.case is None or not self._is_elsewhere(place_of_case(opened.work.store.folder, item.case.key)):
            self.leave(partial(self.loader.open, item))

    def correct_scan(self) -> None:
        """Correct the scan of the active layer in its own layers, without a label store; asks about unsaved work."""
        try:
            layers = scan_to_correct(self._viewer.layers, self._viewer.layers.selection.active)
        except BonescintError as error:
            self._show_error(str(error))
            return
        if isinstance(self.state, EditedMask) and set(layers.images) & set(self._images):
            self.come_forward()
            return
        if not self._is_elsewhere(place_of_file(layers.scan)):
            self.leave(partial(self._read_scan, layers))

    def finish_scan(self) -> None:
        """End the correction of a scan that is in no store; its layers stay. Asks about unsaved work."""
        if isinstance(self.state, CorrectingScan):
            self.leave(self._let_go)

    def sign(self, name: str) -> None:
        """Change the annotator; the draft of unsaved work gets the new name. A closed panel ignores it."""
        if name == self.annotator or self._is_closed:
            return
        self.annotator = name
        self._mend()
        if isinstance(self.state, Correcting):
            self.state.sign(name)
        opened = self.opened
        if opened is not None:
            self.loader.sign(name)
            self._read_ahead(opened.queue)
            self._run(partial(Drafts(opened.work.store).waiting, name), self._on_waiting, self._show_error)

    def open_draft(self, case: str) -> None:
        """Open the case of a draft of the annotator."""
        if self.opened is not None:
            item = self.opened.queue.of_case(case)
            if item is None:
                self._show_error("The case of this draft is not in the list; open its label store.")
            else:
                self.go_to(item)

    def discard_draft(self, case: str) -> None:
        """Delete a draft of the annotator."""
        if self.opened is not None:

            def then(_: None) -> None:
                self.draft_withdrawn.emit(case)
                self.loader.forget(case)

            discard = partial(Drafts(self.opened.work.store).discard, case, self.annotator)
            self._run(discard, then, self._show_error)

    def close(self) -> None:
        """Save unsaved work as a draft, and end the child process."""
        self._viewer.layers.events.removed.disconnect(self._on_layer_removed)
        self._let_go()
        self.loader.close()
        self._is_closed = True

    def _open(self, open_it: Callable[[], Work], *, begin: bool) -> None:
        def then() -> None:
            self._show_message("Opening …")
            self._run(open_it, partial(self._on_opened, begin), self._show_error)

        self.leave(then)

    def _read_ahead(self, queue: WorkQueue) -> None:
        self.loader.read_ahead(queue.next_to_do() or queue.neighbour(1))

    def _on_opened(self, begin: bool, work: Work) -> None:
        self._leave_case()
        opened = self._open_store(work)
        if work.damage:
            show_warning(work.damage)
        self._show_message(work.notice)
        if begin and (item := opened.queue.neighbour(1)) is not None:
            self.go_to(item)

    def _open_store(self, work: Work) -> StoreOpen:
        self.loader.use(work.store, self.annotator)
        self.state = opened = StoreOpen(work, WorkQueue(work.items, work.place))
        self.store_opened.emit(opened)
        self.drafts_offered.emit(work.waiting)
        return opened

    def _on_loaded(self, item: WorkItem, case: OpenedCase) -> None:
        opened = self.opened
        if opened is None:
            return
        place = place_of_case(opened.work.store.folder, case.key)
        if place is not self and self._is_elsewhere(place):
            return
        self._hide_scan()
        self._end()
        self._layers.show(case)
        self._correct(opened, item, case, self._layers.images, self._layers.labels)

    def _correct(
        self,
        opened: StoreOpen,
        item: WorkItem,
        case: OpenedCase,
        images: Sequence[Image],
        labels: Sequence[Labels],
    ) -> None:
        """Begin to correct a case in these layers."""
        self._images = tuple(images)
        self._move_tools(case, labels)
        self.state = state = Correcting(opened, item, case, labels, self.annotator, self._run)
        self._listen(state)
        state.saved.connect(partial(self._on_saved, state))
        state.open_elsewhere.connect(partial(self._on_open_elsewhere, state))
        state.mark_as_open()
        self.comment = self._refusal = ""
        if case.draft is not None:
            self.draft_withdrawn.emit(case.key)
        restored = _RESTORED if case.draft is not None else ""
        waiting = _SEGMENTING if case.prediction is None and self.loader.card is not None else ""
        self._show_message(" ".join(filter(None, (restored, case.others, waiting))))
        self._show_saved()
        state.queue.open(item)
        self.changed.emit()
        self._read_ahead(state.queue)
        self._run(partial(state.work.note_opened, item, case.title), ignore, self._show_error)

    def _read_scan(self, layers: ScanLayers, origin: Origin | None = None) -> None:
        read = partial(read_scan, layers.scan, names_regions=layers.names_regions)
        self._run(read, partial(self._on_scan_read, layers, origin), self._show_error)

    def _on_scan_read(self, layers: ScanLayers, origin: Origin | None, read: ScanRead) -> None:
        if read.claim is None:
            if not self._is_elsewhere(place_of_scan(read.drafts.key)):
                self._show_error(
                    "This scan is being corrected in another napari; go on there, or close it there first."
                )
            return
        self._leave_case()
        if not layers.are_in(self._viewer.layers):
            self._run(read.claim.release, ignore, ignore)
            self._show_error(f"{layers.name}: was removed; open the scan again to correct it.")
            return
        before = self.state if isinstance(self.state, NoStore | StoreOpen) else NoStore()
        labels = layers.with_labels(self._viewer.layers)
        self.state = state = CorrectingScan(before, layers, labels, read, self._run, origin)
        self._images = layers.images
        for layer in (*layers.images, *labels):
            if not layer.visible:  # napari draws a visible one again, too
                layer.visible = True
        self._listen(state)
        state.edited.connect(lambda: self._call_later(partial(self._take_scan_anew, state)))
        self.tools_moved.emit(state.for_tools())
        self.comment = ""
        self._show_message(state.greeting)
        self._show_saved()
        self._viewer.layers.selection.active = labels[0]
        self.changed.emit()
        if state.segmentation is None and self.loader.card is not None:
            self._segmenter.segment(layers.scan, self.loader.card)

    def _take_scan_anew(self, state: CorrectingScan) -> None:
        """Go on with a scan whose views the user has edited; a draft is of the scan as it is now."""
        if state is not self.state:
            return
        try:
            layers = scan_to_correct(self._viewer.layers, state.labels[0])
        except BonescintError as error:
            self._let_go()
            self._show_error(str(error))
            return
        origin = state.origin
        state.discard()
        self._end()
        self._read_scan(layers, origin)

    def _on_scan_segmented(self, segmentation: Segmentation) -> None:
        if isinstance(self.state, CorrectingScan):
            self.scan_warned.emit(self.state.layers.images, segmentation.warnings)
            self.state.take_segmentation(segmentation)
            self.tools_moved.emit(self.state.for_tools())

    def _go_on_in_store(self, state: CorrectingScan, saved: SavedScan) -> None:
        """Correct the case of a scan that was added to a store, in the layers of the scan."""
        if state is not self.state:
            return
        self._end()
        for labels in state.labels:
            hold_case(labels)
        opened = self._open_store(saved.work)
        item = opened.queue.of_case(saved.added.case)
        if item is None:
            raise ValueError("the work list has the case that was added to its store")
        item = replace(item, known_as=state.name if state.title else "")
        self.loader.take_over(item, saved.case)
        self._correct(opened, item, saved.case, state.layers.images, state.labels)
        self.status.emit(f"Saved as revision {saved.added.revision.number} of case {saved.added.case}.", False)

    def _on_predicted(self, item: WorkItem, prediction: Prediction) -> None:
        if self.opened is None:
            return
        known = self.opened.queue.latest(item)
        if known.case is not None:
            known = replace(known, case=after_prediction(known.case, prediction))
            self.opened.queue.update(known)
        if not isinstance(self.state, Correcting) or known.identity != self.state.item.identity:
            return
        if self.state.is_untouched_and_empty() and self.state.labels == tuple(self._layers.labels):
            if not self.loader.is_opening:  # the user has chosen another case
                self.loader.open(known)
            return
        self.state.case = replace(self.state.case, prediction=prediction)
        self._move_tools(self.state.case, self.state.labels)
        self._show_message(" ".join(filter(None, (self.state.case.others, _SEGMENTED))))
        self.changed.emit()

    def _on_waiting(self, waiting: list[Draft]) -> None:
        key = self.state.key if isinstance(self.state, Correcting) else ""
        self.drafts_offered.emit([draft for draft in waiting if draft.case != key])
        # Unsaved work in the layers is this draft.
        if isinstance(self.state, Correcting) and any(draft.case == key for draft in waiting) and not self.has_unsaved:
            self.loader.open(self.state.item)

    def _move_tools(self, case: OpenedCase, labels: Sequence[Labels]) -> None:
        """Give the case and its prediction to the tools."""
        prediction = case.prediction
        model = prediction.regions if prediction is not None and prediction.names_regions else None
        probability = None if prediction is None else prediction.probability
        tools = OpenCase(case.scan, list(self._images), case.windows, list(labels), model, probability)
        self.tools_moved.emit(tools)

    def _end(self) -> None:
        """End the work on the open case or scan; unsaved work is kept as a draft."""
        if isinstance(self.state, EditedMask):
            self._segmenter.stop()
            self.state.stop()
            opened = self.opened
            self.state = NoStore() if opened is None else StoreOpen(opened.work, opened.queue)
            self._images = ()

    def _hide_scan(self) -> None:
        """Hide the layers of a scan that was corrected where it lay, so that the view is fitted to the next case."""
        if isinstance(self.state, EditedMask) and self.state.labels != tuple(self._layers.labels):
            for layer in (*self._images, *self.state.labels):
                layer.visible = False

    def _let_go(self) -> None:
        """End the work on the open case or scan, and take it from the tools, too."""
        self._end()
        self.tools_moved.emit(None)
        self.status.emit("", False)
        self.changed.emit()

    def _leave_case(self) -> None:
        """End the work on the open case or scan, and take the layers of a case from the viewer."""
        self._let_go()
        self._layers.clear()

    def _on_layer_removed(self, event: Any) -> None:
        if isinstance(self.state, Correcting) and event.value in self.state.labels:
            self._let_go()
            self._show_message("The labels of this case were removed; unsaved work is kept as a draft.")
        elif isinstance(self.state, CorrectingScan) and event.value in (*self._images, *self.state.labels):
            self._let_go()
            self._show_message("Layers of this scan were removed; open it again to go on with unsaved work.")
