"""Model cards: files that describe a model and the weights beside them."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path  # noqa: TC003 - `facts.build` looks at the types
from typing import Any

from napari_bonescint.anatomy import REGIONS
from napari_bonescint.errors import BonescintError
from napari_bonescint.files.facts import FactError, build, one_sentence, read_json
from napari_bonescint.files.names import is_file_name
from napari_bonescint.inference.weights import require_finite
from napari_bonescint.resources import shipped_folder

DEFAULT_MODEL = "phase-u-net-regions"
HOT_SPOT_MODEL = "hot-spots"

SEGMENTING = "segmenting"
FINDING_HOT_SPOTS = "finding hot spots"
DEFAULTS = {SEGMENTING: DEFAULT_MODEL, FINDING_HOT_SPOTS: HOT_SPOT_MODEL}
"""Purposes of models, and the shipped model that serves each until the user chooses another."""

UPTAKE_CLASSES = ("neither", "lesion", "benign")
"""Outputs of a model that finds hot spots: a metastasis, benign focal uptake, or neither."""

POSSIBLE_GRID_MM = (0.5, 50.0)
"""Smallest and largest pixel size of a network's input in mm: fingers are visible; ten pixels across a body."""

_POSSIBLE = {
    "grid_mm": POSSIBLE_GRID_MM,
    "temperature": (0.01, 100.0),
    "outputs": (1, len(REGIONS)),
    "parameters": (0, 10**10),
}
_DICE_TO_SPARE = 0.002
_SHA256 = re.compile("[0-9a-f]{64}")


class ModelError(BonescintError):
    """A model that is unknown or damaged, or does not fit its card."""


@dataclass(frozen=True)
class Int8:
    """A model's calibration for eight-bit integers, and the Dice that it loses.

    Attributes
    ----------
    ranges : list of (float, float)
        Lowest and highest input of each rounded layer; see `backends.openvino_int8`.
    dice_lost : float
        Loss of mean Dice: of the skeleton or over the regions, whichever is larger.
    data : str
        The data it was measured on.
    scans : int
        Number of scans.
    weights_sha256 : str
        Hash of the weights that were calibrated; the calibration is ignored for others.
    """

    ranges: list[tuple[float, float]]
    dice_lost: float
    data: str
    scans: int
    weights_sha256: str


@dataclass(frozen=True)
class Half:
    """The Dice that a model loses in half precision, which GPUs compute faster.

    Attributes
    ----------
    precision : str
        ``float16``.
    dice_lost : float
        Loss of mean Dice: of the skeleton or over the regions, whichever is larger.
    largest : float
        Largest absolute output of any layer; float16 ends at 65,504.
    measured : str
        The method of measurement, in one phrase.
    data, scans, weights_sha256
        As in `Int8`.
    """

    precision: str
    dice_lost: float
    largest: float
    measured: str
    data: str
    scans: int
    weights_sha256: str


@dataclass(frozen=True)
class SpotWeights:
    """How the probability of a hot spot follows from its features: a logistic regression.

    Attributes
    ----------
    weights : dict of str to float
        Weight of each feature by its name, see `measurement.hot_spots.likelihood`; 0 for those that are left out.
    bias : float
        Added to the weighted sum.
    data : str
        The data it was measured on.
    scans : int
        Number of scans.
    """

    weights: dict[str, float]
    bias: float
    data: str
    scans: int


