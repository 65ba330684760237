"""The panel "Measure": uptake, hot spots, the bone scan index, a prior scan and reports."""
