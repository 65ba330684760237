"""A place for a label store: the store itself, or a folder in which one can be made."""

from __future__ import annotations

from enum import Enum, auto
from itertools import count
from typing import TYPE_CHECKING

from napari_bonescint.corrections.errors import reachable
from napari_bonescint.corrections.store.folder import holds_other_files, is_label_store

if TYPE_CHECKING:
    from pathlib import Path

NAME = "label store"
"""Name of the folder of a new store, unless the user chooses another one."""


class Place(Enum):
    """What a folder is to a label store."""

    STORE = auto()
    """It is one."""
    FREE = auto()
    """It is empty, or does not exist: a store can be made there."""
    TAKEN = auto()
    """It holds other files."""
    NO_FOLDER = auto()
    """It is a file, or lies in no folder."""


def place(folder: Path) -> Place:
    """What a folder is to a label store; raises `StoreError` if it cannot be reached."""
    with reachable(folder):
        if not folder.exists():
            return Place.FREE if folder.parent.is_dir() else Place.NO_FOLDER
        if not folder.is_dir():
            return Place.NO_FOLDER
    if is_label_store(folder):
        return Place.STORE
    return Place.TAKEN if holds_other_files(folder) else Place.FREE


def name_inside(folder: Path) -> str:
    """A name for a store in a folder: ``label store``, or ``label store 2`` and so on if other files have that name."""
    for number in count(1):
        name = NAME if number == 1 else f"{NAME} {number}"
        if place(folder / name) in (Place.STORE, Place.FREE):
            return name
    raise AssertionError("there is always another number")
