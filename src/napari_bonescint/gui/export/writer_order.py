"""Put the formats of this plugin first in napari's dialog that saves layers."""

from __future__ import annotations

from npe2 import PluginManager

_PLUGIN = "napari-bonescint"


def put_our_writers_first(_context: object = None) -> None:
    """Move the writers of this plugin before all others; npe2 calls this when the plugin is used for the first time.

    napari offers writers of equal rank in the order in which it found their plugins: that of a folder on the disk. The
    first one is what users get who choose no format. Labels that lie on no scan are handed on to napari's own writer.
    """
    # npe2 has no public order of writers; without this list they stay in their order.
    writers = getattr(getattr(PluginManager.instance(), "_contrib", None), "_writers", None)
    if isinstance(writers, list):
        writers.sort(key=lambda entry: entry[-1].plugin_name != _PLUGIN)
