"""The parts of the pages, as what reportlab lays out."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from napari_bonescint.measurement.report.changes import CHANGE_HEADINGS
from napari_bonescint.measurement.report.content import HOT_SPOT_HEADINGS, NUMBER_COLUMNS
from napari_bonescint.measurement.report.fonts import BOLD, REGULAR, is_spelled, marked_up
from napari_bonescint.measurement.report.pictures import OTHER_COLOUR, SUSPICIOUS_COLOUR

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from napari_bonescint.measurement.report.content import Content, Table
    from napari_bonescint.measurement.report.pictures import Picture

GREY = "#555555"
LINE = "#cccccc"

_SPELLED = (
    "Letters that the fonts of this document lack are spelled by their names in the Unicode standard; the HTML page "
    "shows them as they are."
)
# Shares of the width, which follow the texts of the columns.
_SPOT_WIDTHS = (3.4, 4.6, 10.2, 4.3, 4.5, 4.6, 4.6, 4.6, 10.2, 5.2, 6.4, 38)
_CHANGE_WIDTHS = (6.5, 11, 5, 13, 12, 5, 47.5)
_RATIO_WIDTHS = (25, 8, 67)
_SACROILIAC_HEIGHT = 0.2
_HEADED_ROW = 60


class Parts:
    """Makes the parts of the pages; all widths and heights are in points."""

    def __init__(self) -> None:
        from reportlab.lib.styles import ParagraphStyle

        base = ParagraphStyle("text", fontName=REGULAR, fontSize=7.5, leading=9.6, textColor="#222222")
        self.text = base
        self.small = ParagraphStyle("small", base, fontSize=6.3, leading=7.8, textColor=GREY)
        self.cell = ParagraphStyle("cell", base, fontSize=6.6, leading=8)
        self.cell_right = ParagraphStyle("cell-right", self.cell, alignment=2)
        self.bold = ParagraphStyle("bold", self.cell, fontName=BOLD, fontSize=6.3)
        self.bold_right = ParagraphStyle("bold-right", self.bold, alignment=2)
        self.heading = ParagraphStyle(
            "heading", base, fontName=BOLD, fontSize=9, leading=12, spaceBefore=5, spaceAfter=2
        )
        self.large = ParagraphStyle("large", base, fontName=BOLD, fontSize=22, leading=26)
        self.warning = ParagraphStyle("warning", base, textColor="#8a4b00")

    def picture(self, picture: Picture, width: float, height: float) -> Any:
        """The picture of the views, as large as the place allows."""
        from reportlab.platypus import Image

        scale = min(width / picture.width, height / picture.height)
        return Image(io.BytesIO(picture.png), picture.width * scale, picture.height * scale, hAlign="LEFT")

    def fitted(self, flowables: list[Any], width: float, height: float) -> Any:
        """Parts that shrink rather than leave their frame."""
        from reportlab.platypus import KeepInFrame

        return KeepInFrame(width, height, flowables, mode="shrink")

    def study(self, content: Content, width: float) -> list[Any]:
        """Patient, if wanted, and study."""
        found: list[Any] = []
        if content.patient:
            found += [self._paragraph("Patient", self.heading), self._pairs(content.patient, width)]
            if any(is_spelled(text) for _, text in content.patient):
                found.append(self._paragraph(_SPELLED, self.small))
        return [*found, self._paragraph("Study", self.heading), self._pairs(content.study, width)]

    def index(self, content: Content, width: float) -> list[Any]:
        """Bone scan index, its change, and the table of regions."""
        found = [
            self._paragraph("Bone scan index", self.heading),
            self._paragraph(content.index, self.large),
            self._paragraph(content.index_details, self.text),
            self._paragraph(content.summary, self.text),
            self._paragraph(content.legend, self.small),
        ]
        if content.changes is not None:
            found += [
                self._paragraph("Change since the prior scan", self.heading),
                self._paragraph(content.changes.index, self.text),
                self._paragraph(content.changes.lesions, self.text),
                *(
                    self._paragraph(f"Not comparable: {reason}", self.warning)
                    for reason in content.changes.not_comparable
                ),
            ]
        return [*found, self._paragraph("Regions", self.heading), self._table(content.regions, width)]

    def warnings(self, content: Content) -> list[Any]:
        """Warnings, if there are any."""
        if not content.warnings:
            return []
        return [
            self._paragraph("Warnings", self.heading),
            *(self._paragraph(text, self.warning) for text in content.warnings),
        ]

    def hot_spots(self, content: Content, width: float) -> list[Any]:
        """The table of hot spots."""
        from reportlab.lib.colors import HexColor

        heading = self._paragraph("Hot spots", self.heading)
        if not content.hot_spots:
            return [heading, self._paragraph(content.left_out or content.summary, self.text)]
        head = self._cells(HOT_SPOT_HEADINGS, NUMBER_COLUMNS, bold=True)
        # Only the reasons may need several lines; a paragraph in each cell would take ten times as long.
        rows = [[*row.cells[:-1], self._paragraph(row.cells[-1], self.cell)] for row in content.hot_spots]
        first, last = NUMBER_COLUMNS[0], NUMBER_COLUMNS[-1]
        style: list[tuple[Any, ...]] = [
            ("FONT", (0, 1), (-1, -1), REGULAR, self.cell.fontSize, self.cell.leading),
            ("FONT", (0, 1), (0, -1), BOLD, self.cell.fontSize, self.cell.leading),
            ("ALIGN", (first, 1), (last, -1), "RIGHT"),
        ]
        for line, row in enumerate(content.hot_spots, start=1):
            colour = SUSPICIOUS_COLOUR if row.suspicious else OTHER_COLOUR
            style.append(("TEXTCOLOR", (0, line), (0, line), HexColor(colour)))
        table = self._grid([head, *rows], _of(width, _SPOT_WIDTHS), style)
        after = [self._paragraph(content.left_out, self.text)] if content.left_out else []
        return [heading, table, *after]

    def changes(self, content: Content, width: float) -> list[Any]:
        """The table of lesions in both scans."""
        changes = content.changes
        if changes is None or not (changes.rows or changes.left_out):
            return []
        head = [self._paragraph("Lesions now and in the prior scan", self.heading)]
        if changes.rows:
            rows = [self._cells(CHANGE_HEADINGS, (5,), bold=True), *(self._cells(row, (5,)) for row in changes.rows)]
            head.append(self._grid(rows, _of(width, _CHANGE_WIDTHS)))
        return [*head, *([self._paragraph(changes.left_out, self.text)] if changes.left_out else [])]

    def ratios(self, content: Content, sacroiliac: Picture | None, width: float) -> list[Any]:
        """The table of ratios, and the picture of the sacroiliac joints."""
        from reportlab.platypus import CondPageBreak, KeepTogether, Spacer

        if not content.ratios.rows:
            return []
        rows = [self._cells(content.ratios.headings, (1,), bold=True)]
        rows += [self._cells(row, (1,)) for row in content.ratios.rows]
        heading = self._paragraph("Ratios of uptake", self.heading)
        # A heading does not stand at the end of a page without a row.
        found = [CondPageBreak(_HEADED_ROW), heading, self._grid(rows, _of(width, _RATIO_WIDTHS))]
        if sacroiliac is not None:
            shown = self.picture(sacroiliac, width, width * _SACROILIAC_HEIGHT)
            found.append(
                KeepTogether([Spacer(0, 6), shown, Spacer(0, 3), self._paragraph(content.sacroiliac, self.small)])
            )
        return found

    def definitions(self, content: Content, width: float) -> list[Any]:
        """Definitions, models and source."""
        from reportlab.platypus import KeepTogether

        models = (*content.models, ("Source", f"SHA-256 {content.source}"))
        return [
            KeepTogether(
                [
                    self._paragraph("Definitions", self.heading),
                    *(self._paragraph(text, self.small) for text in content.definitions),
                    self._paragraph("Models and source", self.heading),
                    self._pairs(models, width, self.small),
                ]
            )
        ]

    def _table(self, table: Table, width: float) -> Any:
        """A table whose columns are numbers, but for the first."""
        columns = range(1, len(table.headings))
        rows = [self._cells(table.headings, columns, bold=True), *(self._cells(row, columns) for row in table.rows)]
        shares = (1.9, *(1 for _ in columns))
        return self._grid(rows, _of(width, shares))

    def _cells(self, texts: Sequence[str], numbers: Collection[int], *, bold: bool = False) -> list[Any]:
        left, right = (self.bold, self.bold_right) if bold else (self.cell, self.cell_right)
        return [self._paragraph(text, right if column in numbers else left) for column, text in enumerate(texts)]

    def _pairs(self, pairs: Sequence[tuple[str, str]], width: float, style: Any = None) -> Any:
        style = style or self.cell
        rows = [
            [self._paragraph(name, self.bold if style is self.cell else style), self._paragraph(text, style)]
            for name, text in pairs
        ]
        return self._grid(rows, _of(width, (3, 9)), headed=False)

    def _grid(
        self, rows: list[list[Any]], widths: list[float], style: Sequence[tuple[Any, ...]] = (), *, headed: bool = True
    ) -> Any:
        from reportlab.lib.colors import HexColor
        from reportlab.platypus import Table, TableStyle

        whole = [
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LEFTPADDING", (0, 0), (-1, -1), 0),
            ("RIGHTPADDING", (0, 0), (-1, -1), 4),
            ("TOPPADDING", (0, 0), (-1, -1), 0.6),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 1.2),
            *([("LINEBELOW", (0, 0), (-1, -1), 0.25, HexColor(LINE))] if headed else []),
            *style,
        ]
        return Table(rows, widths, style=TableStyle(whole), repeatRows=1 if headed else 0, hAlign="LEFT")

    def _paragraph(self, text: str, style: Any) -> Any:
        from reportlab.platypus import Paragraph

        return Paragraph(marked_up(text), style)


def _of(width: float, shares: Sequence[float]) -> list[float]:
    return [width * share / sum(shares) for share in shares]
