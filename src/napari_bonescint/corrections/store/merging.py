"""Merge label stores: copy the cases, secrets and patients of one store into another.

Keys and the parts of patients stay the same. A patient of both stores is recognised by a scan that both have, by the
files that the scans were added from, or by a table. After an interruption, merge again.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from napari_bonescint.corrections.errors import Damaged, StoreError, reachable, read_bytes
from napari_bonescint.corrections.store.files import append_only
from napari_bonescint.corrections.store.folder import adopt_secrets, read_secrets
from napari_bonescint.corrections.store.index import revisions_of
from napari_bonescint.corrections.store.keys import patient_keys, source_key, study_key
from napari_bonescint.corrections.store.patients import FOLDER, Patients, read_record, records
from napari_bonescint.corrections.store.records.hot_spot_revision import revisions_of_hot_spots
from napari_bonescint.corrections.store.records.revision import Origin
from napari_bonescint.files.atomic import make_folder, write_bytes_atomically

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from pathlib import Path

    from napari_bonescint.corrections.store.case_files import CaseFiles
    from napari_bonescint.corrections.store.label_store import LabelStore
    from napari_bonescint.corrections.store.records.hot_spot_revision import HotSpotRevision
    from napari_bonescint.corrections.store.records.revision import Revision
    from napari_bonescint.formats.dicom.identity import Identity


class Clue(NamedTuple):
    """A file that a scan was added from: the patient's identity in it, and its hash, see `scan.Scan`."""

    identity: Identity
    source_sha256: str


class Person(NamedTuple):
    """A patient as known to the user: files of scans, Patient IDs, and keys in one of the stores."""

    clues: tuple[Clue, ...] = ()
    identities: tuple[Identity, ...] = ()
    keys: frozenset[str] = frozenset()


@dataclass
class Merged:
    """Result of a merge.

    Attributes
    ----------
    copied, there : int
        Number of new cases, and of cases that both stores had under one key.
    revisions : int
        Number of new revisions of existing cases, of their masks or hot spots.
    in_both : int
        Number of patients recognised in both stores.
    unknown : int
        Number of patients of the other store who may be in both.
    damaged : list of str
        A sentence for each damaged case, which was left out.
    """

    copied: int = 0
    there: int = 0
    revisions: int = 0
    in_both: int = 0
    unknown: int = 0
    damaged: list[str] = field(default_factory=list)


def merge(
    store: LabelStore,
    other: LabelStore,
    people: Iterable[Person] = (),
    on_progress: Callable[[float], object] = lambda _fraction: None,
) -> Merged:
    """Copy `other` into `store`; `other` stays as it is.

    Parameters
    ----------
    store, other : LabelStore
    people : iterable of Person
        Patients as known to the user.
    on_progress : callable
        Called with the fraction done, 0 to 1.

    Raises
    ------
    StoreError
        If both are the same store, a secret is missing, or a store cannot be reached.
    CannotWrite
        If the store is full, not writable or gone; another merge continues.
    """
    if store.folder.resolve() == other.folder.resolve():
        raise StoreError(f"{other.folder}: is the same store; give another one to merge into it.")
    secrets_of = {each.folder: read_secrets(each.folder) for each in (store, other)}
    secrets = tuple(dict.fromkeys(secret for each in secrets_of.values() for secret in each))
    own, others = _people(store), _people(other)
    named = [_keys_of(person, (store, other), secrets) for person in people]
    adopt_secrets(store.folder, secrets_of[other.folder])
    _copy_records(other, store)
    patients = store.patients()
    there = own | others
    # Linked before the first case is copied, so that none is trained on as another patient's.
    for keys in [*_with_shared_scans(store, other), *named]:
        if known := keys & there:
            patients.link(known, there)
    merged = Merged()
    one_secret = secrets_of[store.folder][0] == secrets_of[other.folder][0]
    _compare(merged, patients, own, others, {key for keys in named for key in keys}, one_secret=one_secret)
    cases = other.keys()
    for done, case in enumerate(cases):
        on_progress(done / len(cases))
        try:
            _merge_case(other.files(case), store.files(case), merged)
        except Damaged as error:
            merged.damaged.append(str(error))
    # A second merge at the same time may have overwritten the secrets.
    adopt_secrets(store.folder, secrets_of[other.folder])
    return merged


def _people(store: LabelStore) -> set[str]:
    return {case.patient_key for case in store.cases()}


def _keys_of(person: Person, stores: Sequence[LabelStore], secrets: Sequence[bytes]) -> set[str]:
    """All possible keys of a patient in stores with these secrets."""
    keys = set(person.keys)
    for secret in secrets:
        for identity in (*person.identities, *(clue.identity for clue in person.clues)):
            keys |= patient_keys(secret, identity)
            # Scans without a Patient ID have the study's key.
            keys |= {key for key in (study_key(secret, identity),) if key is not None}
        for store in stores:
            cases = (store.files(source_key(secret, clue.source_sha256)) for clue in person.clues)
            for case in cases:
                # A missing or damaged case has no key to add.
                with suppress(Damaged):
                    keys.add(case.facts().patient_key)
    return keys


