"""The panel "Correct masks"."""

from __future__ import annotations

from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import (
    QApplication,
    QHBoxLayout,
    QMenu,
    QPushButton,
    QSizePolicy,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)
from superqt.utils import qthrottled

from napari_bonescint.corrections.entries import entries_of
from napari_bonescint.corrections.work_list.record import recent_lists
from napari_bonescint.gui.commands import ask_for_spacing
from napari_bonescint.gui.common.canvas_focus import CanvasFocus, WindowKeys
from napari_bonescint.gui.common.dock_panel import DockPanel, disclaimer_label
from napari_bonescint.gui.common.file_worker import FileWorker
from napari_bonescint.gui.common.model_chooser import ModelChooser
from napari_bonescint.gui.common.run import ignore
from napari_bonescint.gui.common.settings import Setting, remember, remembered
from napari_bonescint.gui.common.turns import in_turns
from napari_bonescint.gui.correct.check_list import CheckList
from napari_bonescint.gui.correct.controller import CorrectController
from napari_bonescint.gui.correct.correcting import Correcting, EditedMask
from napari_bonescint.gui.correct.display_panel import DisplayPanel
from napari_bonescint.gui.correct.draft_banner import DraftBanner
from napari_bonescint.gui.correct.opening.correcting_scan import CorrectingScan
from napari_bonescint.gui.correct.opening.draft_offer import offer_drafts
from napari_bonescint.gui.correct.revision_dialog import RevisionDialog
from napari_bonescint.gui.correct.save_bar import SaveBar
from napari_bonescint.gui.correct.states import Restored, Unsaved, UnsavedScan
from napari_bonescint.gui.correct.tools.toolbox import Toolbox
from napari_bonescint.gui.correct.work_list.work_list import WorkList
from napari_bonescint.gui.correct.work_opener import WorkOpener
from napari_bonescint.gui.export.export_dialog import ExportButton
from napari_bonescint.gui.legend.widget import LegendWidget
from napari_bonescint.gui.segment.notice_list import NoticeList
from napari_bonescint.gui.widgets.growing_splitter import GrowingSplitter
from napari_bonescint.gui.widgets.question import ask
from napari_bonescint.gui.widgets.scrolled_page import ScrolledPage
from napari_bonescint.gui.widgets.text_colours import Tone, ToneLabel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    from napari.viewer import Viewer
    from numpy.typing import NDArray
    from qtpy.QtGui import QShowEvent

    from napari_bonescint.corrections.entries import Entry
    from napari_bonescint.corrections.work_list.queue import WorkItem
    from napari_bonescint.gui.correct.open_case import OpenCase
    from napari_bonescint.gui.correct.states import StoreOpen
    from napari_bonescint.gui.segment.notices import OpenNotice

_RECENT_LISTS = 6
_MARGIN, _SPACING = 6, 4
_POLL_MS = 25
# Counted from the first change, not the last, so that drafts are saved also without a pause in drawing.
_DRAFT_MS = 2000


