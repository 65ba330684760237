"""Reliability diagrams as SVG: the share of bone found against the probability of bone, for each model."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from napari_bonescint.evaluation.report.html_page import render

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari_bonescint.evaluation.calibration import Reliability

_COLUMNS = 4
_SIDE = 150
_LEFT, _TOP, _RIGHT, _BOTTOM = 44, 26, 16, 40
_CELL = (_LEFT + _SIDE + _RIGHT, _TOP + _SIDE + _BOTTOM)


def reliability_svg(reliabilities: Mapping[str, Reliability]) -> str:
    """Draw one diagram for each model, given the reliabilities by model name in the order of drawing."""
    number = len(reliabilities)
    diagrams = [
        {
            "name": name,
            "error": reliability.expected_error,
            "points": [(_SIDE * predicted, _SIDE * (1 - found)) for predicted, found in reliability.curve],
            "x": index % _COLUMNS * _CELL[0] + _LEFT,
            "y": index // _COLUMNS * _CELL[1] + _TOP,
        }
        for index, (name, reliability) in enumerate(reliabilities.items())
    ]
    width, height = min(_COLUMNS, number) * _CELL[0], math.ceil(number / _COLUMNS) * _CELL[1]
    return render("reliability.svg.jinja", diagrams=diagrams, width=width, height=height, side=_SIDE)
