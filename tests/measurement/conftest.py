"""A drawn body of rectangles, the same in both views, with 40 counts in each pixel of bone and 8 beside it."""

from dataclasses import dataclass

import numpy as np
import pytest

from napari_bonescint.anatomy import CODES
from napari_bonescint.scan import Scan, View, ViewName

SHAPE = (400, 160)
# Rows and columns of the anterior view; the patient's left is on its right.
BONES = (
    ("skull", slice(10, 50), slice(65, 96)),
    ("cervical_spine", slice(50, 70), slice(76, 85)),
    ("thoracic_spine", slice(70, 150), slice(76, 85)),
    ("lumbar_spine", slice(150, 200), slice(76, 85)),
    ("sacrum", slice(200, 230), slice(70, 91)),
    ("ribs", slice(80, 140), slice(45, 65)),
    ("ribs", slice(80, 140), slice(96, 116)),
    ("pelvis", slice(200, 250), slice(50, 70)),
    ("pelvis", slice(200, 250), slice(91, 111)),
    ("femur", slice(250, 330), slice(55, 67)),
    ("femur", slice(250, 330), slice(94, 106)),
    ("lower_leg", slice(330, 390), slice(55, 67)),
    ("lower_leg", slice(330, 390), slice(94, 106)),
)
BODY = (slice(5, 395), slice(30, 131))
BONE_COUNTS, SOFT_COUNTS = 40, 8


@dataclass
class DrawnBody:
    """Counts and regions (view, y, x) that a test may change; places are those of the anterior view."""

    counts: np.ndarray
    regions: np.ndarray
    labels: np.ndarray
    spacing: tuple[float, float] | None = (2.0, 2.0)

    def at(self, view, rows, columns):
        """The same place of the body in a view, 0 or 1."""
        if view == 1:
            columns = slice(SHAPE[1] + 1 - columns.stop, SHAPE[1] + 1 - columns.start)
        return view, rows, columns

    def heat(self, view, rows, columns, factor, label=0):
        """Multiply the counts of a place; with a label, mark it as a hot spot."""
        place = self.at(view, rows, columns)
        self.counts[place] = np.rint(self.counts[place] * factor)
        if label:
            self.labels[place] = label

    @property
    def scan(self):
        """The scan of both views."""
        return Scan(self.counts, (View(ViewName.ANTERIOR), View(ViewName.POSTERIOR)), self.spacing)


@pytest.fixture
def body() -> DrawnBody:
    """The body without hot spots; its midline is at column 80 in both views."""
    regions = np.zeros((2, *SHAPE), np.uint8)
    counts = np.zeros((2, *SHAPE), np.uint16)
    drawn = DrawnBody(counts, regions, np.zeros((2, *SHAPE), np.uint16))
    for view in range(2):
        counts[drawn.at(view, *BODY)] = SOFT_COUNTS
        for name, rows, columns in BONES:
            regions[drawn.at(view, rows, columns)] = CODES[name]
    counts[regions > 0] = BONE_COUNTS
    return drawn
