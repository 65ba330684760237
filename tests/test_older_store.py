"""A label store that an earlier version wrote stays readable, unchanged and trainable.

`store_with_plain_hashes.zip` was filled by the version of 29 November 2026, the last one that kept a plain hash of each
image: eight cases of eight patients, two with a prediction, six with a reviewed revision, one with another one, and one
with a draft.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from napari_bonescint.cli import main
from napari_bonescint.corrections.selection import select
from napari_bonescint.corrections.store.check import check_store
from napari_bonescint.corrections.store.drafts import Drafts
from napari_bonescint.corrections.store.files.plane_files import planes_sha256
from napari_bonescint.corrections.store.label_store import LabelStore
from napari_bonescint.corrections.store.records.revision import Origin
from napari_bonescint.inference.model_card import read_card

RECIPE = """
name = "older"
description = "For tests"
architecture = "fdn-5"
outputs = 17
grid_mm = 18.0
rows = 32
columns = 24
batch = 2
keep_phases = [4]
learning_rate = 0.003
warm_up = 1
steps = 2
dice_weight = 0.5
average = 0.9
seed = 1
"""


@pytest.fixture
def older(tmp_path: Path) -> Path:
    with zipfile.ZipFile(Path(__file__).with_name("store_with_plain_hashes.zip")) as archive:
        archive.extractall(tmp_path / "older")
    return tmp_path / "older"


def files_in(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_all_of_it_is_read_and_none_of_it_changed(older: Path) -> None:
    before = files_in(older)
    store = LabelStore.open(older)
    found = check_store(store, lambda _fraction: None)
    assert (found.cases, found.revisions, found.predictions, found.drafts, found.damage) == (8, 7, 2, 1, [])
    cases = store.keys()
    for case in cases:
        scan = store.scan(case)
        assert (scan.counts.shape, scan.spacing) == ((2, 48, 24), (20.0, 18.0))
        assert store.image_sha256(case) == planes_sha256(scan.counts)
        for revision in store.revisions(case):
            assert set(np.unique(store.regions(case, revision.number))) == {0, 1, 3, 14}
    assert [store.prediction(case) is None for case in cases].count(False) == 2
    assert len(Drafts(store).waiting("Ada")) == 1
    selection = select([store])
    assert sum(map(len, (selection.training, selection.held_out))) >= 4
    assert [why for _, why in selection.left_out if "damaged" in why] == []
    assert files_in(older) == before


def test_new_revisions_of_old_cases_are_learnt_from_and_the_files_that_were_there_stay(older: Path) -> None:
    before = files_in(older)
    store = LabelStore.open(older)
    case = next(summary.key for summary in store.cases() if not store.revisions(summary.key))
    draft = Drafts(store).find(case, "Ada")
    assert draft is not None
    store.save(case, draft.regions, Origin.empty(), annotator="Ada", reviewed=True)
    assert case not in dict(select([store]).left_out)
    assert check_store(store, lambda _fraction: None).damage == []
    assert before.items() <= files_in(older).items()


def test_it_is_trained_on(older: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "older.toml"
    recipe.write_text(RECIPE)
    words = ["train", recipe, "--store", older, "--runs", tmp_path / "runs", "--device", "cpu", "--workers", "0"]
    assert main(list(map(str, words))) == 0
    assert read_card(tmp_path / "runs" / "older" / "older.json").training["steps_done"] == 2
