from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_bonescint.corrections.selection import select
from napari_bonescint.corrections.store.keys import keys_of
from napari_bonescint.corrections.store.label_store import LabelStore
from napari_bonescint.corrections.store.manifest import manifest_sha256
from napari_bonescint.corrections.store.patient_split import Part, part_of_patient
from napari_bonescint.corrections.store.records.revision import Origin
from napari_bonescint.formats.dicom.identity import Identity

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
    (chosen,) = selection.scans
    assert (chosen.case, chosen.revision, chosen.names_regions) == (case, 2, True)
    kept, regions = chosen.read()
    np.testing.assert_array_equal(kept.counts, scan.counts)
    assert set(np.unique(regions)) == {0, 4, 5}
    assert selection.left_out == []


def test_a_patient_is_in_one_part_for_ever(store: LabelStore, scan: Scan, mask: NDArray[np.uint8]) -> None:
    for number in range(24):
        save(store, add(store, scan, number, f"patient {number // 3}"), mask)
    selection = select([store])
    assert len(selection.scans) == 24
    of_part = {
        Part.TRAINED: selection.training,
        Part.VALIDATING: selection.validation,
        Part.JUDGED: selection.held_out,
    }
    patients = {part: {each.patient_key for each in scans} for part, scans in of_part.items()}
    assert sum(map(len, patients.values())) == len(set().union(*patients.values())) == 8
    assert all(part_of_patient(key) is part for part, keys in patients.items() for key in keys)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda mask: mask * 0, "Revision 1 shows no bone in the anterior view."),
        (lambda mask: mask * np.array([1, 0], np.uint8)[:, None, None], "Revision 1 shows no bone in the posterior"),
        (lambda mask: np.full_like(mask, 3), "Revision 1 labels all of the anterior view as bone."),
        (lambda mask: (mask > 0).astype(np.uint8), "has a single name everywhere"),
    ],
)
def test_a_mask_that_teaches_nothing_is_left_out(
    store: LabelStore, scan: Scan, mask: NDArray[np.uint8], change, why: str
) -> None:
    case = add(store, scan, 0)
    save(store, case, change(mask))
    selection = select([store])
    assert selection.scans == []
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
    assert [each.case for each in selection.scans] == [whole]
    reasons = dict(selection.left_out)
    assert set(reasons) == {damaged, resized, unfinished}
    assert untouched not in reasons
    assert all("0001.tif: is damaged" in reasons[case] for case in (damaged, resized))
    assert str(store.folder) not in reasons[damaged]
    assert reasons[unfinished] == "No revision is reviewed; save it as reviewed once it is finished."


@pytest.mark.parametrize(
    ("kept", "dropped", "why"),
    [
        (Part.JUDGED, Part.TRAINED, "The same patient is held out for judging, under another key or in another store."),
        (
            Part.JUDGED,
            Part.VALIDATING,
            "The same patient is held out for judging, under another key or in another store.",
        ),
        (Part.VALIDATING, Part.TRAINED, "The same patient validates, under another key or in another store."),
    ],
)
def test_a_patient_of_two_stores_is_used_in_one_part_alone(
    tmp_path: Path, scan: Scan, mask: NDArray[np.uint8], kept: Part, dropped: Part, why: str
) -> None:
    stores = {part: LabelStore.create(tmp_path / part) for part in (kept, dropped)}
    # The secret of each store decides what a patient is for in it.
    patients = {part: patient_of(store, scan, part) for part, store in stores.items()}
    common = {part: add(store, scan, 0, patients[part]) for part, store in stores.items()}
    other = add(stores[dropped], scan, 1, patients[dropped])
    for part, store in stores.items():
        save(store, common[part], mask)
    save(stores[dropped], other, mask)
    assert len(select([stores[dropped]]).scans) == 2
    selection = select([*stores.values(), stores[kept]])
    # Another scan of the patient is no more to be learnt from than the one by which the patient is known.
    assert [each.case for each in selection.scans] == [common[kept]]
    assert set(selection.left_out) == {(common[dropped], why), (other, why)}


def patient_of(store: LabelStore, scan: Scan, part: Part) -> str:
    """A patient who is for something in a store."""
    secret = (store.folder / "secret").read_bytes()
    names = (f"patient {number}" for number in range(1000))
    return next(name for name in names if part_of_patient(keys_of(secret, scan, Identity(name)).patient) is part)


def test_the_manifest_tells_what_was_used_and_nobody_by_name(
    store: LabelStore, scan: Scan, mask: NDArray[np.uint8]
) -> None:
    save(store, add(store, scan, 0, "Doe^Jane"), mask)
    before = select([store])
    assert select([LabelStore.open(store.folder)]).sha256 == before.sha256
    assert before.manifest()["stores"] == [manifest_sha256(store)]
    text = str(before.manifest())
    assert "Doe" not in text
    assert "Ada" not in text
    assert str(store.folder) not in text
    save(store, add(store, scan, 1), mask)
    assert select([store]).sha256 != before.sha256
