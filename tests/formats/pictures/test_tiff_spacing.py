"""The spacing that programs write into TIFF files, and what only looks like one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_bonescint.formats.masks.registry import read_mask
from napari_bonescint.formats.opening import open_scan
from napari_bonescint.scan import NO_SPACING

if TYPE_CHECKING:
    from pathlib import Path

PICTURE = np.random.default_rng(2).integers(0, 17, (2, 48, 32)).astype(np.uint8)
# Pixels of 2.4 mm down and 2.2 mm across, told by dots in each unit.
MM, CM, INCH = (1 / 2.2, 1 / 2.4), (10 / 2.2, 10 / 2.4), (25.4 / 2.2, 25.4 / 2.4)


def write(path: Path, **how: Any) -> None:
    tifffile.imwrite(path, PICTURE, photometric="minisblack", **how)


def imagej(path: Path, unit: str, resolution: tuple[float, float], **more: str) -> None:
    tifffile.imwrite(path, PICTURE, imagej=True, resolution=resolution, metadata={"unit": unit, **more})


def ome(path: Path, **sizes: Any) -> None:
    write(path, ome=True, metadata={"axes": "CYX", **sizes})


STATED = {
    "ours": lambda path: write(path, metadata={"spacing_mm": [2.4, 2.2]}),
    "dots a centimetre": lambda path: write(path, resolution=CM, resolutionunit="CENTIMETER"),
    "dots an inch": lambda path: write(path, resolution=INCH, resolutionunit="INCH"),
    "dots an inch, of Pillow": lambda path: Image.fromarray(PICTURE[0]).save(path, dpi=INCH),
    "ImageJ, mm": lambda path: imagej(path, "mm", MM),
    "ImageJ, cm": lambda path: imagej(path, "cm", CM),
    "ImageJ, inch": lambda path: imagej(path, "inch", INCH),
    "ImageJ, micron": lambda path: imagej(path, "micron", (MM[0] / 1000, MM[1] / 1000)),
    "ImageJ, um": lambda path: imagej(path, "um", (MM[0] / 1000, MM[1] / 1000)),
    "ImageJ, two units": lambda path: imagej(path, "mm", (MM[0], CM[1]), yunit="cm"),
    "OME, mm": lambda path: ome(
        path, PhysicalSizeX=2.2, PhysicalSizeXUnit="mm", PhysicalSizeY=2.4, PhysicalSizeYUnit="mm"
    ),
    "OME, without units": lambda path: ome(path, PhysicalSizeX=2200, PhysicalSizeY=2400),
    "OME, cm": lambda path: ome(
        path, PhysicalSizeX=0.22, PhysicalSizeXUnit="cm", PhysicalSizeY=0.24, PhysicalSizeYUnit="cm"
    ),
}


@pytest.mark.parametrize("writer", STATED)
def test_a_stated_spacing_is_read(tmp_path: Path, writer: str) -> None:
    STATED[writer](tmp_path / "m.tif")
    assert read_mask(tmp_path / "m.tif").spacing == pytest.approx((2.4, 2.2), rel=1e-4)
    scan = open_scan(tmp_path / "m.tif")
    assert scan.spacing == pytest.approx((2.4, 2.2), rel=1e-4)
    assert NO_SPACING not in scan.warnings


def _one_size_alone(path: Path) -> None:
    write(path, extratags=[(282, "2I", 1, (10, 22), True)], resolutionunit=None, metadata=None)
    with tifffile.TiffFile(path, mode="r+b") as tiff:
        tag = tiff.pages.first.tags["YResolution"]
        tiff.filehandle.seek(tag.offset)
        tiff.filehandle.write(b"\xff\xff")  # the number of no tag


def _dots_by_zero(path: Path) -> None:
    write(path, resolution=(5, 4), resolutionunit="CENTIMETER")
    with tifffile.TiffFile(path, mode="r+b") as tiff:
        for name in ("XResolution", "YResolution"):
            tiff.pages.first.tags[name].overwrite((5, 0))


NOT_STATED = {
    "nothing": lambda path: write(path),
    "nothing, of Pillow": lambda path: Image.fromarray(PICTURE[0]).save(path),
    "1 an inch": lambda path: write(path, resolution=(1, 1), resolutionunit="INCH"),
    "1 a centimetre": lambda path: write(path, resolution=(1, 1), resolutionunit="CENTIMETER"),
    "dots of no unit": lambda path: write(path, resolution=MM, resolutionunit="NONE"),
    "0 dots": lambda path: write(path, resolution=((0, 1), (0, 1)), resolutionunit="INCH"),
    "dots by 0": _dots_by_zero,
    "dots across alone": _one_size_alone,
    **{
        f"{dpi} dots an inch": lambda path, dpi=dpi: Image.fromarray(PICTURE[0]).save(path, dpi=(dpi, dpi))
        for dpi in (72, 96, 150, 300, 600)
    },
    "72 dots an inch, in cm": lambda path: write(path, resolution=(28.35, 28.35), resolutionunit="CENTIMETER"),
    "ImageJ, pixel": lambda path: imagej(path, "pixel", MM),
    "ImageJ, 72 an inch": lambda path: imagej(path, "inch", (72, 72)),
    "ImageJ, a cell's micrometres": lambda path: imagej(path, "micron", (3, 3)),
    "OME, nothing": lambda path: ome(path),
    "OME, across alone": lambda path: ome(path, PhysicalSizeX=2.2, PhysicalSizeXUnit="mm"),
    "OME, pixel": lambda path: ome(
        path, PhysicalSizeX=2.2, PhysicalSizeXUnit="pixel", PhysicalSizeY=2.2, PhysicalSizeYUnit="pixel"
    ),
    "ours, impossible": lambda path: write(path, metadata={"spacing_mm": [-1, 2]}),
    "ours, in words": lambda path: write(path, metadata={"spacing_mm": ["a", 2]}),
}


@pytest.mark.parametrize("writer", NOT_STATED)
def test_what_is_no_spacing_is_not_taken_for_one(tmp_path: Path, writer: str) -> None:
    NOT_STATED[writer](tmp_path / "m.tif")
    assert read_mask(tmp_path / "m.tif").spacing is None
    scan = open_scan(tmp_path / "m.tif")
    assert scan.spacing is None
    assert NO_SPACING in scan.warnings


def test_the_spacing_of_a_picture_stored_on_its_side_is_turned_with_it(tmp_path: Path) -> None:
    write(tmp_path / "m.tif", resolution=CM, resolutionunit="CENTIMETER", extratags=[(274, "H", 1, 6, False)])
    mask = read_mask(tmp_path / "m.tif")
    assert mask.regions.shape == (2, 32, 48)
    assert mask.spacing == pytest.approx((2.2, 2.4))


def test_damaged_descriptions_of_ome_are_no_spacing(tmp_path: Path) -> None:
    ome(tmp_path / "m.tif", PhysicalSizeX=2.2, PhysicalSizeXUnit="mm", PhysicalSizeY=2.4, PhysicalSizeYUnit="mm")
    content = (tmp_path / "m.tif").read_bytes()
    (tmp_path / "m.tif").write_bytes(content.replace(b"<Pixels", b"<Pixel<"))
    assert read_mask(tmp_path / "m.tif").spacing is None
