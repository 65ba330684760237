"""Check a label store: compare every file with its checksum."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from napari_bonescint.corrections.errors import Damaged, reachable
from napari_bonescint.corrections.store import patients
from napari_bonescint.corrections.store.drafts import read_draft
from napari_bonescint.corrections.store.files import append_only
from napari_bonescint.corrections.store.records.hot_spot_revision import hot_spot_numbers
from napari_bonescint.corrections.store.records.prediction import prediction_facts, read_prediction

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari_bonescint.corrections.store.case_files import CaseFiles
    from napari_bonescint.corrections.store.label_store import LabelStore


class StoreCheck(NamedTuple):
    """Result of a check.

    Attributes
    ----------
    cases, revisions, hot_spots, predictions, drafts : int
        Numbers of intact ones.
    damage : list of str
        A sentence for each file that is missing, damaged or foreign.
    leftovers : list of Path
        Harmless files of interrupted writes.
    """

    cases: int
    revisions: int
    hot_spots: int
    predictions: int
    drafts: int
    damage: list[str]
    leftovers: list[Path]


def check_store(store: LabelStore, on_progress: Callable[[float], object]) -> StoreCheck:
    """Compare every file of a store with its checksum; `on_progress` is called with the fraction done, 0 to 1.

    Raises
    ------
    StoreError
        If the store cannot be reached.
    """
    damage: list[str] = []

    def whole(read: Callable[[], object]) -> bool:
        try:
            read()
        except Damaged as error:
            damage.append(str(error))
            return False
        return True

    def numbers(folder: Path, listed: Callable[[Path], list[int]] = append_only.numbers) -> list[int]:
        try:
            return listed(folder)
        except Damaged as error:
            damage.append(str(error))
            return []

    cases = revisions = hot_spots = predictions = 0
    leftovers = _temporary(store.folder) + _temporary(store.folder / "cases") + _temporary(store.folder / "drafts")
    leftovers += _temporary(store.folder / patients.FOLDER)
    keys = store.keys()
    for done, key in enumerate(keys):
        on_progress(done / len(keys))
        files = store.files(key)
        cases += whole(partial(store.scan, key))
        for number in numbers(files.revisions):
            revisions += whole(partial(store.regions, key, number))
        for number in numbers(files.hot_spots, hot_spot_numbers):
            hot_spots += whole(partial(store.hot_spots, key, number))
        for number in numbers(files.predictions):
            predictions += whole(partial(_read_prediction, files, number))
        leftovers += _temporary(files.folder)
        for folder in (files.revisions, files.hot_spots, files.predictions):
            # An unreadable folder has been reported above.
            with suppress(Damaged):
                leftovers += _temporary(folder) + append_only.abandoned(folder)
    for path in patients.records(store.folder / patients.FOLDER):
        whole(partial(patients.read_record, path))
    drafts = 0
    with reachable(store.folder):
        paths = sorted((store.folder / "drafts").glob("[!.]*"))
    for path in paths:
        drafts += whole(partial(read_draft, path))
    return StoreCheck(cases, revisions, hot_spots, predictions, drafts, damage, leftovers)


def _read_prediction(files: CaseFiles, number: int) -> None:
    facts = prediction_facts(files.predictions, number)
    read_prediction(files.predictions, facts, files.facts().shape)


def _temporary(folder: Path) -> list[Path]:
    with reachable(folder):
        return sorted([*folder.glob(".*.part"), *folder.glob(".part-*")])
