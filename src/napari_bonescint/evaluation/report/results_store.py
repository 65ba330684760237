"""Store scores of models by set in one JSON file, so that a later run only measures missing ones."""

from __future__ import annotations

import dataclasses
import json
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from napari_bonescint.errors import BonescintError
from napari_bonescint.evaluation.model_scores import Scores, Speed  # noqa: TC001 - `facts.build` looks at the types
from napari_bonescint.files.atomic import write_bytes_atomically
from napari_bonescint.files.facts import build, one_sentence, read_json

if TYPE_CHECKING:
    from pathlib import Path

    from napari_bonescint.evaluation.reference_sets import ReferenceSet
    from napari_bonescint.inference.model_card import ModelCard


class ResultsStoreError(BonescintError):
    """A file that holds no readable results."""


@dataclass(frozen=True)
class SetResult:
    """Scores of one model on one set.

    Attributes
    ----------
    data_sha256 : str
        `ReferenceSet.sha256`.
    is_simulated : bool
        `ReferenceSet.is_simulated`.
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
    """All measurements of one model.

    Attributes
    ----------
    name, weights_sha256, architecture, outputs, parameters, grid_mm
        As on the model's card.
    speed : dict of str to Speed
        Speed by kind of device, ``cpu`` or ``gpu``.
    sets : dict of str to SetResult
        Scores by name of the set.
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
        """True if the model was scored on a set with this hash."""
        there = self.sets.get(references.name)
        return there is not None and there.data_sha256 == data_sha256


class ResultsStore:
    """Results of models by name, each for one version of its weights.

    Attributes
    ----------
    models : dict of str to ModelResults
    """

    def __init__(self) -> None:
        self.models: dict[str, ModelResults] = {}

    @classmethod
    def read(cls, path: Path) -> ResultsStore:
        """Read a file of `write`; the store is empty if the file does not exist.

        Raises
        ------
        ResultsStoreError
            If the file cannot be read or holds no results.
        """
        store = cls()
        with (
            one_sentence(
                lambda _reason: ResultsStoreError(
                    f"{path}: is not a file of results of this version; delete it to measure again."
                ),
                unreadable=lambda reason: ResultsStoreError(f"{path}: cannot be read ({reason})."),
            ),
            suppress(FileNotFoundError),
        ):
            store.models = build(dict[str, ModelResults], read_json(path))
        return store

    def write(self, path: Path) -> None:
        """Write all results, atomically.

        Raises
        ------
        CannotWrite
            If the folder is missing or not writable, or the disk is full.
        """
        # One line a model: as short as possible, and changes of one model are seen as such.
        lines = (
            f'"{name}":{json.dumps(dataclasses.asdict(self.models[name]), ensure_ascii=False, separators=(",", ":"))}'
            for name in sorted(self.models)
        )
        write_bytes_atomically(path, ("{\n" + ",\n".join(lines) + "\n}\n").encode())

    def of(self, card: ModelCard) -> ModelResults:
        """The results of a model's present weights, for adding to; results of older weights are dropped."""
        there = self.models.get(card.name)
        if there is None or there.weights_sha256 != card.weights_sha256:
            there = ModelResults(
                card.name, card.weights_sha256, card.architecture, card.outputs, card.parameters, card.grid_mm
            )
            self.models[card.name] = there
        return there
