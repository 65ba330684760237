"""The files of a model on the computer that shall compute."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from napari_bonescint.batch.model_here import card_here
from napari_bonescint.inference.model_card import ModelError, shipped_models

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari_bonescint.inference.model_card import ModelCard


def test_a_model_is_found_where_this_computer_has_it(make_model: Callable[..., ModelCard], tmp_path: Path) -> None:
    there = make_model()
    assert card_here(there) is there
    shipped = shipped_models()[0]
    assert card_here(replace(shipped, path=tmp_path / "elsewhere.json")) == shipped
    with pytest.raises(ModelError, match="all computers need the same version"):
        card_here(replace(shipped, path=tmp_path / "elsewhere.json", weights_sha256="00"))
