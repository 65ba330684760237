"""Export a scan and its masks, and the order of formats in napari's own dialog."""
