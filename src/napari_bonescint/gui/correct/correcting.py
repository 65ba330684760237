"""A mask that is being corrected in its layers, its draft, and, for a case of a label store, its revisions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np
from napari.utils.notifications import show_info
from psygnal import Signal

from napari_bonescint.corrections.store.drafts import Drafts
from napari_bonescint.corrections.store.records.revision import Origin, Revision
from napari_bonescint.corrections.work_list.open_cases import CaseMark, Holder
from napari_bonescint.errors import BonescintError
from napari_bonescint.gui.common.run import ignore
from napari_bonescint.gui.correct.states import StoreOpen
from napari_bonescint.gui.layers.labels import image_of, masks_of, set_regions
from napari_bonescint.gui.placement import lies_on

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future
    from typing import Any

    from napari.layers import Labels
    from numpy.typing import NDArray

    from napari_bonescint.corrections.opening import OpenedCase
    from napari_bonescint.corrections.work_list.queue import WorkItem
    from napari_bonescint.gui.common.run import Run


T = TypeVar("T")


class ModelMask(NamedTuple):
    """A model's mask, of shape (view, y, x), with the name of the model and the hash of its weights file."""

    regions: NDArray[np.uint8]
    names_regions: bool
    name: str
    sha256: str


class EditedMask(ABC):
    """A mask in labels layers that a person edits, and its draft.

    Parameters
    ----------
    labels : sequence of Labels
        The layer of each view.
    saved : ndarray of uint8, shape (view, y, x)
        The saved mask, from which the one in the layers may differ.
    origin : Origin
        Origin of the mask in the layers.
    run : Run
        The thread that writes drafts.
    """

    drawn = Signal()
    """Emitted when the mask may have changed; `keep` should be called within seconds."""
    kept = Signal()
    """Emitted when a draft is saved."""
    failed = Signal(str)
    """Emitted with a sentence if saving fails; a draft is tried again after the next change."""

    def __init__(self, labels: Sequence[Labels], saved: NDArray[np.uint8], origin: Origin, run: Run) -> None:
        self.labels = tuple(labels)
        self._stored, self._origin, self._run = saved, origin, run
        # Mask and origin before each new start, so that Undo also restores the origin.
        self._before: list[tuple[NDArray[np.uint8], Origin]] = []
        self._written: NDArray[np.uint8] | None = None  # as the draft
        self._is_watched = False

    @property
    def origin(self) -> Origin:
        """The origin of the mask in the layers."""
        regions = self.regions()
        while self._before and np.array_equal(self._before[-1][0], regions):
            self._origin = self._before.pop()[1]
        return self._origin

    def regions(self) -> NDArray[np.uint8]:
        """A copy of the present mask, of shape (view, y, x)."""
        return masks_of(self.labels)

    def displaced(self) -> list[str]:
        """Names of labels layers that do not lie exactly on their images."""
        by_image = [(labels, image_of(labels)) for labels in self.labels]
        return [labels.name for labels, image in by_image if image is not None and not lies_on(labels, image)]

    def is_changed(self) -> bool:
        """Whether the mask differs from the saved one."""
        return not np.array_equal(self.regions(), self._stored)

    def start_from(self, regions: NDArray[np.uint8], origin: Origin) -> None:
        """Replace the mask, shape (view, y, x), as one undoable step."""
        before = self.regions()
        if not np.array_equal(before, regions):
            self._before.append((before, self.origin))
        self._origin = origin
        for labels, plane in zip(self.labels, regions, strict=True):
            set_regions(labels, plane)

    def stop(self) -> None:
        """Save unsaved work as a draft, and stop following the layers."""
        self.keep()
        self._is_watched = False
        for event in self._events():
            event.disconnect(self._on_change)

    def keep(self) -> None:
        """Save a draft if there is unsaved work, otherwise delete the draft."""
        if not self.is_changed():
            if self._written is not None:
                self._written = None
                self._run(self._draft_remover(), ignore, self.failed.emit)
            return
        regions = self.regions()
        if self._written is not None and np.array_equal(regions, self._written):
            return
        self._written = regions
        self._run(self._draft_writer(regions, self.origin), lambda _: self.kept.emit(), self._on_draft_failed)

    def discard(self) -> None:
        """Delete the draft, and treat the present mask as saved; later changes are unsaved work again."""
        self._run(self._draft_remover(), ignore, self.failed.emit)
        self._stored, self._written = self.regions(), None

    @property
    @abstractmethod
    def names_regions(self) -> bool:
        """True if the labels are region codes, False if 1 means bone."""

    @property
    @abstractmethod
    def model_mask(self) -> ModelMask | None:
        """The mask of the last model that segmented the scan."""

    @abstractmethod
    def give_up(self) -> None:
        """Discard unsaved work, as the user decided."""

    @abstractmethod
    def _draft_writer(self, regions: NDArray[np.uint8], origin: Origin) -> Callable[[], None]:
        """A function for the thread that writes a draft."""

    @abstractmethod
    def _draft_remover(self) -> Callable[[], None]:
        """A function for the thread that deletes the draft."""

    def _wait(self, saving: Future[T], note: Callable[[T], None]) -> bool:
        """Wait until a thread has saved the mask, and take note of it; emits a failure and returns False."""
        try:
            saved = saving.result()
        except BonescintError as error:
            self.failed.emit(str(error))
            return False
        note(saved)  # the callback comes too late
        return True

    def _watch(self) -> None:
        self._is_watched = True
        for event in self._events():
            event.connect(self._on_change)

    def _on_change(self, _event: Any = None) -> None:
        self.drawn.emit()

    def _on_draft_failed(self, sentence: str) -> None:
        self._written = None
        self.failed.emit(sentence)

    def _events(self) -> list[Any]:
        # Undo and Redo emit only `set_data`.
        names = ("paint", "set_data", "labels_update")
        return [getattr(labels.events, name) for labels in self.labels for name in names]