class CorrectWidget(DockPanel):
    """Go through a work list, correct masks with tools, and save them as revisions; `controller` has the logic."""

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__()
        self._background = FileWorker(self)
        self._viewer = napari_viewer
        self._keys: WindowKeys | None = None
        self._focus = CanvasFocus(self)
        self._is_whole = self._scan_is_wanted = False
        self.controller = CorrectController(
            napari_viewer,
            self._background.run,
            partial(QTimer.singleShot, _POLL_MS),
            self._ask_about_unsaved,
            remembered(Setting.ANNOTATOR),
            ask_about_scan=self._ask_about_unsaved_scan,
            choose_store=self._choose_store,
        )
        self._keep = qthrottled(self.controller.keep, timeout=_DRAFT_MS, leading=False, parent=self)

        self.opener = WorkOpener()
        self.message = ToneLabel()
        self.notices = NoticeList(napari_viewer, self._is_about_scan)
        self.drafts = DraftBanner(self.controller.name_of)
        self.list = WorkList()
        self.saving = SaveBar(self.controller)
        self.start_button = QPushButton("Start from …")
        self.revisions_button = QPushButton()
        self.export_button = ExportButton(napari_viewer)
        self._lay_out()
        self._connect()
        offer_drafts(napari_viewer.layers)
        self._show_case()
        self._focus.watch(self)
        in_turns(self, self._fill_pages(), self._resume)

    # The parts of the tabs are made in later turns, or when they are needed.

    @cached_property
    def toolbox(self) -> Toolbox:
        """The tools."""
        toolbox = Toolbox(self._viewer)
        toolbox.explained.connect(self.controller.explain)
        return toolbox

    @cached_property
    def aids(self) -> DisplayPanel:
        """What helps to see."""
        return DisplayPanel(self._viewer)

    @cached_property
    def legend(self) -> LegendWidget:
        """The legend of the bones."""
        legend = LegendWidget(self._viewer)
        legend.under_mouse.hide()  # the line of `aids`, right above, says more
        return legend

    @cached_property
    def checks(self) -> CheckList:
        """What can hardly be so in a body."""
        return CheckList(self._viewer)

    @cached_property
    def models(self) -> ModelChooser:
        """The model for scans without a prediction."""
        models = ModelChooser()
        models.chosen.connect(self._take_model)
        return models

    def open_scans(self, folder: Path) -> None:
        """Open a folder of scans; they are added to the open store, or to one that the user chooses."""
        store = self._choose_store()
        if store is not None:
            self.controller.open(store, folder)

    def correct_scan(self) -> None:
        """Correct the scan of the active layer, in the layers that it has, without a label store."""
        if not self._is_whole:
            self._scan_is_wanted = True  # until the window has answered
            return
        self._take_model()
        self.controller.correct_scan()

    def show_revisions(self) -> RevisionDialog | None:
        """Open the window with all masks of the open case."""
        state = self.controller.state
        if not isinstance(state, Correcting):
            return None
        case, store = state.case, state.work.store
        entries = entries_of(case.revisions, case.prediction)
        dialog = RevisionDialog(self, self._background, store, case.key, entries, names_regions=case.names_regions)
        dialog.setWindowTitle(f"Revisions of {state.item.name}")
        dialog.finished.connect(self._focus.give)
        dialog.copy_requested.connect(lambda entry, regions: self.controller.start_from(regions, entry.origin))
        dialog.restore_requested.connect(self._restore)
        dialog.show()
        return dialog

    def _restore(self, entry: Entry, regions: NDArray[np.uint8]) -> None:
        """Save an old mask again: a mask that the annotator reviewed stays reviewed, about another's it asks."""
        answer = Restored.REVIEWED if entry.reviewer else Restored.NOT_REVIEWED
        if entry.reviewer not in ("", self.controller.annotator):
            text = f"{entry.reviewer} saved {entry.title} as reviewed."
            explanation = f"The restored mask bears your name, and says that it was {entry.title}. Is it reviewed?"
            answer = ask(self, "Correct masks", text, explanation, Restored)
        if answer is not Restored.CANCEL:
            self.controller.restore(entry, regions, reviewed=answer is Restored.REVIEWED)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        """Guard the window of the panel from now on, and bind the keys that work in all of it."""
        super().showEvent(event)
        window = self._guard_window(self.controller.may_close, self._shut_down)
        if window is not None:
            self._bind_keys(window)

    def save_and_next(self) -> None:
        """Save the mask as reviewed, and open the next case that needs work."""
        self._focus.give()
        self.saving.save_and_next()

    def _go_to(self, item: WorkItem) -> None:
        self.list.show_open()  # until the other case is open
        self._focus.give()
        self.controller.go_to(item)

    def _show_store(self, opened: StoreOpen) -> None:
        work = opened.work
        remember(Setting.STORE, str(work.store.folder))
        self.opener.show_place(work.store.folder, work.folder)
        self.opener.show_left_out(work.left_out)
        self.list.show_queue(opened.queue, work.read)
        self._background.run(partial(recent_lists, _RECENT_LISTS), self.opener.offer, ignore)

    def _show_case(self) -> None:
        state = self.controller.state
        count = len(state.case.revisions) if isinstance(state, Correcting) else 0
        self.revisions_button.setText(f"Revisions ({count}) …")
        self.revisions_button.setEnabled(isinstance(state, Correcting))
        for button in (self.start_button, self.export_button):
            button.setEnabled(isinstance(state, EditedMask))
        # A scan that is in no label store has no revisions, and no list to go through.
        is_scan = isinstance(state, CorrectingScan)
        self.notices.refresh()
        self.revisions_button.setVisible(not is_scan)
        self.start_from_revision.setVisible(not is_scan)
        has_list = not is_scan or self.controller.opened is not None
        self.list.setVisible(has_list)
        fitted = QSizePolicy.Policy.Preferred if has_list else QSizePolicy.Policy.Maximum
        self.upper.setSizePolicy(QSizePolicy.Policy.Preferred, fitted)

    def _is_about_scan(self, shown: OpenNotice) -> bool:
        state = self.controller.state
        return isinstance(state, CorrectingScan) and set(shown.images) == set(state.layers.images)

    def _move_tools(self, case: OpenCase | None) -> None:
        for part in ("toolbox", "aids", "checks"):
            if case is not None or part in vars(self):
                getattr(self, part).set_case(case)

    def _ask_about_unsaved(self, case: str) -> Unsaved:
        text = f"Case {case} has corrections that are not saved."
        explanation = "Save makes a revision that is not marked as reviewed. Discard cannot be undone."
        answer = ask(self, "Correct masks", text, explanation, Unsaved)
        self._focus.give()
        return answer

    def _ask_about_unsaved_scan(self, name: str) -> UnsavedScan:
        text = f"{name} has corrections that are not saved."
        explanation = "A draft stays on this computer, and is offered when you open the scan again."
        return ask(self, "Correct masks", text, explanation, UnsavedScan)

    def _choose_store(self) -> Path | None:
        opened = self.controller.opened
        return self.opener.ask_for_store() if opened is None else opened.work.store.folder

    def _show_in_front(self) -> None:
        self.come_forward()
        self.window().raise_()
        self.window().activateWindow()

    def _keep_soon(self) -> None:
        self._keep()

    def _take_model(self) -> None:
        self.controller.loader.card = self.models.card
        self.controller.loader.device = self.models.device

    def _show_message(self, sentence: str, wrong: bool) -> None:
        self.message.say(sentence, Tone.WRONG if wrong else Tone.PLAIN)
        self.message.setVisible(bool(sentence))

    def _end_processes(self) -> None:
        """Save unsaved work as a draft, and end threads and child process."""
        if self._keys is not None:
            self._keys.release()
        self._viewer.events.mouse_over_canvas.disconnect(self._on_mouse_over)
        self.controller.close()
        self.list.close_pictures()
        if "legend" in vars(self):
            self.legend.disconnect_from_viewer()
        self._background.close()

    def _connect(self) -> None:
        controller = self.controller
        controller.store_opened.connect(self._show_store)
        controller.changed.connect(self._show_case)
        controller.tools_moved.connect(self._move_tools)
        controller.scan_warned.connect(self.notices.keep_result)
        self.notices.spacing_requested.connect(partial(ask_for_spacing, self._viewer))
        controller.drafts_offered.connect(self.drafts.offer)
        controller.draft_withdrawn.connect(self.drafts.withdraw)
        controller.drawn.connect(self._keep_soon)
        controller.message.connect(self._show_message)
        controller.wanted.connect(self._show_in_front)
        self.opener.store_chosen.connect(controller.open)
        self.opener.scans_chosen.connect(self.open_scans)
        self.opener.list_chosen.connect(controller.open)
        # The field of the name may have the keyboard still.
        for chosen in (self.opener.store_chosen, self.opener.scans_chosen, self.opener.list_chosen):
            chosen.connect(lambda *_: self._focus.give())
        self.opener.order_requested.connect(controller.order_anew)
        self.list.chosen.connect(self._go_to)
        self.drafts.open_requested.connect(controller.open_draft)
        self.drafts.discard_requested.connect(controller.discard_draft)
        self.revisions_button.clicked.connect(self.show_revisions)
        self._viewer.events.mouse_over_canvas.connect(self._on_mouse_over)
        self._end_at_last(controller.loader.child)
        application = QApplication.instance()
        if application is not None:
            application.aboutToQuit.connect(controller.keep)

    def _on_mouse_over(self, _event: Any = None) -> None:
        if self._viewer.mouse_over_canvas and isinstance(self.controller.state, EditedMask):
            self._focus.take_back()

    def _bind_keys(self, window: QWidget) -> None:
        # On the window, not the panel, so that they also work while the mouse is over the image.
        self._keys = keys = WindowKeys(window)
        keys.bind("PgDown", self.list.open_next, while_typing=False)
        keys.bind("PgUp", self.list.open_previous, while_typing=False)
        for enter in ("Return", "Enter"):  # the main one, and that of the number pad
            keys.bind(f"Ctrl+{enter}", self.save_and_next, while_typing=True)
            keys.bind(f"Ctrl+Shift+{enter}", self.saving.save_not_reviewed, while_typing=True)

    def _view_page(self) -> QWidget:
        view = QWidget()
        seeing = QVBoxLayout(view)
        seeing.setContentsMargins(0, 0, 0, 0)
        seeing.setSpacing(2)
        seeing.addWidget(self.aids)
        seeing.addWidget(self.legend)
        seeing.addStretch()
        return view

    def _fill_pages(self) -> Iterator[None]:
        """Make a part of a page, or put a page in, in each step."""
        for index, parts in enumerate((("toolbox",), ("aids", "legend"), ("checks",), ("models",))):
            for part in parts:
                if not self._is_shut_down:
                    getattr(self, part)
                yield
            page = self.tabs.widget(index)
            if isinstance(page, ScrolledPage) and not self._is_shut_down:
                page.fill()
                self._focus.watch(page)
                self._fit_page(self.tabs.currentIndex())
            yield

    def _resume(self) -> None:
        """Correct the scan that is wanted, and open the label store of the last time."""
        if self._is_shut_down:
            return
        self._is_whole = True
        self._take_model()
        if self._scan_is_wanted:
            self.controller.correct_scan()
        store = remembered(Setting.STORE)
        if store and self.controller.opened is None:
            self.controller.resume(Path(store))

    def _fit_page(self, shown: int) -> None:
        """Give the tabs the height of the page that is shown, not of the highest one."""
        policy = QSizePolicy.Policy
        for index in range(self.tabs.count()):
            height = policy.Preferred if index == shown else policy.Ignored
            if (page := self.tabs.widget(index)) is not None:
                page.setSizePolicy(policy.Preferred, height)

    def _lay_out(self) -> None:
        menu = QMenu(self.start_button)
        menu.addAction("The model's mask", self.controller.start_from_model)
        menu.addAction("An empty mask", self.controller.start_empty)
        self.start_from_revision = menu.addAction("A previous revision …", self.show_revisions)
        self.start_button.setMenu(menu)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        pages: dict[str, QWidget | Callable[[], QWidget]] = {
            "Tools": lambda: self.toolbox,
            "View": self._view_page,
            "Checks": lambda: self.checks,
            "Model": lambda: self.models,
        }
        for title, page in pages.items():
            self.tabs.addTab(ScrolledPage(page, later=True), title)
        self.tabs.currentChanged.connect(self._fit_page)
        self._fit_page(0)
        masks = QWidget()
        beside = QHBoxLayout(masks)
        beside.setContentsMargins(0, 0, 0, 0)
        beside.setSpacing(_SPACING)
        for button in (self.start_button, self.revisions_button, self.export_button):
            button.setStyleSheet("QPushButton { padding: 1px 6px; } QPushButton::menu-indicator { width: 10px; }")
        beside.addWidget(self.start_button)
        beside.addWidget(self.revisions_button)
        self.tabs.setCornerWidget(masks)
        self.upper = QWidget()
        above = QVBoxLayout(self.upper)
        above.setContentsMargins(0, 0, 0, 0)
        above.setSpacing(_SPACING)
        for part in (self.opener, self.message, self.notices, self.drafts):
            above.addWidget(part)
        above.addWidget(self.list, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, _MARGIN)
        layout.setSpacing(_SPACING)
        layout.addWidget(GrowingSplitter(self.upper, self.tabs), 1)
        layout.addWidget(self.saving)
        last = QHBoxLayout()
        last.addWidget(disclaimer_label(), 1)
        last.addWidget(self.export_button)
        layout.addLayout(last)
