"""Keep the best and the worst of many scans in memory, and no others."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping

_Item = TypeVar("_Item")


class Extremes(Generic[_Item]):
    """For each of several criteria, the item with the highest value so far.

    Attributes
    ----------
    found : dict
        The items by criterion; of equal items the first.
    """

    def __init__(self) -> None:
        self.found: dict[str, _Item] = {}
        self._highest: dict[str, float] = {}

    def add(self, item: _Item, values: Mapping[str, float]) -> None:
        """Keep an item for each criterion in which its value is the highest so far."""
        for criterion, value in values.items():
            if value > self._highest.get(criterion, -math.inf):
                self._highest[criterion] = value
                self.found[criterion] = item
