"""The pages of the panel "Measure" with tables: hot spots, regions and ratios."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from napari_bonescint.gui.measure.rows import RATIO_COLUMNS, REGION_COLUMNS, SPOT_COLUMNS
from napari_bonescint.gui.measure.sacroiliac_plot import SacroiliacPlot
from napari_bonescint.gui.measure.table import RecordTable
from napari_bonescint.gui.widgets.plain_label import PlainLabel
from napari_bonescint.measurement.files import csv_bytes, hot_spots_csv, regions_csv

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_bonescint.gui.measure.places import FoundJoints
    from napari_bonescint.measurement.measures import HotSpot, Measures, Ratio, RegionUptake
    from napari_bonescint.measurement.sacroiliac import SacroiliacProfile

_HOW = "Tick: suspicious; Ctrl+Z here takes a tick back. Brush and eraser on the layer add and remove."
_HOW_JOINTS = "A click on a sacroiliac ratio or on the plot outlines the joints and the sacrum."
_RATIO_ENTRIES = ("name", "value", "definition", "absent")


class TablePage(QWidget):
    """A table with buttons to copy and save it; a subclass says what it shows.

    Attributes
    ----------
    ending : str
        Ending of the name of its CSV file.
    """

    saved = Signal(object)
    """Emitted with this page when its table is to be saved."""
    ending = ".csv"

    def __init__(self, table: RecordTable, hint: str) -> None:
        super().__init__()
        self.table = table
        self.hint = PlainLabel(hint, wraps=True)
        self.hint.setStyleSheet("font-size: 11px;")
        self.copy_button, self.save_button = QPushButton("Copy"), QPushButton("Save CSV …")
        self.copy_button.setToolTip("Copy the selected rows, or all of them (Ctrl+C)")
        self.save_button.setToolTip("Save all rows as a table for a spreadsheet or a script")
        self.copy_button.clicked.connect(self.table.copy)
        self.save_button.clicked.connect(lambda: self.saved.emit(self))
        self.buttons = QHBoxLayout()
        self.buttons.addWidget(self.hint, 1)
        self.buttons.addWidget(self.copy_button)
        self.buttons.addWidget(self.save_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 0)
        layout.addWidget(self.table, 1)
        layout.addLayout(self.buttons)

    def show_measures(self, measures: Measures | None) -> None:
        """Show measures; None if nothing was measured."""
        records = self._records(measures) if measures is not None else ()
        self.table.show_records(records)
        for button in (self.copy_button, self.save_button):
            button.setEnabled(bool(records))

    def csv(self, measures: Measures) -> bytes:
        """The table as a CSV file."""
        raise NotImplementedError

    def _records(self, measures: Measures) -> Sequence[Any]:
        raise NotImplementedError


class SpotPage(TablePage):
    """Hot spots; a tick says that one is suspicious."""

    ending = ".hotspots.csv"

    def __init__(self) -> None:
        table = RecordTable("Hot spots", SPOT_COLUMNS, _spot_key, lambda spot: spot.suspicious)
        super().__init__(table, _HOW)
        table.moved.connect(self._explain)

    def show_measures(self, measures: Measures | None) -> None:
        """Show measures, and the reason for the verdict on the hot spot of the current row."""
        super().show_measures(measures)
        self._explain()

    def csv(self, measures: Measures) -> bytes:
        """The table as a CSV file."""
        return hot_spots_csv(measures)

    def _records(self, measures: Measures) -> Sequence[HotSpot]:
        return measures.hot_spots

    def _explain(self) -> None:
        spot = self.table.current
        self.hint.setText(_HOW if spot is None else f"No. {spot.id}, {spot.view}: {spot.reason}.")


class RegionPage(TablePage):
    """Uptake of regions."""

    ending = ".regions.csv"

    def __init__(self) -> None:
        super().__init__(RecordTable("Regions", REGION_COLUMNS, _region_key), "")

    def show_measures(self, measures: Measures | None) -> None:
        """Show measures, and why some are absent."""
        super().show_measures(measures)
        absent = () if measures is None else dict.fromkeys(measures.absent.values())
        self.hint.setText(" ".join(absent) or "A click outlines the bone.")

    def csv(self, measures: Measures) -> bytes:
        """The table as a CSV file."""
        return regions_csv(measures)

    def _records(self, measures: Measures) -> Sequence[RegionUptake]:
        return measures.regions


class RatioPage(TablePage):
    """Ratios of uptakes, and the profile across the sacroiliac joints."""

    joints_wanted = Signal(object)
    """Emitted with a `SacroiliacProfile` whose regions are to be shown on the view."""
    ending = ".ratios.csv"

    def __init__(self) -> None:
        super().__init__(RecordTable("Ratios", RATIO_COLUMNS, lambda ratio: ratio.name), "")
        self.plot = SacroiliacPlot()
        self._joints: SacroiliacProfile | None = None
        self.table.picked.connect(self._pick)
        self.plot.clicked.connect(self._show_joints)
        layout = self.layout()
        if layout is not None:
            layout.addWidget(self.plot)

    def show_profile(self, found: FoundJoints | None) -> None:
        """Show the profile across the sacroiliac joints; None if they are not measured."""
        self._joints = None if found is None else found.profile
        self.plot.show_profile(None if found is None else found.relative)
        self.hint.setText("" if found is None else _HOW_JOINTS)

    def csv(self, measures: Measures) -> bytes:
        """The table as a CSV file."""
        return csv_bytes(_RATIO_ENTRIES, map(asdict, measures.ratios))

    def _records(self, measures: Measures) -> Sequence[Ratio]:
        return measures.ratios

    def _pick(self, ratio: Ratio) -> None:
        if ratio.name.startswith("sacroiliac"):
            self._show_joints()

    def _show_joints(self) -> None:
        if self._joints is not None:
            self.joints_wanted.emit(self._joints)


def _spot_key(spot: HotSpot) -> tuple[str, int]:
    return spot.view, spot.id


def _region_key(region: RegionUptake) -> tuple[str, str, str]:
    return region.view, region.region, region.side
