from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from gui.retrain.verdicts import write_verdict
from napari_bonescint.evaluation.baseline import comparison_of, verdict_folder
from napari_bonescint.inference.model_card import DEFAULT_MODEL, ModelError
from napari_bonescint.inference.model_registry import current_model, find_model, use

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_bonescint.inference.model_card import ModelCard


def test_new_weights_are_compared_with_those_in_use(make_model: Callable[..., ModelCard]) -> None:
    new, other = make_model("new"), make_model("other", seed=1)
    comparison = comparison_of(new.weights_path, DEFAULT_MODEL)
    assert (comparison.baseline, comparison.in_use) == (str(current_model().weights_path), False)
    assert not comparison.is_finished

    used = use(other)
    comparison = comparison_of(new.weights_path, DEFAULT_MODEL)
    assert comparison.baseline == str(used.weights_path)
    assert comparison.folder == new.weights_path.parent / f"against-other-{other.weights_sha256[:8]}"


def test_weights_in_use_are_compared_with_what_they_replaced(make_model: Callable[..., ModelCard]) -> None:
    new = make_model("new")
    use(new)
    comparison = comparison_of(new.weights_path, DEFAULT_MODEL)
    assert (comparison.baseline, comparison.in_use, comparison.is_finished) == (DEFAULT_MODEL, True, False)
    assert comparison.folder == verdict_folder(new.weights_path, find_model(DEFAULT_MODEL))


def test_the_verdict_by_which_weights_came_into_use_is_the_last_that_was_given(
    make_model: Callable[..., ModelCard],
) -> None:
    new, first, last = make_model("new"), make_model("zenith", seed=1), make_model("acme", seed=2)
    for age, other in ((100, first), (0, last)):
        write_verdict(folder := verdict_folder(new.weights_path, other))
        verdict = folder / "verdict.json"
        os.utime(verdict, (verdict.stat().st_mtime - age,) * 2)
    use(new)
    comparison = comparison_of(new.weights_path, DEFAULT_MODEL)
    assert (comparison.folder, comparison.in_use) == (verdict_folder(new.weights_path, last), True)
    assert comparison.is_finished


def test_a_model_that_is_gone_is_named(make_model: Callable[..., ModelCard]) -> None:
    new = make_model("new")
    use(new)
    with pytest.raises(ModelError, match=r"gone\.json"):
        comparison_of(new.weights_path, str(new.weights_path.with_name("gone.safetensors")))
