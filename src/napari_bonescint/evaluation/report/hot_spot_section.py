"""Results of finding hot spots on disk, and their section of train/RESULTS.md with the free-response curve."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING

from napari_bonescint.errors import BonescintError
from napari_bonescint.evaluation.hot_spots import HotSpotResults
from napari_bonescint.evaluation.report.html_page import render
from napari_bonescint.files.atomic import write_bytes_atomically
from napari_bonescint.files.facts import build, one_sentence, read_json
from napari_bonescint.text.formatting import markdown_table

if TYPE_CHECKING:
    from pathlib import Path

    from napari_bonescint.evaluation.hot_spots import FoundHotSpots

FILE_NAME = "hot_spots.json"
CURVE_NAME = "hot_spots.svg"

_WIDTH, _HEIGHT = 420, 300
_LEFT, _TOP, _RIGHT, _BOTTOM = 52, 16, 110, 44
_MOST_ALARMS = 10
_COLOURS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd")
_NONE = "–"


class HotSpotResultsError(BonescintError):
    """A file that holds no readable results."""


def read_results(path: Path) -> HotSpotResults | None:
    """Read a file of `write_results`; None if it does not exist.

    Raises
    ------
    HotSpotResultsError
        If the file cannot be read or holds no results.
    """
    if not path.exists():
        return None
    with one_sentence(
        lambda _reason: HotSpotResultsError(
            f"{path}: is not a file of results of this version; delete it to measure again."
        ),
        unreadable=lambda reason: HotSpotResultsError(f"{path}: cannot be read ({reason})."),
    ):
        return build(HotSpotResults, read_json(path))


def write_results(results: HotSpotResults, path: Path) -> None:
    """Write results, atomically."""
    facts = json.dumps(dataclasses.asdict(results), indent=1, ensure_ascii=False)
    write_bytes_atomically(path, (facts + "\n").encode())


def curve_svg(results: HotSpotResults) -> str:
    """The free-response curve of each method: sensitivity against false alarms a scan."""
    curves = []
    for number, found in enumerate(results.methods):
        points = [(0.0, 0.0), *((point.false_alarms, point.sensitivity) for point in found.curve)]
        shown = [point for point in points if point[0] <= _MOST_ALARMS]
        curves.append(
            {
                "name": found.method,
                "colour": _COLOURS[number % len(_COLOURS)],
                "points": [_place(*point) for point in shown],
                "at": _place(min(found.false_alarms, _MOST_ALARMS), found.sensitivity),
            }
        )
    return render(
        "free_response.svg.jinja",
        curves=curves,
        width=_LEFT + _WIDTH + _RIGHT,
        height=_TOP + _HEIGHT + _BOTTOM,
        left=_LEFT,
        top=_TOP,
        side=(_WIDTH, _HEIGHT),
        alarms=[(number, _place(number, 0)[0]) for number in range(0, _MOST_ALARMS + 1, 2)],
        shares=[(f"{share:.2f}", _place(0, share)[1]) for share in (0, 0.25, 0.5, 0.75, 1)],
    )


def hot_spot_section(results: HotSpotResults) -> str:
    """The section in Markdown."""
    rows = [
        [
            found.method,
            f"{found.sensitivity:.3f}",
            f"{found.false_alarms:.2f}",
            _NONE if found.false_alarms_clean is None else f"{found.false_alarms_clean:.2f}",
            *(_sensitivity_at(found, alarms) for alarms in (1, 2, 4)),
            f"{1000 * found.seconds:.0f}",
        ]
        for found in results.methods
    ]
    heading = ["method", "sensitivity", "false alarms a scan", "in scans without metastases"]
    heading += [f"sensitivity at {alarms}" for alarms in (1, 2, 4)]
    first = results.methods[0]
    grouped = [
        [
            group.of,
            group.group,
            str(group.pieces),
            *(_of_group(found, group.of, group.group) for found in results.methods),
        ]
        for group in first.groups
    ]
    names = [found.method for found in results.methods]
    return f"""\
## Hot spots

Measured {results.measured} on the split `{results.name}`: {results.scans} scans ({results.origin}), {results.clean} of
them without metastases, segmented by {results.segmented_by}. To measure again:

```sh
bonescint simulate --out data/lesions --split lesions
bonescint evaluate --data data/lesions --out train
```

The truth is {results.pieces} pieces in which metastases raise the expected counts of a view by 30 % and more; fainter
ones are neither right nor wrong (`measurement/scoring.py`). Fractures, worn joints and Paget's disease are benign: a
suspicious hot spot there is a false alarm. The second to fourth columns are for the hot spots that are marked as
suspicious. Those after them follow the curve: sensitivity at 1, 2 and 4 false alarms a scan.

{markdown_table([*heading, "ms a scan"], rows)}

Sensitivity of the suspicious hot spots by size, region and total counts of both views:

{markdown_table(["by", "group", "pieces", *names], grouped)}

![Free-response curves of the methods: sensitivity against false alarms a scan]({CURVE_NAME})
"""


def _place(alarms: float, sensitivity: float) -> tuple[float, float]:
    return round(_LEFT + _WIDTH * alarms / _MOST_ALARMS, 1), round(_TOP + _HEIGHT * (1 - sensitivity), 1)


def _sensitivity_at(found: FoundHotSpots, alarms: float) -> str:
    reached = [point.sensitivity for point in found.curve if point.false_alarms <= alarms]
    return f"{max(reached, default=0.0):.3f}"


def _of_group(found: FoundHotSpots, of: str, name: str) -> str:
    return next((f"{group.sensitivity:.3f}" for group in found.groups if (group.of, group.group) == (of, name)), _NONE)
