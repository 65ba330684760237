"""What to train and how: one TOML file for each network."""

from __future__ import annotations

import dataclasses
import math
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeGuard, TypeVar

from napari_bonescint.errors import BonescintError

if TYPE_CHECKING:
    from pathlib import Path


_T = TypeVar("_T")


class RecipeError(BonescintError):
    """A recipe that cannot be followed."""


_HIGHEST = {"simulated_share": 1.0}
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
        Size of a training image on that grid; multiples of the network's `multiple`.
    batch : int
        Views in a step.
    keep_phases : tuple of int
        How many of the four phases each stage but the last hands on, see `FDN.forward_sampled`; empty for others.
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
    start : tuple of str
        Models whose weights to begin from where names and shapes agree, later ones over earlier ones: names of
        shipped ones or paths of ``.safetensors`` files. Without any, training begins from random weights.
    mirrored : bool
        Whether the model is to segment a view left to right too and average both.
    simulated_share : float
        Share of simulated cases among the examples, 0 to 1, where there are corrected scans too.
    frozen_stages : int
        How many of the network's first stages keep the weights that they begin with.
    check_every : int
        Steps between two looks at the validation scans, of which the best weights are kept; 0 for none.
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
    mirrored: bool = False
    simulated_share: float = 0.5
    frozen_stages: int = 0
    check_every: int = 0


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
    fields = {field.name: field for field in dataclasses.fields(Recipe)}
    if odd := sorted(set(table) - set(fields)):
        raise RecipeError(f"{path}: has an unknown setting {odd[0]!r}.")
    required = {name for name, field in fields.items() if field.default is dataclasses.MISSING}
    if odd := sorted(required - set(table)):
        raise RecipeError(f"{path}: lacks the setting {odd[0]!r}.")
    return Recipe(**{name: _checked(path, name, str(fields[name].type), value) for name, value in table.items()})


def _checked(path: Path, name: str, kind: str, value: object) -> Any:
    """The value of a setting, if it is of its kind."""
    lowest, highest = _LOWEST.get(name, 0), _HIGHEST.get(name, math.inf)
    match kind:
        case "tuple[int, ...]":
            right, wanted = _is_list(value, int) and all(1 <= v <= 4 for v in value), "a list of numbers from 1 to 4"
        case "tuple[str, ...]":
            right, wanted = _is_list(value, str), "a list of texts"
        case "bool":
            right, wanted = isinstance(value, bool), "true or false"
        case "str":
            right, wanted = isinstance(value, str), "a text"
        case _:
            numbers = (int, float) if kind == "float" else int
            right = isinstance(value, numbers) and not isinstance(value, bool) and lowest <= value <= highest
            wanted = f"a number from {lowest}" + (f" to {highest:g}" if highest < math.inf else "")
    if not right:
        raise RecipeError(f"{path}: {name} is {value!r}; it takes {wanted}.")
    return tuple(value) if isinstance(value, list) else value


def _is_list(value: object, kind: type[_T]) -> TypeGuard[list[_T]]:
    return isinstance(value, list) and all(isinstance(v, kind) for v in value)
