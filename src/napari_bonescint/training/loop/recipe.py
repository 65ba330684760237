"""Recipes: the settings of a training, one TOML file for each network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_bonescint.anatomy import REGIONS
from napari_bonescint.errors import BonescintError
from napari_bonescint.files.facts import FactError, build, one_sentence, read_toml
from napari_bonescint.files.names import is_file_name
from napari_bonescint.inference.model_card import DEFAULTS, POSSIBLE_GRID_MM, SEGMENTING, UPTAKE_CLASSES

if TYPE_CHECKING:
    from pathlib import Path


class RecipeError(BonescintError):
    """A recipe that is unreadable, or has an impossible setting."""


_PHASES = range(1, 5)
_MOST = 10**9
_POSSIBLE = {
    "grid_mm": POSSIBLE_GRID_MM,
    "rows": (1, 4096),
    "columns": (1, 4096),
    "batch": (1, 4096),
    "steps": (1, _MOST),
    "warm_up": (0, _MOST),
    "check_every": (0, _MOST),
    "frozen_stages": (0, 100),
    "seed": (0, 2**63 - 1),
    "learning_rate": (0.0, 10.0),
    "dice_weight": (0.0, 1000.0),
    "average": (0.0, 1.0),
    "simulated_share": (0.0, 1.0),
}


@dataclass(frozen=True)
class Recipe:
    """Settings of one training run.

    Attributes
    ----------
    name : str
        Name of the trained model.
    description : str
        One line to help the user choose a model.
    architecture : str
        A name in `networks.zoo.ARCHITECTURES`.
    outputs : int
        1 for a skeleton logit, or the number of region codes; 3 for finding hot spots.
    grid_mm : float
        Pixel size of the network's input in mm.
    rows, columns : int
        Size of a training image on that grid; multiples of the network's `multiple`.
    batch : int
        Views in a step.
    keep_phases : tuple of int
        Number of phases, of four, that each stage but the last keeps, see `FDN.forward_sampled`; empty for others.
    learning_rate : float
        Peak learning rate of Adam, after the warm-up and before the cosine decay.
    warm_up : int
        Steps of warm-up.
    steps : int
        Steps of the training.
    dice_weight : float
        Weight of the Dice loss; the cross-entropy has weight 1.
    average : float
        Decay of the moving average of the weights; the averaged weights are evaluated and exported.
    seed : int
    start : tuple of str
        Models to start from, all of whose tensors must fit: names of shipped models or paths of ``.safetensors``
        files. Without any, training starts from random weights.
    start_partial : tuple of str
        Models to start from; only tensors with fitting name and shape are copied, later models over earlier ones.
    mirrored : bool
        True if the model shall also segment the mirrored view, and average both results.
    simulated_share : float
        Share of simulated cases among the examples, 0 to 1, if there are corrected scans, too.
    frozen_stages : int
        Number of the network's first stages that keep their initial weights.
    check_every : int
        Steps between two validations; the best weights are kept; 0 for no validation. Only for segmenting.
    purpose : str
        A key of `model_card.DEFAULTS`: ``segmenting``, or ``finding hot spots``, which is learnt from simulated cases.
    """

    name: str
    description: str
    architecture: str
    outputs: int
    grid_mm: float
    rows: int
    columns: int
    batch: int
    keep_phases: tuple[int, ...]
    learning_rate: float
    warm_up: int
    steps: int
    dice_weight: float
    average: float
    seed: int
    start: tuple[str, ...] = ()
    start_partial: tuple[str, ...] = ()
    mirrored: bool = False
    simulated_share: float = 0.5
    frozen_stages: int = 0
    check_every: int = 0
    purpose: str = SEGMENTING

    @property
    def segments(self) -> bool:
        """True for segmenting, false for finding hot spots."""
        return self.purpose == SEGMENTING


def read_recipe(path: Path) -> Recipe:
    """Read a recipe.

    Raises
    ------
    RecipeError
        If the file cannot be read, or a setting is missing, unknown, of the wrong kind or impossible.
    """
    with one_sentence(
        lambda reason: RecipeError(f"{path}: {reason}."),
        unreadable=lambda reason: RecipeError(f"{path}: cannot be read: {reason}."),
    ):
        try:
            table = read_toml(path)
        except ValueError as error:
            raise FactError(f"is not TOML: {error}") from error
        recipe = build(Recipe, table)
        for setting, (lowest, highest) in _POSSIBLE.items():
            value = getattr(recipe, setting)
            if not lowest <= value <= highest:
                raise FactError(f"{setting} is {value!r}; it takes a number from {lowest:g} to {highest:g}")
        if not is_file_name(recipe.name):
            raise FactError(
                f"name is {recipe.name!r}, which is not a valid file name; use letters, digits, dots and dashes"
            )
        if recipe.purpose not in DEFAULTS:
            raise FactError(f"purpose is {recipe.purpose!r}; it takes one of {', '.join(DEFAULTS)}")
        if recipe.segments and recipe.outputs not in (1, len(REGIONS)):
            raise FactError(
                f"outputs is {recipe.outputs}; it takes 1 for the skeleton, or {len(REGIONS)} for all region codes"
            )
        if not recipe.segments and recipe.outputs != len(UPTAKE_CLASSES):
            raise FactError(f"outputs is {recipe.outputs}; it takes {len(UPTAKE_CLASSES)} for {recipe.purpose}")
        if not recipe.segments and recipe.check_every:
            raise FactError(f"check_every is {recipe.check_every}; it takes 0 for {recipe.purpose}")
        if not all(phases in _PHASES for phases in recipe.keep_phases):
            raise FactError(f"keep_phases is {list(recipe.keep_phases)}; it takes a list of numbers from 1 to 4")
        return recipe
