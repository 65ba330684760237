from pathlib import Path

import pytest

from napari_bonescint.resources import shipped_folder

CHECKOUT = Path(__file__).parents[1]


@pytest.mark.parametrize("name", ["weights", "train"])
def test_a_checkout_uses_its_own_folders_at_the_top(name: str) -> None:
    assert shipped_folder(name) == CHECKOUT / name
    assert shipped_folder(name).is_dir()


def test_every_shipped_weights_file_has_its_card_beside_it() -> None:
    weights = {path.stem for path in shipped_folder("weights").glob("*.safetensors")}
    cards = {path.stem for path in shipped_folder("weights").glob("*.json")}
    assert weights == cards
