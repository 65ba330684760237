from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from napari_bonescint.networks.zoo import build_network
from napari_bonescint.resources import shipped_folder
from napari_bonescint.training.recipe import RecipeError, read_recipe

if TYPE_CHECKING:
    from pathlib import Path

RECIPES = sorted((shipped_folder("train") / "recipes").glob("*.toml"))


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_shipped_recipes_can_be_followed(path: Path) -> None:
    recipe = read_recipe(path)
    assert recipe.name == path.stem
    network = build_network(recipe.architecture, outputs=recipe.outputs)
    assert recipe.rows % network.multiple == recipe.columns % network.multiple == 0
    assert len(recipe.keep_phases) == len(network.stages) - 1


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("batch = 4", "batch = -4", "batch is -4; it takes a number"),
        ("batch = 4", 'batch = "four"', "batch is 'four'; it takes a number"),
        ("batch = 4", "batch = true", "batch is True; it takes a number"),
        ("batch = 4", "", "lacks the setting 'batch'"),
        ("batch = 4", "batch = 4\nbutch = 4", "has an unknown setting 'butch'"),
        (
            "keep_phases = [4, 1, 1, 4]",
            "keep_phases = [9]",
            "keep_phases is .9.; it takes a list of numbers from 1 to 4",
        ),
        ("batch = 4", "batch =", "is not TOML"),
    ],
)
def test_a_bad_setting_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    text = RECIPES[0].read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "mine.toml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(RecipeError, match=rf"mine\.toml: .*{message}"):
        read_recipe(path)


def test_a_missing_recipe_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"none\.toml: cannot be read"):
        read_recipe(tmp_path / "none.toml")
