"""What a reader reads on the pages of the PDF."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pypdfium2
import pytest

from napari_bonescint.measurement.measures import RESEARCH_ONLY
from napari_bonescint.measurement.report.content import content_of
from napari_bonescint.measurement.report.pdf import encode_pdf
from napari_bonescint.measurement.report.pictures import draw_views
from napari_bonescint.measurement.report.source import Patient, read_study
from reported import injected, pages_of


def pages(drawn, **facts) -> list[str]:
    content = content_of(drawn.scan, drawn.measured, source="ef" * 32, **facts)
    picture = draw_views(drawn.scan, drawn.regions, drawn.measured)
    return pages_of(encode_pdf(content, picture)[0])


def test_the_pages_have_all_of_a_scan_with_few_hot_spots(draw):
    drawn = draw(2, 1, by_reader=True, **injected())
    read = pages(drawn, study=read_study(drawn.scan.sources[0]))
    page = " ".join(read)
    ribs = next(part for part in drawn.measured.measures.index.by_region if part.region == "ribs")
    assert ribs.index == pytest.approx(8.59 * 9 / 1600)
    for text in (
        "Study date 2024-03-05",
        "Tracer 99mTechnetium HDP",
        "Activity 600 MBq",
        "After injection 3 h 15 min",
        "2 views, 80 x 200 pixels of 2.2 x 2.4 mm",
        f"Bone scan index {ribs.index:.2f} % With distal limbs",
        "4 hot spots, 2 suspicious: 1 lesion, each counted once for both views.",
        f"ribs {100 * 9 / 1600:.1f} 8.59 {ribs.index:.2f}",
        "1 ant. ribs right 48",
        "suspicious reader post. 1",
        "Bone scan index = sum over regions",
        f"some-bones SHA-256 {'ab' * 32}",
        f"Source SHA-256 {'ef' * 32}",
    ):
        assert text in page
    assert "Patient" not in page
    assert all(RESEARCH_ONLY in each and f"Page {number} of {len(read)}" in each for number, each in enumerate(read, 1))
    assert len(read) <= 2


def test_many_hot_spots_flow_to_a_second_page_and_no_further(draw):
    drawn = draw(36, 30)
    read = pages(drawn)
    assert len(read) == 2
    for number, page in enumerate(read, start=1):
        assert RESEARCH_ONLY in page
        assert f"Page {number} of 2" in page
        assert "Peak ratio" in page
    shown = sum(page.count(" ribs ") for page in read)
    left = 72 - (shown - 1)  # one is the row of the region
    assert f"{left} more hot spots are left out here; the table .hotspots.csv has all." in read[1]
    assert 0 < left < 40
    # Nothing suspicious is left out before anything that is not.
    assert "60 suspicious" in read[0]


def test_a_scan_without_hot_spots(draw):
    page = " ".join(pages(draw(0, 0)))
    assert "Bone scan index 0.00 %" in page
    assert "Hot spots No hot spots." in page


@pytest.mark.parametrize(
    ("names", "printed"),
    [
        (("Yamada Tarou", "山田 太郎", "やまだ たろう"), "Yamada Tarou = 山田 太郎 = やまだ たろう"),
        (("Иванов Пётр",), "Иванов Пётр"),
        (("<b>Müller</b> & Söhne",), "<b>Müller</b> & Söhne"),
        (("김 민준",), "Gim Min-Jun"),
        (("דוד כהן",), "דוד כהן"),
    ],
)
def test_names_of_any_script_can_be_read(names, printed, draw):
    page = " ".join(pages(draw(1), patient=Patient(names, "4711", "")))
    assert printed in page
    assert "Birth date not stated in the file" in page
    assert ("Letters that the fonts" in page) == (printed == "Gim Min-Jun")


def test_long_warnings_are_shortened_and_a_very_long_name_does_not_break_the_page(draw):
    drawn = draw(1)
    warned = replace(drawn.scan, warnings=tuple(f"Warning number {i}. " + "More about it. " * 12 for i in range(30)))
    read = pages(replace(drawn, scan=warned), patient=Patient(("Wolfeschlegelstein" * 12,), "1" * 64, ""))
    assert len(read) <= 2
    assert re.search(r" 2\d more warnings in the file of measures\.", " ".join(read))


def test_the_picture_on_the_page_shows_the_hot_spots_red_and_blue(draw):
    drawn = draw(2, 1)
    content = content_of(drawn.scan, drawn.measured, source="ef" * 32)
    pdf, _ = encode_pdf(content, draw_views(drawn.scan, drawn.regions, drawn.measured))
    document = pypdfium2.PdfDocument(pdf)
    image = np.asarray(document[0].render(scale=2, rev_byteorder=True).to_pil().convert("RGB")).astype(int)
    document.close()
    left = image[120:1000, 80:580]
    red = (left[..., 0] > 150) & (left[..., 1] < 90) & (left[..., 2] < 90)
    blue = (left[..., 2] > 130) & (left[..., 0] < 100)
    assert red.sum() > 20
    assert blue.sum() > 20
