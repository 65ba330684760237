"""Make the page of a verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_bonescint.anatomy import LABEL_COLOURS
from napari_bonescint.evaluation.report.html_page import render
from napari_bonescint.evaluation.verdict import Recommendation, SetKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari_bonescint.evaluation.verdict import Row, Verdict

_TITLES = {
    Recommendation.USE: "Use the new weights",
    Recommendation.KEEP: "Keep the present weights",
    Recommendation.CANNOT_TELL: "Too few patients to compare the weights",
}
_HEADINGS = ("region", "patients", "views", "present", "new", "difference", "95 % interval")


def verdict_page(verdict: Verdict, pictures: Mapping[str, bytes]) -> bytes:
    """One self-contained page: recommendation, reasons, tables, pictures (JPEG by file name) and the rule."""
    tables = [(kind, [_cells(row) for row in verdict.rows if row.set is kind]) for kind in SetKind]
    return render(
        "verdict.html.jinja",
        title=_TITLES[verdict.recommendation],
        verdict=verdict,
        pictures=pictures,
        headings=_HEADINGS,
        tables=[(kind, rows) for kind, rows in tables if rows],
        colours=LABEL_COLOURS,
    ).encode()


def _cells(row: Row) -> tuple[str, ...]:
    interval = "–" if row.low is None else f"{row.low:+.4f} to {row.high:+.4f}"
    figures = (f"{row.current:.4f}", f"{row.new:.4f}", f"{row.difference:+.4f}", interval)
    return (row.label, str(row.patients), str(row.views), *figures)
