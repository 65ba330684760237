"""Lay the texts of a report out as PDF, on two pages at most."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from napari_bonescint.measurement.report.fonts import BOLD, REGULAR, register_fonts
from napari_bonescint.measurement.report.pdf_parts import GREY, LINE, Parts
from napari_bonescint.measurement.report.pictures import SUSPICIOUS_COLOUR
from napari_bonescint.text.formatting import counted

if TYPE_CHECKING:
    from napari_bonescint.measurement.report.content import Content
    from napari_bonescint.measurement.report.pictures import Picture

MOST_PAGES = 2

# In mm: A4, which also fits on US letter with these margins at the top and bottom.
_WIDTH, _HEIGHT = 210, 297
_MARGIN, _FOOTER, _GAP = 14, 18, 5
_PICTURE_WIDTH, _MOST_TOP, _LEAST_TOP = 88, 172, 132
_TITLE_HEIGHT = 9


def encode_pdf(content: Content, picture: Picture, sacroiliac: Picture | None = None) -> tuple[bytes, Content]:
    """Lay out a report with the picture of its views; returns the PDF, and the texts that fit on its pages.

    If the tables do not fit on two pages, their last rows are left out, and a sentence says so.
    """
    register_fonts()
    rows = len(content.hot_spots) + (len(content.changes.rows) if content.changes else 0)
    pdf, pages = _lay_out(content, picture, sacroiliac)
    if pages <= MOST_PAGES:
        return pdf, content
    # The largest number of rows that fits, by halving the interval.
    fitting, too_many = 0, rows
    while too_many - fitting > 1:
        middle = (fitting + too_many) // 2
        if _lay_out(_shortened(content, middle), picture, sacroiliac, drawn=False)[1] <= MOST_PAGES:
            fitting = middle
        else:
            too_many = middle
    shown = _shortened(content, fitting)
    return _lay_out(shown, picture, sacroiliac)[0], shown


def _shortened(content: Content, rows: int) -> Content:
    """A report with at most so many rows of hot spots and changes: half of them each, unless one needs fewer."""
    changes = content.changes
    of_changes = 0 if changes is None else min(len(changes.rows), max(rows // 2, rows - len(content.hot_spots)))
    of_spots = min(len(content.hot_spots), rows - of_changes)
    left_spots = len(content.hot_spots) - of_spots
    left_out = f"{_are(left_spots, 'hot spot')} left out here; the table .hotspots.csv has all." if left_spots else ""
    if changes is not None and of_changes < len(changes.rows):
        left = f"{_are(len(changes.rows) - of_changes, 'lesion')} left out here; the table .comparison.csv has all."
        changes = replace(changes, rows=changes.rows[:of_changes], left_out=left)
    return replace(content, hot_spots=content.hot_spots[:of_spots], left_out=left_out, changes=changes)


def _are(number: int, noun: str) -> str:
    return f"{counted(number, 'more ' + noun)} {'is' if number == 1 else 'are'}"


def _lay_out(
    content: Content, picture: Picture, sacroiliac: Picture | None, *, drawn: bool = True
) -> tuple[bytes, int]:
    """The PDF, with an empty place for the picture unless it is to be `drawn`, and the number of its pages."""
    from reportlab.lib.units import mm
    from reportlab.platypus import BaseDocTemplate, Frame, FrameBreak, NextPageTemplate, PageTemplate, Spacer

    width, height = _WIDTH * mm, _HEIGHT * mm
    margin, foot, gap = _MARGIN * mm, _FOOTER * mm, _GAP * mm
    top = height - (_MARGIN + _TITLE_HEIGHT) * mm
    tall = _PICTURE_WIDTH * picture.height / picture.width
    split = top - min(max(tall, _LEAST_TOP), _MOST_TOP) * mm
    inner = width - 2 * margin
    picture_width = _PICTURE_WIDTH * mm
    right_width = inner - picture_width - gap
    bare = {"leftPadding": 0, "rightPadding": 0, "topPadding": 0, "bottomPadding": 0}
    first = [
        Frame(margin, split, picture_width, top - split, id="picture", **bare),
        Frame(margin + picture_width + gap, split, right_width, top - split, id="summary", **bare),
        Frame(margin, foot, inner, split - foot - gap, id="below", **bare),
    ]
    whole = Frame(margin, foot, inner, top - foot, id="whole", **bare)
    parts = Parts()
    story = [
        NextPageTemplate("next"),
        parts.picture(picture, picture_width, top - split) if drawn else Spacer(picture_width, top - split),
        FrameBreak(),
        parts.fitted(
            [*parts.study(content, right_width), *parts.index(content, right_width)], right_width, top - split
        ),
        FrameBreak(),
        *parts.warnings(content),
        *parts.hot_spots(content, inner),
        *parts.changes(content, inner),
        *parts.ratios(content, sacroiliac, inner),
        *parts.definitions(content, inner),
    ]
    buffer = io.BytesIO()
    document = BaseDocTemplate(
        buffer,
        pagesize=(width, height),
        title=content.title,
        author=content.program,
        subject=content.footer,
        keywords=[f"source-sha256:{content.source}"],
        creator=content.program,
        pageTemplates=[PageTemplate(id="first", frames=first), PageTemplate(id="next", frames=[whole])],
    )
    document.build(story, canvasmaker=_numbered_canvas(content))
    return buffer.getvalue(), document.page


def _numbered_canvas(content: Content) -> type:
    """A canvas that writes title, footer and "page 1 of 2" on every page, once their number is known."""
    from reportlab.lib.colors import HexColor
    from reportlab.lib.units import mm
    from reportlab.lib.utils import simpleSplit
    from reportlab.pdfgen.canvas import Canvas

    class NumberedCanvas(Canvas):  # type: ignore[misc]
        def __init__(self, *arguments: Any, **keywords: Any) -> None:
            super().__init__(*arguments, **keywords)
            self._pages: list[dict[str, Any]] = []

        def showPage(self) -> None:  # noqa: N802
            self._pages.append(dict(self.__dict__))
            self._startPage()

        def save(self) -> None:
            for number, page in enumerate(self._pages, start=1):
                self.__dict__.update(page)
                self._decorate(number, len(self._pages))
                super().showPage()
            super().save()

        def _decorate(self, number: int, total: int) -> None:
            left, right = _MARGIN * mm, (_WIDTH - _MARGIN) * mm
            self.setFillColor(HexColor("#222222"))
            self.setFont(BOLD, 13)
            self.drawString(left, (_HEIGHT - _MARGIN - 4) * mm, content.title)
            self.setFont(REGULAR, 7)
            self.setFillColor(HexColor(GREY))
            self.drawRightString(right, (_HEIGHT - _MARGIN - 4) * mm, content.program)
            self.setStrokeColor(HexColor(LINE))
            self.line(left, (_FOOTER - 3) * mm, right, (_FOOTER - 3) * mm)
            self.drawRightString(right, (_FOOTER - 7) * mm, f"Page {number} of {total}")
            self.setFillColor(HexColor(SUSPICIOUS_COLOUR))
            for line, text in enumerate(simpleSplit(content.footer, REGULAR, 7, 155 * mm)):
                self.drawString(left, (_FOOTER - 7 - 3 * line) * mm, text)

    return NumberedCanvas