@dataclass(frozen=True)
class ModelCard:
    """The content of NAME.json, which describes the weights in NAME.safetensors.

    Attributes
    ----------
    name : str
        Name of the model, and of both files without their endings.
    description : str
        One line to help the user choose a model.
    architecture : str
        A name in `networks.zoo.ARCHITECTURES`.
    outputs : int
        1 for a skeleton logit, or the number of region codes.
    parameters : int
        Number of trainable parameters.
    grid_mm : float
        Pixel size in mm that the network was trained on; scans are resampled to it, and masks back.
    normalisation : str
        Name of the input normalisation, see `preprocessing.NORMALISATION`.
    weights_sha256 : str
        Hash of the weights file, hexadecimal.
    temperature : float
        Divisor of the log-odds of bone, which calibrates the probability; see `evaluation.calibration`.
    mirrored : bool
        True if each view is also segmented mirrored, and both results are averaged.
    training : dict
        Method and data of the training, with the data's hash.
    learnt_from : list of dict or None
        Fingerprints of the scans that the model and its ancestors learnt from, see `evaluation.lineage`; None on
        cards of earlier versions, and for models trained on simulated scans only.
    int8 : Int8 or None
        None if the model was not calibrated for eight-bit integers.
    half : Half or None
        None if the model was not measured in half precision.
    spot_weights : SpotWeights or None
        For a model that finds hot spots; None on cards of earlier versions.
    scores : list of dict
        Each with ``metric``, ``value`` (mean), ``spread`` (standard deviation), ``data`` and ``scans``.
    judgement : str
        The verdict of the comparison after which the user accepted the model; empty without a comparison.
    limits : list of str
        Known weaknesses of the model.
    licence : str
        Licence of the weights.
    purpose : str
        A key of `DEFAULTS`: ``segmenting``, or ``finding hot spots``, with `UPTAKE_CLASSES` as outputs.
    path : Path or None
        Path of the card; not stored.
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
    spot_weights: SpotWeights | None = None
    training: dict[str, Any] = field(default_factory=dict)
    learnt_from: list[dict[str, Any]] | None = None
    scores: list[dict[str, Any]] = field(default_factory=list)
    judgement: str = ""
    limits: list[str] = field(default_factory=list)
    licence: str = "BSD-3-Clause"
    purpose: str = SEGMENTING
    path: Path | None = field(default=None, compare=False)

    @property
    def names_regions(self) -> bool:
        """True if the model names bones; false if it only separates bone from background."""
        return self.purpose == SEGMENTING and self.outputs > 1

    @property
    def is_for_comparison(self) -> bool:
        """True if the card says that the model serves for comparison only."""
        return "for comparison" in self.description

    @property
    def supports_int8(self) -> bool:
        """True if eight-bit integers lose so little Dice that engines may use them."""
        return self.int8 is not None and self.int8.dice_lost < _DICE_TO_SPARE

    @property
    def supports_half(self) -> bool:
        """True if half precision loses so little Dice that engines may use it."""
        return self.half is not None and self.half.dice_lost < _DICE_TO_SPARE

    @property
    def size(self) -> int:
        """Size of the weights file in bytes.

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
        """The card as JSON text, for `read_card`."""
        fields = dataclasses.asdict(self)
        del fields["path"]
        return json.dumps(fields, indent=2, ensure_ascii=False) + "\n"

    def read_weights(self) -> bytes:
        """The bytes of the weights file.

        Raises
        ------
        ModelError
            If the file is missing, its hash is not the card's, or a weight is not finite.
        """
        try:
            data = self.weights_path.read_bytes()
        except OSError as error:
            raise ModelError(f"{self.weights_path}: cannot be read: {error.strerror}.") from error
        if hashlib.sha256(data).hexdigest() != self.weights_sha256:
            raise ModelError(
                f"{self.weights_path}: its SHA-256 differs from the one in {self.weights_path.stem}.json; "
                "the weights are damaged or belong to another card, so they are not used."
            )
        with one_sentence(lambda reason: ModelError(f"{self.weights_path}: holds no usable weights ({reason}).")):
            require_finite(data)
        return data


def read_card(path: Path) -> ModelCard:
    """Read a model card.

    Raises
    ------
    ModelError
        If the file cannot be read or is not a model card.
    """
    with one_sentence(
        lambda reason: ModelError(f"{path}: is not a model card of this version ({reason})."),
        unreadable=lambda reason: ModelError(f"{path}: cannot be read: {reason}."),
    ):
        return _card(read_json(path), path)


@dataclass(frozen=True)
class _Score:
    """One entry of a card's scores."""

    metric: str
    value: float
    data: str
    scans: int
    spread: float | None = None
    lowest: float | None = None


def _card(facts: object, path: Path) -> ModelCard:
    card = build(ModelCard, facts, path=path)
    if not is_file_name(card.name):
        raise FactError(f"name is {card.name[:40]!a}, which is not a valid file name")
    if card.purpose not in DEFAULTS:
        raise FactError(f"purpose is {card.purpose[:40]!a}; it must be one of {', '.join(DEFAULTS)}")
    if not _SHA256.fullmatch(card.weights_sha256):
        raise FactError("weights_sha256 is not a SHA-256")
    for name, (lowest, highest) in _POSSIBLE.items():
        value = getattr(card, name)
        if not lowest <= value <= highest:
            raise FactError(f"{name} is {value}; it must be from {lowest:g} to {highest:g}")
    for score in card.scores:
        build(_Score, score, unknown=True)
    for lowest, highest in card.int8.ranges if card.int8 else ():
        if lowest > highest:
            raise FactError(f"a range of int8 is {lowest:g} to {highest:g}")
    # Measurements of other weights are ignored.
    int8, half = (
        part if part is not None and part.weights_sha256 == card.weights_sha256 else None
        for part in (card.int8, card.half)
    )
    return dataclasses.replace(card, int8=int8, half=half)  # type: ignore[arg-type]


def require_purpose(card: ModelCard, purpose: str) -> None:
    """Refuse a model that serves another purpose; raises `ModelError`."""
    if card.purpose != purpose:
        raise ModelError(
            f"Model {card.name} is for {card.purpose}, not for {purpose}; choose another model, such as "
            f"{DEFAULTS[purpose]}."
        )


def shipped_models(purpose: str = SEGMENTING) -> list[ModelCard]:
    """Cards of the models for a purpose that are part of the plugin, the default model first."""
    paths = sorted(shipped_folder("weights").glob("*.json"))
    cards = [_card_as_of(path, path.stat().st_mtime_ns) for path in paths]
    return sorted((card for card in cards if card.purpose == purpose), key=lambda card: card.name != DEFAULTS[purpose])


@lru_cache(maxsize=64)
def _card_as_of(path: Path, _written: int) -> ModelCard:
    """Read a card again only if its file has changed: each panel asks for all of them."""
    return read_card(path)
