"""The panel "Archive"."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from magicgui.widgets import CheckBox, ComboBox, Container
from napari.qt import QtViewer
from qtpy.QtCore import QTimer
from qtpy.QtGui import QImage, QPixmap
from qtpy.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from napari_bonescint.archive.priors import bone_scans_first
from napari_bonescint.archive.receiving.private_folder import empty_left_folders
from napari_bonescint.archive.setup.archive_setup import Kind
from napari_bonescint.gui.archive.dropping import ViewerDrops
from napari_bonescint.gui.archive.receiving import Receiving
from napari_bonescint.gui.archive.rows import dashed, shown_studies, summary
from napari_bonescint.gui.archive.search_form import SearchForm
from napari_bonescint.gui.archive.send_dialog import SendDialog
from napari_bonescint.gui.archive.session import ArchiveSession
from napari_bonescint.gui.archive.setup_dialog import SetupDialog
from napari_bonescint.gui.archive.showing import show
from napari_bonescint.gui.archive.study_tree import StudyTree
from napari_bonescint.gui.common.choices import numbered
from napari_bonescint.gui.common.dock_panel import DockPanel, disclaimer_label
from napari_bonescint.gui.common.escape_key import EscapeKey
from napari_bonescint.gui.common.file_worker import FileWorker
from napari_bonescint.gui.common.install_box import InstallBox
from napari_bonescint.gui.common.panels import open_panel
from napari_bonescint.gui.common.run import ignore
from napari_bonescint.gui.common.turns import in_turns
from napari_bonescint.gui.layers.scan_display import display_scans
from napari_bonescint.gui.layers.scans import facts_of
from napari_bonescint.gui.widgets.fitted_picture import FittedPicture
from napari_bonescint.gui.widgets.quiet_wheel import ignore_wheel
from napari_bonescint.gui.widgets.text_colours import Tone, ToneLabel
from napari_bonescint.text.formatting import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from napari.layers import Image
    from napari.viewer import Viewer
    from numpy.typing import NDArray
    from qtpy.QtGui import QShowEvent

    from napari_bonescint.archive.records import Found, Received, Study
    from napari_bonescint.gui.archive.bringing import Brought

_MARGIN, _SPACING, _PROGRESS_MS, _LOOK_MS = 6, 4, 100, 300
_MEASURE = "Measure (Bone scintigraphy)"
_NO_ARCHIVE = "Set an archive up to search it."


class ArchiveWidget(DockPanel):
    """Searches archives and opens scans from them; `session` has the logic."""

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__()
        self._viewer = napari_viewer
        display_scans(napari_viewer)
        self._background = FileWorker(self)
        # Of its own, so that a long transfer never keeps a receiver waiting.
        self._receiving = FileWorker(self)
        self.session = ArchiveSession(self._background.run)
        self.receiving = Receiving(self._receiving.run)
        self._last_found: Found[Study] | None = None
        self._drops: ViewerDrops | None = None
        self._lacked_archive = True

        self.archive = ComboBox(label="Archive", choices=self._archive_choices, nullable=False)
        self.chooser: Container[Any] = Container(widgets=[self.archive])
        self.setup_button = QPushButton("Set up …")
        self.form = SearchForm()
        self.receive = CheckBox(text="Receive")
        self.receive_form: Container[Any] = Container(widgets=[self.receive])
        self.search_button, self.cancel_button = QPushButton("Search"), QPushButton("Cancel")
        self.bar, self.status = QProgressBar(), ToneLabel()
        self.missing = InstallBox("archive", "Archives need")
        self.tree, self.picture = StudyTree(), FittedPicture()
        self.open_button, self.priors_button = QPushButton("Open"), QPushButton("Open with priors")
        self.picture_button, self.send_button = QPushButton("Picture"), QPushButton("Send to archive …")
        self._escape = EscapeKey(self, self.session.cancel)
        self._timer, self._look_timer = QTimer(self), QTimer(self)
        self._timer.setInterval(_PROGRESS_MS)
        self._look_timer.setInterval(_LOOK_MS)
        self._lay_out()
        self._connect()
        self._show()
        # Patients' data of a napari that was killed.
        self._background.run(empty_left_folders, ignore, lambda sentence: self._say(sentence, True))
        self.session.reload()

    def search(self) -> None:
        """Search the chosen archive."""
        self.session.search(self.form.query)

    def open(self, *, with_priors: bool = False) -> None:
        """Open the chosen study or series, with earlier bone scans of the patient if wanted."""
        study = self.tree.study
        if study is None or self.session.is_running:
            return
        if self._receives:
            self.session.open_received(self._received(study), study.date)
        else:
            self.session.open(study, self.tree.series, with_priors=with_priors)

    def send(self) -> SendDialog:
        """Open the dialog that sends results of an open scan, and those that wait."""
        measure: Any = self._viewer.window.dock_widgets.get(_MEASURE)
        if hasattr(measure, "scan_to_send"):
            dialog = SendDialog(self, self._viewer.layers, measure.scan_to_send, measure.controller.images)
        else:
            dialog = SendDialog(self, self._viewer.layers)
        dialog.open()
        return dialog

    def set_up(self) -> SetupDialog:
        """Open the dialog that sets archives up."""
        dialog = SetupDialog(self, "" if self.session.setup is None else self.session.setup.name)
        dialog.kept.connect(self.session.reload)
        dialog.open()
        return dialog

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        """Take drags onto the viewer from now on, and end with the window."""
        super().showEvent(event)
        self._guard_window(lambda: True, self._shut_down)
        canvas = self.window().findChild(QtViewer)
        if self._drops is None and canvas is not None:
            self._drops = ViewerDrops(self, canvas, self.open)

    def _end_processes(self) -> None:
        """End what is asked of archives."""
        if self._drops is not None:
            self._drops.stop()
        self.session.cancel()
        self.missing.stop()
        self._background.close()
        self._receiving.close()
        self.receiving.close()

    def _connect(self) -> None:
        session, tree = self.session, self.tree
        self.setup_button.clicked.connect(self.set_up)
        self.archive.changed.connect(self._choose_archive)
        self.receive.changed.connect(self._switch)
        self.search_button.clicked.connect(self.search)
        for field in (self.form.patient_id, self.form.name, self.form.accession):
            field.native.returnPressed.connect(self.search)
        self.form.whole_body.changed.connect(self._show_studies)
        self.cancel_button.clicked.connect(session.cancel)
        self.open_button.clicked.connect(lambda: self.open())
        self.priors_button.clicked.connect(lambda: self.open(with_priors=True))
        self.picture_button.clicked.connect(self._make_picture)
        self.send_button.clicked.connect(self.send)
        tree.series_wanted.connect(self._list_series)
        tree.chosen.connect(self._on_chosen)
        tree.itemDoubleClicked.connect(
            lambda item, _column: self.open() if item.parent() and item.isSelected() else None
        )
        self.missing.installed.connect(session.reload)
        session.changed.connect(self._show)
        session.message.connect(self._say)
        session.found.connect(self._take_found)
        session.series_found.connect(tree.show_series)
        session.refused.connect(tree.show_reasons)
        session.pictured.connect(self._show_picture)
        session.brought.connect(self._show_scans)
        self._timer.timeout.connect(self._show_progress)
        self.receiving.changed.connect(self._show_received)
        self.receiving.message.connect(self._say)
        self._look_timer.timeout.connect(self.receiving.look)

    def _lay_out(self) -> None:
        self.chooser.margins = (0, 0, 0, 0)
        self.receive_form.margins = (0, 0, 0, 0)
        self.receive.tooltip = "Take what those send that the set-up allows, until you switch it off or napari closes"
        for form in (self.chooser, self.form.container):
            ignore_wheel(form.native)
        top = _row(self.chooser.native, self.setup_button)
        top.setStretch(0, 1)
        self.picture.hide()
        self.picture_button.setToolTip("Get the first scan and show it small, before you open it")
        self.priors_button.setToolTip("Also the newest earlier bone scans of the patient, for comparison in Measure")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, _MARGIN)
        layout.setSpacing(_SPACING)
        layout.addLayout(top)
        layout.addWidget(self.form.container.native)
        layout.addWidget(self.receive_form.native)
        layout.addLayout(_row(self.search_button))
        layout.addLayout(_row(self.bar, self.cancel_button))
        layout.addWidget(self.missing)
        layout.addWidget(self.status)
        layout.addWidget(self.tree, 2)
        layout.addWidget(self.picture, 1)
        layout.addLayout(_row(self.open_button, self.priors_button, self.picture_button))
        layout.addLayout(_row(self.send_button))
        layout.addWidget(disclaimer_label())

    def _archive_choices(self, _box: object = None) -> list[tuple[str, int]]:
        session = getattr(self, "session", None)
        return numbered([setup.name for setup in session.setups]) if session is not None else []

    def _show(self) -> None:
        """Show the state of the session."""
        session = self.session
        names = [setup.name for setup in session.setups]
        if [title for title, _ in self._shown_choices()] != names:
            with self.archive.changed.blocked():
                self.archive.reset_choices()
                if session.setup is not None:
                    self.archive.value = names.index(session.setup.name)
        running, has_archive = session.is_running, session.setup is not None
        self.archive.enabled = len(names) > 1 and not running
        self.search_button.setEnabled(has_archive and not running)
        for widget in (self.bar, self.cancel_button):
            widget.setVisible(running)
        self._escape.listen(running)
        for widget in (self.form.container.native, self.search_button):
            widget.setVisible(not self._receives)
        self.receive_form.native.setVisible(self._receives)
        self._show_buttons()
        if running:
            self._show_progress()
            self._timer.start()
        else:
            self._timer.stop()
        if not has_archive:
            obstacle = session.obstacle or _NO_ARCHIVE
            self._say(obstacle if self.missing.isHidden() else "", bool(session.obstacle))
        elif self._lacked_archive:
            self._say("", False)
        self._lacked_archive = not has_archive

    def _shown_choices(self) -> list[tuple[str, int]]:
        box: Any = self.archive.native
        return [(box.itemText(row), row) for row in range(box.count())]

    def _show_buttons(self) -> None:
        possible = self.tree.study is not None and not self.session.is_running
        for button in (self.open_button, self.priors_button, self.picture_button):
            button.setEnabled(possible)
        self.priors_button.setEnabled(possible and not self._receives)

    def _show_progress(self) -> None:
        progress = self.session.progress
        if progress is None or not progress.total:
            self.bar.setRange(0, 0)
            return
        self.bar.setRange(0, progress.total)
        self.bar.setValue(progress.done)
        self.bar.setFormat(f"%v of {progress.total} images")

    def _on_chosen(self) -> None:
        self.picture.hide()
        self._show_buttons()

    @property
    def _receives(self) -> bool:
        """Whether the chosen archive sends images here, instead of being searched."""
        setup = self.session.setup
        return setup is not None and setup.kind is Kind.RECEIVER

    def _choose_archive(self, index: int | None) -> None:
        self.session.choose(index)
        self._last_found = None
        self.tree.show_studies(())
        self._say("", False)
        self._show()
        self._show_received()

    def _switch(self, on: bool) -> None:
        setup = self.session.setup
        if setup is not None:
            self.receiving.switch(setup, on=on)

    def _received(self, study: Study) -> list[Received]:
        setup = self.session.setup
        return [] if setup is None else self.receiving.files(setup.name, study, self.tree.series)

    def _show_received(self) -> None:
        """Show whether the chosen archive's images are received, and what came in."""
        if self.receiving.is_any_on:
            self._look_timer.start()
        else:
            self._look_timer.stop()
        setup = self.session.setup
        if setup is None or not self._receives:
            return
        with self.receive.changed.blocked():
            self.receive.value = self.receiving.is_on(setup.name)
        studies = self.receiving.studies(setup.name)
        self.tree.show_studies(studies)
        if studies:
            self._say(f"{counted(sum(study.instances or 0 for study in studies), 'image')} came in.", False)

    def _list_series(self, study: Study) -> None:
        setup = self.session.setup
        if self._receives and setup is not None:
            self.tree.show_series(study, bone_scans_first(self.receiving.series(setup.name, study)))
        else:
            self.session.list_series(study)

    def _take_found(self, found: Found[Study]) -> None:
        self._last_found = found
        self._show_studies()

    def _show_studies(self) -> None:
        found = self._last_found
        if found is not None:
            studies = shown_studies(found.items, whole_body=self.form.whole_body.value)
            self.tree.show_studies(studies)
            self._say(summary(found, len(studies)), False)

    def _make_picture(self) -> None:
        study = self.tree.study
        if study is not None and self._receives:
            self.session.picture_received(self._received(study), study.date)
        elif study is not None:
            self.session.make_picture(study, self.tree.series)

    def _show_picture(self, grey: NDArray[np.uint8]) -> None:
        rows, columns = grey.shape
        image = QImage(grey.tobytes(), columns, rows, columns, QImage.Format.Format_Grayscale8)
        self.picture.set_pixmap(QPixmap.fromImage(image))
        self.picture.show()

    def _show_scans(self, scans: Sequence[Brought], priors: Sequence[Brought]) -> None:
        """Show earlier scans left of the new ones, and say which is which."""
        opened: list[tuple[Brought, tuple[Image, ...]]] = []

        def steps() -> Iterator[None]:
            for each in (*reversed(priors), *scans):
                images = yield from show(self._viewer, each)
                if images:
                    opened.append((each, images))

        in_turns(self, steps(), lambda: self._on_shown(opened, priors))

    def _on_shown(self, opened: Sequence[tuple[Brought, tuple[Image, ...]]], priors: Sequence[Brought]) -> None:
        named = [f"{facts_of(images[0]).title} ({dashed(each.day) or 'no date'})" for each, images in opened]
        if named:
            self._viewer.reset_view()
            self._say(f"Opened: {', '.join(named)}.", False)
        earlier = [images for each, images in opened if each in priors]
        new = [images for each, images in opened if each not in priors]
        if earlier and new:
            open_panel(self._viewer, "Measure").show_with_prior(new[0], earlier[-1])

    def _say(self, sentence: str, wrong: bool) -> None:
        self.status.say(sentence, Tone.WRONG if wrong else Tone.PLAIN)
        self.status.setVisible(bool(sentence))


def _row(*widgets: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    for widget in widgets:
        row.addWidget(widget)
    return row
