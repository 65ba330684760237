"""Parts of a self-contained HTML page: no script, no font and no picture from elsewhere."""

from __future__ import annotations

import base64
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_STYLE = """\
body { font: 15px/1.5 sans-serif; color: #222; max-width: 72em; margin: 2em auto; padding: 0 1em; }
table { border-collapse: collapse; margin: 1em 0; font-size: 13px; }
th, td { padding: 2px 10px; border-bottom: 1px solid #ddd; text-align: right; }
th:first-child, td:first-child { text-align: left; white-space: nowrap; }
th[colspan] { text-align: center; border-left: 1px solid #ddd; }
td i { display: inline-block; width: 0.8em; height: 0.8em; margin-right: 0.5em; border-radius: 2px; }
figure { margin: 0 0 1em; } img, svg { max-width: 100%; } figcaption { font-size: 13px; color: #555; }
.lead { font-size: 18px; font-weight: bold; }
.row { display: flex; flex-wrap: wrap; gap: 1em 2em; align-items: flex-start; }
.row figure { flex: 1 1 24em; } .row svg { flex: none; margin-top: 1em; }
@page { size: A4; margin: 12mm; }
@media print {
  body { font-size: 11px; max-width: none; margin: 0; padding: 0; print-color-adjust: exact; }
  h1 { font-size: 18px; margin: 0 0 6px; } h2 { font-size: 14px; margin: 8px 0 4px; } p { margin: 4px 0; }
  table { font-size: 10px; margin: 4px 0; } th, td { padding: 1px 7px; } figcaption { font-size: 9px; }
  section { break-inside: avoid; } section + section { break-before: page; } .lead { font-size: 13px; }
  .row { gap: 1em; } .row figure { flex: 1 1 0; min-width: 0; } figure { break-inside: avoid; }
}
"""


def page(title: str, parts: Iterable[str]) -> bytes:
    """A page with parts that are HTML already."""
    body = "\n".join(parts)
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{escape(title)}</title>\n'
        f"<style>\n{_STYLE}</style>\n</head>\n<body>\n<h1>{escape(title)}</h1>\n{body}\n</body>\n</html>\n"
    ).encode()


def heading(text: str) -> str:
    """A heading below the title."""
    return f"<h2>{escape(text)}</h2>"


def paragraph(text: str, *, lead: bool = False) -> str:
    """A paragraph; a leading one is larger."""
    return f'<p class="lead">{escape(text)}</p>' if lead else f"<p>{escape(text)}</p>"


def section(parts: Iterable[str]) -> str:
    """Parts that a printer puts on one page if there is room."""
    return "<section>\n" + "\n".join(parts) + "\n</section>"


def block(parts: Iterable[str]) -> str:
    """Parts below one another that go into a row as one."""
    return "<div>\n" + "\n".join(parts) + "\n</div>"


def row(parts: Iterable[str]) -> str:
    """Parts beside one another where the page is wide enough."""
    return '<div class="row">\n' + "\n".join(parts) + "\n</div>"


def table(
    headings: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    groups: Sequence[tuple[str, int]] = (),
    colours: Mapping[str, str] | None = None,
) -> str:
    """A table; the first column is text, the others are numbers.

    Parameters
    ----------
    headings : sequence of str
    rows : iterable of sequence of str
    groups : sequence of (str, int)
        What stands above the headings: texts, and how many columns each goes over.
    colours : mapping of str to str, optional
        A colour to show before these texts of the first column.
    """
    above = "".join(f'<th colspan="{width}">{escape(text)}</th>' if text else "<th></th>" for text, width in groups)
    head = (f"<tr>{above}</tr>\n" if above else "") + _row_of(headings, "th", {})
    body = "\n".join(_row_of(cells, "td", colours or {}) for cells in rows)
    return f"<table>\n{head}\n{body}\n</table>"


def _row_of(cells: Sequence[str], tag: str, colours: Mapping[str, str]) -> str:
    swatch = f'<i style="background: {colours[cells[0]]}"></i>' if cells[0] in colours else ""
    first, *others = map(escape, cells)
    return f"<tr><{tag}>{swatch}{first}</{tag}>" + "".join(f"<{tag}>{cell}</{tag}>" for cell in others) + "</tr>"


def figure(jpeg: bytes, caption: str) -> str:
    """A picture inside the page."""
    data = base64.b64encode(jpeg).decode()
    return (
        f'<figure><img alt="{escape(caption)}" src="data:image/jpeg;base64,{data}">'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )
