"""What was measured of which model on which set, in one JSON file: a later run only measures what is missing."""

from __future__ import annotations

import dataclasses
import json
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from napari_bonescint.atomic import write_bytes_atomically
from napari_bonescint.errors import BonescintError
from napari_bonescint.evaluation.model_scores import Scores, Speed  # noqa: TC001 - `facts.build` looks at the types
from napari_bonescint.facts import build, one_sentence, read_json

if TYPE_CHECKING:
    from pathlib import Path

    from napari_bonescint.evaluation.reference_sets import ReferenceSet
    from napari_bonescint.inference.model_card import ModelCard


class ResultsStoreError(BonescintError):
    """A file of results that is none."""


@dataclass(frozen=True)
class SetResult:
    """Scores of one model on one set.

    Attributes
    ----------
    data_sha256 : str
        `ReferenceSet.sha256`.
    is_simulated : bool
        Whether a reader can make the set again.
    origin : str
        `ReferenceSet.origin`.
    scans : int
    measured : str
        Date, ISO 8601.
    scores : Scores
    """

    data_sha256: str
    is_simulated: bool
    origin: str
    scans: int
    measured: str
    scores: Scores


@dataclass
class ModelResults:
    """All that was measured of one model.

    Attributes
    ----------
    name, weights_sha256, architecture, outputs, parameters, grid_mm
        As on the model's card.
    speed : dict of str to Speed
        By kind of device, ``cpu`` or ``gpu``.
    sets : dict of str to SetResult
        By the set's name.
    """

    name: str
    weights_sha256: str
    architecture: str
    outputs: int
    parameters: int
    grid_mm: float
    speed: dict[str, Speed] = field(default_factory=dict)
    sets: dict[str, SetResult] = field(default_factory=dict)

    def holds(self, references: ReferenceSet, data_sha256: str) -> bool:
        """Whether the model was scored on a set whose hash is this one."""
        there = self.sets.get(references.name)
        return there is not None and there.data_sha256 == data_sha256


class ResultsStore:
    """Results of models by name, each of one version of its weights.

    Attributes
    ----------
    models : dict of str to ModelResults
    """

    def __init__(self) -> None:
        self.models: dict[str, ModelResults] = {}

    @classmethod
    def read(cls, path: Path) -> ResultsStore:
        """Read what `write` wrote; empty if there is no such file.

        Raises
        ------
        ResultsStoreError
            If the file cannot be read or is no file of results.
        """
        store = cls()
        with (
            one_sentence(
                lambda _reason: ResultsStoreError(
                    f"{path}: is no file of results of this version; delete it to measure anew."
                ),
                unreadable=lambda reason: ResultsStoreError(f"{path}: cannot be read ({reason})."),
            ),
            suppress(FileNotFoundError),
        ):
            store.models = build(dict[str, ModelResults], read_json(path))
        return store

    def write(self, path: Path) -> None:
        """Write everything, whole or not at all.

        Raises
        ------
        CannotWrite
            If the folder is missing, full or not writable.
        """
        models = {name: dataclasses.asdict(self.models[name]) for name in sorted(self.models)}
        write_bytes_atomically(path, (json.dumps(models, indent=1, ensure_ascii=False) + "\n").encode())

    def of(self, card: ModelCard) -> ModelResults:
        """The results of a model's present weights, to be added to; those of other weights of its name are dropped."""
        there = self.models.get(card.name)
        if there is None or there.weights_sha256 != card.weights_sha256:
            there = ModelResults(
                card.name, card.weights_sha256, card.architecture, card.outputs, card.parameters, card.grid_mm
            )
            self.models[card.name] = there
        return there
