"""The panel "Correct masks"."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from napari.utils.notifications import show_warning
from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence, QShortcut
from qtpy.QtWidgets import (
    QApplication,
    QHBoxLayout,
    QMenu,
    QPushButton,
    QSplitter,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from napari_bonescint.corrections.entries import Entry, entries_of
from napari_bonescint.corrections.queue import after_prediction, after_saving
from napari_bonescint.corrections.store.drafts import Drafts
from napari_bonescint.corrections.store.revision import Origin
from napari_bonescint.corrections.work import Work, open_work
from napari_bonescint.gui.common.close_guard import WindowClosing
from napari_bonescint.gui.common.dock_panel import DockPanel
from napari_bonescint.gui.common.file_worker import FileWorker
from napari_bonescint.gui.common.model_chooser import ModelChooser
from napari_bonescint.gui.common.plain_label import PlainLabel
from napari_bonescint.gui.common.scrolled_page import ScrolledPage
from napari_bonescint.gui.common.settings import Setting, remember, remembered
from napari_bonescint.gui.correct.case_layers import CaseLayers
from napari_bonescint.gui.correct.case_loader import CaseLoader
from napari_bonescint.gui.correct.case_session import CaseSession
from napari_bonescint.gui.correct.check_list import CheckList
from napari_bonescint.gui.correct.display_panel import ViewAids
from napari_bonescint.gui.correct.draft_banner import DraftBanner
from napari_bonescint.gui.correct.open_case import OpenCase
from napari_bonescint.gui.correct.revision_dialog import RevisionDialog
from napari_bonescint.gui.correct.save_bar import Saving
from napari_bonescint.gui.correct.tools.toolbox import Toolbox
from napari_bonescint.gui.correct.work_list import WorkList
from napari_bonescint.gui.correct.work_opener import WorkOpener

if TYPE_CHECKING:
    from typing import Any

    from napari.viewer import Viewer
    from numpy.typing import NDArray
    from qtpy.QtGui import QShowEvent

    from napari_bonescint.corrections.opening import OpenedCase
    from napari_bonescint.corrections.queue import WorkItem
    from napari_bonescint.corrections.store.drafts import Draft
    from napari_bonescint.corrections.store.prediction import Prediction
    from napari_bonescint.corrections.store.revision import Revision


# How the panel shares its height at first; the bar between both can be dragged.
_LIST_HEIGHT, _TOOLS_HEIGHT = 300, 420


class CorrectWidget(DockPanel):
    """Go through a work list, correct masks with tools, and save them as revisions.

    Parameters
    ----------
    napari_viewer : Viewer
        The viewer; napari gives it by this name.
    """

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__()
        self._viewer = napari_viewer
        self._closing: WindowClosing | None = None
        self._background = FileWorker(self)
        self._layers = CaseLayers(napari_viewer)
        self._work: Work | None = None
        self._case: OpenedCase | None = None
        self._session: CaseSession | None = None
        self._is_shut_down = False
        self._shortcuts: list[QShortcut] = []

        self.opener = WorkOpener()
        self.message = PlainLabel()
        self.drafts = DraftBanner()
        self.list = WorkList()
        self.toolbox = Toolbox(napari_viewer)
        self.aids = ViewAids(napari_viewer)
        self.checks = CheckList(napari_viewer)
        self.models = ModelChooser()
        self.saving = Saving(self._background)
        self.start_button = QPushButton("Start from …")
        self.revisions_button = QPushButton()
        self.loader = CaseLoader(self, self._background)
        self.loader.card = self.models.card
        self._lay_out()
        self._connect()
        self._show_case_buttons()
        store = remembered(Setting.STORE)
        if store:
            self._open(Path(store), None, begin=False)

    @property
    def session(self) -> CaseSession | None:
        """The case that is being corrected."""
        return self._session

    def open_store(self, folder: Path) -> None:
        """Open a label store, or make one in an empty folder, and begin with its first case."""
        self.saving.leave(lambda: self._open(folder, None, begin=True))

    def open_scans(self, folder: Path) -> None:
        """Open a folder of scans; their cases go into the store that is open, or into one that the user names."""
        store = self._work.store.folder if self._work is not None else self.opener.ask_for_store()
        if store is not None:
            self.saving.leave(lambda: self._open(store, folder, begin=True))

    def go_to(self, item: WorkItem) -> None:
        """Open another case; asks first if something is not saved."""
        self.list.show_open()  # until the other one is there
        self.saving.leave(lambda: self.loader.open(item))

    def start_from(self, regions: NDArray[np.uint8], origin: Origin) -> None:
        """Put another mask into the labels, as a step that Undo takes back."""
        if self._session is not None:
            self._session.start_from(regions, origin)

    def start_empty(self) -> None:
        """Start the case that is open from an empty mask."""
        if self._case is not None:
            self.start_from(np.zeros_like(self._case.regions), Origin.empty())

    def start_from_model(self) -> None:
        """Start the case that is open from what the model says."""
        prediction = None if self._case is None else self._case.prediction
        if prediction is None or self._session is None:
            self._complain("No model has segmented this case yet; choose one in the tab Model.")
        elif prediction.names_regions is not self._session.names_regions:
            self._complain("The model's mask and the labels do not both name regions, so it was not taken.")
        else:
            self.start_from(prediction.regions, Entry(prediction=prediction).origin)

    def show_revisions(self) -> RevisionDialog | None:
        """Open the window with all masks of the case that is open."""
        if self._work is None or self._case is None or self._session is None:
            return None
        entries = entries_of(self._case.revisions, self._case.prediction)
        store, key = self._work.store, self._case.key
        dialog = RevisionDialog(self, self._background, store, key, entries, names_regions=self._session.names_regions)
        dialog.copy_wanted.connect(lambda entry, regions: self.start_from(regions, entry.origin))
        dialog.restore_wanted.connect(self._restore)
        dialog.show()
        return dialog

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        """Take hold of the window that the panel is docked in: its closing, and the keys that hold all over it."""
        super().showEvent(event)
        if self._closing is None and not self._is_shut_down:
            self._closing = WindowClosing(self, self.saving.may_close, self._shut_down)
            if self._closing.window is not None:
                self._bind_keys(self._closing.window)

    def _open(self, store: Path, scans: Path | None, *, begin: bool) -> None:
        self._say("Opening …")
        annotator = self.saving.annotator

        def then(work: Work) -> None:
            self._let_go()
            self._layers.clear()
            self._work = work
            remember(Setting.STORE, str(work.store.folder))
            self.opener.show_place(work.store.folder, work.scans)
            self.loader.use(work.store, annotator)
            self.list.show_items(work.items, work.read)
            self.drafts.offer(work.waiting)
            if work.damage:
                show_warning(work.damage)
            self._say("" if work.items else "There is no case in this store yet: open a folder of scans.")
            if begin:
                self.list.open_next()

        self._background.run(partial(open_work, store, annotator, scans), then, self._complain)

    def _on_loaded(self, item: WorkItem, case: OpenedCase) -> None:
        if self._work is None:
            return
        self._end_session()
        self._layers.show(case)
        self._case, self._session = case, CaseSession(case, self._layers.labels)
        self._hand_out(case.prediction)
        draft = case.draft
        self._say("")
        if draft is not None:
            self._session.start_from(draft.regions, draft.origin)
            self.drafts.withdraw(case.key)
            self._say("Your unsaved work on this case was brought back; Undo takes it out.")
        self.saving.begin(self._session, self._work.store, None if draft is None else draft.regions)
        self.list.mark_open(item)
        self._show_case_buttons()
        self.loader.read_ahead(self.list.neighbour(1))

    def _hand_out(self, prediction: Prediction | None) -> None:
        """Give the case to the tools, with what the model said of it."""
        if self._case is None:
            return
        model = prediction.regions if prediction is not None and prediction.names_regions else None
        probability = None if prediction is None else prediction.probability
        layers, windows = self._layers, self._case.windows
        case = OpenCase(self._case.scan, layers.images, windows, layers.labels, model, probability)
        for part in (self.toolbox, self.aids, self.checks):
            part.set_case(case)

    def _end_session(self) -> None:
        """End the work on the case that is open; what is in its layers is kept as a draft if it is not saved."""
        self.saving.autosave.keep()
        self.saving.end()
        self._case = self._session = None

    def _let_go(self) -> None:
        """End the work on the case that is open, and take it from the tools, too."""
        self._end_session()
        for part in (self.toolbox, self.aids, self.checks):
            part.set_case(None)
        self._show_case_buttons()

    def _on_predicted(self, item: WorkItem, prediction: Prediction) -> None:
        known = self._known(item)
        if known is not None and known.case is not None:
            known = replace(known, case=after_prediction(known.case, prediction))
            self.list.update_item(known)
        if self._case is None or self._session is None or item.case is None or item.case.key != self._case.key:
            return
        if self._session.is_untouched_and_empty() and known is not None:
            self.loader.open(known)
            return
        self._case = replace(self._case, prediction=prediction)
        self._hand_out(prediction)
        self._show_case_buttons()

    def _on_saved(self, revision: Revision) -> None:
        item = self.list.open_item
        if item is not None and item.case is not None and self._case is not None:
            self._case = replace(self._case, revisions=(*self._case.revisions, revision))
            self.list.update_item(replace(item, case=after_saving(item.case, revision)))
        self._show_case_buttons()

    def _restore(self, entry: Entry, regions: NDArray[np.uint8]) -> None:
        self.start_from(regions, entry.origin)
        self.saving.comment.setText(f"Restored from {entry.title}.")
        self.saving.save(reviewed=False)

    def _known(self, item: WorkItem) -> WorkItem | None:
        row = self.list.model.row_of(item)
        return None if row is None else self.list.model.items[row]

    def _open_draft(self, case: str) -> None:
        item = next((each for each in self.list.model.items if each.case is not None and each.case.key == case), None)
        if item is None:
            self._complain("The case of this draft is not in the list; open its label store.")
        else:
            self.go_to(item)

    def _discard_draft(self, case: str) -> None:
        def then(_: None) -> None:
            self.drafts.withdraw(case)
            self.loader.forget(case)

        if self._work is not None:
            discard = partial(Drafts(self._work.store).discard, case, self.saving.annotator)
            self._background.run(discard, then, self._complain)

    def _on_annotator(self) -> None:
        def then(waiting: list[Draft]) -> None:
            of_open = [draft for draft in waiting if self._case is not None and draft.case == self._case.key]
            self.drafts.offer(draft for draft in waiting if draft not in of_open)
            # What is unsaved in the layers is this draft.
            if of_open and not self.saving.has_unsaved:
                self._open_draft(of_open[0].case)

        if self._work is not None:
            store, annotator = self._work.store, self.saving.annotator
            self.loader.use(store, annotator)
            self.loader.read_ahead(self.list.neighbour(1))
            self._background.run(partial(Drafts(store).waiting, annotator), then, self._complain)

    def _on_layer_removed(self, event: Any) -> None:
        if self._session is not None and event.value in self._session.labels:
            self._let_go()
            self._say("The labels of this case were removed; what was not saved is kept as a draft.")

    def _on_model(self) -> None:
        self.loader.card = self.models.card

    def _say(self, sentence: str, *, wrong: bool = False) -> None:
        self.message.setText(sentence)
        self.message.setVisible(bool(sentence))
        self.message.setStyleSheet("color: #ff7b72;" if wrong else "")

    def _complain(self, sentence: str) -> None:
        self._say(sentence, wrong=True)

    def _show_case_buttons(self) -> None:
        count = 0 if self._case is None else len(self._case.revisions)
        self.revisions_button.setText(f"Revisions ({count}) …")
        for button in (self.revisions_button, self.start_button):
            button.setEnabled(self._case is not None)

    def _shut_down(self) -> None:
        """Keep unsaved work as a draft, and end threads and child process."""
        if self._is_shut_down:
            return
        self._is_shut_down = True
        if self._closing is not None:
            self._closing.let_go()
        self._viewer.layers.events.removed.disconnect(self._on_layer_removed)
        for shortcut in self._shortcuts:
            shortcut.setParent(None)
        self._let_go()
        self.loader.close()
        self.list.close_pictures()
        self._background.close()

    def _connect(self) -> None:
        self.opener.store_chosen.connect(self.open_store)
        self.opener.scans_chosen.connect(self.open_scans)
        self.list.chosen.connect(self.go_to)
        self.loader.loaded.connect(self._on_loaded)
        self.loader.predicted.connect(self._on_predicted)
        self.loader.warned.connect(show_warning)
        self.loader.failed.connect(self._complain)
        self.saving.saved.connect(self._on_saved)
        self.saving.annotator_changed.connect(self._on_annotator)
        self.drafts.open_wanted.connect(self._open_draft)
        self.drafts.discard_wanted.connect(self._discard_draft)
        self.models.chosen.connect(self._on_model)
        self.revisions_button.clicked.connect(self.show_revisions)
        self._viewer.layers.events.removed.connect(self._on_layer_removed)
        self._end_at_last(self.loader.child)
        application = QApplication.instance()
        if application is not None:
            application.aboutToQuit.connect(self.saving.autosave.keep)

    def _bind_keys(self, window: QWidget) -> None:
        actions = {
            "PgDown": self.list.open_next,
            "PgUp": self.list.open_previous,
            "Ctrl+Return": self.saving.save_as_reviewed,
            "Ctrl+Shift+Return": self.saving.save_not_reviewed,
        }
        for keys, action in actions.items():
            # Of the window and not of the panel: they hold while the mouse is over the image, too.
            shortcut = QShortcut(QKeySequence(keys), window)
            shortcut.activated.connect(action)
            self._shortcuts.append(shortcut)

    def _lay_out(self) -> None:
        self.message.setWordWrap(True)
        menu = QMenu(self.start_button)
        menu.addAction("The model's mask", self.start_from_model)
        menu.addAction("An empty mask", self.start_empty)
        menu.addAction("A previous revision …", self.show_revisions)
        self.start_button.setMenu(menu)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        pages = {"Tools": self.toolbox, "View": self.aids, "Checks": self.checks, "Model": self.models}
        for title, page in pages.items():
            self.tabs.addTab(ScrolledPage(page), title)
        upper = QWidget()
        above = QVBoxLayout(upper)
        above.setContentsMargins(0, 0, 0, 0)
        for part in (self.opener, self.message, self.drafts):
            above.addWidget(part)
        above.addWidget(self.list, 1)
        splitter = QSplitter(Qt.Orientation.Vertical)
        splitter.addWidget(upper)
        splitter.addWidget(self.tabs)
        splitter.setSizes([_LIST_HEIGHT, _TOOLS_HEIGHT])
        splitter.setChildrenCollapsible(False)
        masks = QHBoxLayout()
        masks.addWidget(self.start_button)
        masks.addWidget(self.revisions_button)
        masks.addStretch()
        notice = PlainLabel("Research software, not a medical device.")
        notice.setEnabled(False)
        layout = QVBoxLayout(self)
        layout.addWidget(splitter, 1)
        layout.addLayout(masks)
        layout.addWidget(self.saving)
        layout.addWidget(notice)
