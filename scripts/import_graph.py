"""Draw the folders of the package and the imports between them, as docs/import-graph.svg.

    python scripts/import_graph.py            # draw
    python scripts/import_graph.py --check    # only say whether the picture is that of today's imports

A row is a layer of the contract in pyproject.toml; an arrow is drawn where one folder imports another and no other
arrows lead there already. The modules that all others stand on share one box at the bottom. Exits with 1 if an arrow
runs up or in a circle, or if the picture is old.
"""

from __future__ import annotations

import argparse
import sys
import textwrap
import tomllib
from pathlib import Path

import grimp
import networkx as nx

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "import-graph.svg"
PACKAGE = "napari_bonescint"

_LOWEST_FOLDER = "networks"
_WIDTH, _ROW, _BOX_HEIGHT, _CHARACTER = 720, 74, 30, 7.4
_STYLE = (
    "text{font:13px sans-serif;text-anchor:middle;fill:#1b1f24}rect{fill:#eef2f7;stroke:#8795a8}"
    "path{fill:none;stroke:#5b6b7f;stroke-width:1.2}"
)


def layers() -> list[list[str]]:
    """The rows of the layers contract, from the top."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    (contract,) = (each for each in settings["contracts"] if each["type"] == "layers")
    return [[name.strip() for name in row.split("|")] for row in contract["layers"]]


def imports_between() -> nx.DiGraph:
    """Which folder or module of the package's top imports which other."""
    modules = grimp.build_graph(PACKAGE)
    graph = nx.DiGraph()
    graph.add_nodes_from(name.split(".")[1] for name in modules.find_children(PACKAGE))
    for importer in modules.modules:
        for imported in modules.find_modules_directly_imported_by(importer):
            ends = [name.split(".")[1] if "." in name else "" for name in (importer, imported)]
            if all(ends) and ends[0] != ends[1]:
                graph.add_edge(*ends)
    return graph


def draw(graph: nx.DiGraph, rows: list[list[str]]) -> str:
    """The picture as SVG."""
    lowest = next(number for number, row in enumerate(rows) if _LOWEST_FOLDER in row) + 1
    shared = ", ".join(name for row in rows[lowest:] for name in row)
    boxes, places = [], {shared: (_WIDTH / 2, 10 + lowest * _ROW)}
    for number, row in enumerate(rows[:lowest]):
        widths = [_CHARACTER * len(name) + 20 for name in row]
        gap = (_WIDTH - sum(widths)) / (len(row) + 1)
        left, y = gap, 10 + number * _ROW
        for name, width in zip(row, widths, strict=True):
            places[name] = (left + width / 2, y)
            boxes.append(_box(left, y, width, [name]))
            left += width + gap
    lines = textwrap.wrap(shared, 90)
    boxes.append(_box(20, places[shared][1], _WIDTH - 40, lines))
    folders = nx.relabel_nodes(graph, {name: shared for row in rows[lowest:] for name in row})
    folders.remove_edges_from(list(nx.selfloop_edges(folders)))
    arrows = [_arrow(places[a], places[b]) for a, b in sorted(nx.transitive_reduction(folders).edges)]
    height = places[shared][1] + _BOX_HEIGHT + 18 * len(lines)
    tip = (
        '<marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0L8 4L0 8z" style="fill:#5b6b7f;stroke:none"/></marker>'
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}">'
        f"<title>Imports between the folders of {PACKAGE}</title><style>{_STYLE}</style><defs>{tip}</defs>"
        f'<rect width="{_WIDTH}" height="{height}" style="fill:#fff;stroke:none"/>\n'
        + "\n".join(arrows + boxes)
        + "\n</svg>\n"
    )


def _box(left: float, top: float, width: float, lines: list[str]) -> str:
    height = _BOX_HEIGHT + 18 * (len(lines) - 1)
    texts = (f'<text x="{left + width / 2:.0f}" y="{top + 20 + 18 * n}">{line}</text>' for n, line in enumerate(lines))
    return f'<rect x="{left:.0f}" y="{top}" width="{width:.0f}" height="{height}" rx="5"/>' + "".join(texts)


def _arrow(importer: tuple[float, float], imported: tuple[float, float]) -> str:
    (x0, y0), (x1, y1) = (importer[0], importer[1] + _BOX_HEIGHT), (imported[0], imported[1] - 2)
    bend = (y1 - y0) / 2
    curve = f"M{x0:.0f} {y0:.0f}C{x0:.0f} {y0 + bend:.0f} {x1:.0f} {y1 - bend:.0f} {x1:.0f} {y1:.0f}"
    return f'<path d="{curve}" marker-end="url(#tip)"/>'


def main() -> int:
    """Draw or compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with the picture there is, and write nothing")
    check = parser.parse_args().check
    graph, rows = imports_between(), layers()
    row_of = {name: number for number, row in enumerate(rows) for name in row}
    wrong = [f"{a} imports {b}" for a, b in sorted(graph.edges) if row_of[a] >= row_of[b]]
    if wrong:
        print("These imports run up or sideways: " + ", ".join(wrong) + ".", file=sys.stderr)
        return 1
    picture = draw(graph, rows)
    if not check:
        PICTURE.write_text(picture, encoding="utf-8")
    elif not PICTURE.exists() or PICTURE.read_text(encoding="utf-8") != picture:
        print(f"{PICTURE.relative_to(ROOT)} is old: run python scripts/import_graph.py.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
