"""A revision of the labels of a case: who saved it, when, and from what it was made."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from napari_bonescint.corrections.errors import Damaged
from napari_bonescint.corrections.store.append_only import FACTS, part_of
from napari_bonescint.corrections.store.checksummed_json import read_sealed
from napari_bonescint.facts import build

if TYPE_CHECKING:
    from pathlib import Path

    from napari_bonescint.corrections.store.checksummed_json import Facts


class OriginKind(StrEnum):
    """From what a person started."""

    MODEL = "model"
    REVISION = "revision"
    EMPTY = "empty"
    IMPORTED = "imported"


@dataclass(frozen=True)
class Origin:
    """What a mask was made from.

    Attributes
    ----------
    kind : OriginKind
        A model's mask, an earlier revision, an empty mask, or a mask made elsewhere.
    model, model_sha256 : str or None
        Name of the model and hash of its weights file, for a model's mask.
    revision : int or None
        Its number, for an earlier revision.
    """

    kind: OriginKind
    model: str | None = None
    model_sha256: str | None = None
    revision: int | None = None

    @classmethod
    def of_model(cls, model: str, model_sha256: str) -> Origin:
        """Made from a model's mask."""
        return cls(OriginKind.MODEL, model=model, model_sha256=model_sha256)

    @classmethod
    def of_revision(cls, number: int) -> Origin:
        """Made from an earlier revision of the same case."""
        return cls(OriginKind.REVISION, revision=number)

    @classmethod
    def empty(cls) -> Origin:
        """Drawn from an empty mask."""
        return cls(OriginKind.EMPTY)

    @classmethod
    def imported(cls) -> Origin:
        """Made elsewhere."""
        return cls(OriginKind.IMPORTED)

    def as_facts(self) -> Facts:
        """What a JSON file says about it."""
        return {name: fact for name, fact in asdict(self).items() if fact is not None}

    def __str__(self) -> str:
        match self.kind:
            case OriginKind.MODEL:
                return f"model {self.model}"
            case OriginKind.REVISION:
                return f"revision {self.revision}"
            case OriginKind.EMPTY:
                return "an empty mask"
            case OriginKind.IMPORTED:
                return "an imported mask"


@dataclass(frozen=True)
class Revision:
    """One saved state of the labels of a case; the mask itself is read with `LabelStore.regions`.

    Attributes
    ----------
    number : int
        From 1; greater than those saved before. Numbers may be left out.
    annotator : str
        Who saved it.
    when : str
        When, in UTC: ``2026-03-01T09:30:00+00:00``.
    reviewed : bool
        Whether the annotator calls it finished.
    comment : str
        What the annotator has to say.
    origin : Origin
        What it was made from.
    names_regions : bool
        True if its numbers are region codes; False if 1 means bone, whichever.
    image_sha256 : str
        What the facts about the case call its counts: `case_files.CaseFacts.image`.
    mask_sha256 : str
        Hash of the mask; see `plane_files.planes_sha256`.
    """

    number: int
    annotator: str
    when: str
    reviewed: bool
    comment: str
    origin: Origin
    names_regions: bool
    image_sha256: str
    mask_sha256: str

    @classmethod
    def read(cls, folder: Path, number: int) -> Revision:
        """A revision in the folder of a case's revisions.

        Raises
        ------
        Damaged
            If its file is missing or damaged, or another version wrote it.
        StoreError
            If it cannot be reached.
        """
        path = part_of(folder, number, FACTS)
        facts = read_sealed(path)
        try:
            return build(cls, facts, number=number)
        except Exception as error:  # facts are data from outside, whoever sealed them
            raise Damaged(f"{path}: is no revision that this version of bonescint can read.") from error

    def as_facts(self) -> Facts:
        """What its JSON file says; its number is the file's name."""
        facts = {**asdict(self), "origin": self.origin.as_facts()}
        del facts["number"]
        return facts
