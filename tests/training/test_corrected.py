from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_bonescint.corrections.label_store import LabelStore
from napari_bonescint.corrections.revision import Origin
from napari_bonescint.formats.identity import Identity
from napari_bonescint.training.corrected import select
from napari_bonescint.training.held_out import is_held_out

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_bonescint.scan import Scan


@pytest.fixture
def store(tmp_path: Path) -> LabelStore:
    return LabelStore.create(tmp_path / "store")


@pytest.fixture
def mask(scan: Scan) -> NDArray[np.uint8]:
    """Two bones in both views."""
    regions = np.zeros(scan.counts.shape, np.uint8)
    regions[:, 20:60, 25:40], regions[:, 60:110, 25:40] = 3, 4
    return regions


def add(store: LabelStore, scan: Scan, number: int, patient: str | None = None) -> str:
    """Another scan for each number."""
    identity = Identity(patient=patient) if patient else None
    return store.add(replace(scan, counts=scan.counts + np.uint16(number)), identity)


def save(store: LabelStore, case: str, mask: NDArray[np.uint8], *, reviewed: bool = True, named: bool = True) -> None:
    store.save(case, mask, Origin.empty(), annotator="Ada", reviewed=reviewed, names_regions=named)


def test_the_latest_reviewed_revision_is_taken(store: LabelStore, scan: Scan, mask: NDArray[np.uint8]) -> None:
    case = add(store, scan, 0)
    save(store, case, mask)
    save(store, case, np.where(mask == 3, 5, mask).astype(np.uint8))
    save(store, case, np.where(mask == 3, 6, mask).astype(np.uint8), reviewed=False)
    selection = select([store])
    (chosen,) = selection.training + selection.held_out
    assert (chosen.case, chosen.revision, chosen.names_regions) == (case, 2, True)
    kept, regions = chosen.read()
    np.testing.assert_array_equal(kept.counts, scan.counts)
    assert set(np.unique(regions)) == {0, 4, 5}
    assert selection.left_out == []


def test_a_patient_is_on_one_side_for_ever(store: LabelStore, scan: Scan, mask: NDArray[np.uint8]) -> None:
    for number in range(24):
        save(store, add(store, scan, number, f"patient {number // 3}"), mask)
    selection = select([store])
    training, held_out = ({each.patient_key for each in scans} for scans in (selection.training, selection.held_out))
    assert len(selection.training) + len(selection.held_out) == 24
    assert len(training | held_out) == 8
    assert held_out == {key for key in training | held_out if is_held_out(key)}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda mask: mask * 0, "Revision 1 shows no bone in the anterior view."),
        (lambda mask: mask * np.array([1, 0], np.uint8)[:, None, None], "Revision 1 shows no bone in the posterior"),
        (lambda mask: np.full_like(mask, 3), "Revision 1 calls all of the anterior view bone."),
        (lambda mask: (mask > 0).astype(np.uint8), "names a single one everywhere"),
    ],
)
def test_a_mask_that_teaches_nothing_is_left_out(
    store: LabelStore, scan: Scan, mask: NDArray[np.uint8], change, why: str
) -> None:
    case = add(store, scan, 0)
    save(store, case, change(mask))
    selection = select([store])
    assert selection.training == selection.held_out == []
    ((key, reason),) = selection.left_out
    assert key == case
    assert why in reason


def test_what_is_damaged_or_unfinished_is_named_and_the_rest_is_used(
    store: LabelStore, scan: Scan, mask: NDArray[np.uint8]
) -> None:
    whole, damaged, resized, unfinished, untouched = (add(store, scan, number) for number in range(5))
    for case in (whole, damaged, resized):
        save(store, case, mask)
    save(store, unfinished, mask, reviewed=False)
    revisions = store.folder / "cases"
    (revisions / damaged / "revisions" / "0001.tif").write_bytes(b"II*\0")
    other = LabelStore.create(store.folder.parent / "other")
    smaller = other.add(replace(scan, counts=scan.counts[:, :100]))
    save(other, smaller, mask[:, :100])
    moved = other.folder / "cases" / smaller / "revisions" / "0001.tif"
    moved.replace(revisions / resized / "revisions" / "0001.tif")
    selection = select([store])
    assert [each.case for each in selection.training + selection.held_out] == [whole]
    reasons = dict(selection.left_out)
    assert set(reasons) == {damaged, resized, unfinished}
    assert untouched not in reasons
    assert all("0001.tif: is damaged" in reasons[case] for case in (damaged, resized))
    assert str(store.folder) not in reasons[damaged]
    assert reasons[unfinished] == "No revision is reviewed; save it as reviewed once it is finished."


def test_a_scan_that_another_store_holds_out_is_not_trained_on(
    tmp_path: Path, scan: Scan, mask: NDArray[np.uint8]
) -> None:
    # The secret of each store decides who is held out in it.
    stores: dict[bool, tuple[LabelStore, str]] = {}
    for number in range(200):
        store = LabelStore.create(tmp_path / str(number))
        case = add(store, scan, 0)
        stores.setdefault(is_held_out(store.files(case).facts().patient_key), (store, case))
        if len(stores) == 2:
            break
    (trained, seen), (holding_out, unseen) = stores[False], stores[True]
    save(trained, seen, mask)
    save(holding_out, unseen, mask)
    assert [each.case for each in select([trained]).training] == [seen]
    selection = select([trained, holding_out, trained])
    assert selection.training == []
    assert [each.case for each in selection.held_out] == [unseen]
    assert selection.left_out == [(seen, "The same scan is held out in another of the stores.")]


def test_the_manifest_tells_what_was_used_and_nobody_by_name(
    store: LabelStore, scan: Scan, mask: NDArray[np.uint8]
) -> None:
    save(store, add(store, scan, 0, "Doe^Jane"), mask)
    before = select([store])
    assert select([LabelStore.open(store.folder)]).sha256 == before.sha256
    assert before.manifest()["stores"] == [store.manifest_sha256()]
    text = str(before.manifest())
    assert "Doe" not in text
    assert "Ada" not in text
    assert str(store.folder) not in text
    save(store, add(store, scan, 1), mask)
    assert select([store]).sha256 != before.sha256
