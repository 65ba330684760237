"""PNG and TIFF pictures of scans."""

from __future__ import annotations

import io
import struct
import zlib
from contextlib import suppress

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from napari_bonescint.errors import BonescintError
from napari_bonescint.formats.pictures.raster import read_raster, stored_orientation
from napari_bonescint.formats.safe_reading.refusal import NotAPlanarScan, Refusal
from napari_bonescint.scan import NO_SPACING, VIEW_ASSUMED, VIEWS_ASSUMED, View, ViewName, ViewSource
from napari_bonescint.scan_edits import name_views, with_spacing


def picture(dtype="uint8", views: int | None = None) -> np.ndarray:
    """A bright body on a dark ground, of shape (y, x) or (view, y, x)."""
    shape = (64, 40) if views is None else (views, 64, 40)
    counts = np.random.default_rng(1).integers(0, 5, shape)
    counts[..., 10:50, 12:28] += 150
    return counts.astype(dtype)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("name", ["scan.png", "scan.tif"])
def test_grey_picture(tmp_path, dtype, name):
    Image.fromarray(picture(dtype)).save(tmp_path / name)
    scan = with_spacing(name_views(read_raster(tmp_path / name), ViewName.POSTERIOR), (2.2, 2.2))
    np.testing.assert_array_equal(scan.counts, picture(dtype)[np.newaxis])
    assert scan.counts.dtype == np.dtype(dtype)
    assert scan.views == (View(ViewName.POSTERIOR, ViewSource.USER),)
    assert scan.spacing == (2.2, 2.2)
    assert scan.warnings == ()
    assert scan.acquisition == {"matrix": "64x40"}
    assert scan.name == "scan"


def test_nothing_said_about_it(tmp_path):
    Image.fromarray(picture()).save(tmp_path / "scan.png")
    scan = read_raster(tmp_path / "scan.png")
    assert scan.views == (View(ViewName.ANTERIOR, ViewSource.ASSUMED),)
    assert scan.spacing is None
    assert scan.warnings == (VIEW_ASSUMED, NO_SPACING)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "uint32", "float32", ">u2"])
def test_tiff_of_two_pages(tmp_path, dtype):
    counts = picture(dtype, views=2)
    tifffile.imwrite(tmp_path / "scan.tif", counts, photometric="minisblack", byteorder=">" if dtype[0] == ">" else "<")
    scan = read_raster(tmp_path / "scan.tif")
    np.testing.assert_array_equal(scan.counts, counts)
    assert [view.name for view in scan.views] == [ViewName.ANTERIOR, ViewName.POSTERIOR]
    assert scan.warnings == (VIEWS_ASSUMED, NO_SPACING)
    assert scan.counts.dtype.isnative


def test_first_page_posterior(tmp_path):
    tifffile.imwrite(tmp_path / "scan.tif", picture(views=2), photometric="minisblack")
    scan = name_views(read_raster(tmp_path / "scan.tif"), ViewName.POSTERIOR)
    np.testing.assert_array_equal(scan.counts, picture(views=2)[::-1])


def test_separate_pages_and_imagej_stacks(tmp_path):
    counts = picture("uint16", views=2)
    with tifffile.TiffWriter(tmp_path / "pages.tif") as tiff:
        for page in counts:
            tiff.write(page, contiguous=False, metadata=None)
    tifffile.imwrite(tmp_path / "imagej.tif", counts, imagej=True)
    for name in ("pages.tif", "imagej.tif"):
        np.testing.assert_array_equal(read_raster(tmp_path / name).counts, counts)


@pytest.mark.parametrize("compression", ["tiff_lzw", "packbits", "tiff_adobe_deflate"])
def test_compressed_tiff(tmp_path, compression):
    pages = [Image.fromarray(page) for page in picture("uint16", views=2)]
    pages[0].save(tmp_path / "scan.tif", compression=compression, save_all=True, append_images=pages[1:])
    np.testing.assert_array_equal(read_raster(tmp_path / "scan.tif").counts, picture("uint16", views=2))


