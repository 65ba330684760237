"""CSV table of mask files, written by `bonescint store export --table` and read by `bonescint store import --table`.

    source,mask,annotator,reviewed
    exports/IM1,masks/IM1.tif,Ada,yes
    exports/IM2,masks/IM2-front.png|masks/IM2-back.png,Ada,no

Paths start at the table's folder; a bar separates several in one cell. A key in the column ``case`` can replace the
source.
"""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from napari_bonescint.formats.safe_reading.csv_table import read_table
from napari_bonescint.formats.safe_reading.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_COLUMNS = ("case", "source", "mask", "annotator", "reviewed", "revision", "when")
_BETWEEN = "|"
_SAID = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
# A cell that begins with one of these is a formula in a spreadsheet.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class MaskRow(NamedTuple):
    """A row of the table; text is empty, and `reviewed` None, where the table has no value.

    Attributes
    ----------
    case : str
        Key of the case.
    sources : tuple of Path
        Files that the scan was added from.
    masks : tuple of Path
        Files of the mask.
    annotator : str
    reviewed : bool or None
    revision, when : str
        Number and time of the exported revision; ignored when the table is read.
    """

    case: str
    sources: tuple[Path, ...]
    masks: tuple[Path, ...]
    annotator: str = ""
    reviewed: bool | None = None
    revision: str = ""
    when: str = ""


def read_mask_table(path: Path) -> list[MaskRow]:
    """Read a table with a row for each scan.

    Raises
    ------
    Refusal
        If the file is no such table, a row lacks the mask, or both source and case, or `reviewed` is not yes or no.
    """
    rows = []
    for line, row in enumerate(read_table(path, ("mask",), tuple(name for name in _COLUMNS if name != "mask")), 2):
        said = row["reviewed"].lower()
        if not row["mask"] or not (row["case"] or row["source"]):
            raise Refusal(path, f"Row {line} must name a mask, and its source or its case.")
        if said and said not in _SAID:
            raise Refusal(path, f"Row {line}: reviewed is {row['reviewed']!r}; write yes or no.")
        sources, masks = (
            tuple(path.parent / part.strip() for part in row[name].split(_BETWEEN) if part.strip())
            for name in ("source", "mask")
        )
        rows.append(MaskRow(row["case"], sources, masks, row["annotator"], _SAID.get(said)))
    return rows


def mask_table(rows: Iterable[MaskRow], folder: Path) -> bytes:
    """The bytes of a table; its paths are written relative to `folder`."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for row in rows:
        reviewed = {True: "yes", False: "no", None: ""}[row.reviewed]
        files = [_BETWEEN.join(_relative(path, folder) for path in paths) for paths in (row.sources, row.masks)]
        writer.writerow(_harmless((row.case, *files, row.annotator, reviewed, row.revision, row.when)))
    return text.getvalue().encode()


def _relative(path: Path, folder: Path) -> str:
    try:
        return Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix()
    except ValueError:  # on another drive of Windows
        return path.resolve().as_posix()


def _harmless(cells: Sequence[str]) -> list[str]:
    return [f" {cell}" if cell.startswith(_FORMULA) else cell for cell in cells]
