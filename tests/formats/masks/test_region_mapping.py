from __future__ import annotations

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_bonescint.formats.masks.region_mapping import UnmappedLabels, read_region_mapping
from napari_bonescint.formats.masks.registry import read_mask
from napari_bonescint.formats.safe_reading.refusal import Refusal


@pytest.fixture
def write(tmp_path):
    def write(text: str):
        path = tmp_path / "map.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_labels_of_another_program(write, tmp_path):
    labels = np.array([[0, 300], [7, 20]], np.uint16).repeat(16, 0).repeat(16, 1)
    tifffile.imwrite(tmp_path / "a.tif", labels)
    Image.fromarray(labels).save(tmp_path / "a.png")
    mapping = read_region_mapping(write("label;region\n300;Lumbar spine\n7;background\n20;skull\n"))
    for name in ("a.tif", "a.png"):
        mask = read_mask(tmp_path / name, mapping)
        assert mask.names_regions
        np.testing.assert_array_equal(mask.regions[0], np.select([labels == 300, labels == 20], [4, 1]))


def test_mere_bone(write, tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.array([[0, 255]], np.uint8).repeat(16, 0).repeat(16, 1))
    mask = read_mask(tmp_path / "a.tif", read_region_mapping(write("label,region\n255,bone\n")))
    assert not mask.names_regions
    assert set(np.unique(mask.regions)) == {0, 1}


def test_labels_without_a_meaning_are_named(write, tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.array([[0, 21], [22, 1]], np.uint8))
    with pytest.raises(UnmappedLabels, match=r"^a\.tif: map\.csv names no region for .*: 21, 22\.$"):
        read_mask(tmp_path / "a.tif", read_region_mapping(write("label,region\n1,skull\n")))
    with pytest.raises(UnmappedLabels, match=r"^a\.tif: .*up to 22"):
        read_mask(tmp_path / "a.tif")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("value,region\n1,skull\n", "The column label is missing; the first row must name it"),
        ("label,region\n1,nose\n", "nose is no region"),
        ("label,region\n1,skull\n1,ribs\n", "twice"),
        ("label,region\n1,skull,2\n", "Row 2 has 3 cells and the first row 2"),
    ],
)
def test_what_is_no_mapping(text, reason, write):
    with pytest.raises(Refusal, match=rf"^map\.csv: .*{reason}"):
        read_region_mapping(write(text))


def test_a_table_larger_than_any_is_refused(tmp_path):
    path = tmp_path / "map.csv"
    path.write_bytes(b"label,region\n" + b"1,skull\n" * 2**20 + b"2,pelvis\n")
    with pytest.raises(Refusal, match=r"^map\.csv: The file is larger than 8 MB, so it is no table"):
        read_region_mapping(path)
