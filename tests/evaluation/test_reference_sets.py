from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from napari_bonescint.evaluation.reference_sets import ExternalSet, ReferenceSetError, simulated_sets
from napari_bonescint.formats.masks.label_tiff import write_labels
from napari_bonescint.scan import ViewName
from napari_bonescint.simulation.splits import case_path

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari_bonescint.evaluation.reference_sets import Reference
    from napari_bonescint.simulation.case import Case

INDEX = "stem,file,views,spacing_mm\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "ward"
    folder.mkdir()
    return folder


@pytest.fixture
def external(folder: Path) -> Path:
    """One posterior picture with its reference."""
    rng = np.random.default_rng(2)
    Image.fromarray(rng.integers(1, 200, (64, 32), np.uint8)).save(folder / "back.png")
    write_labels(folder / "p1.reference.tif", np.full((1, 64, 32), 3, np.uint8), None)
    (folder / "index.csv").write_text(f"{INDEX}p1,back.png,posterior,2.5\n", encoding="utf-8")
    return folder


def read_whole(folder: Path) -> tuple[str, list[Reference]]:
    references = ExternalSet.read(folder)
    return references.sha256(), list(references)


def test_cases_are_sorted_by_their_seeds(folder: Path, case: Case) -> None:
    for seed in (2000, 3000, 3001, 100_000, 100_010):
        case.save(case_path(folder, seed))
    sets = {each.name: [path.name for path in each.paths] for each in simulated_sets([folder])}
    # 100010 is trained on, but not among the ten that are scored; the test bodies are counted in a second way too.
    assert sets == {
        "training": ["case_100000.npz"],
        "validation": ["case_002000.npz"],
        "test": ["case_003000.npz", "case_003001.npz"],
        "nm1-like": ["case_003000.npz", "case_003001.npz"],
    }


def test_other_seeds_make_a_set_named_as_their_folder(folder: Path, case: Case) -> None:
    case.save(case_path(folder, 5))
    (other,) = simulated_sets([folder])
    assert (other.name, len(other)) == ("ward", 1)
    ((scan, regions, *_),) = other
    np.testing.assert_array_equal(regions, case.regions)
    assert scan.spacing == (2.0, 2.0)
    assert other.origin == "simulated, seeds 5 to 5, 0.4 to 6 million counts"


@pytest.mark.parametrize("seeds", [[], [100_010]])
def test_a_folder_without_a_case_to_score_is_refused(folder: Path, case: Case, seeds: list[int]) -> None:
    for seed in seeds:
        case.save(case_path(folder, seed))
    with pytest.raises(ReferenceSetError, match="ward: holds no cases to score on"):
        simulated_sets([folder])


def test_the_hash_follows_the_content_and_the_counting(folder: Path, case: Case) -> None:
    case.save(case_path(folder, 3000))
    test, nm1_like = simulated_sets([folder])
    assert test.sha256() != nm1_like.sha256()
    before = test.sha256()
    assert simulated_sets([folder])[0].sha256() == before
    case_path(folder, 3000).write_bytes(b"other")
    assert test.sha256() != before


def test_an_external_set_is_read_as_its_index_says(external: Path) -> None:
    references = ExternalSet.read(external)
    ((scan, regions, *_),) = references
    assert (references.name, len(references), references.is_simulated) == ("ward", 1, False)
    assert [view.name for view in scan.views] == [ViewName.POSTERIOR]
    assert scan.spacing == (2.5, 2.5)
    assert regions.shape == scan.counts.shape == (1, 64, 32)


def test_what_a_file_says_itself_stays(write_nm: Callable[..., Path], folder: Path) -> None:
    write_nm("ward/scan.dcm")
    write_labels(folder / "scan.reference.tif", np.ones((2, 64, 32), np.uint8), None)
    (folder / "index.csv").write_text(f"{INDEX}scan,scan.dcm,anterior+posterior,2.4\n", encoding="utf-8")
    ((scan, *_),) = ExternalSet.read(folder)
    assert [view.name for view in scan.views] == [ViewName.ANTERIOR, ViewName.POSTERIOR]
    assert scan.spacing == (2.4, 2.2)


@pytest.mark.parametrize(
    ("index", "message"),
    [
        (None, r"index\.csv: cannot be read"),
        (INDEX, r"index\.csv: lists no scans"),
        ("stem,file,views\np1,back.png,posterior\n", r"index\.csv: lacks the column spacing_mm"),
        (f"{INDEX}p1,back.png,sideways,2.5\n", r"index\.csv: p1: 'sideways' is not a valid ViewName"),
        (f"{INDEX}p1,back.png,posterior,wide\n", r"index\.csv: p1: could not convert string to float"),
        (f"{INDEX}p2,back.png,posterior,2.5\n", r"p2\.reference\.tif: "),
        (f"{INDEX}p1,../back.png,posterior,2.5\n", r"'\.\./back\.png' is no name of a file"),
        (f"{INDEX}/etc/p1,back.png,posterior,2.5\n", r"'/etc/p1\.reference\.tif' is no name of a file"),
        (f"{INDEX}p1,back.png\n", r"index\.csv: p1: '' is not a valid ViewName"),
    ],
)
def test_an_index_that_is_wrong_is_refused(external: Path, index: str | None, message: str) -> None:
    if index is None:
        (external / "index.csv").unlink()
    else:
        (external / "index.csv").write_text(index, encoding="utf-8")
    with pytest.raises(ReferenceSetError, match=message):
        read_whole(external)


def test_a_reference_of_another_size_is_refused(external: Path) -> None:
    write_labels(external / "p1.reference.tif", np.ones((2, 64, 32), np.uint8), None)
    with pytest.raises(ReferenceSetError, match=r"p1\.reference\.tif: has the shape .* its scan"):
        list(ExternalSet.read(external))
