"""Scans for tests of reports: two views with bones and hot spots at known places, and the text of pages."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pypdfium2

from dicom_files import code
from napari_bonescint.anatomy import CODES
from napari_bonescint.formats.opening import open_scan
from napari_bonescint.measurement.measures import HotSpotVerdict, Measured
from napari_bonescint.measurement.measuring import remeasure
from napari_bonescint.scan import ViewName

if TYPE_CHECKING:
    from napari_bonescint.scan import Scan

SHAPE = (2, 200, 80)
BONES = {
    "skull": (slice(10, 30), slice(30, 50)),
    "ribs": (slice(50, 90), slice(20, 60)),
    "pelvis": (slice(100, 120), slice(20, 60)),
    "femur": (slice(125, 185), slice(24, 34)),
}
MODELS = {"some-bones": "ab" * 32, "some-spots": "cd" * 32}


@dataclass
class Drawn:
    """A scan, its bones and its measures."""

    scan: Scan
    regions: np.ndarray
    measured: Measured


def spots_on_ribs(number: int) -> np.ndarray:
    """Labels of hot spots of 3 x 3 pixels on the ribs of both views, the first ones at the patient's right."""
    labels = np.zeros(SHAPE, np.uint16)
    for index in range(number):
        row, column = divmod(index, 6)
        for view in range(2):
            left = 22 + 6 * column
            place = (
                slice(52 + 6 * row, 55 + 6 * row),
                slice(left, left + 3) if view == 0 else slice(77 - left, 80 - left),
            )
            labels[(view, *place)] = index + 1
    return labels


def suspicious(numbers: set[int], number: int, *, by_reader: bool = False) -> dict:
    """Verdicts on hot spots 1 to `number` of both views."""
    return {(view, i): HotSpotVerdict(i in numbers, by_reader) for view in ViewName for i in range(1, number + 1)}


def draw_scan(write_nm, spots=2, bad=1, *, by_reader=False, name="scan.dcm", **attributes) -> Drawn:
    """A scan in a DICOM file with some hot spots, of which the first `bad` are suspicious, and its measures."""
    regions = np.zeros(SHAPE, np.uint8)
    for region, (rows, columns) in BONES.items():
        regions[:, rows, columns] = CODES[region]
    regions[1] = regions[1, :, ::-1]
    counts = np.random.default_rng(3).poisson(np.where(regions > 0, 20, 3)).astype(np.uint16)
    labels = spots_on_ribs(spots)
    counts[labels > 0] += 80
    scan = open_scan(write_nm(name, counts=counts, **attributes))
    decided = suspicious(set(range(1, bad + 1)), spots, by_reader=by_reader)
    measures = remeasure(scan, regions, labels, decided, models=MODELS)
    return Drawn(scan, regions, Measured(labels, measures))


def injected(**attributes) -> dict:
    """Attributes of a file that states the tracer, its activity and the time of injection."""
    from pydicom.dataset import Dataset

    item = Dataset()
    item.RadionuclideCodeSequence = [code("SCT", "72454006", "^99m^Technetium")]
    item.Radiopharmaceutical = "Tc99m-HMDP for Secret"
    item.RadionuclideTotalDose = "600.4"
    item.RadiopharmaceuticalStartTime = "081500"
    stated = {
        "RadiopharmaceuticalInformationSequence": [item],
        "AcquisitionDate": "20240305",
        "AcquisitionTime": "113000.0",
    }
    return stated | attributes


def without_files(drawn: Drawn) -> Drawn:
    return replace(drawn, scan=replace(drawn.scan, sources=()))


def pages_of(pdf: bytes) -> list[str]:
    """The text of each page, with single blanks."""
    document = pypdfium2.PdfDocument(pdf)
    texts = []
    for page in document:
        text = page.get_textpage()
        texts.append(" ".join(text.get_text_range().split()))
        text.close()
        page.close()
    document.close()
    return texts
