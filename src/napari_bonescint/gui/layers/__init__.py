"""Layers of napari for scans, masks, labels and overlays."""
