"""The panel "Measure"."""

from __future__ import annotations

from enum import Enum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from magicgui.widgets import ComboBox, Container
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication, QFileDialog, QHBoxLayout, QProgressBar, QPushButton, QTabWidget, QVBoxLayout

from napari_bonescint.files.atomic import write_bytes_atomically
from napari_bonescint.formats.masks.registry import MaskOfScan
from napari_bonescint.gui.archive.sending import ScanToSend
from napari_bonescint.gui.commands import ask_for_spacing
from napari_bonescint.gui.common.ahead import do_ahead
from napari_bonescint.gui.common.choices import numbered
from napari_bonescint.gui.common.dock_panel import DockPanel, main_button
from napari_bonescint.gui.common.escape_key import EscapeKey
from napari_bonescint.gui.common.file_worker import FileWorker
from napari_bonescint.gui.common.segmenting import shared_child
from napari_bonescint.gui.export.open_scans import OpenScan
from napari_bonescint.gui.layers.labels import prepare_labels
from napari_bonescint.gui.layers.masks import author_of
from napari_bonescint.gui.layers.scan_display import display_scans
from napari_bonescint.gui.measure.controller import MeasureController
from napari_bonescint.gui.measure.headline import Headline
from napari_bonescint.gui.measure.outlines import Outlines
from napari_bonescint.gui.measure.pages import RatioPage, RegionPage, SpotPage, TablePage
from napari_bonescint.gui.measure.prior.tab import PriorTab
from napari_bonescint.gui.measure.region_masks import scan_with, scans_in
from napari_bonescint.gui.segment.notice_list import NoticeList
from napari_bonescint.gui.widgets.plain_label import PlainLabel
from napari_bonescint.gui.widgets.question import ask
from napari_bonescint.gui.widgets.quiet_wheel import ignore_wheel
from napari_bonescint.gui.widgets.text_colours import Tone, ToneLabel
from napari_bonescint.measurement.measures import RESEARCH_ONLY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari.layers import Image
    from napari.viewer import Viewer
    from qtpy.QtGui import QShowEvent

    from napari_bonescint.gui.archive.send_dialog import SendDialog
    from napari_bonescint.gui.measure.reading import Reading
    from napari_bonescint.gui.measure.reporting.dialog import ReportDialog

_STEPS = 100
_MARGIN, _SPACING = 6, 4
_NO_SCAN = "Open a bone scan to measure it."
_NO_MASK = "This scan has no mask that names bones yet; it is segmented first."
_FORMER_MASK = "The masks have changed; the numbers are being measured again."
_FOUND_BEFORE = "The hot spots were found with the former masks; measure again to find them anew."


class Unsaved(Enum):
    """Answers to the question about decisions that are not saved."""

    KEEP = "Keep as a draft"
    DISCARD = "Discard"
    CANCEL = "Cancel"


