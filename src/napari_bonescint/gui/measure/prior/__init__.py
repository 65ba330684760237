"""A scan beside prior scans of the same patient, in the panel "Measure"."""
