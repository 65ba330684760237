"""Whether the pixels of a scan are counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.text.formatting import counted

if TYPE_CHECKING:
    from napari_bonescint.scan import Scan

# The sum of the pixels may differ from the header's number by rounding, or by a few padded pixels.
_AGREES = 0.01
# So many pixels at the highest possible value are no chance.
_FEWEST_SATURATED = 3
_HIGHEST = tuple(2**bits - 1 for bits in (8, 10, 12, 14, 15, 16))


def why_no_counts(scan: Scan) -> str:
    """The reason why the pixels of a scan are no counts, in one sentence; empty if they are.

    They are no counts if the user inverted a view, if they have fractions, or if they have 8 bits: such pictures were
    scaled and clipped for display. Values of 8 bits are counts only if their sum is the number of counts that the file
    states.
    """
    if any(view.inverted for view in scan.views):
        return "A view was inverted, so its values are no counts."
    if scan.counts.dtype.kind == "f" and (scan.counts != np.rint(scan.counts)).any():
        return "The values have fractions, so they are scaled and no counts."
    if scan.counts.dtype.itemsize == 1 and not _agrees_with_header(scan):
        return "The image has 8 bits, so its values are grey levels and no counts."
    return ""


def saturation_warnings(scan: Scan) -> list[str]:
    """A sentence for each view in which several pixels hold the highest value that the file can hold."""
    sentences = []
    for view, counts in zip(scan.views, scan.counts, strict=True):
        highest = counts.max()
        saturated = int(np.count_nonzero(counts == highest)) if int(highest) in _HIGHEST else 0
        if saturated >= _FEWEST_SATURATED:
            sentences.append(
                f"The {view.name} view is saturated: {counted(saturated, 'pixel')} hold the highest possible value, "
                f"{int(highest)}; counts and ratios there are too low."
            )
    return sentences


def _agrees_with_header(scan: Scan) -> bool:
    stated = scan.acquisition.get("counts_accumulated")
    if not isinstance(stated, (int, float)) or stated <= 0:
        return False
    sums = [float(scan.counts.sum(dtype=np.float64)), *(float(view.sum(dtype=np.float64)) for view in scan.counts)]
    return any(abs(total - stated) <= _AGREES * stated for total in sums)
