"""Sample data under File > Open Sample; nothing is downloaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_bonescint.errors import BonescintError
from napari_bonescint.formats.masks.label_tiff import read_labels
from napari_bonescint.formats.opening import open_scan
from napari_bonescint.gui.layers.labels import legend
from napari_bonescint.gui.layers.scans import PLACE
from napari_bonescint.gui.reader import lay_out
from napari_bonescint.gui.sample_files import SAMPLES, SIMULATED, nema_file
from napari_bonescint.scan import ViewName

if TYPE_CHECKING:
    from napari_bonescint.gui.layers.scans import LayerTuple


class SampleMissingError(BonescintError):
    """A sample file is not installed."""


def nema_nm1() -> list[LayerTuple]:
    """A real whole-body bone scan of NEMA's NM1 data set, which pydicom ships.

    The file names no view; the sternum and the patellae show that it is the anterior one.
    """
    path = nema_file()
    if path is None:
        raise SampleMissingError(
            "NEMA NM1: pydicom-data, which has this sample, is missing; open the simulated sample, or install "
            "napari-bonescint again."
        )
    return lay_out([open_scan(path, view=ViewName.ANTERIOR)], ["NEMA NM1"])


def simulated() -> list[LayerTuple]:
    """A simulated scan, anterior and posterior, with the true region of every pixel."""
    layers = lay_out([open_scan(SIMULATED)], ["simulated"])
    images = [attributes for _, attributes, _ in layers]
    truth = read_labels(SAMPLES / "simulated.regions.tif").masks
    for mask, image in zip(truth, images, strict=True):
        place = {name: image[name] for name in PLACE}
        layers.append((mask, {"name": f"{image['name']} truth", "opacity": 0.5, **place, **legend(True)}, "labels"))
    return layers
