"""Model cards: what a weights file is, without opening it. Imports no torch."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from napari_bonescint.errors import BonescintError
from napari_bonescint.resources import shipped_folder

if TYPE_CHECKING:
    from pathlib import Path

DEFAULT_MODEL = "phase-u-net-regions"

_DICE_TO_SPARE = 0.002


class ModelError(BonescintError):
    """A model that is unknown, damaged or not what its card says."""


@dataclass(frozen=True)
class Int8:
    """How a model computes in eight-bit integers, and what that costs.

    Attributes
    ----------
    ranges : list of (float, float)
        Lowest and highest value that enters each rounded layer; see `backends.openvino_int8`.
    dice_lost : float
        By how much the mean Dice falls: of the skeleton or, where that is worse, over the regions.
    data : str
        What it was measured on.
    scans : int
        How many.
    weights_sha256 : str
        Hash of the weights that were calibrated; for others, this counts for nothing.
    """

    ranges: list[tuple[float, float]]
    dice_lost: float
    data: str
    scans: int
    weights_sha256: str


@dataclass(frozen=True)
class Half:
    """What it costs a model to compute in half precision, as it may on GPUs.

    Attributes
    ----------
    precision : str
        ``float16``.
    dice_lost : float
        By how much the mean Dice falls: of the skeleton or, where that is worse, over the regions.
    largest : float
        The largest absolute value that any layer gave; float16 ends at 65,504.
    measured : str
        How, as one phrase.
    data : str
        What it was measured on.
    scans : int
        How many.
    weights_sha256 : str
        Hash of the weights that were measured; for others, this counts for nothing.
    """

    precision: str
    dice_lost: float
    largest: float
    measured: str
    data: str
    scans: int
    weights_sha256: str


@dataclass(frozen=True)
class ModelCard:
    """What NAME.json says about NAME.safetensors.

    Attributes
    ----------
    name : str
        Name of the model and stem of both files.
    description : str
        One line for a person who chooses a model.
    architecture : str
        A name in `networks.zoo.ARCHITECTURES`.
    outputs : int
        1 for a skeleton logit, or the number of region codes.
    parameters : int
        Number of trainable parameters.
    grid_mm : float
        Pixel size in mm that the network was trained on; scans are resampled to it and masks back.
    normalisation : str
        Name of the input normalisation, see `preprocessing.NORMALISATION`.
    weights_sha256 : str
        Hash of the weights file, hexadecimal.
    temperature : float
        The log-odds of bone are divided by it, so that the probability means what it says; see `training.calibration`.
    mirrored : bool
        Whether a view is also segmented left to right, and both results are averaged.
    training : dict
        How and on what it was trained, with the data's hash.
    int8 : Int8 or None
        None if the model was not calibrated for eight-bit integers.
    half : Half or None
        None if it was not measured in half precision.
    scores : list of dict
        Each with ``metric``, ``value`` (mean), ``spread`` (standard deviation), ``data`` and ``scans``.
    limits : list of str
        What it is not good at.
    licence : str
        Licence of the weights.
    path : Path or None
        Where the card lies; not stored.
    """

    name: str
    description: str
    architecture: str
    outputs: int
    parameters: int
    grid_mm: float
    normalisation: str
    weights_sha256: str
    temperature: float = 1.0
    mirrored: bool = False
    int8: Int8 | None = None
    half: Half | None = None
    training: dict[str, Any] = field(default_factory=dict)
    scores: list[dict[str, Any]] = field(default_factory=list)
    limits: list[str] = field(default_factory=list)
    licence: str = "BSD-3-Clause"
    path: Path | None = field(default=None, compare=False)

    @property
    def names_regions(self) -> bool:
        """Whether the model names bones, or only tells bone from background."""
        return self.outputs > 1

    @property
    def bears_int8(self) -> bool:
        """Whether eight-bit integers cost so little Dice that they may be used."""
        return self.int8 is not None and self.int8.dice_lost < _DICE_TO_SPARE

    @property
    def bears_half(self) -> bool:
        """Whether half precision costs so little Dice that it may be used."""
        return self.half is not None and self.half.dice_lost < _DICE_TO_SPARE

    @property
    def size(self) -> int:
        """Bytes of the weights file.

        Raises
        ------
        ModelError
            If the file is missing.
        """
        try:
            return self.weights_path.stat().st_size
        except OSError as error:
            raise ModelError(f"{self.weights_path}: cannot be read: {error.strerror}.") from error

    @property
    def weights_path(self) -> Path:
        """The weights file beside the card."""
        if self.path is None:
            raise ModelError(f"The card of model {self.name} was not read from a file, so it has no weights.")
        return self.path.with_suffix(".safetensors")

    def to_json(self) -> str:
        """The card's text, as `read_card` reads it."""
        fields = dataclasses.asdict(self)
        del fields["path"]
        return json.dumps(fields, indent=2, ensure_ascii=False) + "\n"

    def read_weights(self) -> bytes:
        """The bytes of the weights file.

        Raises
        ------
        ModelError
            If the file is missing or its hash is not the card's.
        """
        try:
            data = self.weights_path.read_bytes()
        except OSError as error:
            raise ModelError(f"{self.weights_path}: cannot be read: {error.strerror}.") from error
        if hashlib.sha256(data).hexdigest() != self.weights_sha256:
            raise ModelError(
                f"{self.weights_path}: its SHA-256 differs from the one in {self.weights_path.stem}.json; "
                "the weights are damaged or not the ones described, so they are not used."
            )
        return data


def read_card(path: Path) -> ModelCard:
    """Read a model card.

    Raises
    ------
    ModelError
        If the file cannot be read or is no model card.
    """
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        if (int8 := facts.get("int8")) is not None:
            ranges = [(float(lowest), float(highest)) for lowest, highest in int8["ranges"]]
            facts["int8"] = Int8(**{**int8, "ranges": ranges})
            if facts["int8"].weights_sha256 != facts["weights_sha256"]:
                facts["int8"] = None
        if (half := facts.get("half")) is not None:
            facts["half"] = Half(**half) if half["weights_sha256"] == facts["weights_sha256"] else None
        card = ModelCard(**facts, path=path)
        for name in ("grid_mm", "temperature"):
            if not (value := getattr(card, name)) > 0:
                raise ValueError(f"{name} is {value}")
        for score in card.scores:
            if missing := {"metric", "value", "data", "scans"} - set(score):
                raise ValueError(f"a score has no {min(missing)}")
        return card
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror}.") from error
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise ModelError(f"{path}: is not a model card of this version ({error}).") from error


def shipped_models() -> list[ModelCard]:
    """Cards of the models that come with the plugin, the default one first."""
    cards = [read_card(path) for path in sorted(shipped_folder("weights").glob("*.json"))]
    return sorted(cards, key=lambda card: card.name != DEFAULT_MODEL)