@pytest.mark.parametrize(
    ("mode", "suffix"), [(mode, suffix) for mode in ("RGB", "RGBA", "LA", "P") for suffix in ("png", "tif")]
)
def test_grey_stored_as_colour_is_told(tmp_path, mode, suffix):
    Image.fromarray(picture()).convert(mode).save(tmp_path / f"scan.{suffix}")
    scan = read_raster(tmp_path / f"scan.{suffix}")
    np.testing.assert_array_equal(scan.counts[0], picture())
    assert "equal channels" in scan.warnings[0]


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_a_palette_of_greys_says_what_its_numbers_stand_for(tmp_path, suffix):
    _with_palette([(255 - i,) * 3 for i in range(256)]).save(tmp_path / f"scan.{suffix}")
    np.testing.assert_array_equal(read_raster(tmp_path / f"scan.{suffix}").counts[0], 255 - picture())


@pytest.mark.parametrize(("step", "dtype"), [(257, "uint8"), (256, "uint8"), (1, "uint16"), (200, "uint16")])
def test_palettes_of_16_bits(tmp_path, step, dtype):
    colormap = np.tile(np.arange(256, dtype=np.uint16) * step, (3, 1))
    tifffile.imwrite(tmp_path / "scan.tif", picture(), photometric="palette", colormap=colormap)
    counts = read_raster(tmp_path / "scan.tif").counts
    assert counts.dtype == dtype
    np.testing.assert_array_equal(counts[0], picture().astype(int) * (1 if dtype == "uint8" else step))


def test_lzw_tiff_stored_as_colour(tmp_path):
    Image.fromarray(picture()).convert("RGB").save(tmp_path / "scan.tif", compression="tiff_lzw")
    np.testing.assert_array_equal(read_raster(tmp_path / "scan.tif").counts[0], picture())


def test_dark_on_white_is_told(tmp_path):
    Image.fromarray(255 - picture()).save(tmp_path / "scan.png")
    assert "invert the image first" in read_raster(tmp_path / "scan.png").warnings[0]


def test_white_is_zero_is_told(tmp_path):
    tifffile.imwrite(tmp_path / "scan.tif", picture(), photometric="miniswhite")
    assert "shown inverted" in read_raster(tmp_path / "scan.tif").warnings[0]


def test_blank_page_is_left_out(tmp_path):
    counts = picture(views=2)
    counts[1] = 0
    tifffile.imwrite(tmp_path / "scan.tif", counts, photometric="minisblack")
    scan = with_spacing(name_views(read_raster(tmp_path / "scan.tif"), ViewName.ANTERIOR), (2, 2))
    assert scan.warnings == ("The posterior view is blank and was left out.",)
    assert len(scan.views) == 1


def _colour(path):
    channels = np.stack([picture()] * 3, -1)
    channels[5, 5, 0] = 200
    Image.fromarray(channels).save(path)


def _transparent(path):
    image = Image.fromarray(picture()).convert("RGBA")
    image.putpixel((3, 3), (7, 7, 7, 0))
    image.save(path)


def _animated(path):
    first, second = (Image.fromarray(page) for page in picture(views=2))
    first.save(path, save_all=True, append_images=[second])


def _deep_colour(path):
    Image.fromarray(picture()).convert("RGB").save(path)
    content = bytearray(path.read_bytes())
    content[24] = 16
    path.write_bytes(content)


def _with_palette(colours: list[tuple[int, int, int]]) -> Image.Image:
    image = Image.fromarray(picture()).convert("P")
    image.putpalette([level for colour in colours for level in colour])
    return image


