"""Round numbers for the axis of a chart."""

from __future__ import annotations

import math


def round_ticks(low: float, high: float, at_most: int) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten from `low` to `high`, in rising order.

    `at_most`, 2 or more, is the largest number of ticks. An axis without length has none.
    """
    if not high > low:
        return []
    rough = (high - low) / at_most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    # Rounded to the step's resolution, so that 0.30000000000000004 is 0.3.
    digits = max(0, 1 - math.floor(math.log10(step)))
    return [round(multiple * step, digits) for multiple in range(first, last + 1)]
