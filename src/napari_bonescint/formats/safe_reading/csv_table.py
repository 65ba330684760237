"""CSV tables with a heading, from an editor, a script or a spreadsheet of any country."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from napari_bonescint.formats.safe_reading.guarded import reader
from napari_bonescint.formats.safe_reading.refusal import Refusal
from napari_bonescint.formats.safe_reading.source_file import read_table_bytes

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

Row = dict[str, str]


@reader
def read_table(path: Path, required: Collection[str], optional: Collection[str] = ()) -> list[Row]:
    """Read a CSV table in UTF-8 with the separators , or ; whose first row names the columns, in any order and case.

    `required` and `optional` are names of columns in lower case. The result has a dict for each row, by column: text
    without surrounding blanks, or an empty text. Empty rows are left out. A file that is no CSV table, lacks a column
    or has an unknown one, is a `Refusal`.
    """
    try:
        text = read_table_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refusal(path, "Not UTF-8; save the table as CSV in UTF-8.") from error
    heading = text.partition("\n")[0]
    delimiter = ";" if heading.count(";") > heading.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        names, *lines = [[cell.strip() for cell in line] for line in reader if any(cell.strip() for cell in line)]
    except (csv.Error, ValueError) as error:
        raise Refusal(path, f"Not a CSV table with the columns {', '.join(required)}.") from error
    names = [name.lower() for name in names]
    if missing := [name for name in required if name not in names]:
        raise Refusal(path, f"The column {missing[0]} is missing; the first row must name it.")
    if unknown := [name for name in names if name not in {*required, *optional}]:
        known = ", ".join((*required, *optional))
        raise Refusal(path, f"The column {unknown[0]!r} is not known; the columns are {known}.")
    if repeated := [name for name in names if names.count(name) > 1]:
        raise Refusal(path, f"The column {repeated[0]} is there twice.")
    for number, line in enumerate(lines, 2):
        if len(line) > len(names):
            raise Refusal(path, f"Row {number} has {len(line)} cells and the first row {len(names)}.")
    empty = dict.fromkeys((*required, *optional), "")
    return [empty | dict(zip(names, line, strict=False)) for line in lines]