def _with_shared_scans(store: LabelStore, other: LabelStore) -> list[set[str]]:
    """Keys of patients who have the same scan in both stores."""
    of_image: dict[str, set[str]] = {}
    for case in store.cases():
        of_image.setdefault(store.image_sha256(case.key), set()).add(case.patient_key)
    shared: dict[str, set[str]] = {}
    for case in other.cases():
        image = other.image_sha256(case.key)
        if image in of_image:
            shared.setdefault(image, set(of_image[image])).add(case.patient_key)
    return list(shared.values())


def _compare(
    merged: Merged,
    patients: Patients,
    own: Collection[str],
    others: Collection[str],
    seen: set[str],
    *,
    one_secret: bool,
) -> None:
    """Count the patients of both stores, and those who may be in both."""
    # Patients with the same key in both stores come from an earlier merge, unless both stores have the same secret.
    strangers = {patients.person(key) for key in set(own) - (set() if one_secret else set(others))}
    guests = {patients.person(key) for key in others}
    merged.in_both = len(strangers & guests)
    recognised = {patients.person(key) for key in seen}
    if not one_secret and strangers - recognised:
        merged.unknown = len(guests - strangers - recognised)


def _copy_records(other: LabelStore, store: LabelStore) -> None:
    folder = store.folder / FOLDER
    for path in records(other.folder / FOLDER):
        # A damaged record ends the merge: a patient who was trained on could be judged.
        read_record(path)
        if not (folder / path.name).exists():
            make_folder(folder)
            write_bytes_atomically(folder / path.name, read_bytes(path))


def _merge_case(theirs: CaseFiles, ours: CaseFiles, merged: Merged) -> None:
    """Copy a case, or its new revisions if the store has the case."""
    facts = theirs.facts()
    with reachable(ours.folder):
        there = ours.folder.exists()
    if not there:
        _copy(theirs, ours)
        merged.copied += 1
        return
    if ours.facts().image != facts.image:
        raise Damaged(f"{theirs.folder}: has other counts than the case with this key in {ours.folder.parent.parent}.")
    merged.there += 1
    merged.revisions += _add_revisions(theirs, ours)


def _add_revisions(theirs: CaseFiles, ours: CaseFiles) -> int:
    """Add the revisions of masks and hot spots that a case lacks; returns their number."""
    known = {_content(each): each.number for each in revisions_of(ours).intact}
    numbers: dict[int | None, int] = {}
    added = 0
    for revision in revisions_of(theirs).intact:
        number = known.get(_content(revision))
        if number is None:
            facts = replace(revision, origin=_moved(revision.origin, numbers)).as_facts()
            mask = read_bytes(append_only.part_of(theirs.revisions, revision.number, ".tif"))
            number = append_only.append(ours.revisions, {".tif": mask}, facts)
            added += 1
        numbers[revision.number] = number
    return added + _add_hot_spots(theirs, ours, numbers)


def _add_hot_spots(theirs: CaseFiles, ours: CaseFiles, masks: Mapping[int | None, int]) -> int:
    """Add the revisions of hot spots that a case lacks; `masks` are the new numbers of the revisions of masks."""
    known = {_spots(each): each.number for each in revisions_of_hot_spots(ours.hot_spots)}
    numbers: dict[int | None, int] = {}
    added = 0
    for revision in revisions_of_hot_spots(theirs.hot_spots):
        number = known.get(_spots(revision))
        if number is None:
            moved = replace(revision, origin=_moved(revision.origin, numbers), mask=_moved(revision.mask, masks))
            labels = read_bytes(append_only.part_of(theirs.hot_spots, revision.number, ".tif"))
            make_folder(ours.hot_spots)
            number = append_only.append(ours.hot_spots, {".tif": labels}, moved.as_facts())
            added += 1
        numbers[revision.number] = number
    return added


def _spots(revision: HotSpotRevision) -> tuple[object, ...]:
    return revision.annotator, revision.when, revision.labels_sha256, revision.spots


def _moved(origin: Origin, numbers: Mapping[int | None, int]) -> Origin:
    """An origin whose revision, if it is one, has its new number."""
    return Origin.of_revision(numbers[origin.revision]) if origin.revision in numbers else origin


def _content(revision: Revision) -> tuple[object, ...]:
    return revision.annotator, revision.when, revision.reviewed, revision.comment, revision.mask_sha256


def _copy(theirs: CaseFiles, ours: CaseFiles) -> None:
    """Copy a case, whole or not at all, unless another writer was first."""
    with ours.staged() as fresh:
        for folder in (theirs.folder, theirs.revisions, theirs.predictions, theirs.hot_spots):
            files = _files(folder)
            if files and folder == theirs.hot_spots:
                make_folder(fresh.hot_spots)
            for path in files:
                write_bytes_atomically(fresh.folder / path.relative_to(theirs.folder), read_bytes(path))


def _files(folder: Path) -> list[Path]:
    with reachable(folder):
        names = sorted(os.listdir(folder)) if folder.exists() else []  # noqa: PTH208 - hidden ones are half-written
        return [folder / name for name in names if not name.startswith(".") and (folder / name).is_file()]
