"""The page of the panel "Measure" with prior scans."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from magicgui.widgets import ComboBox, Container
from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from napari_bonescint.gui.common.choices import numbered
from napari_bonescint.gui.export.open_scans import OpenScan
from napari_bonescint.gui.measure.prior.views import Look
from napari_bonescint.gui.measure.rows import CHANGE_COLUMNS
from napari_bonescint.gui.measure.table import RecordTable
from napari_bonescint.gui.widgets.label_column import align_fields
from napari_bonescint.gui.widgets.line_plot import LinePlot
from napari_bonescint.gui.widgets.quiet_wheel import ignore_wheel
from napari_bonescint.gui.widgets.text_colours import Tone, ToneLabel
from napari_bonescint.measurement.comparison.changes import Change

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari.layers import Image
    from napari.viewer import Viewer

    from napari_bonescint.gui.measure.prior.comparing import Compared
    from napari_bonescint.measurement.comparison.follow_up import FollowUp

_BLINK_MS = 700
_PLOT_COLOUR = "#3d8bff"
_NO_PRIOR = "Open a prior scan of the same patient beside this one."


class PriorPage(QWidget):
    """Choose a prior scan, compare, and look at both."""

    compare_requested = Signal(object)
    """Emitted with the views of the prior scan."""
    look_changed = Signal(object)
    """Emitted with the `Look` that was chosen."""
    blinked = Signal()
    """Emitted when the other scan is to be shown."""

    def __init__(self, viewer: Viewer) -> None:
        super().__init__()
        self._viewer = viewer
        self._choices: list[tuple[Image, ...]] = []
        self.prior = ComboBox(
            label="Prior scan", choices=self._prior_choices, tooltip="An open scan of the same patient"
        )
        self.look = ComboBox(label="View", choices=[str(look) for look in Look], value=str(Look.APART))
        self.look.tooltip = "The prior is laid on the new scan by its bones, so one move of the view moves both"
        self.form: Container[Any] = Container(widgets=[self.prior, self.look])
        align_fields(self.form.native)
        self.form.margins = (0, 0, 0, 0)
        self.open_button, self.button = QPushButton("Open a prior scan …"), QPushButton("Compare")
        self.button.setToolTip("Measure both scans if need be, and compare their hot spots and indices")
        self.summary, self.reasons, self.counter = ToneLabel(), ToneLabel(), ToneLabel()
        self.table = RecordTable("Changes of lesions", CHANGE_COLUMNS, lambda lesion: lesion.number)
        self.plot = LinePlot("Bone scan index, %", _PLOT_COLOUR, along="days")
        self._blinking = QTimer(self)
        self._blinking.setInterval(_BLINK_MS)
        self._blinking.timeout.connect(self.blinked)
        self._lay_out()
        self.open_button.clicked.connect(self._open)
        self.button.clicked.connect(self._compare)
        self.look.changed.connect(self._on_look)
        self.show_comparison(None, None)

    def offer(self, scans: Sequence[tuple[Image, ...]], chosen: tuple[Image, ...]) -> None:
        """Offer the open scans other than the chosen one as priors."""
        before = self._chosen()
        self._choices = [images for images in scans if images != chosen]
        with self.prior.changed.blocked():
            self.prior.choices = ()
            self.prior.reset_choices()
            if before in self._choices:
                self.prior.value = self._choices.index(before)
        self.prior.enabled = len(self._choices) > 1

    def choose(self, images: tuple[Image, ...]) -> None:
        """Choose one of the scans that are offered."""
        if images in self._choices:
            self.prior.value = self._choices.index(images)

    def show_state(self, *, can_compare: bool, running: bool) -> None:
        """Show whether scans can be compared now."""
        self.button.setEnabled(can_compare and bool(self._choices) and not running)
        self.open_button.setEnabled(not running)

    def show_comparison(self, compared: Compared | None, follow_up: FollowUp | None) -> None:
        """Show a comparison, and the index over time; None shows that there is none."""
        comparison = None if compared is None else compared.comparison
        self.look.enabled = compared is not None
        if compared is None and self.look.value != str(Look.APART):
            self.look.value = str(Look.APART)
        self.summary.say(self._hint() if comparison is None else _summary(comparison))
        reasons = () if comparison is None else (*comparison.not_comparable, *comparison.warnings)
        wrong = comparison is not None and bool(comparison.not_comparable)
        prefix = "Not comparable: " if wrong else ""
        self.reasons.say(prefix + " ".join(reasons) if reasons else "", Tone.WRONG if wrong else Tone.CAUTION)
        self.reasons.setVisible(bool(reasons))
        self.table.show_records(() if comparison is None else comparison.lesions)
        self._show_time(compared, follow_up)

    def _hint(self) -> str:
        return "Choose a prior scan and compare." if self._choices else _NO_PRIOR

    def _show_time(self, compared: Compared | None, follow_up: FollowUp | None) -> None:
        points = [] if compared is None else _points(compared, follow_up)
        self.plot.setVisible(len(points) > 1)
        if len(points) > 1:
            self.plot.show_points(points, points[-1][0])
        self.counter.say("" if follow_up is None else f"2 + 2: {follow_up.counter}")
        self.counter.setVisible(follow_up is not None)

    def _lay_out(self) -> None:
        ignore_wheel(self.form.native)
        beside = QHBoxLayout()
        beside.addWidget(self.open_button)
        beside.addWidget(self.button, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 0)
        layout.addWidget(self.form.native)
        layout.addLayout(beside)
        for part in (self.summary, self.reasons):
            layout.addWidget(part)
        layout.addWidget(self.table, 1)
        layout.addWidget(self.counter)
        layout.addWidget(self.plot)

    def _prior_choices(self, _box: object = None) -> list[tuple[str, int]]:
        return numbered([OpenScan(images, ()).title for images in self._choices])

    def _chosen(self) -> tuple[Image, ...]:
        index = self.prior.value
        return () if index is None else self._choices[index]

    def _compare(self) -> None:
        if chosen := self._chosen():
            self.compare_requested.emit(chosen)

    def _open(self) -> None:
        files, _ = QFileDialog.getOpenFileNames(self, "Open a prior scan")
        if files:
            self._viewer.open(files, plugin="napari-bonescint")

    def _on_look(self, name: str) -> None:
        look = Look(name)
        if look is Look.BLINK:
            self._blinking.start()
        else:
            self._blinking.stop()
        self.look_changed.emit(look)


def _summary(comparison: Any) -> str:
    """``98 days: 3 new, 1 gone, 2 larger, 0 smaller, 4 the same.``."""
    counts = ", ".join(
        f"{comparison.count(change)} {'the same' if change is Change.SAME else change}"
        for change in Change
        if change is not Change.UNSEEN or comparison.count(change)
    )
    days = "" if comparison.days is None else f"{comparison.days} days: "
    return f"{days}{counts}."


def _points(compared: Compared, follow_up: FollowUp | None) -> list[tuple[float, float]]:
    """Days since the first scan, and the index of each scan; empty if the days are not known."""
    if follow_up is not None:
        days = [scan.days_before for scan in follow_up.scans]
        if any(day is None for day in days):
            return []
        first = days[0] or 0
        return [(float(first - (day or 0)), scan.index) for day, scan in zip(days, follow_up.scans, strict=True)]
    index, days_between = compared.comparison.index, compared.comparison.days
    if days_between is None or days_between <= 0 or index.old is None or index.new is None:
        return []
    return [(0.0, index.old), (float(days_between), index.new)]
