"""A table of masks in files, which `bonescint store export --table` writes and `bonescint store import --table` reads.

    source,mask,annotator,reviewed
    exports/IM1,masks/IM1.tif,Ada,yes
    exports/IM2,masks/IM2-front.png|masks/IM2-back.png,Ada,no

Paths are from the table's folder; several in a cell are parted by a bar. In place of the source, ``case`` may name the
case by its key.
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
# What spreadsheets take for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class MaskRow(NamedTuple):
    """The mask of one scan.

    Attributes
    ----------
    case : str
        Key of its case; empty if only the source tells.
    sources : tuple of Path
        Files that the scan was added from; empty if they are not known.
    masks : tuple of Path
        Files of the mask.
    annotator : str
        Who made it; empty if the table does not say.
    reviewed : bool or None
        Whether it is finished; None if the table does not say.
    revision : str
        Number of the revision that was exported; only to look at.
    when : str
        When it was saved; only to look at.
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
        If the file is no such table, or a row names no mask, neither source nor case, or a state that is none.
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
    """The bytes of a table that is to lie in a folder."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for row in rows:
        reviewed = {True: "yes", False: "no", None: ""}[row.reviewed]
        files = (_cell(row.sources, folder), _cell(row.masks, folder))
        writer.writerow(_harmless((row.case, *files, row.annotator, reviewed, row.revision, row.when)))
    return text.getvalue().encode()


def _cell(paths: Sequence[Path], folder: Path) -> str:
    """Paths from a folder, where there is a way from it to them."""
    return _BETWEEN.join(_from(path, folder) for path in paths)


def _from(path: Path, folder: Path) -> str:
    try:
        return Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix()
    except ValueError:  # on another drive of Windows
        return path.resolve().as_posix()


def _harmless(cells: Sequence[str]) -> list[str]:
    return [f" {cell}" if cell.startswith(_FORMULA) else cell for cell in cells]
