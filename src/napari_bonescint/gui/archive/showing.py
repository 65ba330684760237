"""Show scans that came from an archive in the viewer, under names that name no patient."""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING

from napari.layers import Image, Layer
from napari.layers._source import layer_source
from napari.utils.notifications import show_warning

from napari_bonescint.gui.layers.scans import OUR_READER, facts_of
from napari_bonescint.gui.reader import is_being_corrected, lay_out, with_view_warnings

if TYPE_CHECKING:
    from collections.abc import Generator

    from napari.viewer import Viewer

    from napari_bonescint.gui.archive.bringing import Brought


def show(viewer: Viewer, brought: Brought) -> Generator[None, None, tuple[Image, ...]]:
    """Add a scan in several steps, beside the open ones; returns its images.

    There are none if the scan is open in Correct masks, which comes to the front.
    """
    scan = brought.scan
    if is_being_corrected(scan):
        return ()
    (warned,) = with_view_warnings([scan])
    layers = []
    for data, path in zip(lay_out([scan]), cycle(brought.paths), strict=False):
        with layer_source(path=str(path), reader_plugin=OUR_READER):
            layers.append(Layer.create(*data))
    for layer in layers:
        yield
        viewer.add_layer(layer)
    images = tuple(layer for layer in layers if isinstance(layer, Image))
    for warning in warned.warnings:
        show_warning(f"{facts_of(images[0]).title}: {warning}")
    return images
