"""One picture and its mask, by several programs, through the commands: the same bones, and the same revision."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from dicom_files import some_counts
from napari_bonescint.cli import main
from napari_bonescint.corrections.store.label_store import LabelStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_bonescint.inference.model_card import ModelCard

ORIENTATION = 274
MASK = np.random.default_rng(8).integers(0, 17, (2, 64, 32)).astype(np.uint8)


def one_by_one(path: Path, planes: NDArray[Any]) -> None:
    with tifffile.TiffWriter(path) as tiff:
        for plane in planes:
            tiff.write(plane, photometric="minisblack", compression="lzw", predictor=True)


def by_imagej(path: Path, planes: NDArray[Any]) -> None:
    tifffile.imwrite(path, planes, imagej=True, truncate=True)


def by_pillow(path: Path, planes: NDArray[Any]) -> None:
    first, second = (Image.fromarray(plane) for plane in planes)
    first.save(path, save_all=True, append_images=[second], compression="packbits", dpi=(72, 72))


def as_ome(path: Path, planes: NDArray[Any]) -> None:
    tifffile.imwrite(path, planes, ome=True, photometric="minisblack", compression="zstd", metadata={"axes": "CYX"})


def on_its_side(path: Path, planes: NDArray[Any]) -> None:
    stored = np.ascontiguousarray(np.rot90(planes, axes=(1, 2)))
    tifffile.imwrite(path, stored, photometric="minisblack", extratags=[(ORIENTATION, "H", 1, 6, False)])


WRITERS = {"lzw": one_by_one, "imagej": by_imagej, "pillow": by_pillow, "ome": as_ome, "side": on_its_side}


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    paths = []
    for name, write in WRITERS.items():
        paths.append(tmp_path / f"{name}.tif")
        write(paths[-1], some_counts(2).astype(np.uint8))
    return paths


def test_the_bones_are_the_same_whichever_program_wrote_the_picture(
    pictures: list[Path], make_model: Callable[..., ModelCard], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, model = tmp_path / "out", str(make_model().weights_path)
    words = [*map(str, pictures), "--out", str(out), "--model", model, "--device", "cpu"]
    assert main(["segment", *words]) == 0
    regions = [tifffile.imread(out / f"{path.stem}.regions.tif") for path in pictures]
    assert regions[0].shape == (2, 64, 32)
    assert regions[0].any()
    for each in regions[1:]:
        np.testing.assert_array_equal(each, regions[0])
    facts = {path.stem: json.loads((out / f"{path.stem}.json").read_text(encoding="utf-8")) for path in pictures}
    assert {name: fact["spacing_mm"] for name, fact in facts.items()} == dict.fromkeys(WRITERS)
    told = "The image is stored turned (orientation 6); it was read upright."
    assert [name for name, fact in facts.items() if told in fact["warnings"]] == ["side"]
    assert f"warning: {pictures[-1]}: {told}" in capsys.readouterr().err.splitlines()


def test_a_mask_is_the_same_revision_whichever_program_wrote_it(
    pictures: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels, source = str(tmp_path / "labels"), pictures[0]
    assert main(["store", "create", labels]) == main(["store", "add", labels, str(source)]) == 0
    for name, write in WRITERS.items():
        write(tmp_path / f"{name}.regions.tif", MASK)
        mask = str(tmp_path / f"{name}.regions.tif")
        assert main(["store", "import", labels, mask, "--source", str(source), "--annotator", "Ada"]) == 0
    store = LabelStore.open(tmp_path / "labels")
    (case,) = store.keys()
    # What is there already is no second revision.
    assert [revision.number for revision in store.revisions(case)] == [1]
    np.testing.assert_array_equal(store.regions(case, 1), MASK)
    said = capsys.readouterr().out.splitlines()
    assert said.count(f"Skipped: revision 1 of case {case} already is this mask.") == len(WRITERS) - 1


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        (np.stack([MASK[0]] * 3, axis=-1), "in colour or transparent; a mask has one grey value"),
        (np.repeat(MASK, 30, axis=0), "The file has 60 pages; a mask has one page for each view"),
        (MASK + 0.5, "numbers that are not whole"),
    ],
)
def test_what_is_no_mask_is_one_sentence(
    what: NDArray[Any], reason: str, pictures: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels, source = str(tmp_path / "labels"), str(pictures[0])
    assert main(["store", "create", labels]) == main(["store", "add", labels, source]) == 0
    tifffile.imwrite(tmp_path / "m.tif", what, photometric="rgb" if what.shape[-1] == 3 else "minisblack")
    capsys.readouterr()
    assert main(["store", "import", labels, str(tmp_path / "m.tif"), "--source", source, "--annotator", "Ada"]) == 1
    (sentence,) = capsys.readouterr().err.splitlines()
    assert reason in sentence
    assert "m.tif: The " in sentence