NO_SCANS = {
    "in colour.png": _colour,
    "in colour.tif": _colour,
    "palette in colour.tif": lambda path: _with_palette([(i, 0, 255 - i) for i in range(256)]).save(path),
    "palette in colour.png": lambda path: _with_palette([(i, 0, 255 - i) for i in range(256)]).save(path),
    "partly transparent.png": _transparent,
    "animated.png": _animated,
    "16-bit PNG in colour.png": _deep_colour,
    "black and white.png": lambda path: Image.fromarray(picture() > 9).save(path),
    "only zeros.png": lambda path: Image.fromarray(picture() * 0).save(path),
    "one value in every pixel.tif": lambda path: tifffile.imwrite(path, picture() * 0 + 9),
    "3 pages.tif": lambda path: tifffile.imwrite(path, picture(views=3), photometric="minisblack"),
    "negative.tif": lambda path: tifffile.imwrite(path, picture("int16") - 100),
    "not numbers.tif": lambda path: tifffile.imwrite(path, np.where(picture() > 9, np.nan, 1).astype("float32")),
    "type bool.tif": lambda path: tifffile.imwrite(path, picture() > 9),
    "type complex64.tif": lambda path: tifffile.imwrite(path, picture("complex64")),
    "8 x 8 pixels, too small.png": lambda path: Image.fromarray(picture()[:8, :8]).save(path),
    "neither PNG nor TIFF.png": lambda path: path.write_bytes(b"GIF89a"),
    "damaged.png": lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n\0"),
    "damaged.tif": lambda path: path.write_bytes(b"II*\0\0\0"),
    "empty.png": lambda path: path.write_bytes(b""),
}


@pytest.mark.parametrize("name", NO_SCANS)
def test_refused_with_one_sentence(tmp_path, name):
    path = tmp_path / name
    NO_SCANS[name](path)
    with pytest.raises(Refusal) as refused:
        read_raster(path)
    reason = name.rpartition(".")[0].removeprefix("palette ")
    assert str(refused.value).startswith(f"{name}: The ")
    assert reason in refused.value.reason


def test_pages_of_different_sizes(tmp_path):
    with tifffile.TiffWriter(tmp_path / "scan.tif") as tiff:
        tiff.write(picture(), metadata=None)
        tiff.write(picture()[:40], metadata=None)
    with pytest.raises(NotAPlanarScan, match="2 pages; a scan has one page for each view, of one size"):
        read_raster(tmp_path / "scan.tif")


def test_huge_sizes_are_refused_before_decoding(tmp_path):
    Image.fromarray(picture()).save(tmp_path / "bomb.png")
    content = bytearray((tmp_path / "bomb.png").read_bytes())
    content[16:24] = struct.pack(">II", 100_000, 100_000)
    (tmp_path / "bomb.png").write_bytes(content)
    tifffile.imwrite(tmp_path / "bomb.tif", picture(), metadata=None)
    with tifffile.TiffFile(tmp_path / "bomb.tif", mode="r+b") as tiff:
        tiff.pages.first.tags["ImageWidth"].overwrite(100_000)
        tiff.pages.first.tags["ImageLength"].overwrite(100_000)
    for name in ("bomb.png", "bomb.tif"):
        with pytest.raises(Refusal, match="100000 x 100000 pixels, larger than any planar scan"):
            read_raster(tmp_path / name)


def _encoded(kind: str) -> tuple[bytes, np.ndarray]:
    buffer = io.BytesIO()
    if kind == "png":
        Image.fromarray(picture()).save(buffer, "png")
        return buffer.getvalue(), picture()[np.newaxis]
    metadata = {} if kind.startswith("series") else None
    compression = "zlib" if kind.endswith("compressed") else None
    tifffile.imwrite(buffer, picture(views=2), photometric="minisblack", compression=compression, metadata=metadata)
    return buffer.getvalue(), picture(views=2)


ENCODED = ["png", "series compressed", "series", "pages compressed", "pages"]


