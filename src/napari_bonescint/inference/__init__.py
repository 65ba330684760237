"""Segmenting scans: normalisation, devices, models and the segmenter."""
