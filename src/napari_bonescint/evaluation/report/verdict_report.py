"""A verdict for a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_bonescint.anatomy import LABEL_COLOURS
from napari_bonescint.evaluation.report import html_page
from napari_bonescint.evaluation.verdict import Recommendation, SetKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari_bonescint.evaluation.verdict import Row, Verdict

_TITLES = {
    Recommendation.USE: "Use the new weights",
    Recommendation.KEEP: "Keep the present weights",
    Recommendation.CANNOT_TELL: "It cannot be told which weights are better",
}
_HEADINGS = ("region", "patients", "views", "present", "new", "difference", "95 % interval")


def verdict_page(verdict: Verdict, pictures: Mapping[str, bytes]) -> bytes:
    """One self-contained page: what is recommended and why, tables, pictures and the rule.

    Parameters
    ----------
    verdict : Verdict
    pictures : mapping of str to bytes
        JPEG by the file name that the verdict gives.
    """
    lead, *others = verdict.sentences
    models = f"Present: {verdict.current}. New: {verdict.new}."
    parts = [html_page.paragraph(lead, lead=True), *map(html_page.paragraph, (*others, models))]
    tables = []
    for kind in SetKind:
        rows = [_cells(row) for row in verdict.rows if row.set is kind]
        if rows:
            table = html_page.table(_HEADINGS, rows, colours=LABEL_COLOURS)
            tables.append(html_page.block([html_page.heading(f"Dice on {kind} scans"), table]))
    parts += [html_page.row(tables), html_page.heading("Pictures")]
    parts += [html_page.figure(pictures[each.file], each.caption) for each in verdict.pictures]
    parts += [html_page.heading("The rule"), html_page.paragraph(verdict.rule)]
    return html_page.page(_TITLES[verdict.recommendation], parts)


def _cells(row: Row) -> tuple[str, ...]:
    interval = "–" if row.low is None else f"{row.low:+.4f} to {row.high:+.4f}"
    figures = (f"{row.current:.4f}", f"{row.new:.4f}", f"{row.difference:+.4f}", interval)
    return (row.label, str(row.patients), str(row.views), *figures)
