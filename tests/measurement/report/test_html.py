"""The page for a browser."""

from __future__ import annotations

import base64
import io
from dataclasses import replace
from html.parser import HTMLParser

from PIL import Image

from napari_bonescint.measurement.measures import RESEARCH_ONLY
from napari_bonescint.measurement.report.content import content_of
from napari_bonescint.measurement.report.html import encode_html
from napari_bonescint.measurement.report.pictures import draw_views
from napari_bonescint.measurement.report.source import Patient


class Page(HTMLParser):
    """Rows of all tables, texts, and the sources of pictures."""

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self.rows, self.texts, self.sources, self.tags = [], [], [], set()
        self.feed(content.decode())

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if tag == "img":
            self.sources.append(dict(attrs)["src"])

    def handle_data(self, data):
        self.texts.append(data)
        if self.lasttag in ("td", "th") and data.strip():
            self.rows[-1][-1] += data


def page_of(drawn, **facts) -> Page:
    content = content_of(drawn.scan, drawn.measured, source="ef" * 32, **facts)
    return Page(encode_html(content, draw_views(drawn.scan, drawn.regions, drawn.measured)))


def test_tables_and_the_picture_are_on_the_page(draw):
    drawn = draw(2, 1)
    page = page_of(drawn)
    spots = {(row[1], row[0]): row for row in page.rows if len(row) == 12 and row[0].isdigit()}
    assert set(spots) == {(view, number) for view in ("ant.", "post.") for number in ("1", "2")}
    peak = drawn.measured.measures.hot_spots[0].peak_ratio
    assert spots["ant.", "1"][2:11] == [
        *("ribs", "right", "48", f"{peak:.1f}", f"{drawn.measured.measures.hot_spots[0].mean_ratio:.1f}"),
        *("–", "suspicious", "rule", "post. 1"),
    ]
    assert spots["post.", "2"][8] == "not suspicious"
    # A hot spot with a probability was judged by a model.
    (first, *others) = drawn.measured.measures.hot_spots
    by_model = replace(drawn.measured.measures, hot_spots=(replace(first, probability=0.5), *others))
    page_by_model = page_of(replace(drawn, measured=replace(drawn.measured, measures=by_model)))
    assert [row[9] for row in page_by_model.rows if len(row) == 12 and row[0].isdigit()].count("model") == 1
    assert RESEARCH_ONLY in page.texts
    (source,) = page.sources
    picture = Image.open(io.BytesIO(base64.b64decode(source.removeprefix("data:image/png;base64,"))))
    assert picture.height > picture.width / 2


def test_texts_are_escaped_and_nothing_is_loaded_or_run(draw):
    drawn = draw(1)
    warned = replace(drawn, scan=replace(drawn.scan, warnings=("<script>alert(1)</script> & more",)))
    page = page_of(warned, patient=Patient(("<b>김</b>",), "", ""))
    assert "<script>alert(1)</script> & more" in page.texts
    assert ["Name", "<b>김</b>"] in page.rows
    assert not page.tags & {"script", "link", "iframe", "b"}
    assert all(source.startswith("data:") for source in page.sources)
