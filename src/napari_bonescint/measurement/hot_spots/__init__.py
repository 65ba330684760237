"""Describing hot spots: place, size, ratios, the same lesion in the other view, suspicious or not."""
