"""Measuring: uptake of regions, hot spots, the bone scan index, and the comparison with a prior scan."""
