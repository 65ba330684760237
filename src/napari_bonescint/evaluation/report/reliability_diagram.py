"""Reliability diagrams as SVG: for each model, what it says against what is found."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari_bonescint.evaluation.calibration import Reliability

_COLUMNS = 4
_SIDE = 150
_LEFT, _TOP, _RIGHT, _BOTTOM = 44, 26, 16, 40
_CELL = (_LEFT + _SIDE + _RIGHT, _TOP + _SIDE + _BOTTOM)


def reliability_svg(reliabilities: Mapping[str, Reliability]) -> str:
    """A picture with one diagram for each model; the same numbers give the same text.

    Parameters
    ----------
    reliabilities : mapping of str to Reliability
        By the model's name, in the order of drawing.
    """
    columns = min(_COLUMNS, len(reliabilities))
    width, height = columns * _CELL[0], math.ceil(len(reliabilities) / _COLUMNS) * _CELL[1]
    size = f'width="{width}" height="{height}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="11" fill="#222">',
        "<title>Reliability diagrams: share of bone found against the probability of bone said</title>",
        f'<rect {size} fill="#fff"/>',
    ]
    for index, (name, reliability) in enumerate(reliabilities.items()):
        row, column = divmod(index, _COLUMNS)
        lines.append(f'<g transform="translate({column * _CELL[0] + _LEFT} {row * _CELL[1] + _TOP})">')
        lines += _diagram(name, reliability)
        lines.append("</g>")
    return "\n".join([*lines, "</svg>"]) + "\n"


def _diagram(name: str, reliability: Reliability) -> list[str]:
    points = [(_SIDE * said, _SIDE * (1 - found)) for said, found in reliability.curve]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    ticks = []
    for tick in (0, 0.5, 1):
        place = _SIDE * tick
        ticks += [
            f'<text x="{place:g}" y="{_SIDE + 14}" text-anchor="middle">{tick:g}</text>',
            f'<text x="-6" y="{_SIDE - place + 4:g}" text-anchor="end">{tick:g}</text>',
        ]
    return [
        f'<text x="0" y="-8" font-size="12">{escape(name)}, ECE {reliability.expected_error:.4f}</text>',
        f'<rect width="{_SIDE}" height="{_SIDE}" fill="none" stroke="#888"/>',
        f'<path d="M0 {_SIDE}L{_SIDE} 0" stroke="#bbb" stroke-dasharray="4 3"/>',
        f'<polyline points="{path}" fill="none" stroke="#e4572e" stroke-width="1.5"/>',
        *(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="#e4572e"/>' for x, y in points),
        *ticks,
        f'<text x="{_SIDE / 2:g}" y="{_SIDE + 30}" text-anchor="middle">probability of bone</text>',
        f'<text transform="translate(-30 {_SIDE / 2:g}) rotate(-90)" text-anchor="middle">share of bone</text>',
    ]
