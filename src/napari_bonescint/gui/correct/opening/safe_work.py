"""Save the mask that is being corrected, and lose none of it: drafts, and questions before it is left."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from napari.utils.notifications import show_warning

from napari_bonescint.corrections.work_list.other_annotators import saved_meanwhile
from napari_bonescint.corrections.work_list.queue import after_saving
from napari_bonescint.gui.common.run import ignore
from napari_bonescint.gui.correct.correcting import Correcting, EditedMask
from napari_bonescint.gui.correct.opening.correcting_scan import CorrectingScan
from napari_bonescint.gui.correct.states import NoStore, Reports, StoreOpen, Unsaved, UnsavedScan

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari_bonescint.corrections.store.records.revision import Revision
    from napari_bonescint.corrections.work_list.queue import WorkItem
    from napari_bonescint.gui.common.run import Run
    from napari_bonescint.gui.correct.opening.correcting_scan import SavedScan

_NO_NAME = "Type your name as annotator first; you need to do this only once."
_DISPLACED = "{}: does not lie exactly on its image; undo the move, scale, rotation, shear or affine, and save again."


class SafeWork(Reports, ABC):
    """Saves the mask of the state, and asks before unsaved work is left; the controller changes the state.

    Parameters
    ----------
    run : Run
        The thread that reads and writes stores.
    ask : callable
        Takes the name of a case, and asks the user what to do with the unsaved work on it.
    ask_about_scan : callable
        As `ask`, with the name of a scan that is in no label store.
    choose_store : callable
        Asks for the folder of a label store for a scan; None if the user cancels.
    annotator : str
        Name for drafts and revisions; empty if the user has given none.

    Attributes
    ----------
    state : NoStore, StoreOpen, Correcting or CorrectingScan
    annotator : str
    comment : str
        Comment for the next revision.
    """

    def __init__(
        self,
        run: Run,
        ask: Callable[[str], Unsaved],
        ask_about_scan: Callable[[str], UnsavedScan],
        choose_store: Callable[[], Path | None],
        annotator: str,
    ) -> None:
        self.state: NoStore | StoreOpen | Correcting | CorrectingScan = NoStore()
        self.annotator = annotator
        self._run = run
        self.comment = ""
        self._refusal = ""  # why the last attempt to save failed, until it is mended
        self._ask, self._ask_about_scan, self._choose_store = ask, ask_about_scan, choose_store

    @property
    def has_unsaved(self) -> bool:
        """Whether the mask differs from the saved one."""
        return isinstance(self.state, EditedMask) and self.state.is_changed()

    @property
    def opened(self) -> StoreOpen | None:
        """The open store, also while a scan is corrected that is not in it."""
        state = self.state.before if isinstance(self.state, CorrectingScan) else self.state
        return state if isinstance(state, StoreOpen) else None

    def keep(self) -> None:
        """Save unsaved work as a draft now."""
        if isinstance(self.state, EditedMask):
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

    def save_and_next(self) -> None:
        """Save the mask as reviewed, then open the next case that needs work."""
        state = self.state

        def then() -> None:
            if not isinstance(state, Correcting) or state is not self.state:
                return  # another case was opened in the meantime
            if (item := state.queue.next_to_do()) is None:
                self._show_message("All cases of this list are reviewed.")
            else:
                self.go_to(item)

        self.save(reviewed=True, then=then)

    def save_scan(self) -> None:
        """Add the open scan and its mask to a label store, which the user chooses, and go on there."""
        state = self.state
        if isinstance(state, CorrectingScan) and self._may_save(state) and (store := self._choose_store()) is not None:
            self._add_scan(state, store, lambda saved: self._go_on_in_store(state, saved))

    def leave(self, then: Callable[[], None]) -> None:
        """Ask about unsaved work, then call `then`, unless the user cancels."""
        match self._ask_about_unsaved():
            case Unsaved.SAVE:
                self.save(reviewed=False, then=then)
            case UnsavedScan.SAVE if isinstance(self.state, CorrectingScan) and self._may_save(self.state):
                store = self._choose_store()
                if store is not None:
                    self._add_scan(self.state, store, lambda _: then())
            case Unsaved.DISCARD | UnsavedScan.DISCARD | UnsavedScan.KEEP:
                then()

    def may_close(self) -> bool:
        """Whether napari may close; asks about unsaved work, and waits until it is saved."""
        answer, state = self._ask_about_unsaved(), self.state
        if answer is Unsaved.SAVE and isinstance(state, Correcting):
            return self._may_save(state) and state.save_and_wait(self.comment.strip())
        if answer is UnsavedScan.SAVE and isinstance(state, CorrectingScan):
            store = self._choose_store() if self._may_save(state) else None
            return store is not None and state.add_and_wait(store, self.annotator, self.comment.strip())
        return answer not in (Unsaved.CANCEL, UnsavedScan.CANCEL)

    @abstractmethod
    def go_to(self, item: WorkItem) -> None:
        """Open another case."""

    @abstractmethod
    def _go_on_in_store(self, state: CorrectingScan, saved: SavedScan) -> None:
        """Correct the case of a scan that was added to a store, in the layers of the scan."""

    def _add_scan(self, state: CorrectingScan, store: Path, then: Callable[[SavedScan], None]) -> None:
        def done(saved: SavedScan) -> None:
            for warning in saved.added.warnings:
                show_warning(warning)
            then(saved)

        self.status.emit("Saving …", False)
        state.add_to(store, self.annotator, self.comment.strip(), done)

    def _ask_about_unsaved(self) -> Unsaved | UnsavedScan:
        """Ask about unsaved work, and discard it if the user wants that; without any, the answer is Discard."""
        self.keep()  # so that nothing is lost if napari crashes before the answer
        state = self.state
        if not isinstance(state, Correcting | CorrectingScan) or not state.is_changed():
            return Unsaved.DISCARD
        answer = self._ask(state.item.name) if isinstance(state, Correcting) else self._ask_about_scan(state.name)
        if state is not self.state:
            return Unsaved.CANCEL  # another case was opened in the meantime; the unsaved work is kept as a draft
        if answer in (Unsaved.DISCARD, UnsavedScan.DISCARD):
            state.give_up()
        return answer

    def _may_save(self, state: EditedMask) -> bool:
        self._refusal = ""
        if not self.annotator:
            self._refusal = _NO_NAME
            self.name_missing.emit()
        elif displaced := state.displaced():
            self._refusal = _DISPLACED.format(", ".join(displaced))
        if self._refusal:
            self.status.emit(self._refusal, True)
        return not self._refusal

    def _mend(self) -> None:
        """Show the present state again after the reason of a refusal is gone."""
        if self._refusal:
            self._refusal = ""
            self._show_saved()

    def _listen(self, state: EditedMask) -> None:
        state.drawn.connect(self._on_drawn)
        state.kept.connect(self._on_kept)
        state.failed.connect(self._on_failed)

    def _on_saved(self, of: Correcting, revision: Revision) -> None:
        known = of.case.revisions[-1].number if of.case.revisions else 0
        of.case = replace(of.case, revisions=(*of.case.revisions, revision))
        item = of.queue.latest(of.item)
        if item.case is not None:
            of.queue.update(replace(item, case=after_saving(item.case, revision)))
        self.changed.emit()
        if revision.number > known + 1:  # another annotator has saved since the case was opened
            revisions = partial(of.work.store.revisions, of.key)
            self._run(revisions, partial(self._on_others_saved, of, known, revision), ignore)

    def _on_others_saved(self, of: Correcting, known: int, saved: Revision, revisions: list[Revision]) -> None:
        of.case = replace(of.case, revisions=tuple(revisions))
        self.changed.emit()
        if of is self.state:
            self._show_message(saved_meanwhile(revisions, known, saved))

    def _on_drawn(self) -> None:
        self.drawn.emit()
        self._show_saved()

    def _on_kept(self) -> None:
        if self.has_unsaved and not self._refusal:
            now = datetime.now(UTC).astimezone()
            self.status.emit(f"Not saved yet; draft of {now:%H:%M:%S}.", False)

    def _on_failed(self, sentence: str) -> None:
        self.status.emit(f"{sentence} Your corrections stay in the layers.", True)

    def _show_saved(self) -> None:
        if self._refusal:
            return
        self.status.emit("Not saved yet." if self.has_unsaved else "No unsaved corrections.", False)

    def explain(self, sentence: str) -> None:
        """Show why a tool changed nothing, in place of what is saved; an empty sentence shows this again."""
        if sentence:
            self.status.emit(sentence, False)
        else:
            self._show_saved()

    def _show_message(self, sentence: str) -> None:
        self.message.emit(sentence, False)

    def _show_error(self, sentence: str) -> None:
        self.message.emit(sentence, True)
