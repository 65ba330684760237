"""What to train and how: one TOML file for each network."""

from __future__ import annotations

import dataclasses
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_bonescint.errors import BonescintError

if TYPE_CHECKING:
    from pathlib import Path


class RecipeError(BonescintError):
    """A recipe that cannot be followed."""


_LOWEST = {"outputs": 1, "rows": 1, "columns": 1, "batch": 1, "steps": 1, "grid_mm": 0.5}


@dataclass(frozen=True)
class Recipe:
    """Settings of one training run.

    Attributes
    ----------
    name : str
        Name of the model that comes out.
    description : str
        One line for a person who chooses a model.
    architecture : str
        A name in `networks.zoo.ARCHITECTURES`.
    outputs : int
        1 for a skeleton logit, or the number of region codes.
    grid_mm : float
        Pixel size that the network sees.
    rows, columns : int
        Size of a training image on that grid; multiples of 32.
    batch : int
        Views in a step.
    keep_phases : tuple of int
        How many of the four phases each stage but the last hands on, see `FDN.forward_sampled`.
    learning_rate : float
        Of Adam, at its highest: after the warm-up, before the decay along a cosine.
    warm_up : int
        Steps.
    steps : int
        Length of the run.
    dice_weight : float
        Weight of the Dice loss beside the cross-entropy.
    average : float
        Decay of the moving average of the weights, which is what is evaluated and shipped.
    seed : int
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


def read_recipe(path: Path) -> Recipe:
    """Read a recipe.

    Raises
    ------
    RecipeError
        If the file cannot be read, or a setting is missing, unknown or of the wrong kind.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RecipeError(f"{path}: cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise RecipeError(f"{path}: is not TOML: {error}.") from error
    known = {field.name: field.type for field in dataclasses.fields(Recipe)}
    if odd := sorted(set(table) ^ set(known)):
        raise RecipeError(f"{path}: {'has an unknown' if odd[0] in table else 'lacks the'} setting {odd[0]!r}.")
    for name, kind in known.items():
        value = table[name]
        if kind == "tuple[int, ...]":
            if not (isinstance(value, list) and all(isinstance(v, int) and 1 <= v <= 4 for v in value)):
                raise RecipeError(f"{path}: {name} is {value!r}; it takes a list of numbers from 1 to 4.")
            table[name] = tuple(value)
        elif kind == "str" and not isinstance(value, str):
            raise RecipeError(f"{path}: {name} is {value!r}; it takes a text.")
        elif kind in ("int", "float"):
            right = isinstance(value, (int, float) if kind == "float" else int) and not isinstance(value, bool)
            if not right or value < _LOWEST.get(name, 0):
                raise RecipeError(f"{path}: {name} is {value!r}; it takes a number from {_LOWEST.get(name, 0)}.")
    return Recipe(**table)
