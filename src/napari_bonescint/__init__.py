"""Segment the skeleton in planar whole-body bone scans (Tc-99m bone scintigraphy).

Research software, not a medical device.
"""

from importlib.metadata import version

from napari_bonescint.offline import forbid_telemetry

forbid_telemetry()

__version__ = version("napari-bonescint")

__all__ = ["__version__"]
