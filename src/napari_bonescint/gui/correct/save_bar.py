"""Saving: drafts by themselves, revisions by a click, and a question before anything unsaved would be lost."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from napari.utils.notifications import show_info
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from napari_bonescint.corrections.store.drafts import Drafts
from napari_bonescint.errors import BonescintError
from napari_bonescint.gui.common.plain_label import PlainLabel
from napari_bonescint.gui.common.settings import Setting, remember, remembered
from napari_bonescint.gui.correct.autosave import Autosave
from napari_bonescint.gui.correct.unsaved_dialog import Unsaved, ask_about_unsaved

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    import numpy as np
    from numpy.typing import NDArray

    from napari_bonescint.corrections.store.label_store import LabelStore
    from napari_bonescint.corrections.store.revision import Revision
    from napari_bonescint.gui.common.file_worker import FileWorker
    from napari_bonescint.gui.correct.case_session import CaseSession

_NO_NAME = "Type your name as annotator first; it is remembered."
_DISPLACED = "{}: not on the image any more; undo the layer's move, scale, rotation, shear or affine, and save again."


class Saving(QWidget):
    """Name, comment and buttons to save the case that is open, and whether it is saved.

    Parameters
    ----------
    background : FileWorker
        The thread in which the store is written.
    """

    saved = Signal(object)
    """Emitted with the `Revision` once it is on the disk."""
    annotator_changed = Signal()
    """Emitted when the user has given another name."""

    def __init__(self, background: FileWorker) -> None:
        super().__init__()
        self._background = background
        self._session: CaseSession | None = None
        self._store: LabelStore | None = None
        self.autosave = Autosave(self, background)
        self.name = QLineEdit(remembered(Setting.ANNOTATOR))
        self.name.setPlaceholderText("your name")
        self.comment = QLineEdit()
        self.comment.setPlaceholderText("comment (optional)")
        self.reviewed_button = QPushButton("Save as reviewed")
        self.reviewed_button.setToolTip("A revision that you call finished (Ctrl+Enter)")
        self.button = QPushButton("Save, not reviewed")
        self.button.setToolTip("A revision that still needs work or a second look (Ctrl+Shift+Enter)")
        self.status = PlainLabel()
        self.status.setWordWrap(True)
        self._lay_out()
        self.name.editingFinished.connect(self._on_name)
        self.reviewed_button.clicked.connect(self.save_as_reviewed)
        self.button.clicked.connect(self.save_not_reviewed)
        self.autosave.changed.connect(self._show_state)
        self.autosave.kept.connect(self._on_kept)
        self.autosave.failed.connect(self._on_failed)
        self._show_state()

    @property
    def annotator(self) -> str:
        """The name under which drafts and revisions are saved."""
        return remembered(Setting.ANNOTATOR)

    @property
    def has_unsaved(self) -> bool:
        """Whether there is work that is in no revision."""
        return self._session is not None and self._session.is_changed()

    def begin(self, session: CaseSession, store: LabelStore, draft: NDArray[np.uint8] | None) -> None:
        """Watch over a case from now on.

        Parameters
        ----------
        session : CaseSession
            The case.
        store : LabelStore
            The store that it is in.
        draft : ndarray of uint8, shape (view, y, x), optional
            The draft that is on the disk already.
        """
        self._session, self._store = session, store
        self.autosave.watch(session, Drafts(store), self.annotator, draft)
        self.comment.clear()
        self._show_state()

    def end(self) -> None:
        """Let go of the case."""
        self.autosave.stop()
        self._session = None
        self._show_state()

    def save_as_reviewed(self) -> None:
        """Save a revision that the annotator calls finished."""
        self.save(reviewed=True)

    def save_not_reviewed(self) -> None:
        """Save a revision that needs more work or a second look."""
        self.save(reviewed=False)

    def save(self, *, reviewed: bool, then: Callable[[], None] | None = None) -> Future[Revision] | None:
        """Save the mask as a revision, in the background.

        Parameters
        ----------
        reviewed : bool
            Whether the annotator calls it finished.
        then : callable, optional
            Called when it is saved; not if it fails.

        Returns
        -------
        Future or None
            None if nothing can be saved.
        """
        session, store = self._session, self._store
        if session is None or store is None:
            return None
        if not self.annotator:
            self._show(_NO_NAME, wrong=True)
            self.name.setFocus()
            return None
        if displaced := session.displaced():
            self._show(_DISPLACED.format(", ".join(displaced)), wrong=True)
            return None
        annotator, comment = self.annotator, self.comment.text().strip()
        regions, origin = session.regions(), session.origin
        self._show("Saving …")

        def work() -> Revision:
            revision = store.save(
                session.key,
                regions,
                origin,
                annotator=annotator,
                reviewed=reviewed,
                comment=comment,
                names_regions=session.names_regions,
            )
            Drafts(store).discard(session.key, annotator)
            return revision

        def done(revision: Revision) -> None:
            session.note_saved(revision, regions)
            if session is self._session:
                self.autosave.note_saved()
                self.comment.clear()
                self._show(f"Saved as revision {revision.number}{', reviewed' if reviewed else ''}.")
            self.saved.emit(revision)
            if then is not None:
                then()

        return self._background.run(work, done, self._on_failed)

    def leave(self, then: Callable[[], None]) -> None:
        """Call `then` once nothing would be lost by it: asks about unsaved work, and not at all if the user cancels."""
        if not self.has_unsaved:
            self.autosave.keep()
            then()
            return
        match self._ask():
            case Unsaved.SAVE:
                self.save(reviewed=False, then=then)
            case Unsaved.DISCARD:
                self._discard()
                then()

    def may_close(self) -> bool:
        """Whether napari may close: asks about unsaved work, and waits until it is on the disk."""
        if not self.has_unsaved:
            return True
        match self._ask():
            case Unsaved.SAVE:
                return self._save_and_wait()
            case Unsaved.DISCARD:
                self._discard()
                return True
            case Unsaved.CANCEL:
                return False

    def _save_and_wait(self) -> bool:
        session, future = self._session, self.save(reviewed=False)
        if session is None or future is None:
            return False
        try:
            revision = future.result()
        except BonescintError as error:
            self._on_failed(str(error))
            return False
        # The signal that tells the same is delivered too late if the window closes now.
        session.note_saved(revision, session.regions())
        self.autosave.note_saved()
        return True

    def _ask(self) -> Unsaved:
        # Whatever the answer, and however long it takes: a crash meanwhile costs nothing.
        self.autosave.keep()
        return ask_about_unsaved(self, self._session.key if self._session is not None else "")

    def _discard(self) -> None:
        session, store = self._session, self._store
        if session is not None and store is not None:
            work = partial(Drafts(store).discard, session.key, self.annotator)
            self._background.run(work, lambda _: None, self._on_failed)
            session.give_up()
            self.autosave.note_saved()

    def _on_name(self) -> None:
        name = self.name.text().strip()
        if name == self.annotator:
            return
        session, store, before = self._session, self._store, self.annotator
        remember(Setting.ANNOTATOR, name)
        if session is not None and store is not None:
            is_changed = session.is_changed()

            def rescue() -> Revision | None:
                return _save_draft(store, session, name) if is_changed and name else None

            self._background.run(rescue, partial(self._move_draft, session, store, before, name), self._on_failed)
        self.annotator_changed.emit()

    def _move_draft(
        self, session: CaseSession, store: LabelStore, before: str, name: str, rescued: Revision | None
    ) -> None:
        """Keep what is unsaved under a new name and no longer under the old one."""
        if rescued is not None:
            self.saved.emit(rescued)
            # Not in the panel, where the next draft would overwrite it at once.
            show_info(f"Other unsaved work of {name} on this case was saved as revision {rescued.number}.")
        if session is not self._session or name != self.annotator:
            return
        drafts, is_changed = Drafts(store), session.is_changed()

        def discard_if_moved() -> None:
            if not is_changed or drafts.find(session.key, name) is not None:
                drafts.discard(session.key, before)

        self.autosave.watch(session, drafts, name, None)
        self.autosave.keep()
        self._background.run(discard_if_moved, lambda _: None, self._on_failed)

    def _on_kept(self) -> None:
        if self.has_unsaved:
            self._show(f"Not saved yet; a draft was kept at {datetime.now(UTC).astimezone():%H:%M:%S}.")

    def _on_failed(self, sentence: str) -> None:
        self._show(f"{sentence} Your corrections stay in the layers.", wrong=True)

    def _show_state(self) -> None:
        for widget in (self.reviewed_button, self.button, self.comment):
            widget.setEnabled(self._session is not None)
        if self._session is None:
            self._show("")
        elif self.has_unsaved:
            self._show("Not saved yet.")
        else:
            self._show("No unsaved corrections.")

    def _show(self, text: str, *, wrong: bool = False) -> None:
        self.status.setText(text)
        self.status.setStyleSheet("color: #ff7b72;" if wrong else "")

    def _lay_out(self) -> None:
        self.name.setToolTip("Annotator: your name or initials, remembered")
        words = QHBoxLayout()
        words.addWidget(PlainLabel("Annotator"))
        words.addWidget(self.name, 1)
        words.addWidget(self.comment, 2)
        buttons = QHBoxLayout()
        buttons.addWidget(self.reviewed_button)
        buttons.addWidget(self.button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(words)
        layout.addLayout(buttons)
        layout.addWidget(self.status)


def _save_draft(store: LabelStore, session: CaseSession, annotator: str) -> Revision | None:
    """Save the draft that an annotator has of a case as a revision, since another is about to take its place."""
    draft = Drafts(store).find(session.key, annotator)
    if draft is None:
        return None
    return store.save(
        session.key,
        draft.regions,
        draft.origin,
        annotator=annotator,
        reviewed=False,
        comment=f"unsaved work of {draft.when}",
        names_regions=session.names_regions,
    )
