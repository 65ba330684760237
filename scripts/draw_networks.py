"""Draw the two pictures of docs/networks.md from the networks themselves.

    python scripts/draw_networks.py --out docs

`phase-split.svg` shows why an ordinary convolution on interleaved sub-images equals a dilated one on the image.
`fdn-family.svg` shows the stages of each dilated net, with its parameters and its field of view.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from napari_bonescint.files.atomic import write_bytes_atomically
from napari_bonescint.networks import widths
from napari_bonescint.networks.fdn import FDN

if TYPE_CHECKING:
    from collections.abc import Iterator

_PHASES = ("#8ecae6", "#ffb703", "#90be6d", "#cdb4db")
_TEXT = "font-family='sans-serif' fill='#222222'"
_PIXEL = 24
_SIDE = 8
_TAPS = {(row, column) for row in (2, 4, 6) for column in (2, 4, 6)}
"""What a 3x3 convolution with dilation 2 reads for the pixel in row 4 and column 4."""


def draw_phase_split() -> str:
    """The identity: all that a convolution of dilation 2 reads lies in one of the four sub-images."""
    whole = _PIXEL * _SIDE
    half = whole // 2
    top, left, between = 66, 20, 170
    second = left + whole + between
    third = second + whole + 20 + between
    width, height = third + whole + left, top + whole + 62
    parts = [
        _label(left, 24, "1. The image, coloured by phase", 15, bold=True),
        _label(left, 46, "a 3x3 convolution with dilation 2 reads ●", 13),
        *_grid(left, top, [(row, column) for row in range(_SIDE) for column in range(_SIDE)]),
        *_arrow(left + whole + 12, second - 12, top + half, "split"),
        _label(second, 24, "2. Four sub-images, one for each phase", 15, bold=True),
        _label(second, 46, "an ordinary 3x3 convolution reads the same ●", 13),
    ]
    for phase in range(4):
        place = divmod(phase, 2)
        pixels = [(2 * row + place[0], 2 * column + place[1]) for row in range(4) for column in range(4)]
        parts += _grid(second + place[1] * (half + 20), top + place[0] * (half + 20), pixels, columns=4)
    parts += [
        *_arrow(second + whole + 32, third - 12, top + half, "join"),
        _label(third, 24, "3. Interleaved again", 15, bold=True),
        _label(third, 46, "equal to the dilated one", 13),
        *_grid(third, top, [(row, column) for row in range(_SIDE) for column in range(_SIDE)], marked={(4, 4)}),
        _label(
            left, height - 14, "split(dilated convolution(image)) = ordinary convolution(split(image))", 14, bold=True
        ),
    ]
    return _svg(width, height, parts)


def draw_family() -> str:
    """One row for each net: its stages, how far each is dilated, and what the whole comes to."""
    row, box, left, top = 62, 132, 92, 70
    stages = max(len(table) for table in widths.FDN.values())
    totals = left + stages * (box + 10) + 12
    parts = []
    for stage in range(stages):
        parts.append(_label(left + stage * (box + 10), 26, f"stage {stage + 1}", 14, bold=True))
        parts.append(_label(left + stage * (box + 10), 48, f"dilation {1 << stage}", 13))
    parts += [
        _label(totals, 26, "parameters", 14, bold=True),
        _label(totals + 100, 26, "field of view", 14, bold=True),
        _label(totals + 100, 48, "pixels", 13),
    ]
    for number, (name, table) in enumerate(widths.FDN.items()):
        y = top + number * row
        network = FDN(table)
        parts.append(_label(14, y + 28, f"FDN-{name}", 15, bold=True))
        for stage, channels in enumerate(table):
            x = left + stage * (box + 10)
            parts.append(_rectangle(x, y, box, 44, _PHASES[0]))
            parts.append(_label(x + box / 2, y + 19, f"{len(channels)} × 3x3, {channels[0]} wide", 12, anchor="middle"))
            parts.append(_label(x + box / 2, y + 36, "max-pooling", 12, anchor="middle"))
        parameters = sum(parameter.numel() for parameter in network.parameters())
        parts.append(_label(totals, y + 28, f"{parameters:,}", 14))
        parts.append(_label(totals + 100, y + 28, f"{network.field_of_view} × {network.field_of_view}", 14))
    return _svg(totals + 210, top + len(widths.FDN) * row, parts)


def _grid(
    left: int,
    top: int,
    pixels: list[tuple[int, int]],
    columns: int = _SIDE,
    marked: set[tuple[int, int]] | None = None,
) -> Iterator[str]:
    for place, (row, column) in enumerate(pixels):
        x, y = left + place % columns * _PIXEL, top + place // columns * _PIXEL
        yield _rectangle(x, y, _PIXEL, _PIXEL, _PHASES[row % 2 * 2 + column % 2])
        if (row, column) in (_TAPS if marked is None else marked):
            strong = (row, column) == (4, 4)
            yield (
                f"<circle cx='{x + _PIXEL / 2:g}' cy='{y + _PIXEL / 2:g}' r='6' stroke='#222222' stroke-width='2' "
                f"fill='{'#222222' if not strong else '#ffffff'}'/>"
            )


def _arrow(start: int, end: int, y: int, text: str) -> Iterator[str]:
    yield f"<path d='M{start} {y}H{end - 8}' stroke='#222222' stroke-width='2'/>"
    yield f"<path d='M{end} {y}l-10 -5v10z' fill='#222222'/>"
    yield _label((start + end) / 2, y - 10, text, 14, anchor="middle")


def _rectangle(x: float, y: float, width: float, height: float, colour: str) -> str:
    return f"<rect x='{x:g}' y='{y:g}' width='{width:g}' height='{height:g}' fill='{colour}' stroke='#ffffff'/>"


def _label(x: float, y: float, text: str, size: int, *, bold: bool = False, anchor: str = "start") -> str:
    weight = " font-weight='bold'" if bold else ""
    return f"<text x='{x:g}' y='{y:g}' font-size='{size}' text-anchor='{anchor}' {_TEXT}{weight}>{text}</text>"


def _svg(width: int, height: int, parts: list[str]) -> str:
    head = f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}'>"
    return "\n".join((head, "<rect width='100%' height='100%' fill='#ffffff'/>", *parts, "</svg>", ""))


def main() -> None:
    """Draw as the command line asks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder for both pictures")
    folder = parser.parse_args().out
    for name, picture in (("phase-split.svg", draw_phase_split()), ("fdn-family.svg", draw_family())):
        write_bytes_atomically(folder / name, picture.encode())


if __name__ == "__main__":
    main()
