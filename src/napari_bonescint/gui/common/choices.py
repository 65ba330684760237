"""Choices of a list in a form."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def numbered(titles: Sequence[str]) -> list[tuple[str, int]]:
    """Titles with their index as value, for magicgui's lists; titles that occur twice get a number."""
    return [
        (title if titles.count(title) == 1 else f"{title} ({index + 1})", index) for index, title in enumerate(titles)
    ]
