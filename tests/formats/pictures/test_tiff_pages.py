"""Pages of TIFF files, however their writer laid them out: each is a plane, and none is lost without a word."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_bonescint.errors import BonescintError
from napari_bonescint.formats.masks.registry import read_mask
from napari_bonescint.formats.opening import open_scan
from napari_bonescint.formats.safe_reading.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

PLANES = np.random.default_rng(5).integers(0, 17, (2, 48, 32)).astype(np.uint8)


def one_by_one(file: Any, writer: dict[str, Any] | None = None, **how: Any) -> None:
    with tifffile.TiffWriter(file, **(writer or {})) as tiff:
        for plane in PLANES:
            tiff.write(plane, photometric="minisblack", **how)


def at_once(file: Any, **how: Any) -> None:
    tifffile.imwrite(file, PLANES, **{"photometric": "minisblack", **how})


def by_pillow(file: Any, **how: Any) -> None:
    first, *others = (Image.fromarray(plane) for plane in PLANES)
    first.save(file, "TIFF", save_all=True, append_images=others, **how)


def with_a_thumbnail(file: Any) -> None:
    with tifffile.TiffWriter(file) as tiff:
        for plane in PLANES:
            tiff.write(plane, photometric="minisblack", metadata=None)
            tiff.write(plane[::2, ::2], photometric="minisblack", subfiletype=1, metadata=None)


def pyramid(file: Any) -> None:
    with tifffile.TiffWriter(file, ome=True) as tiff:
        tiff.write(PLANES, photometric="minisblack", subifds=1, metadata={"axes": "CYX"})
        tiff.write(PLANES[:, ::2, ::2], photometric="minisblack", subfiletype=1)


LAYOUTS: dict[str, Callable[[Any], None]] = {
    "one by one": one_by_one,
    "one by one, LZW": lambda file: one_by_one(file, compression="lzw"),
    "one by one, without descriptions": lambda file: one_by_one(file, metadata=None),
    "one by one, in tiles": lambda file: one_by_one(file, tile=(16, 16), compression="zlib"),
    "one by one, BigTIFF": lambda file: one_by_one(file, {"bigtiff": True, "byteorder": ">"}),
    "one by one, ImageJ": lambda file: one_by_one(file, {"imagej": True}, contiguous=True),
    "one by one, OME": lambda file: one_by_one(file, {"ome": True}),
    "at once": at_once,
    "at once, by strips": lambda file: at_once(file, rowsperstrip=5, compression="zstd"),
    "one directory": lambda file: at_once(file, truncate=True),
    "one directory, ImageJ": lambda file: tifffile.imwrite(file, PLANES, imagej=True, truncate=True),
    "ImageJ": lambda file: tifffile.imwrite(file, PLANES, imagej=True),
    "ImageJ, frames": lambda file: tifffile.imwrite(file, PLANES[:, None], imagej=True, metadata={"axes": "TZYX"}),
    "OME": lambda file: at_once(file, ome=True, metadata={"axes": "CYX"}),
    "OME, slices": lambda file: at_once(file, ome=True, metadata={"axes": "ZYX"}, compression="lzw"),
    "Pillow": by_pillow,
    "Pillow, LZW": lambda file: by_pillow(file, compression="tiff_lzw"),
    "axes of length 1": lambda file: tifffile.imwrite(file, PLANES[:, None, :, :, None], photometric="minisblack"),
    "beside thumbnails": with_a_thumbnail,
    "beside a pyramid": pyramid,
}


def encoded(layout: str) -> bytes:
    buffer = io.BytesIO()
    LAYOUTS[layout](buffer)
    return buffer.getvalue()


def read_both(path: Path, content: bytes) -> list[NDArray[Any] | str]:
    """What a file is as a scan, and as a mask: pixels, or a sentence."""
    path.write_bytes(content)
    found: list[NDArray[Any] | str] = []
    for read in (lambda: open_scan(path).counts, lambda: read_mask(path).regions):
        try:
            found.append(read())
        except BonescintError as error:
            found.append(str(error))
    return found


@pytest.mark.parametrize("layout", LAYOUTS)
def test_pages_are_planes(tmp_path: Path, layout: str) -> None:
    scan, mask = read_both(tmp_path / "p.tif", encoded(layout))
    np.testing.assert_array_equal(scan, PLANES)
    np.testing.assert_array_equal(mask, PLANES)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_cut_off_files_lose_no_plane_silently(tmp_path: Path, layout: str) -> None:
    content = encoded(layout)
    for end in range(9, len(content), max(1, len(content) // 30)):
        for found in read_both(tmp_path / "p.tif", content[:end]):
            assert (isinstance(found, str) and found.startswith("p.tif: The ")) or np.array_equal(found, PLANES)


@pytest.mark.parametrize("layout", ["at once", "ImageJ", "OME"])
def test_a_page_that_the_description_speaks_of_and_is_not_there_is_told(tmp_path: Path, layout: str) -> None:
    content = bytearray(encoded(layout))
    with tifffile.TiffFile(io.BytesIO(content)) as tiff:
        first = tiff.pages.first
        end = first.offset + 2 + 12 * len(first.tags)
        content[end : end + 4] = bytes(4)  # no page follows
        if layout != "OME":
            content = content[: first.dataoffsets[0] + first.nbytes]
    told = "states 2 planes and holds 1" if layout != "at once" else "damaged or cut off"
    for found in read_both(tmp_path / "p.tif", bytes(content)):
        assert told in found


def test_one_image_of_ome_in_several_files_is_told(tmp_path: Path) -> None:
    content = encoded("OME, slices")
    with tifffile.TiffFile(io.BytesIO(content)) as tiff:
        description = tiff.ome_metadata or ""
    elsewhere = description.replace(
        '<TiffData IFD="0" PlaneCount="2"/>',
        '<TiffData IFD="0" FirstZ="0" PlaneCount="1"/>'
        '<TiffData IFD="0" FirstZ="1" PlaneCount="1"><UUID FileName="/etc/passwd">urn:uuid:1</UUID></TiffData>',
    )
    assert elsewhere != description
    tifffile.imwrite(tmp_path / "o.ome.tif", PLANES[0], description=elsewhere, photometric="minisblack", metadata=None)
    with pytest.raises(Refusal, match="states 2 planes and holds 1"):
        open_scan(tmp_path / "o.ome.tif")


@pytest.mark.parametrize("pages", [3, 60])
@pytest.mark.parametrize("how", [{}, {"imagej": True, "truncate": True}, {"truncate": True}, {"compression": "lzw"}])
def test_many_pages_are_one_sentence(tmp_path: Path, pages: int, how: dict[str, Any]) -> None:
    how = how if how.get("imagej") else {"photometric": "minisblack", **how}
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, np.repeat(PLANES[:1], pages, axis=0), **how)
    for kind, found in zip(("scan", "mask"), read_both(tmp_path / "p.tif", buffer.getvalue()), strict=True):
        assert found == (
            f"p.tif: The file has {pages} pages; a {kind} has one page for each view, of one size, at most two."
        )


def test_a_picture_in_colour_is_no_mask(tmp_path: Path) -> None:
    for how in ({"photometric": "rgb"}, {"photometric": "rgb", "planarconfig": "separate"}):
        planes = np.stack([PLANES[0]] * 3, axis=0 if "planarconfig" in how else -1)
        tifffile.imwrite(tmp_path / "p.tif", planes, **how)
        with pytest.raises(Refusal, match=r"^p.tif: The image is in colour or transparent; a mask has one"):
            read_mask(tmp_path / "p.tif")


def test_unread_compressions_are_named(tmp_path: Path) -> None:
    for number, name in ((34676, "SGILOG"), (33003, "APERIO_JP2000_YCBC"), (4711, "4711")):
        tifffile.imwrite(tmp_path / "p.tif", PLANES, photometric="minisblack", metadata=None)
        with tifffile.TiffFile(tmp_path / "p.tif", mode="r+b") as tiff:
            for page in tiff.pages:
                page.tags["Compression"].overwrite(number)
        content = (tmp_path / "p.tif").read_bytes()
        for found in read_both(tmp_path / "p.tif", content):
            assert found.startswith(f"p.tif: The compression {name} is not supported; save the image uncompressed")


def test_jpeg_is_told_of_a_scan_and_refused_as_a_mask(tmp_path: Path) -> None:
    Image.fromarray(PLANES[0] * 15).save(tmp_path / "p.tif", compression="jpeg", quality=95)
    scan = open_scan(tmp_path / "p.tif")
    assert "lossy compression" in scan.warnings[0]
    assert np.abs(scan.counts[0].astype(int) - PLANES[0] * 15).mean() < 8
    with pytest.raises(Refusal, match="compressed as JPEG, which alters labels"):
        read_mask(tmp_path / "p.tif")


def test_strips_without_data_are_damage(tmp_path: Path) -> None:
    for tag, value in (("StripByteCounts", 0), ("StripOffsets", 0), ("StripByteCounts", 20), ("ImageLength", 96)):
        tifffile.imwrite(tmp_path / "p.tif", PLANES[0], photometric="minisblack", compression="lzw", metadata=None)
        with tifffile.TiffFile(tmp_path / "p.tif", mode="r+b") as tiff:
            tiff.pages.first.tags[tag].overwrite(value)
        with pytest.raises(Refusal, match="damaged or cut off"):
            read_mask(tmp_path / "p.tif")


def test_each_page_has_the_orientation_that_it_states(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "p.tif") as tiff:
        for plane, stored in zip(PLANES, (2, 4), strict=True):
            tiff.write(plane, photometric="minisblack", extratags=[(274, "H", 1, stored, True)])
    expected = np.stack([PLANES[0, :, ::-1], PLANES[1, ::-1]])
    np.testing.assert_array_equal(read_mask(tmp_path / "p.tif").regions, expected)
    scan = open_scan(tmp_path / "p.tif")
    np.testing.assert_array_equal(scan.counts, expected)
    assert [w for w in scan.warnings if "orientation" in w] == [
        f"The image is stored mirrored (orientation {stored}); it was read upright." for stored in (2, 4)
    ]


def test_the_pages_of_one_array_have_the_orientation_that_its_first_page_states(tmp_path: Path) -> None:
    at_once(tmp_path / "p.tif", extratags=[(274, "H", 1, 2, True)])
    np.testing.assert_array_equal(read_mask(tmp_path / "p.tif").regions, PLANES[..., ::-1])


def test_pages_that_differ_once_they_are_upright_are_no_two_views(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "p.tif") as tiff:
        for plane, stored in zip(PLANES, (1, 6), strict=True):
            tiff.write(plane, photometric="minisblack", extratags=[(274, "H", 1, stored, True)])
    with pytest.raises(Refusal, match="2 pages; a mask has one page for each view, of one size"):
        read_mask(tmp_path / "p.tif")
