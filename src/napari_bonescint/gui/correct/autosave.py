"""Keeps what an annotator has not saved yet as a draft, a few seconds after each change."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QObject, QTimer, Signal

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from napari_bonescint.corrections.store.drafts import Drafts
    from napari_bonescint.gui.common.file_worker import FileWorker
    from napari_bonescint.gui.correct.case_session import CaseSession

# Counted from the first change and not from the last, so that one who never pauses is kept, too.
_DELAY_MS = 2000


class Autosave(QObject):
    """Watches the labels of one case and writes them as a draft, in the background.

    Parameters
    ----------
    parent : QObject
        What it works for.
    background : FileWorker
        The thread in which the store is written.
    """

    changed = Signal()
    """Emitted when the labels may have changed."""
    kept = Signal()
    """Emitted when a draft is on the disk."""
    failed = Signal(str)
    """Emitted with the sentence of why a draft could not be written; it is tried again with the next change."""

    def __init__(self, parent: QObject, background: FileWorker) -> None:
        super().__init__(parent)
        self._background = background
        self._session: CaseSession | None = None
        self._drafts: Drafts | None = None
        self._annotator = ""
        self._written: NDArray[np.uint8] | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_DELAY_MS)
        self._timer.timeout.connect(self.keep)

    def watch(self, session: CaseSession, drafts: Drafts, annotator: str, draft: NDArray[np.uint8] | None) -> None:
        """Watch a case from now on, and no other.

        Parameters
        ----------
        session : CaseSession
            The case.
        drafts : Drafts
            Where drafts of it are kept.
        annotator : str
            Whose they are.
        draft : ndarray of uint8, shape (view, y, x), optional
            The draft that is there already.
        """
        self.stop()
        self._session, self._drafts, self._annotator, self._written = session, drafts, annotator, draft
        for labels in session.labels:
            for event in _events(labels):
                event.connect(self._on_change)

    def stop(self) -> None:
        """Watch nothing; what has changed since the last draft is not kept."""
        self._timer.stop()
        if self._session is not None:
            for labels in self._session.labels:
                for event in _events(labels):
                    event.disconnect(self._on_change)
        self._session = None

    def keep(self) -> None:
        """Write a draft now if there is something unsaved; delete it if there is nothing any more."""
        session, drafts = self._session, self._drafts
        if session is None or drafts is None:
            return
        self._timer.stop()
        if not session.is_changed():
            if self._written is not None:
                self._written = None
                self._background.run(partial(drafts.discard, session.key, self._annotator), _ignore, self.failed.emit)
            return
        regions = session.regions()
        if self._written is not None and np.array_equal(regions, self._written):
            return
        self._written = regions
        self._background.run(
            partial(drafts.save, session.key, self._annotator, regions, session.origin),
            lambda _: self.kept.emit(),
            self._on_failure,
        )

    def note_saved(self) -> None:
        """Note that the draft is gone from the disk, because its work is a revision now or was given up."""
        self._written = None

    def _on_change(self, _event: Any = None) -> None:
        if not self._timer.isActive():
            self._timer.start()
        self.changed.emit()

    def _on_failure(self, sentence: str) -> None:
        self._written = None
        self.failed.emit(sentence)


def _events(labels: Any) -> tuple[Any, ...]:
    # Undo and Redo are heard as `set_data` only.
    return labels.events.paint, labels.events.set_data, labels.events.labels_update


def _ignore(_result: object) -> None:
    """A draft that is gone needs no words."""
