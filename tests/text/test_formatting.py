from __future__ import annotations

import pytest

from napari_bonescint.text.formatting import counted, duration, markdown_table, table_lines


def test_one_is_singular() -> None:
    assert [counted(number, "scan") for number in (0, 1, 2)] == ["0 scans", "1 scan", "2 scans"]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(5, "less than a minute"), (61, "1 min"), (3600, "60 min"), (9000, "2.5 h")],
)
def test_durations_are_as_exact_as_forecasts_are(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_a_column_is_as_wide_as_its_longest_cell() -> None:
    assert table_lines([("NAME", "DICE"), ("fdn-13", "0.9"), ("x", "")]) == ["NAME    DICE", "fdn-13  0.9", "x"]


def test_tables_in_markdown_have_headings() -> None:
    assert markdown_table(["set", "scans"], [["test", "40"]]) == "| set | scans |\n| --- | --- |\n| test | 40 |"
