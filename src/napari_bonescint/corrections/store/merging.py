"""One label store taken into another one: its cases, its secrets, and what each of its patients is for.

Keys stay what they are, since nobody can turn them back; so do the parts of patients, which hang on the keys. What is
new is who is one patient in both: told by a scan that both stores hold, by the files that the scans were added from, or
by a table. An interrupted merge is taken up by merging again.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

from napari_bonescint.atomic import CannotWrite, sync_folder, write_bytes_atomically
from napari_bonescint.corrections.errors import Damaged, StoreError, reachable, read_bytes
from napari_bonescint.corrections.store import append_only
from napari_bonescint.corrections.store.folder import adopt_secrets, read_secrets
from napari_bonescint.corrections.store.index import revisions_of
from napari_bonescint.corrections.store.keys import patient_keys, source_key, study_key
from napari_bonescint.corrections.store.patients import FOLDER, Patients, read_record, records
from napari_bonescint.corrections.store.revision import Origin

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from napari_bonescint.corrections.store.case_files import CaseFiles
    from napari_bonescint.corrections.store.label_store import LabelStore
    from napari_bonescint.corrections.store.revision import Revision
    from napari_bonescint.formats.dicom.identity import Identity


class Clue(NamedTuple):
    """A file that a scan was added from, by which its patient is recognised.

    Attributes
    ----------
    identity : Identity
        What the file says of the patient.
    source_sha256 : str
        Hash of the file, see `scan.Scan`.
    """

    identity: Identity
    source_sha256: str


class Person(NamedTuple):
    """What is known of one patient besides what the stores know.

    Attributes
    ----------
    clues : tuple of Clue
        Files of the scans.
    identities : tuple of Identity
        Patient IDs.
    keys : frozenset of str
        Keys in either store.
    """

    clues: tuple[Clue, ...] = ()
    identities: tuple[Identity, ...] = ()
    keys: frozenset[str] = frozenset()


@dataclass
class Merged:
    """What a merge did.

    Attributes
    ----------
    copied, there : int
        Cases that are new, and cases that both stores had under one key.
    revisions : int
        Revisions that cases which were there have got.
    in_both : int
        Patients who are known to be in both stores.
    unknown : int
        Patients of the other store of whom it cannot be told.
    damaged : list of str
        A sentence for each case that could not be read and was left out.
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
    """Take all of another store into one; the other stays as it is.

    Parameters
    ----------
    store : LabelStore
        The one that grows.
    other : LabelStore
        The one that is taken in.
    people : iterable of Person
        Of whom more is known than the stores tell.
    on_progress : callable
        Told the fraction done, 0 to 1.

    Raises
    ------
    StoreError
        If both are one, a secret is missing, or a store cannot be reached.
    CannotWrite
        If the store is full, not writable or gone; merging again goes on.
    """
    if store.folder.resolve() == other.folder.resolve():
        raise StoreError(f"{other.folder}: is the store itself; name another one to merge into it.")
    secrets_of = {each.folder: read_secrets(each.folder) for each in (store, other)}
    secrets = tuple(dict.fromkeys(secret for each in secrets_of.values() for secret in each))
    own, others = _people(store), _people(other)
    told = [_keys_of(person, (store, other), secrets) for person in people]
    adopt_secrets(store.folder, secrets_of[other.folder])
    _copy_records(other, store)
    patients = store.patients()
    there = own | others
    # Before the first case comes: none must be trained on as a stranger's.
    for keys in [*_with_shared_scans(store, other), *told]:
        if known := keys & there:
            patients.link(known, there)
    merged = Merged()
    one_secret = secrets_of[store.folder][0] == secrets_of[other.folder][0]
    _compare(merged, patients, own, others, {key for keys in told for key in keys}, one_secret=one_secret)
    cases = other.keys()
    for done, case in enumerate(cases):
        on_progress(done / len(cases))
        try:
            _take(other.files(case), store.files(case), merged)
        except Damaged as error:
            merged.damaged.append(str(error))
    # Two merges at once may each have written the secrets that they knew of.
    adopt_secrets(store.folder, secrets_of[other.folder])
    return merged


def _people(store: LabelStore) -> set[str]:
    return {case.patient_key for case in store.cases()}


