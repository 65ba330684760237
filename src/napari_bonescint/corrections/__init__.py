"""Correcting masks: the tools, the checks, and the store that keeps every revision. No Qt, no napari."""