class MeasureWidget(DockPanel):
    """Measures an open scan: hot spots, the bone scan index, uptake; `controller` has the logic."""

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__()
        self._viewer = napari_viewer
        display_scans(napari_viewer)
        self._background = FileWorker(self)
        self.child = shared_child()
        self.controller = MeasureController(napari_viewer, self._background.run, self._call_later, self.child)
        self._choices: list[tuple[Image, ...]] = []
        self._outlines = Outlines(napari_viewer, self.controller, self._background)

        self.scan = ComboBox(label="Scan", choices=self._scan_choices, tooltip="The scan that is measured")
        self.form: Container[Any] = Container(widgets=[self.scan])
        self.button = main_button("Measure")
        self.cancel_button = QPushButton("Cancel")
        self.bar = QProgressBar()
        self.status, self.notice = ToneLabel(), ToneLabel()
        # With their buttons; those that only inform stand in the panel that segments.
        self.notices = NoticeList(
            napari_viewer, lambda shown: bool(shown.notice.remedy) and self._is_chosen(shown.images)
        )
        self.headline = Headline()
        self.spots, self.regions, self.ratios = SpotPage(), RegionPage(), RatioPage()
        self.prior = PriorTab(napari_viewer, self.controller, self._background.run, self._call_later)
        self.tabs = QTabWidget()
        self.save_button, self.report_button = QPushButton("Save to the label store"), QPushButton("Report …")
        self._escape = EscapeKey(self, self.prior.comparing.cancel)
        self._lay_out()
        self._connect()
        self._end_at_last(self.child)
        self._soon(self._follow_layers)
        self._show()
        do_ahead(_prepare)

    def measure(self) -> None:
        """Measure the chosen scan; it is segmented first if it has no mask that names bones."""
        self.controller.measure()

    def measure_selected(self) -> None:
        """Measure the scan of the active layer; without one, the chosen scan."""
        self._follow_layers()  # the command may just have opened the panel
        images = scan_with(self._viewer.layers, self._viewer.layers.selection.active)
        if images is not None and images in self._choices:
            self.scan.value = self._choices.index(images)
        self.measure()

    def report(self) -> ReportDialog | None:
        """Open the dialog that writes a report of the chosen scan, with the comparison that is shown."""
        scan, compared = self.controller.current, self.prior.shown
        if scan is None or not scan.is_measured:
            return None
        # Imported when it is needed, because it is seldom.
        from napari_bonescint.gui.measure.reporting.dialog import ReportDialog

        current = compared if compared is not None and compared.is_current else None
        dialog = ReportDialog(self, scan, None if current is None else current.comparison)
        dialog.send_wanted.connect(self.send)
        dialog.open()
        return dialog

    def send(self) -> SendDialog:
        """Open the dialog that sends results of the chosen scan to an archive."""
        from napari_bonescint.gui.archive.send_dialog import SendDialog

        dialog = SendDialog(self, self._viewer.layers, self.scan_to_send, self.controller.images)
        dialog.open()
        return dialog

    def scan_to_send(self, images: tuple[Image, ...]) -> ScanToSend | None:
        """A scan with its measures as they are now; None if it is not measured."""
        scan, compared = self.controller.reading_of(images), self.prior.shown
        measured = scan.measured if scan is not None and scan.is_measured else None
        if scan is None or measured is None:
            return None
        mask = MaskOfScan(scan.scan, scan.regions, author=author_of(scan.masks))
        if compared is None or not compared.is_current or scan is not self.controller.current:
            return ScanToSend(scan.name, mask, scan.files, measured)
        return ScanToSend(scan.name, mask, scan.files, measured, compared.comparison)

    def show_with_prior(self, images: tuple[Image, ...], prior: tuple[Image, ...]) -> None:
        """Choose a scan, and a prior one to compare it with."""
        self._follow_layers()
        if images in self._choices and not self.controller.is_running:
            self.scan.value = self._choices.index(images)
            self.prior.choose(prior)
            self.tabs.setCurrentWidget(self.prior)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        """Guard the window of the panel from now on."""
        super().showEvent(event)
        self._guard_window(self.may_close, self._shut_down)

    def may_close(self) -> bool:
        """Whether napari may close; asks about decisions that are not saved."""
        self.controller.keep()  # so that nothing is lost if napari crashes before the answer
        unsaved = self.controller.unsaved
        if not unsaved:
            return True
        names = " and ".join(scan.name for scan in unsaved)
        explanation = "A draft stays on this computer, and is shown when you measure the scan again."
        answer = ask(self, "Measure", f"You have changed hot spots of {names}.", explanation, Unsaved)
        if answer is Unsaved.DISCARD:
            self.controller.discard()
        return answer is not Unsaved.CANCEL

    def _end_processes(self) -> None:
        """Keep unsaved decisions as drafts, and end the thread."""
        events = self._viewer.layers.events
        for event in (events.inserted, events.removed, events.renamed):
            event.disconnect(self._follow_soon)
        self._outlines.remove()
        self.prior.close_comparison()
        self.controller.close()
        self.child.close()
        self._background.close()

    def _connect(self) -> None:
        self.button.clicked.connect(self.measure)
        self.cancel_button.clicked.connect(self.prior.comparing.cancel)
        self.save_button.clicked.connect(self.controller.save)
        self.report_button.clicked.connect(self.report)
        self.scan.changed.connect(self._choose)
        self.controller.changed.connect(self._show)
        self.controller.message.connect(self._say)
        self.controller.warned.connect(self.notices.keep_result)
        self.notices.spacing_requested.connect(partial(ask_for_spacing, self._viewer))
        self.prior.changed.connect(self._show_prior)
        self.prior.said.connect(self._say)
        self.controller.progressed.connect(lambda done: self.bar.setValue(round(_STEPS * done)))
        self.spots.table.ticked.connect(lambda spot, tick: self.controller.decide(spot, suspicious=tick))
        self.spots.table.undone.connect(self.controller.undo_decision)
        self.spots.table.picked.connect(self._outlines.show_spot)
        self.regions.table.picked.connect(self._outlines.show_region)
        self.ratios.joints_wanted.connect(self._outlines.show_joints)
        for page in (self.spots, self.regions, self.ratios):
            page.saved.connect(self._save_table)
        events = self._viewer.layers.events
        for event in (events.inserted, events.removed, events.renamed):
            event.connect(self._follow_soon)
        application = QApplication.instance()
        if application is not None:
            application.aboutToQuit.connect(self.controller.keep)

    def _lay_out(self) -> None:
        ignore_wheel(self.form.native)
        self.form.margins = (0, 0, 0, 0)
        running = QHBoxLayout()
        running.addWidget(self.bar, 1)
        running.addWidget(self.cancel_button)
        for title, page in (("Hot spots", self.spots), ("Regions", self.regions), ("Ratios", self.ratios)):
            self.tabs.addTab(page, title)
        self.tabs.addTab(self.prior, "Prior scan")
        self.tabs.setDocumentMode(True)
        self.save_button.setToolTip("Keep the hot spots and your decisions as a revision of this case")
        self.report_button.setToolTip("PDF and HTML for people; DICOM for an archive")
        limits = PlainLabel(RESEARCH_ONLY, wraps=True)
        limits.setStyleSheet("font-size: 11px;")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, _MARGIN)
        layout.setSpacing(_SPACING)
        layout.addWidget(self.form.native)
        layout.addWidget(self.button)
        layout.addLayout(running)
        layout.addWidget(self.status)
        layout.addWidget(self.headline)
        layout.addWidget(self.notice)
        layout.addWidget(self.notices)
        layout.addWidget(self.tabs, 1)
        last = QHBoxLayout()
        last.addWidget(self.save_button)
        last.addStretch()
        last.addWidget(self.report_button)
        layout.addLayout(last)
        layout.addWidget(limits)

    def _scan_choices(self, _box: object = None) -> list[tuple[str, int]]:
        return numbered([OpenScan(images, ()).title for images in self._choices])

    def _follow_soon(self, _event: Any = None) -> None:
        self._soon(self._follow_layers)

    def _follow_layers(self) -> None:
        """Offer the scans that are open now."""
        if self._is_shut_down:
            return
        before = self.controller.images
        self._choices = scans_in(self._viewer.layers)
        with self.scan.changed.blocked():
            self.scan.choices = ()
            self.scan.reset_choices()
            if before in self._choices:
                self.scan.value = self._choices.index(before)
            elif self._choices:
                self.scan.value = len(self._choices) - 1
        self.scan.enabled = len(self._choices) > 1
        self._choose(self.scan.value)
        self.prior.offer(self._choices)

    def _show_prior(self) -> None:
        self._show_running()
        self._show_change(self.controller.current)

    def _show_running(self) -> None:
        """Show whether there is something to cancel."""
        comparing = self.prior.comparing.is_running
        running = self.controller.is_running or comparing
        # Nobody knows how far a comparison is.
        self.bar.setMaximum(0 if comparing and not self.controller.is_running else _STEPS)
        for widget in (self.bar, self.cancel_button):
            widget.setVisible(running)
        self._escape.listen(running)

    def _choose(self, index: int | None) -> None:
        self.controller.choose(() if index is None else self._choices[index])

    def _show(self) -> None:
        """Show the state of the controller."""
        controller = self.controller
        scan, running = controller.current, controller.is_running
        measures = None if scan is None or scan.was_only_restored else scan.measures
        has_masks = controller.has_masks
        text = "Segment and measure" if not has_masks else "Measure again" if measures is not None else "Measure"
        self.button.setText(text)
        self.button.setEnabled(bool(controller.images) and not running)
        self.form.enabled = not running
        self._show_running()
        spots = () if measures is None else measures.hot_spots
        self.headline.show_index(
            None if measures is None else measures.index, len(spots), sum(spot.suspicious for spot in spots)
        )
        self._show_change(scan)
        for page in (self.spots, self.regions, self.ratios):
            page.show_measures(measures)
        self._outlines.find_profile(scan, measures, self.ratios.show_profile)
        self.tabs.setTabText(0, f"Hot spots ({len(spots)})" if measures is not None else "Hot spots")
        self.notices.setEnabled(not running)
        self.notices.refresh()
        self._show_notice(scan, has_masks=has_masks)
        self.save_button.setVisible(controller.case is not None)
        for button in (self.save_button, self.report_button):
            button.setEnabled(measures is not None and not running)
        if scan is None:
            self._outlines.clear()

    def _show_change(self, scan: Reading | None) -> None:
        """Show the change of the index since a prior scan; without one, by what the reader changed."""
        compared = self.prior.shown
        if compared is None or compared.change is None:
            by_reader = None if scan is None else scan.change_by_reader()
            self.headline.show_change(by_reader, "Change" if by_reader is None else "Changed by the reader")
            return
        days = compared.comparison.days
        since = "Since the prior scan" if days is None else f"In {days} days"
        noise = round(abs(compared.change), 6) <= compared.comparison.index.noise
        self.headline.show_change(compared.change, since, within_noise=noise)

    def _show_notice(self, scan: Reading | None, *, has_masks: bool) -> None:
        notices = []
        if not self.controller.images:
            notices.append(_NO_SCAN)
        elif not has_masks:
            notices.append(_NO_MASK)
        if scan is not None and scan.measures is not None:
            if scan.masks_have_changed():
                notices.append(_FORMER_MASK)
            if scan.found_in_other_masks:
                notices.append(_FOUND_BEFORE)
            if scan.without_model:
                notices.append(scan.without_model)
            told = self.notices.texts()
            notices += [*(str(each) for each in scan.scan.warnings if each not in told), *scan.measures.warnings]
        self.notice.say("\n".join(notices), Tone.CAUTION if has_masks else Tone.PLAIN)
        self.notice.setVisible(bool(notices))

    def _is_chosen(self, images: Sequence[Image]) -> bool:
        return set(images) == set(self.controller.images)

    def _say(self, sentence: str, wrong: bool) -> None:
        self.status.say(sentence, Tone.WRONG if wrong else Tone.PLAIN)
        self.status.setVisible(bool(sentence))

    def _save_table(self, page: TablePage) -> None:
        scan = self.controller.current
        if scan is None or scan.measures is None:
            return
        opened = OpenScan(scan.images, ())
        folder = opened.folder or Path.home()
        path, _ = QFileDialog.getSaveFileName(
            self, "Save the table", str(folder / f"{opened.name}{page.ending}"), "Tables (*.csv)"
        )
        if not path:
            return
        whole = path if path.lower().endswith(".csv") else f"{path}.csv"
        content = page.csv(scan.measures)

        def work() -> None:
            write_bytes_atomically(Path(whole), content)

        self._background.run(work, lambda _: self._say(f"Saved {whole}.", False), lambda text: self._say(text, True))

    def _call_later(self, delay: int, act: Any) -> None:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.timeout.connect(act)
        timer.timeout.connect(timer.deleteLater)
        timer.start(delay)


def _prepare() -> None:
    """Load what the first measuring and the first stroke need, so that neither waits for it."""
    import napari_bonescint.measurement.detection.detector
    import napari_bonescint.measurement.measuring  # noqa: F401

    prepare_labels()
