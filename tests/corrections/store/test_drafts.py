"""Unsaved work outlives the process, each annotator's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_bonescint.corrections.errors import Damaged
from napari_bonescint.corrections.store.drafts import Drafts, read_draft
from napari_bonescint.corrections.store.files.checksummed_json import seal
from napari_bonescint.corrections.store.files.plane_files import planes_sha256
from napari_bonescint.corrections.store.label_store import LabelStore
from napari_bonescint.corrections.store.records.revision import Origin
from napari_bonescint.files.atomic import CannotWrite

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    MakeRegions = Callable[[int], np.ndarray]


def test_a_draft_is_found_by_the_next_process(store: LabelStore, case: str, some_regions: MakeRegions) -> None:
    Drafts(store).save(case, "Ada", some_regions(1), Origin.of_revision(4))
    draft = Drafts(LabelStore.open(store.folder)).find(case, "Ada")
    assert draft is not None
    assert (draft.case, draft.annotator, draft.origin) == (case, "Ada", Origin.of_revision(4))
    np.testing.assert_array_equal(draft.regions, some_regions(1))


def test_the_last_draft_counts_and_becomes_no_revision(store: LabelStore, case: str, some_regions: MakeRegions) -> None:
    drafts = Drafts(store)
    for seed in (1, 2):
        drafts.save(case, "Ada", some_regions(seed), Origin.empty())
    (draft,) = drafts.waiting("Ada")
    np.testing.assert_array_equal(draft.regions, some_regions(2))
    assert store.revisions(case) == []


def test_each_annotator_has_drafts_of_their_own(store: LabelStore, case: str, some_regions: MakeRegions) -> None:
    drafts = Drafts(store)
    names = ["Ada", "ada", "Bea / Ward 7: ?*", "Çağrı", "x" * 300]
    for seed, name in enumerate(names):
        drafts.save(case, name, some_regions(seed), Origin.empty())
    for seed, name in enumerate(names):
        (draft,) = drafts.waiting(name)
        assert draft.annotator == name
        np.testing.assert_array_equal(draft.regions, some_regions(seed))
    assert drafts.waiting("Nobody") == []


def test_a_discarded_draft_is_gone(store: LabelStore, case: str, some_regions: MakeRegions) -> None:
    drafts = Drafts(store)
    drafts.discard(case, "Ada")
    drafts.save(case, "Ada", some_regions(1), Origin.empty())
    drafts.discard(case, "Ada")
    assert drafts.find(case, "Ada") is None


@pytest.mark.parametrize("keep", [0, 1, 100, -1])
def test_a_damaged_draft_hides_no_other(store: LabelStore, case: str, some_regions: MakeRegions, keep: int) -> None:
    drafts = Drafts(store)
    drafts.save(case, "Ada", some_regions(1), Origin.empty())
    (path,) = (store.folder / "drafts").iterdir()
    drafts.save("0" * 16, "Ada", some_regions(2), Origin.empty())
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(Damaged, match=rf"{path.name}: is "):
        drafts.find(case, "Ada")
    assert [draft.case for draft in drafts.waiting("Ada")] == ["0" * 16]


def test_a_store_that_is_gone_is_one_sentence(store: LabelStore, case: str, some_regions: MakeRegions) -> None:
    store.folder.rename(store.folder.with_name("away"))
    with pytest.raises(CannotWrite, match=r"could not be written \(No such file or directory\)\.$"):
        Drafts(store).save(case, "Ada", some_regions(1), Origin.empty())


@pytest.mark.parametrize(
    "change",
    [
        {"regions": np.zeros((2, 3), np.uint8)},
        {"regions": np.zeros((1, 2, 3), np.int64)},
        {"facts": {"case": 5}},
        {"facts": {"origin": {"kind": "dream"}}},
        {"facts": {"origin": []}},
        {"facts": {"annotator": None}},
        {"regions": np.zeros((1, 2**15, 2**14), np.uint8)},
    ],
)
def test_a_draft_of_other_kinds_is_damaged_and_a_huge_one_is_not_unpacked(
    tmp_path: Path, change: dict[str, object]
) -> None:
    regions = change.get("regions", np.zeros((1, 2, 3), np.uint8))
    facts = {
        "case": "0" * 16,
        "annotator": "Ada",
        "when": "now",
        "origin": Origin.empty().as_facts(),
        "mask_sha256": planes_sha256(regions),
        **change.get("facts", {}),
    }
    path = tmp_path / "draft.npz"
    np.savez_compressed(path, regions=regions, facts=np.frombuffer(seal(facts), np.uint8))
    with pytest.raises(Damaged, match=r"draft\.npz: is"):
        read_draft(path)


def test_drafts_of_others_are_found_the_oldest_first_and_damaged_ones_are_left_out(
    store: LabelStore, case: str, some_regions: Callable[[int], np.ndarray]
) -> None:
    drafts = Drafts(store)
    for annotator in ("CD", "AB", "EF"):
        drafts.save(case, annotator, some_regions(1), Origin.empty())
    assert sorted(draft.annotator for draft in drafts.of_others(case, "AB")) == ["CD", "EF"]
    assert len(drafts.times(case)) == 3
    next(store.folder.glob("drafts/*")).write_bytes(b"damaged")
    assert len(drafts.of_others(case, "nobody")) == 2
