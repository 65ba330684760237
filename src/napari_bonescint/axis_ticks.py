"""Round numbers to write beside the axis of a chart."""

from __future__ import annotations

import math


def round_ticks(low: float, high: float, at_most: int) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten that lie from `low` to `high`.

    Parameters
    ----------
    low, high : float
        Ends of the axis.
    at_most : int
        The most ticks wanted, 2 or more.

    Returns
    -------
    list of float
        Rising; empty if the axis has no length.
    """
    if not high > low:
        return []
    rough = (high - low) / at_most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    # Rounded to what the step can resolve, so that 0.30000000000000004 is 0.3.
    digits = max(0, 1 - math.floor(math.log10(step)))
    return [round(multiple * step, digits) for multiple in range(first, last + 1)]
