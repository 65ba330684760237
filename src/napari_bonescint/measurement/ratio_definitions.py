"""Definitions of ratios for a file: one for all regions or both sides, with a word in place of their name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_bonescint.anatomy import REGIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from napari_bonescint.measurement.measures import Ratio

# The end of a ratio's name, the word that stands for it, and what the definition calls it.
_WORDS = (
    *((region.name, "REGION", region.label) for region in REGIONS[1:]),
    *((side, "SIDE", side) for side in ("left", "right")),
)


def shared_definitions(ratios: Iterable[Ratio]) -> dict[str, str]:
    """Definitions by name; ratios that differ by region or side share one, ``geometric_mean_counts_REGION``."""
    found: dict[str, str] = {}
    for ratio in ratios:
        name, definition = _shared(ratio.name, ratio.definition)
        if found.setdefault(name, definition) != definition:
            found[ratio.name] = ratio.definition
    return found


def definition_of(name: str, definitions: Mapping[str, str]) -> str | None:
    """The definition of a ratio from those that `shared_definitions` gave; None if it is not there."""
    if name in definitions:
        return definitions[name]
    for end, word, called in _WORDS:
        shared = definitions.get(f"{name.removesuffix(end)}{word}") if name.endswith(f"_{end}") else None
        if shared is not None:
            return shared.replace(word, called)
    return None


def _shared(name: str, definition: str) -> tuple[str, str]:
    for end, word, called in _WORDS:
        if name.endswith(f"_{end}") and called in definition and word not in definition:
            return f"{name.removesuffix(end)}{word}", definition.replace(called, word)
    return name, definition
