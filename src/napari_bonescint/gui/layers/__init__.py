"""Layers of napari: scans, masks and labels, and overlays of our own."""
