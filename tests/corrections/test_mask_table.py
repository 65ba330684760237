from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from napari_bonescint.corrections.mask_table import MaskRow, mask_table, read_mask_table
from napari_bonescint.formats.safe_reading.refusal import Refusal

if TYPE_CHECKING:
    from pathlib import Path


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    rows = [
        MaskRow("0a" * 8, (tmp_path / "scans" / "a.dcm",), (tmp_path / "masks" / "a.tif",), "Ada", True, "3", "2026"),
        MaskRow("0b" * 8, (), (tmp_path / "f.png", tmp_path / "b.png"), "=HYPERLINK(1)", False, "1", "2026"),
    ]
    (tmp_path / "table.csv").write_bytes(mask_table(rows, tmp_path))
    text = (tmp_path / "table.csv").read_text()
    assert text.splitlines()[1] == f"{'0a' * 8},scans/a.dcm,masks/a.tif,Ada,yes,3,2026"
    # No spreadsheet computes what somebody typed.
    assert ", =HYPERLINK(1)," in text
    assert read_mask_table(tmp_path / "table.csv") == [row._replace(revision="", when="") for row in rows]


def test_a_table_of_one_s_own_needs_two_columns(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("Mask;Source\nm.tif;scans/IM1\n")
    (row,) = read_mask_table(tmp_path / "table.csv")
    assert row == MaskRow("", (tmp_path / "scans" / "IM1",), (tmp_path / "m.tif",))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("source\na\n", "The column mask is missing"),
        ("mask,source\na,\n", "Row 2 must name a mask, and its source or its case"),
        ("mask,source,reviewed\na,b,perhaps\n", "reviewed is 'perhaps'; write yes or no"),
        ("mask,source\na,b,c\n", "Row 2 has 3 cells and the first row 2"),
    ],
)
def test_what_is_no_such_table_is_told(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / "table.csv").write_text(text)
    with pytest.raises(Refusal, match=r"table\.csv") as raised:
        read_mask_table(tmp_path / "table.csv")
    assert why in str(raised.value)
