"""Reads cases and has them segmented in the background, the next one ahead, so that moving on does not wait."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from qtpy.QtCore import QObject, QTimer, Signal

from napari_bonescint.corrections.opening import OpenedCase, open_case
from napari_bonescint.corrections.store.index import summarise
from napari_bonescint.formats.dicom.identity import burned_in_text, read_identity
from napari_bonescint.inference.child import Failed, Finished, SegmentationProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from napari_bonescint.corrections.queue import WorkItem
    from napari_bonescint.corrections.store.label_store import LabelStore
    from napari_bonescint.corrections.store.prediction import Prediction
    from napari_bonescint.gui.common.file_worker import FileWorker
    from napari_bonescint.inference.model_card import ModelCard
    from napari_bonescint.scan import Scan
    from napari_bonescint.segmentation import Segmentation

_POLL_MS = 25
T = TypeVar("T")


class CaseLoader(QObject):
    """Opens items of the work list.

    Parameters
    ----------
    parent : QObject
        What it works for.
    background : FileWorker
        The thread in which the store is read and written.

    Attributes
    ----------
    child : SegmentationProcess
        The process that segments.
    card : ModelCard or None
        The model for scans that have no prediction yet; None for none.
    """

    loaded = Signal(object, object)
    """Emitted with the `WorkItem` that was asked for and its `OpenedCase`."""
    predicted = Signal(object, object)
    """Emitted with a `WorkItem` that is in the store and the `Prediction` that the store has of it since now."""
    warned = Signal(str)
    """Emitted with a sentence about a scan that was read from a file, or a damaged revision of a case."""
    failed = Signal(str)
    """Emitted with the sentence of what went wrong."""

    def __init__(self, parent: QObject, background: FileWorker) -> None:
        super().__init__(parent)
        self.child = SegmentationProcess()
        self.card: ModelCard | None = None
        self._background = background
        self._store: LabelStore | None = None
        self._annotator = ""
        self._wanted: WorkItem | None = None
        self._cases: dict[Hashable, OpenedCase] = {}
        self._scans: dict[Hashable, Scan] = {}
        self._segmentations: dict[Hashable, Segmentation] = {}
        self._visited: dict[Hashable, WorkItem] = {}
        self._to_segment: list[tuple[WorkItem, Scan]] = []
        self._segmenting: WorkItem | None = None
        self._segmenting_for: LabelStore | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(_POLL_MS)
        self._timer.timeout.connect(self._poll)

    def use(self, store: LabelStore, annotator: str) -> None:
        """Take cases from another store, or look for drafts of another annotator; forget what was read ahead."""
        self._store, self._annotator = store, annotator
        self._wanted = None
        self._to_segment.clear()
        for known in (self._cases, self._scans, self._segmentations, self._visited):
            known.clear()

    def forget(self, key: str) -> None:
        """Read a case anew when it is opened: what was read ahead of it is no more so."""
        for identity in [identity for identity, case in self._cases.items() if case.key == key]:
            del self._cases[identity]

    def open(self, item: WorkItem) -> None:
        """Open a case; at once if it was read ahead, else `loaded` or `failed` comes when it is there.

        A scan of a folder is added to the store when it is opened, and not before.
        """
        store, annotator = self._store, self._annotator
        if store is None:
            return
        self._wanted = item
        case = self._cases.pop(item.identity, None)
        if case is not None:
            self._on_read(item, item, case)
            return
        scan = self._scans.pop(item.identity, None)
        segmentation = self._segmentations.pop(item.identity, None)

        def read() -> tuple[WorkItem, OpenedCase, tuple[str, ...]]:
            if item.case is not None:
                return item, open_case(store, item.case.key, annotator), ()
            return _visit(store, item, annotator, scan, segmentation)

        def then(result: tuple[WorkItem, OpenedCase, tuple[str, ...]]) -> None:
            known, case, warnings = result
            for warning in warnings:
                self.warned.emit(warning)
            self._on_read(item, known, case)

        self._background.run(read, then, self._fail)

    def read_ahead(self, item: WorkItem | None) -> None:
        """Read a case that will probably be opened next, and have it segmented if it is not."""
        store, annotator = self._store, self._annotator
        for ahead in (self._cases, self._scans, self._segmentations):
            for other in [identity for identity in ahead if item is None or identity != item.identity]:
                del ahead[other]
        if item is None or store is None or item.identity in self._cases or item.identity in self._scans:
            return

        def if_still_of_use(keep: Callable[[WorkItem, T], None], read: T) -> None:
            if (store, annotator) == (self._store, self._annotator):
                keep(item, read)

        if item.case is not None:
            read_case = partial(open_case, store, item.case.key, annotator)
            self._background.run(read_case, partial(if_still_of_use, self._keep), _ignore)
        elif item.source is not None:
            self._background.run(item.source.open, partial(if_still_of_use, self._keep_scan), _ignore)

    def close(self) -> None:
        """End the child process; nothing more is emitted."""
        self._timer.stop()
        self.child.close()

    def _on_read(self, asked: WorkItem, item: WorkItem, case: OpenedCase) -> None:
        if self._wanted is not asked:
            return  # the user went elsewhere meanwhile
        self._wanted = None
        self._visited[item.identity] = item
        self.loaded.emit(item, case)
        for sentence in case.damage:
            self.warned.emit(sentence)
        if case.prediction is not None:
            return
        # The model may have finished while the scan was being added to the store.
        segmentation = self._segmentations.pop(item.identity, None)
        if segmentation is not None:
            self._take(item, segmentation)
        else:
            self._segment(item, case.scan, first=True)

    def _keep(self, item: WorkItem, case: OpenedCase) -> None:
        self._cases[item.identity] = case
        if case.prediction is None:
            self._segment(item, case.scan)

    def _keep_scan(self, item: WorkItem, scan: Scan) -> None:
        self._scans[item.identity] = scan
        self._segment(item, scan)

    def _fail(self, sentence: str) -> None:
        self._wanted = None
        self.failed.emit(sentence)

    def _segment(self, item: WorkItem, scan: Scan, *, first: bool = False) -> None:
        waiting = [other for other, _ in self._to_segment]
        if self._segmenting is not None:
            waiting.append(self._segmenting)
        if self.card is None or any(other.identity == item.identity for other in waiting):
            return
        self._to_segment.insert(0 if first else len(self._to_segment), (item, scan))
        self._segment_next()

    def _segment_next(self) -> None:
        if self._segmenting is None and self._to_segment and self.card is not None:
            self._segmenting, scan = self._to_segment.pop(0)
            self._segmenting_for = self._store
            self.child.segment(scan, self.card)
            self._timer.start()

    def _poll(self) -> None:
        for event in self.child.poll():
            if isinstance(event, (Failed, Finished)):
                item, self._segmenting = self._segmenting, None
                if isinstance(event, Failed):
                    self.failed.emit(event.sentence)
                elif item is not None and self._segmenting_for is self._store:
                    self._take(item, event.segmentation)
        self._segment_next()
        if not self.child.is_busy:
            self._timer.stop()

    def _take(self, item: WorkItem, segmentation: Segmentation) -> None:
        """Put a result into the store; that of a scan which is in none yet waits for the user to open it."""
        store = self._store
        item = self._visited.get(item.identity, item)
        if item.case is None or store is None:
            self._segmentations[item.identity] = segmentation
            return
        key = item.case.key

        def keep() -> Prediction | None:
            store.add_prediction(key, segmentation)
            return store.prediction(key)

        self._background.run(keep, lambda prediction: self._on_predicted(item, prediction), self.failed.emit)

    def _on_predicted(self, item: WorkItem, prediction: Prediction | None) -> None:
        if prediction is None:
            return
        if item.identity in self._cases:
            del self._cases[item.identity]
            self.read_ahead(item)
        self.predicted.emit(item, prediction)


def _visit(
    store: LabelStore, item: WorkItem, annotator: str, scan: Scan | None, segmentation: Segmentation | None
) -> tuple[WorkItem, OpenedCase, tuple[str, ...]]:
    """Add a scan of a folder to the store, unless it is there, and open it; with the warnings about its file."""
    if item.source is None:
        raise ValueError("an item without a case has a source")
    if scan is None:
        scan = item.source.open()
    key = store.find(scan) or store.add(scan, read_identity(item.source.paths[0]))
    if segmentation is not None:
        store.add_prediction(key, segmentation)
    summary = summarise(store.files(key))
    warnings = [*scan.warnings, *(text for path in item.source.paths if (text := burned_in_text(path)))]
    return replace(item, case=summary), open_case(store, key, annotator), tuple(dict.fromkeys(warnings))


def _ignore(_sentence: str) -> None:
    """Whoever opens the case will be told."""
