"""The file with the archives that a user has set up: only the user can read it, and it has no secrets."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from napari_bonescint.archive.errors import ArchiveError
from napari_bonescint.archive.setup.archive_setup import ArchiveSetup
from napari_bonescint.files.atomic import make_folder, write_bytes_atomically
from napari_bonescint.files.facts import FactError, build, one_sentence, read_json
from napari_bonescint.files.owner_only import close_to_others

if TYPE_CHECKING:
    from collections.abc import Iterable

FILE_VARIABLE = "BONESCINT_ARCHIVES"
"""Environment variable with the path of another file of set-ups."""


def setups_file() -> Path:
    """The file of set-ups; it need not exist."""
    chosen = os.environ.get(FILE_VARIABLE)
    if chosen:
        return Path(chosen)
    return Path(platformdirs.user_config_dir("napari-bonescint", appauthor=False)) / "archives.json"


def read_setups() -> tuple[ArchiveSetup, ...]:
    """All archives that were set up; none if there is no file.

    Raises
    ------
    ArchiveError
        If the file is unreadable or an entry is wrong.
    """
    path = setups_file()
    if not path.exists():
        return ()
    with one_sentence(lambda reason: ArchiveError(f"{path}: is no list of archives ({reason}); repair or delete it.")):
        setups = tuple(build(list[ArchiveSetup], read_json(path)))
        names = [setup.name for setup in setups]
        if len(set(names)) < len(names):
            raise FactError("two archives have the same name")
    return setups


def known_setup(name: str) -> ArchiveSetup:
    """The set-up of an archive by its name, usable or not; raises `ArchiveError` if there is none."""
    setups = read_setups()
    for setup in setups:
        if setup.name == name:
            return setup
    known = ", ".join(setup.name for setup in setups) or "none"
    raise ArchiveError(f"No archive is called {name!r}; {setups_file()} has: {known}.")


def find_setup(name: str) -> ArchiveSetup:
    """The set-up of an archive by its name; raises `ArchiveError` if there is none, or if it cannot be used."""
    setup = known_setup(name)
    if problem := setup.problem():
        raise ArchiveError(problem)
    return setup


def write_setups(setups: Iterable[ArchiveSetup]) -> None:
    """Replace the file of set-ups; raises `CannotWrite` if that fails."""
    path = setups_file()
    make_folder(path.parent)
    entries = [as_entry(setup) for setup in setups]
    write_bytes_atomically(path, (json.dumps(entries, indent=2, ensure_ascii=False) + "\n").encode())
    close_to_others(path)


def keep_setup(setup: ArchiveSetup) -> None:
    """Add or replace the set-up of one archive; raises `ArchiveError` or `CannotWrite`."""
    if problem := setup.problem():
        raise ArchiveError(problem)
    others = [each for each in read_setups() if each.name != setup.name]
    write_setups([*others, setup])


def drop_setup(name: str) -> None:
    """Remove the set-up of an archive; raises `ArchiveError` or `CannotWrite`."""
    write_setups(each for each in read_setups() if each.name != name)


def as_entry(setup: ArchiveSetup) -> dict[str, object]:
    """A set-up as the file has it: what differs from its default."""
    plain = asdict(replace(ArchiveSetup("", setup.kind)))
    return {name: value for name, value in asdict(setup).items() if name in ("name", "kind") or value != plain[name]}