@pytest.mark.parametrize("kind", ENCODED)
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_cut_off_anywhere_never_loses_a_pixel_silently(tmp_path, kind, data):
    content, counts = _encoded(kind)
    path = tmp_path / "cut"
    path.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    with suppress(BonescintError):
        np.testing.assert_array_equal(read_raster(path).counts, counts)


def test_a_flipped_bit_near_the_end_of_a_png_changes_no_count(tmp_path):
    content, counts = _encoded("png")
    for place in range(8 * (len(content) - 40), 8 * len(content)):
        flipped = bytearray(content)
        flipped[place // 8] ^= 1 << place % 8
        (tmp_path / "flipped.png").write_bytes(flipped)
        with suppress(BonescintError):
            np.testing.assert_array_equal(read_raster(tmp_path / "flipped.png").counts, counts)


@pytest.mark.parametrize("kind", ENCODED)
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_flipped_bytes_are_a_picture_or_a_sentence(tmp_path, kind, data):
    content = bytearray(_encoded(kind)[0])
    for _ in range(data.draw(st.integers(1, 5))):
        content[data.draw(st.integers(8, min(len(content) - 1, 600)))] = data.draw(st.integers(0, 255))
    path = tmp_path / "flipped"
    path.write_bytes(content)
    with suppress(BonescintError):
        assert read_raster(path).counts.ndim == 3


def test_a_spacing_that_makes_a_scan_as_long_as_a_house_is_not_taken(tmp_path):
    counts = np.random.default_rng(2).poisson(9, (256, 64)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "long.tif", counts, imagej=True, resolution=(1 / 18, 1 / 18), metadata={"unit": "mm"})
    scan = read_raster(tmp_path / "long.tif")
    assert scan.spacing is None
    assert NO_SPACING in scan.warnings
    assert any("the image would be 4.6 m long" in warning for warning in scan.warnings)
    assert with_spacing(scan, (2.2, 2.2)).spacing == (2.2, 2.2)


def test_where_programs_put_the_orientation_of_a_png(tmp_path):
    exif = Image.Exif()
    exif[274] = 2
    block = exif.tobytes()
    profile = f"\nexif\n{len(block):8}\n{block.hex()}\n"
    xmp = '<x:xmpmeta xmlns:tiff="http://ns.adobe.com/tiff/1.0/"><rdf:Description tiff:Orientation="2"/></x:xmpmeta>'
    for keyword, text in (("Raw profile type exif", profile), ("XML:com.adobe.xmp", xmp)):
        info = PngInfo()
        info.add_itxt(keyword, text) if keyword.startswith("XML") else info.add_text(keyword, text, zip=True)
        Image.fromarray(picture()).save(tmp_path / "scan.png", pnginfo=info)
        np.testing.assert_array_equal(read_raster(tmp_path / "scan.png").counts[0], picture()[:, ::-1])
        assert stored_orientation(tmp_path / "scan.png") == 2


def test_an_orientation_that_is_damaged_or_after_the_pixels(tmp_path):
    exif = Image.Exif()
    exif[274] = 3
    for block, expected in ((exif.tobytes()[6:], picture()[::-1, ::-1]), (b"no EXIF at all", picture())):
        Image.fromarray(picture()).save(tmp_path / "scan.png")
        content = (tmp_path / "scan.png").read_bytes()
        chunk = struct.pack(">I", len(block)) + b"eXIf" + block + struct.pack(">I", zlib.crc32(b"eXIf" + block))
        (tmp_path / "scan.png").write_bytes(content[:-12] + chunk + content[-12:])
        np.testing.assert_array_equal(read_raster(tmp_path / "scan.png").counts[0], expected)


def test_files_without_an_orientation_are_upright(tmp_path):
    (tmp_path / "text.tif").write_bytes(b"II*\0" + bytes(40))
    tifffile.imwrite(tmp_path / "scan.tif", picture())
    for name in ("text.tif", "scan.tif", "gone.png"):
        assert stored_orientation(tmp_path / name) == 1