def _keys_of(person: Person, stores: Sequence[LabelStore], secrets: Sequence[bytes]) -> set[str]:
    """All keys that a patient may have in stores with these secrets."""
    keys = set(person.keys)
    for secret in secrets:
        for identity in (*person.identities, *(clue.identity for clue in person.clues)):
            keys |= patient_keys(secret, identity)
            # Of scans without a patient the study is the patient.
            keys |= {key for key in (study_key(secret, identity),) if key is not None}
        for store in stores:
            cases = (store.files(source_key(secret, clue.source_sha256)) for clue in person.clues)
            for case in cases:
                # A case that is damaged, or is none, tells nothing.
                with suppress(Damaged):
                    keys.add(case.facts().patient_key)
    return keys


def _with_shared_scans(store: LabelStore, other: LabelStore) -> list[set[str]]:
    """Patients who have the very same scan in both stores."""
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
    """Count who is in both stores, and of whom that cannot be told."""
    # Patients with one key in both came by an earlier merge, unless both stores make the same keys.
    strangers = {patients.person(key) for key in set(own) - (set() if one_secret else set(others))}
    guests = {patients.person(key) for key in others}
    merged.in_both = len(strangers & guests)
    recognised = {patients.person(key) for key in seen}
    if not one_secret and strangers - recognised:
        merged.unknown = len(guests - strangers - recognised)


def _copy_records(other: LabelStore, store: LabelStore) -> None:
    folder = store.folder / FOLDER
    for path in records(other.folder / FOLDER):
        # A damaged one must end it: a patient who was trained on might be judged.
        read_record(path)
        if not (folder / path.name).exists():
            _make(folder)
            write_bytes_atomically(folder / path.name, read_bytes(path))


def _take(theirs: CaseFiles, ours: CaseFiles, merged: Merged) -> None:
    """Copy a case, or what was added to it since both stores were one."""
    facts = theirs.facts()
    with reachable(ours.folder):
        there = ours.folder.exists()
    if not there:
        _copy(theirs, ours)
        merged.copied += 1
        return
    if ours.facts().image != facts.image:
        raise Damaged(f"{theirs.folder}: has other counts than the case of this key in {ours.folder.parent.parent}.")
    merged.there += 1
    merged.revisions += _add_revisions(theirs, ours)


def _add_revisions(theirs: CaseFiles, ours: CaseFiles) -> int:
    """Add the revisions that a case lacks; how many they were."""
    known = {_content(each): each.number for each in revisions_of(ours).intact}
    numbers: dict[int | None, int] = {}
    added = 0
    for revision in revisions_of(theirs).intact:
        number = known.get(_content(revision))
        if number is None:
            origin = revision.origin
            if origin.revision in numbers:
                origin = Origin.of_revision(numbers[origin.revision])
            facts = replace(revision, origin=origin).as_facts()
            mask = read_bytes(append_only.part_of(theirs.revisions, revision.number, ".tif"))
            number = append_only.append(ours.revisions, {".tif": mask}, facts)
            added += 1
        numbers[revision.number] = number
    return added


def _content(revision: Revision) -> tuple[object, ...]:
    return revision.annotator, revision.when, revision.reviewed, revision.comment, revision.mask_sha256


def _copy(theirs: CaseFiles, ours: CaseFiles) -> None:
    """Put a copy of a case in its place whole, unless another writer did so first."""
    cases = ours.folder.parent
    try:
        with TemporaryDirectory(prefix=".part-", dir=cases, ignore_cleanup_errors=True) as name:
            fresh = Path(name) / ours.folder.name
            for folder in (fresh, fresh / "revisions", fresh / "predictions"):
                folder.mkdir()
            for folder in (theirs.folder, theirs.revisions, theirs.predictions):
                for path in _files(folder):
                    write_bytes_atomically(fresh / path.relative_to(theirs.folder), read_bytes(path))
            try:
                fresh.rename(ours.folder)
            except OSError:
                if not ours.folder.exists():
                    raise
        sync_folder(cases)
    except OSError as error:
        raise CannotWrite(f"{cases}: could not be written ({error.strerror or error}).") from error


def _files(folder: Path) -> list[Path]:
    with reachable(folder):
        names = sorted(os.listdir(folder)) if folder.exists() else []  # noqa: PTH208 - hidden ones are half-written
        return [folder / name for name in names if not name.startswith(".") and (folder / name).is_file()]


def _make(folder: Path) -> None:
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise CannotWrite(f"{folder}: could not be written ({error.strerror or error}).") from error
