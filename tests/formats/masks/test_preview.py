"""Pictures to look at: every pixel of every view, true to shape, with the patient's sides."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from napari_bonescint.display import overlay
from napari_bonescint.files.atomic import CannotWrite, write_bytes_atomically
from napari_bonescint.formats.masks.preview import encode_preview
from napari_bonescint.formats.masks.registry import read_mask
from napari_bonescint.formats.safe_reading.refusal import Refusal
from napari_bonescint.scan import Scan, View, ViewName

if TYPE_CHECKING:
    from pathlib import Path

PATCH = (slice(30, 60), slice(20, 41))


@pytest.fixture
def regions(scan: Scan) -> np.ndarray:
    regions = np.zeros(scan.counts.shape, np.uint8)
    regions[0][PATCH], regions[1][PATCH] = 5, 14
    return regions


def picture_of(path: Path, scan: Scan, regions: np.ndarray, *, names_regions: bool = True) -> np.ndarray:
    write_bytes_atomically(path, encode_preview(scan, regions, names_regions=names_regions))
    with Image.open(path) as image:
        assert (image.format, image.mode) == ("PNG", "RGB")
        return np.asarray(image)


def place_of(part: np.ndarray, picture: np.ndarray) -> tuple[int, int]:
    """Row and column of the only place where a part of a picture lies."""
    windows = np.lib.stride_tricks.sliding_window_view(picture, part.shape)[:, :, 0]
    corners = np.argwhere((windows[:, :, 0, 0] == part[0, 0]).all(-1))
    (found,) = [(int(y), int(x)) for y, x in corners if np.array_equal(windows[y, x], part)]
    return found


@pytest.mark.parametrize("names_regions", [True, False])
def test_every_pixel_is_there_anterior_to_the_left(
    tmp_path: Path, scan: Scan, regions: np.ndarray, names_regions: bool
) -> None:
    regions = regions if names_regions else regions.clip(max=1)
    square = replace(scan, spacing=None)
    picture = picture_of(tmp_path / "p.png", square, regions, names_regions=names_regions)
    views = [overlay(*view, names_regions=names_regions) for view in zip(scan.counts, regions, strict=True)]
    (top, left), (other_top, right) = (place_of(view, picture) for view in views)
    assert top == other_top
    assert right >= left + scan.counts.shape[2]


def test_colours_are_on_bone_only(tmp_path: Path, scan: Scan, regions: np.ndarray) -> None:
    grey = picture_of(tmp_path / "p.png", scan, 0 * regions)
    assert (grey == grey[..., :1]).all()
    coloured = picture_of(tmp_path / "p.png", replace(scan, spacing=None), regions)
    assert (coloured != coloured[..., :1]).any(axis=-1).sum() == 2 * 30 * 21


def test_pixels_that_are_not_square_are_stretched_across_and_never_down(
    tmp_path: Path, scan: Scan, regions: np.ndarray
) -> None:
    sizes = {}
    for spacing in ((2.0, 2.0), (2.0, 1.0), (500.0, 1.0), (2.0, 5.0), (2.0, 10.0)):
        shape = picture_of(tmp_path / "p.png", replace(scan, spacing=spacing), regions).shape
        sizes[spacing[1] / spacing[0]] = shape
        assert shape[0] == sizes[1.0][0]
    assert sizes[5.0][1] - sizes[2.5][1] == 2 * (335 - 168)
    # Narrower than the words below it no picture gets.
    assert sizes[1.0][1] == sizes[0.5][1] == sizes[0.002][1] > 100


def corners(picture: np.ndarray) -> list[np.ndarray]:
    """The letters above the one view of a picture, left and right, each without the white around it."""
    ink = (picture != 255).any(axis=-1)
    rows = np.flatnonzero(ink.any(axis=1))
    line = picture[rows[0] : rows[0] + np.flatnonzero(np.diff(rows) > 1)[0] + 1]
    columns = np.flatnonzero((line != 255).any(axis=(0, 2)))
    gap = np.argmax(np.diff(columns)) + 1
    return [line[:, part[0] : part[-1] + 1] for part in (columns[:gap], columns[gap:])]


def test_the_sides_of_a_posterior_view_are_those_of_an_anterior_one_exchanged(tmp_path: Path, scan: Scan) -> None:
    found = {}
    for view in (View(ViewName.ANTERIOR), View(ViewName.POSTERIOR), View(ViewName.POSTERIOR, flipped=True)):
        one = Scan(scan.counts[:1], (view,), None)
        found[view] = corners(picture_of(tmp_path / "p.png", one, np.zeros(one.counts.shape, np.uint8)))
    (right, left), posterior, mirrored = found.values()
    np.testing.assert_array_equal(posterior[0], left)
    np.testing.assert_array_equal(posterior[1], right)
    np.testing.assert_array_equal(mirrored[0], left)
    # An R has more ink than an L.
    assert (right < 255).sum() > (left < 255).sum()


def test_it_is_no_mask_and_replaces_what_was_there_whole_or_not_at_all(
    tmp_path: Path, scan: Scan, regions: np.ndarray
) -> None:
    path = tmp_path / "p.png"
    path.write_bytes(b"what was there")
    write_bytes_atomically(path, encode_preview(scan, regions))
    with pytest.raises(Refusal, match=r"^p\.png: The image is in colour"):
        read_mask(path)
    before = path.read_bytes()
    with pytest.raises(CannotWrite, match="could not be written"):
        write_bytes_atomically(tmp_path / "missing" / "p.png", encode_preview(scan, regions))
    assert (path.read_bytes(), sorted(each.name for each in tmp_path.iterdir())) == (before, ["p.png"])
