"""The scans to picture out of many, while each is held in memory only as long as it may be one of them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping

_Item = TypeVar("_Item")


class Extremes(Generic[_Item]):
    """Of all items that were seen, the one that is highest in each of some respects.

    Attributes
    ----------
    found : dict
        The items by respect; of equal ones the first.
    """

    def __init__(self) -> None:
        self.found: dict[str, _Item] = {}
        self._highest: dict[str, float] = {}

    def see(self, item: _Item, values: Mapping[str, float]) -> None:
        """Keep an item wherever its value is the highest so far."""
        for respect, value in values.items():
            if value > self._highest.get(respect, -math.inf):
                self._highest[respect] = value
                self.found[respect] = item
