"""Segment the skeleton in planar whole-body bone scans (Tc-99m bone scintigraphy), and measure them.

Research software, not a medical device.
"""

from importlib import import_module
from importlib.metadata import version

from napari_bonescint.processes.offline import forbid_telemetry

forbid_telemetry()

__version__ = version("napari-bonescint")

# They are imported when they are asked for, since every module imports this one. `__init__.pyi` has their types.
_PUBLIC = ("ScanMeasures", "compare", "measure", "open_scan", "segment")

__all__ = ["__version__", *_PUBLIC]


def __getattr__(name: str) -> object:
    if name in _PUBLIC:
        return getattr(import_module("napari_bonescint.api"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_PUBLIC})
