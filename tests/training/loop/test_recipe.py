from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from napari_bonescint.networks.fdn import FDN
from napari_bonescint.networks.zoo import ARCHITECTURES, HOT_SPOT_ARCHITECTURES, build_network
from napari_bonescint.resources import shipped_folder
from napari_bonescint.training.loop.recipe import RecipeError, read_recipe

if TYPE_CHECKING:
    from pathlib import Path

RECIPES = sorted((shipped_folder("train") / "recipes").glob("*.toml"))


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_shipped_recipes_can_be_followed(path: Path) -> None:
    recipe = read_recipe(path)
    assert recipe.name == path.stem
    network = build_network(recipe.architecture, outputs=recipe.outputs)
    assert recipe.rows % network.multiple == recipe.columns % network.multiple == 0
    assert len(recipe.keep_phases) == (len(network.stages) - 1 if isinstance(network, FDN) else 0)


def test_every_network_has_a_recipe() -> None:
    trained = {(recipe.architecture, recipe.outputs) for recipe in map(read_recipe, RECIPES)}
    assert {name for name, _ in trained} == set(ARCHITECTURES | HOT_SPOT_ARCHITECTURES)
    assert {name for name, outputs in trained if outputs == 1} == set(ARCHITECTURES) - {"phase-u-net"}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("batch = 4", "batch = -4", "batch is -4; it takes a number"),
        ("batch = 4", 'batch = "four"', "batch is 'four'; it takes a whole number"),
        ("batch = 4", "batch = true", "batch is True; it takes a whole number"),
        ("batch = 4", "", "there is no batch"),
        ("batch = 4", "batch = 4\nbutch = 4", "there is an unknown entry 'butch'"),
        (
            "keep_phases = [1, 1, 4, 4]",
            "keep_phases = [9]",
            "keep_phases is .9.; it takes a list of numbers from 1 to 4",
        ),
        ("batch = 4", "batch =", "is not TOML"),
        ("batch = 4", 'batch = 4\nstart = "fdn-13"', "start is 'fdn-13'; it takes a list"),
        ("batch = 4", "batch = 4\nmirrored = 1", "mirrored is 1; it takes true or false"),
        ("batch = 4", "batch = 4\nstart = [1]", "start is 1; it takes a text"),
        ("batch = 4", "batch = 1000000000", "batch is 1000000000; it takes a number from 1 to 4096"),
        ("batch = 4", f"batch = 1{'0' * 30}", "batch is 1000.*; it takes a whole number"),
        ("batch = 4", f"batch = 4\nstart = {'[' * 2000}{']' * 2000}", "is nested too deeply|is not TOML"),
        (
            "seed = 1",
            'seed = 1\npurpose = "magic"',
            "purpose is 'magic'; it takes one of segmenting, finding hot spots",
        ),
        ("seed = 1", 'seed = 1\npurpose = "finding hot spots"', "outputs is 17; it takes 3 for finding hot spots"),
        ("outputs = 17", "outputs = 5", "outputs is 5; it takes 1 for the skeleton, or 17 for"),
        ("learning_rate = 0.002", "learning_rate = inf", "learning_rate is inf; it takes a number"),
        ("learning_rate = 0.002", "learning_rate = nan", "learning_rate is nan; it takes a number"),
        ("learning_rate = 0.002", "learning_rate = -1.0", "learning_rate is -1.0; it takes a number from 0 to 10"),
        ("grid_mm = 4.4", "grid_mm = 1e-9", "grid_mm is 1e-09; it takes a number from 0.5 to 50"),
        ('name = "fdn-13-regions"', 'name = "../evil"', "name is '../evil', which is not a valid file name"),
        ('name = "fdn-13-regions"', 'name = "C:\\\\evil"', "name is .*, which is not a valid file name"),
        ('name = "fdn-13-regions"', 'name = ""', "name is '', which is not a valid file name"),
    ],
)
def test_a_bad_setting_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    text = (RECIPES[0].parent / "fdn-13-regions.toml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "mine.toml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(RecipeError, match=rf"mine\.toml: .*{message}"):
        read_recipe(path)


def test_a_missing_recipe_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"none\.toml: cannot be read"):
        read_recipe(tmp_path / "none.toml")
