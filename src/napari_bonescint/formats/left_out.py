"""What was left out of a folder of scans, and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from napari_bonescint.text.formatting import counted

if TYPE_CHECKING:
    from collections.abc import Mapping


def by_reason(skipped: Mapping[str, int]) -> list[str]:
    """A phrase for each reason with its number of files, ``20 x Modality is CT``; the most frequent first."""
    reasons = sorted(skipped.items(), key=lambda item: -item[1])
    return [f"{count} x {reason.rstrip('.')}" for reason, count in reasons]


@dataclass(frozen=True)
class LeftOut:
    """The files of a folder that are not among its scans.

    Attributes
    ----------
    skipped : mapping of str to int
        Number of files that are no planar bone scans, by reason.
    broken : tuple of str
        A sentence for each scan that cannot be read, which begins with the name of its file.
    """

    skipped: Mapping[str, int] = field(default_factory=dict)
    broken: tuple[str, ...] = ()

    @property
    def number(self) -> int:
        """Number of files."""
        return sum(self.skipped.values()) + len(self.broken)

    @property
    def title(self) -> str:
        """``3 files were left out``; empty if there are none."""
        if not self.number:
            return ""
        return f"{counted(self.number, 'file')} {'was' if self.number == 1 else 'were'} left out"

    @property
    def lines(self) -> list[str]:
        """A line for each broken scan, then for each reason."""
        return [*self.broken, *(f"{phrase}." for phrase in by_reason(self.skipped))]

    def __str__(self) -> str:
        """One sentence, with the three most frequent reasons; empty if no file was left out."""
        phrases = [*(sentence.rstrip(".") for sentence in self.broken), *by_reason(self.skipped)]
        more = "; ..." if len(phrases) > 3 else "."
        return f"{self.title}: {'; '.join(phrases[:3])}{more}" if phrases else ""
