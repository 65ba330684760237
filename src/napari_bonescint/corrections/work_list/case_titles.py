"""Titles of cases in a window: the names by which the annotator knows them, unless they show who the patient is."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from napari_bonescint.corrections.work_list.record import read_record
from napari_bonescint.formats.dicom.identity import names_patient
from napari_bonescint.formats.safe_reading.refusal import Refusal

if TYPE_CHECKING:
    from pathlib import Path

    from napari_bonescint.corrections.work_list.queue import WorkItem

_DIGITS = 8


def title_of(store: Path, item: WorkItem, case: str) -> str:
    """The title of a case: its name in the list, or the beginning of its key if the name shows the patient.

    It reads the headers of the files of a scan of a folder. Without them, the title is the one that this computer
    remembers.

    Parameters
    ----------
    store : Path
        Folder of the label store.
    item : WorkItem
    case : str
        Key of the case.
    """
    short = short_key(case)
    if item.source is not None:
        with suppress(Refusal):  # the files may be gone
            return short if any(names_patient(path, item.name) for path in item.source.paths) else item.name
    return read_record(store).titles.get(case, short)


def short_key(case: str) -> str:
    """The beginning of a key, which tells the cases of a store apart."""
    return case[:_DIGITS]
