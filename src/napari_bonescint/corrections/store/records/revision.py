"""A revision of the mask of a case: annotator, time and origin."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from napari_bonescint.corrections.store.files.append_only import facts_of, read_facts

if TYPE_CHECKING:
    from pathlib import Path

    from napari_bonescint.corrections.store.files.checksummed_json import Facts


class OriginKind(StrEnum):
    """Kind of the mask that a person began with."""

    MODEL = "model"
    REVISION = "revision"
    EMPTY = "empty"
    IMPORTED = "imported"


@dataclass(frozen=True)
class Origin:
    """The mask that a person began with.

    Attributes
    ----------
    kind : OriginKind
        A model's mask, an earlier revision, an empty mask or an imported mask.
    model, model_sha256 : str or None
        For a model's mask: name of the model and hash of its weights file.
    revision : int or None
        For an earlier revision: its number.
    """

    kind: OriginKind
    model: str | None = None
    model_sha256: str | None = None
    revision: int | None = None

    @classmethod
    def of_model(cls, model: str, model_sha256: str) -> Origin:
        """A model's mask."""
        return cls(OriginKind.MODEL, model=model, model_sha256=model_sha256)

    @classmethod
    def of_revision(cls, number: int) -> Origin:
        """An earlier revision of the same case."""
        return cls(OriginKind.REVISION, revision=number)

    @classmethod
    def empty(cls) -> Origin:
        """An empty mask."""
        return cls(OriginKind.EMPTY)

    @classmethod
    def imported(cls) -> Origin:
        """An imported mask."""
        return cls(OriginKind.IMPORTED)

    def as_facts(self) -> Facts:
        """The origin for a JSON file."""
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
    """A saved mask of a case, without its pixels, which `LabelStore.regions` reads.

    Attributes
    ----------
    number : int
        From 1, rising; numbers may be missing.
    annotator : str
    when : str
        Time of saving in UTC: ``2026-03-01T09:30:00+00:00``.
    reviewed : bool
        Whether the annotator has finished the mask.
    comment : str
    origin : Origin
        The mask that the annotator began with.
    names_regions : bool
        True if labels are region codes, False if 1 means bone of any region.
    image_sha256 : str
        `case_files.CaseFacts.image` of the case.
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
        """Read a revision; raises `Damaged` if it is missing or damaged, `StoreError` if it cannot be reached."""
        return read_facts(cls, folder, number, "is no revision")

    def as_facts(self) -> Facts:
        """The content of the JSON file."""
        return facts_of(self, origin=self.origin.as_facts())