class Correcting(EditedMask, StoreOpen):
    """The state in which a case of the open store is corrected.

    Parameters
    ----------
    opened : StoreOpen
        The open store.
    item : WorkItem
        The item of the case in the work list.
    case : OpenedCase
        The case as opened; the attribute `case` is updated.
    labels : sequence of Labels
        The layer of each view.
    annotator : str
        Name for drafts and revisions.
    run : Run
        The thread that writes the store.
    """

    saved = Signal(Revision)
    """Emitted when a revision is saved."""
    open_elsewhere = Signal(object, list)
    """Emitted with the `Holder` that has the case open for the same annotator, or None, and a list of all others."""

    def __init__(
        self, opened: StoreOpen, item: WorkItem, case: OpenedCase, labels: Sequence[Labels], annotator: str, run: Run
    ) -> None:
        StoreOpen.__init__(self, opened.work, opened.queue)
        EditedMask.__init__(self, labels, case.regions, case.origin, run)
        self.item, self.case = item, case
        self._drafts = Drafts(opened.work.store)
        self._annotator = self._draft_of = annotator
        self._mark: CaseMark | None = None
        if case.draft is not None:
            self.start_from(case.draft.regions, case.draft.origin)
            self._written = case.draft.regions
        self._watch()

    @property
    def key(self) -> str:
        """Key of the case."""
        return self.case.key

    @property
    def names_regions(self) -> bool:
        """True if the labels are region codes, False if 1 means bone."""
        return self.case.names_regions

    @property
    def model_mask(self) -> ModelMask | None:
        """The mask of the last prediction."""
        known = self.case.prediction
        return None if known is None else ModelMask(known.regions, known.names_regions, known.model, known.model_sha256)

    def give_up(self) -> None:
        """Delete the draft; the next case takes the place of this one."""
        self.discard()

    def is_untouched_and_empty(self) -> bool:
        """Whether both the saved mask and the present one are empty, so that a model's mask may be shown."""
        return not self._stored.any() and not self.is_changed()

    def mark_as_open(self) -> None:
        """Mark the case as open for this annotator; `open_elsewhere` follows if somebody has it open, too."""
        before, mark = self._mark, CaseMark(self.work.store, self.key, self._annotator)
        self._mark = mark

        def take() -> tuple[Holder | None, list[Holder]]:
            if before is not None:
                before.release()
            return mark.take(), mark.others()

        def then(found: tuple[Holder | None, list[Holder]]) -> None:
            own, others = found
            if mark is self._mark and (own is not None or others):
                self.open_elsewhere.emit(own, others)

        self._run(take, then, ignore)

    def stop(self) -> None:
        """Save unsaved work as a draft, stop following the layers, and give the mark back."""
        super().stop()
        if self._mark is not None:
            self._run(self._mark.release, ignore, ignore)
            self._mark = None

    def save(self, comment: str, *, reviewed: bool, then: Callable[[Revision], None] = ignore) -> Future[Revision]:
        """Save the mask as a revision and delete the draft; `then` is called with the revision, not if saving fails."""
        annotator, regions, origin = self._annotator, self.regions(), self.origin

        def work() -> Revision:
            revision = self._write(regions, origin, annotator, comment, reviewed=reviewed)
            self._drafts.discard(self.key, annotator)
            return revision

        def done(revision: Revision) -> None:
            self._note_saved(revision, regions)
            self.saved.emit(revision)
            then(revision)

        return self._run(work, done, self.failed.emit)

    def save_and_wait(self, comment: str) -> bool:
        """Save the mask as a revision, not reviewed, before the window closes; returns False if that fails."""
        regions = self.regions()
        return self._wait(self.save(comment, reviewed=False), lambda revision: self._note_saved(revision, regions))

    def sign(self, annotator: str) -> None:
        """Change the annotator; the draft of unsaved work gets the new name.

        If the new annotator has a draft of this case, it is first saved as a revision.
        """
        self._annotator = annotator
        self.mark_as_open()

        def rescue() -> Revision | None:
            draft = self._drafts.find(self.key, annotator)
            if draft is None:
                return None
            comment = f"unsaved work of {draft.when}"
            return self._write(draft.regions, draft.origin, annotator, comment, reviewed=False)

        is_needed = self.is_changed() and annotator
        self._run(rescue if is_needed else lambda: None, partial(self._move_draft, annotator), self.failed.emit)

    def _move_draft(self, annotator: str, rescued: Revision | None) -> None:
        if rescued is not None:
            self.saved.emit(rescued)
            # Not shown in the panel, where the next message would replace it at once.
            show_info(f"Other unsaved work of {annotator} on this case was saved as revision {rescued.number}.")
        if not self._is_watched or annotator != self._annotator:
            return
        before, self._draft_of, self._written = self._draft_of, annotator, None
        is_changed = self.is_changed()
        self.keep()

        def discard_if_moved() -> None:
            if not is_changed or self._drafts.find(self.key, annotator) is not None:
                self._drafts.discard(self.key, before)

        self._run(discard_if_moved, ignore, self.failed.emit)

    def _write(
        self, regions: NDArray[np.uint8], origin: Origin, annotator: str, comment: str, *, reviewed: bool
    ) -> Revision:
        return self.work.store.save(
            self.key,
            regions,
            origin,
            annotator=annotator,
            reviewed=reviewed,
            comment=comment,
            names_regions=self.case.names_regions,
        )

    def _note_saved(self, revision: Revision, regions: NDArray[np.uint8]) -> None:
        self._stored, self._origin, self._written = regions, Origin.of_revision(revision.number), None
        self._before.clear()

    def _draft_writer(self, regions: NDArray[np.uint8], origin: Origin) -> Callable[[], None]:
        return partial(self._drafts.save, self.key, self._draft_of, regions, origin)

    def _draft_remover(self) -> Callable[[], None]:
        return partial(self._drafts.discard, self.key, self._draft_of)
