"""Read and segment cases in the background; the next case is read ahead, so that it opens at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from psygnal import Signal

from napari_bonescint.corrections.opening import OpenedCase, open_case
from napari_bonescint.corrections.store.index import summarise
from napari_bonescint.corrections.store.records.prediction import Prediction
from napari_bonescint.corrections.work_list.case_titles import title_of
from napari_bonescint.corrections.work_list.queue import WorkItem
from napari_bonescint.formats.dicom.identity import burned_in_text, read_identity
from napari_bonescint.gui.common.run import ignore
from napari_bonescint.gui.common.segmenting import shared_child
from napari_bonescint.inference.child_messages import Failed, Finished

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from napari_bonescint.corrections.store.label_store import LabelStore
    from napari_bonescint.gui.common.run import Run
    from napari_bonescint.gui.common.segmenting import SegmentationClient
    from napari_bonescint.inference.child_messages import Event
    from napari_bonescint.inference.model_card import ModelCard
    from napari_bonescint.scan import Scan
    from napari_bonescint.segmentation import Segmentation

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class _ScanRead:
    """A scan of a folder was read ahead; it is not in the store yet."""

    scan: Scan


@dataclass(frozen=True, eq=False)
class _ScanSegmented:
    """A scan of a folder was read ahead and segmented."""

    scan: Scan
    segmentation: Segmentation


@dataclass(frozen=True, eq=False)
class _InStore:
    """A case of the store."""

    item: WorkItem
    key: str


@dataclass(frozen=True, eq=False)
class _CaseRead(_InStore):
    """A case of the store was read ahead."""

    case: OpenedCase


class _Job(NamedTuple):
    """A scan that waits for the model, with its access to the child process."""

    item: WorkItem
    scan: Scan
    child: SegmentationClient


class CaseLoader:
    """Opens items of a work list; each item has one of the states above, or none if it was not read.

    Parameters
    ----------
    run : Run
        The thread that reads and writes the store.
    call_later : callable
        Calls a function a moment later, in the same thread.

    Attributes
    ----------
    child : SegmentationClient
        Access to the process that segments for all panels.
    device : str
        Device to compute on: ``auto``, ``cpu`` or ``cuda:N``.
    card : ModelCard or None
        The model for scans without a prediction; None segments nothing.
    """

    loaded = Signal(WorkItem, OpenedCase)
    """Emitted with the item that was opened."""
    predicted = Signal(WorkItem, Prediction)
    """Emitted with an item of the store and its new prediction."""
    warned = Signal(str)
    """Emitted with a warning about the file of a scan, or about a damaged revision."""
    failed = Signal(str)
    """Emitted with a sentence when reading, writing or segmenting failed."""

    def __init__(self, run: Run, call_later: Callable[[Callable[[], None]], None]) -> None:
        self.child = shared_child()
        self.card: ModelCard | None = None
        self.device = "auto"
        self._run, self._call_later = run, call_later
        self._store: LabelStore
        self._annotator: str
        self._wanted: WorkItem | None = None
        self._states: dict[Hashable, _ScanRead | _ScanSegmented | _InStore] = {}
        self._jobs: list[_Job] = []
        self._polls = False

    @property
    def is_opening(self) -> bool:
        """Whether a case was asked for and is not open yet."""
        return self._wanted is not None

    def use(self, store: LabelStore, annotator: str) -> None:
        """Use another store and annotator, and forget everything about the earlier store."""
        self._store = store
        self._states.clear()
        for job in self._jobs:
            job.child.ahead = True  # so that the child is interrupted, not ended
            job.child.close()
        self._jobs.clear()
        self.sign(annotator)

    def sign(self, annotator: str) -> None:
        """Read drafts of another annotator from now on; forget what was requested and read ahead."""
        self._annotator = annotator
        self._wanted = None
        self.read_ahead(None)

    def forget(self, key: str) -> None:
        """Forget the data of a case that was read ahead and has changed."""
        for identity, state in list(self._states.items()):
            if isinstance(state, _CaseRead) and state.key == key:
                self._release(identity)

    def open(self, item: WorkItem) -> None:
        """Open a case: at once if it was read ahead, otherwise `loaded` or `failed` follows.

        A scan of a folder is added to the store when it is opened, not earlier.
        """
        self._wanted = item
        state = self._states.get(item.identity)
        if isinstance(state, _CaseRead) and state.case.is_current(self._store):
            self._on_read(item, (item, state.case, ()))
            return
        ahead = None if isinstance(state, _InStore) else state
        read = partial(_read, self._store, item, self._annotator, ahead)
        self._run(read, partial(self._on_read, item), partial(self._fail, item))

    def read_ahead(self, item: WorkItem | None) -> None:
        """Read, and segment if necessary, the case that will probably be opened next."""
        for identity in list(self._states):
            if item is None or identity != item.identity:
                self._release(identity)
        if item is None or isinstance(self._states.get(item.identity), (_ScanRead, _ScanSegmented, _CaseRead)):
            return
        store, annotator = self._store, self._annotator

        def if_still_of_use(keep: Callable[[WorkItem, T], None], read: T) -> None:
            if (store, annotator) == (self._store, self._annotator):
                keep(item, read)

        if item.case is not None:
            read_case = partial(_open, store, item, item.case.key, annotator)
            self._run(read_case, partial(if_still_of_use, self._keep_case), ignore)
        elif item.source is not None:
            self._run(item.source.open, partial(if_still_of_use, self._keep_scan), ignore)

    def take_over(self, item: WorkItem, case: OpenedCase) -> None:
        """Take note of a case that is open now, and segment it if no model has."""
        self._states[item.identity] = _InStore(item, case.key)
        if case.prediction is None:
            self._segment(item, case.scan, first=True)

    def close(self) -> None:
        """Leave the child process; nothing more is emitted."""
        self._wanted = None
        self._jobs.clear()
        self.child.close()

    def _release(self, identity: Hashable) -> None:
        """Forget the data of an item that were read ahead."""
        match self._states.pop(identity):
            case _InStore(item, key):
                self._states[identity] = _InStore(item, key)

    def _on_read(self, asked: WorkItem, read: tuple[WorkItem, OpenedCase, tuple[str, ...]]) -> None:
        item, case, warnings = read
        for warning in warnings:
            self.warned.emit(warning)
        if self._wanted is not asked:
            return  # the user has opened another case in the meantime
        self._wanted = None
        before = self._states.get(item.identity)
        self._states[item.identity] = _InStore(item, case.key)
        self.loaded.emit(item, case)
        for sentence in case.damage:
            self.warned.emit(sentence)
        if isinstance(before, _ScanSegmented) and case.prediction is None:  # while the scan was added to the store
            self._keep_prediction(item, case.key, before.segmentation)
        else:
            self.take_over(item, case)

    def _fail(self, asked: WorkItem, sentence: str) -> None:
        if self._wanted is asked:
            self._wanted = None
        self.failed.emit(sentence)

    def _keep_case(self, item: WorkItem, case: OpenedCase) -> None:
        self._states[item.identity] = _CaseRead(item, case.key, case)
        if case.prediction is None:
            self._segment(item, case.scan)

    def _keep_scan(self, item: WorkItem, scan: Scan) -> None:
        self._states[item.identity] = _ScanRead(scan)
        self._segment(item, scan)

    def _segment(self, item: WorkItem, scan: Scan, *, first: bool = False) -> None:
        """Segment a scan; `first` if the user waits for it, so that it comes before those that are read ahead."""
        if self.card is None:
            return
        job = next((job for job in self._jobs if job.item.identity == item.identity), None)
        if job is None:
            job = _Job(item, scan, self.child.part(ahead=not first))
            self._jobs.append(job)
            job.child.segment(scan, self.card, self.device)
            self._poll_later()
        if first:
            for each in self._jobs:
                each.child.ahead = each is not job

    def _poll_later(self) -> None:
        if self._jobs and not self._polls:
            self._polls = True
            self._call_later(self._poll)

    def _poll(self) -> None:
        self._polls = False
        results: list[tuple[_Job, Event]] = []
        for job in list(self._jobs):
            ends = [event for event in job.child.poll() if isinstance(event, (Failed, Finished))]
            if ends:
                self._jobs.remove(job)
                job.child.close()
                results.append((job, ends[-1]))
        self._poll_later()
        for job, result in results:
            if isinstance(result, Failed):
                self.failed.emit(result.sentence)
            elif isinstance(result, Finished):
                self._on_segmented(job, result.segmentation)

    def _on_segmented(self, job: _Job, segmentation: Segmentation) -> None:
        """Save a result in the store; for a scan that is not in the store, keep it until the user opens the scan."""
        match self._states.get(job.item.identity):
            case _InStore(item, key):
                self._keep_prediction(item, key, segmentation)
            case _:
                self._states[job.item.identity] = _ScanSegmented(job.scan, segmentation)

    def _keep_prediction(self, item: WorkItem, key: str, segmentation: Segmentation) -> None:
        store = self._store

        def keep() -> Prediction | None:
            store.add_prediction(key, segmentation)
            return store.prediction(key)

        def then(prediction: Prediction | None) -> None:
            if prediction is None or store is not self._store:
                return
            if isinstance(self._states.get(item.identity), _CaseRead):
                self._release(item.identity)
                self.read_ahead(item)
            self.predicted.emit(item, prediction)

        self._run(keep, then, self.failed.emit)


def _open(store: LabelStore, item: WorkItem, key: str, annotator: str) -> OpenedCase:
    return open_case(store, key, annotator, title_of(store.folder, item, key))


def _read(
    store: LabelStore, item: WorkItem, annotator: str, ahead: _ScanRead | _ScanSegmented | None
) -> tuple[WorkItem, OpenedCase, tuple[str, ...]]:
    """Open a case, with warnings about its file; a scan of a folder is first added to the store."""
    if item.case is not None:
        return item, _open(store, item, item.case.key, annotator), ()
    if item.source is None:
        raise ValueError("an item has a case or a source")
    scan = item.source.open() if ahead is None else ahead.scan
    key = store.find(scan) or store.add(scan, read_identity(item.source.paths[0]))
    if isinstance(ahead, _ScanSegmented):
        store.add_prediction(key, ahead.segmentation)
    summary = summarise(store.files(key))
    warnings = [*scan.warnings, *(text for path in item.source.paths if (text := burned_in_text(path)))]
    return replace(item, case=summary), _open(store, item, key, annotator), tuple(dict.fromkeys(warnings))
