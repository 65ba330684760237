"""Two stores become one: nothing is lost, and nobody who was trained on judges."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from judged import bar_scan
from napari_bonescint.corrections.errors import StoreError
from napari_bonescint.corrections.selection import select
from napari_bonescint.corrections.store.check import check_store
from napari_bonescint.corrections.store.folder import read_secrets
from napari_bonescint.corrections.store.keys import keys_of
from napari_bonescint.corrections.store.label_store import LabelStore
from napari_bonescint.corrections.store.merging import Clue, Person, merge
from napari_bonescint.corrections.store.patient_split import Part, part_of_patient
from napari_bonescint.corrections.store.records.revision import Origin
from napari_bonescint.formats.dicom.identity import Identity

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def one(tmp_path: Path) -> LabelStore:
    return LabelStore.create(tmp_path / "one")


@pytest.fixture
def other(tmp_path: Path) -> LabelStore:
    return LabelStore.create(tmp_path / "other")


def add(store: LabelStore, seed: int, identity: Identity) -> str:
    """A reviewed scan of a file of its own; its key."""
    scan, regions = bar_scan(seed)
    regions[:, 84, 20:26] = 4
    case = store.add(replace(scan, source_sha256=f"{seed}"), identity)
    if not store.revisions(case):
        store.save(case, regions, Origin.empty(), annotator="Ada", reviewed=True)
    return case


def people(one: Part, other: Part, first: LabelStore, second: LabelStore) -> Iterator[str]:
    """Patient IDs of people who are for one thing in a store and for another thing in the second."""
    scan, _ = bar_scan(0)
    for number in range(10_000):
        identity = Identity(f"P{number + 1}")
        parts = [
            part_of_patient(keys_of(read_secrets(store.folder)[0], scan, identity).patient) for store in (first, second)
        ]
        if parts == [one, other]:
            yield f"P{number + 1}"


def part_of(store: LabelStore, case: str) -> Part:
    return store.patients().part(store.files(case).facts().patient_key)


def person_of(store: LabelStore, case: str) -> str:
    return store.patients().person(store.files(case).facts().patient_key)


def test_all_is_taken_over_and_every_patient_stays_what_he_was_for(one: LabelStore, other: LabelStore) -> None:
    add(one, 0, Identity("A"))
    theirs = [add(other, seed, Identity(f"B{seed}")) for seed in range(1, 9)]
    other.save(theirs[0], other.regions(theirs[0], 1), Origin.of_revision(1), annotator="Bo", reviewed=False)
    before = {case: part_of(other, case) for case in theirs}
    content = {path: path.read_bytes() for path in other.folder.rglob("*") if path.is_file()}
    merged = merge(one, other)
    assert (merged.copied, merged.there, merged.in_both, merged.damaged) == (8, 0, 0, [])
    for case in theirs:
        np.testing.assert_array_equal(one.scan(case).counts, other.scan(case).counts)
        np.testing.assert_array_equal(one.regions(case, 1), other.regions(case, 1))
        assert part_of(one, case) is before[case]
    assert [each.annotator for each in one.revisions(theirs[0])] == ["Ada", "Bo"]
    assert check_store(one, lambda _: None).damage == []
    assert len(select([one]).scans) == 9
    assert all(path.read_bytes() == data for path, data in content.items())


def test_a_new_scan_is_recognised_under_the_secret_of_either(one: LabelStore, other: LabelStore) -> None:
    ours, theirs = add(one, 0, Identity("North\nA7")), add(other, 1, Identity("North\nB7"))
    merge(one, other)
    again = LabelStore.open(one.folder)
    assert add(again, 1, Identity("North\nB7")) == theirs
    for seed, identity, known in ((2, Identity("\nb-07"), theirs), (3, Identity("a 7"), ours)):
        case = add(again, seed, identity)
        assert person_of(again, case) == person_of(again, known)
        assert part_of(again, case) is part_of(again, known)
    again.image_sha256(theirs)


@pytest.mark.parametrize("parts", [(Part.TRAINED, Part.JUDGED), (Part.JUDGED, Part.TRAINED)])
@pytest.mark.parametrize("told_by", ["a scan", "files", "a table", "keys"])
def test_who_is_in_both_and_was_ever_trained_on_is_never_judged(
    one: LabelStore, other: LabelStore, parts: tuple[Part, Part], told_by: str
) -> None:
    number = next(people(*parts, one, other))
    ours, theirs = add(one, 0, Identity(number)), add(other, 1, Identity(number))
    assert (part_of(one, ours), part_of(other, theirs)) == parts
    known: list[Person] = []
    if told_by == "a scan":
        add(other, 0, Identity(number))
    elif told_by == "files":
        known = [Person((Clue(Identity(f"South\n{number.lower()}"), "0"),)), Person((Clue(Identity(number), "1"),))]
    elif told_by == "a table":
        known = [Person(identities=(Identity(number),))]
    else:
        known = [Person(keys=frozenset(store.cases()[0].patient_key for store in (one, other)))]
    merged = merge(one, other, known)
    assert (merged.in_both, merged.unknown) == (1, 0)
    assert person_of(one, ours) == person_of(one, theirs)
    assert part_of(one, ours) is part_of(one, theirs) is Part.TRAINED
    assert not select([one]).held_out


def test_of_whom_it_cannot_be_told_is_counted_until_it_can(one: LabelStore, other: LabelStore) -> None:
    number = next(people(Part.TRAINED, Part.JUDGED, one, other))
    ours, theirs = add(one, 0, Identity(number)), add(other, 1, Identity(number))
    add(other, 2, Identity("somebody else"))
    assert merge(one, other).unknown == 2
    assert part_of(one, theirs) is Part.JUDGED
    clues = [Person((Clue(Identity(name), sha256),)) for name, sha256 in ((number, "1"), ("somebody else", "2"))]
    merged = merge(one, other, clues)
    assert (merged.copied, merged.there, merged.in_both, merged.unknown) == (0, 2, 1, 0)
    assert part_of(one, theirs) is part_of(one, ours) is Part.TRAINED


def test_two_copies_of_one_store_come_together_again(one: LabelStore, tmp_path: Path) -> None:
    case = add(one, 0, Identity("A"))
    shutil.copytree(one.folder, tmp_path / "copy")
    copy = LabelStore.open(tmp_path / "copy")
    new = add(copy, 1, Identity("A"))
    one.save(case, one.regions(case, 1), Origin.of_revision(1), annotator="Cy", reviewed=False)
    copy.save(
        case,
        np.where(copy.regions(case, 1) == 4, 0, 3).astype("u1"),
        Origin.of_revision(1),
        annotator="Bo",
        reviewed=True,
    )
    copy.save(case, copy.regions(case, 2), Origin.of_revision(2), annotator="Bo", reviewed=True, comment="feet")
    merged = merge(one, copy)
    assert (merged.copied, merged.there, merged.revisions, merged.unknown) == (1, 1, 2, 0)
    revisions = one.revisions(case)
    assert [(each.annotator, each.origin.revision) for each in revisions] == [
        ("Ada", None),
        ("Cy", 1),
        ("Bo", 1),
        ("Bo", 3),
    ]
    np.testing.assert_array_equal(one.regions(case, 3), copy.regions(case, 2))
    assert person_of(one, new) == person_of(one, case)
    assert merge(one, copy).revisions == 0
    assert len(read_secrets(one.folder)) == 1


def test_a_third_store_brings_what_it_took_in_itself(one: LabelStore, other: LabelStore, tmp_path: Path) -> None:
    third = LabelStore.create(tmp_path / "third")
    number = next(people(Part.TRAINED, Part.JUDGED, one, other))
    add(one, 0, Identity(number))
    theirs = add(other, 1, Identity(number))
    merge(one, other, [Person(identities=(Identity(number),))])
    merge(third, one)
    assert part_of(third, theirs) is Part.TRAINED
    assert read_secrets(third.folder)[1:] == read_secrets(one.folder)
    assert person_of(third, add(third, 2, Identity(number))) == person_of(third, theirs)


def test_a_damaged_case_is_named_and_the_others_are_taken(one: LabelStore, other: LabelStore) -> None:
    cases = [add(other, seed, Identity(f"B{seed}")) for seed in range(3)]
    (other.folder / "cases" / cases[1] / "case.json").write_text("{}")
    merged = merge(one, other)
    assert sorted(one.keys()) == sorted({*cases} - {cases[1]})
    (told,) = merged.damaged
    assert cases[1] in told


def test_what_cannot_be_merged_is_told(one: LabelStore, other: LabelStore) -> None:
    with pytest.raises(StoreError, match="is the same store"):
        merge(one, LabelStore.open(one.folder))
    (other.folder / "secret").unlink()
    with pytest.raises(StoreError, match="secret: is missing"):
        merge(one, other)
