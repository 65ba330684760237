"""Numbers, durations and tables as text, and the disclaimer."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

DISCLAIMER = "Research software, not a medical device"
"""Shown by every panel and command that segments, and on every picture and model card."""


def counted(number: int, noun: str) -> str:
    """A number with its noun: ``1 scan``, ``2 scans``."""
    return f"{number} {noun}" + ("" if number == 1 else "s")


def duration(seconds: float) -> str:
    """A duration, rounded for a forecast: ``less than a minute``, ``12 min``, ``1.5 h``."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return "less than a minute"
    if minutes < 90:
        return f"{minutes} min"
    return f"{seconds / 3600:.1f} h"


def to_the_minute(when: str) -> str:
    """A time in ISO format, such as ``2026-03-01T09:30:00+00:00``, in short form: ``2026-03-01 09:30``."""
    return f"{when[:10]} {when[11:16]}"


def table_lines(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows of equal length as lines; each column is as wide as its longest cell."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]


def markdown_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (headings, ["---"] * len(headings), *rows))
