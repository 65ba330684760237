from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from safetensors.torch import load

from napari_bonescint.evaluation.model_scores import Scores
from napari_bonescint.evaluation.reference_sets import SimulatedSet
from napari_bonescint.evaluation.view_scores import segment_references
from napari_bonescint.inference.model_card import ModelError
from napari_bonescint.inference.segmenter import Segmenter
from napari_bonescint.networks.zoo import build_network
from napari_bonescint.simulation.splits import read_splits
from napari_bonescint.training.data.sources import SimulatedCaseFiles
from napari_bonescint.training.loop.checkpoint import (
    publish,
    read_checkpoint,
    save_checkpoint,
    start_from,
    write_card,
)
from napari_bonescint.training.loop.trainer import Trainer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lightning_fabric import Fabric

    from napari_bonescint.inference.model_card import ModelCard
    from napari_bonescint.simulation.case import Case
    from napari_bonescint.training.loop.recipe import Recipe


def test_training_goes_on_from_a_checkpoint(recipe: Recipe, fabric: Fabric, cases: list[Path], tmp_path: Path) -> None:
    trainer = Trainer(recipe, SimulatedCaseFiles(cases), fabric)
    assert read_checkpoint(tmp_path / "checkpoint.pt") is None
    trainer.step = 17
    save_checkpoint(trainer.state(), tmp_path / "checkpoint.pt")
    again = Trainer(recipe, SimulatedCaseFiles(cases), fabric)
    state = read_checkpoint(tmp_path / "checkpoint.pt")
    assert state is not None
    again.restore(state)
    assert again.step == 17


def test_a_network_starts_from_the_weights_that_fit_it(make_model: Callable[..., ModelCard]) -> None:
    card = make_model("other", architecture="fdn-11", outputs=17)
    network = build_network("fdn-16", outputs=1)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    (copied,) = start_from(network, [], [str(card.weights_path)])
    # Of FDN-11's ten convolutions, each a weight and a bias, all have their like in FDN-16; the head has not.
    assert copied == {"model": "other", "weights_sha256": card.weights_sha256, "tensors": 20, "of": 34}
    given = load(card.read_weights())
    for key, value in network.state_dict().items():
        same = key in given and given[key].shape == value.shape
        torch.testing.assert_close(value, given[key] if same else before[key])


def test_weights_of_which_nothing_fits_are_refused(make_model: Callable[..., ModelCard]) -> None:
    card = make_model("other", architecture="u-net")
    with pytest.raises(ModelError, match=r"No layer of model .*other.* fits this network by name and shape"):
        start_from(build_network("fdn-5"), [], [str(card.weights_path)])


@pytest.mark.parametrize(
    ("architecture", "outputs", "complaint"),
    [
        (
            "fdn-11",
            1,
            r"has 22 tensors, of which 20 fit the 22 of this network .* is head.weight: \(17, .* in the model, \(1, ",
        ),
        (
            "fdn-16",
            17,
            r"of which 21 fit the 34 of this network \(the first that does not fit is .*: missing in the model, ",
        ),
        (
            "fdn-5",
            17,
            r"has 22 .* 2 fit .* in the model, \(64, .* here\); .* start from another model, or use --start-partial",
        ),
    ],
)
def test_weights_of_which_not_all_fit_are_refused_unless_a_part_is_asked_for(
    make_model: Callable[..., ModelCard], architecture: str, outputs: int, complaint: str
) -> None:
    card = make_model("other", architecture="fdn-11", outputs=17)
    network = build_network(architecture, outputs=outputs)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    with pytest.raises(ModelError, match=complaint):
        start_from(network, [str(card.weights_path)])
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


def test_weights_that_fit_are_copied_whole(make_model: Callable[..., ModelCard]) -> None:
    card = make_model("other", architecture="fdn-11", outputs=17)
    (copied,) = start_from(build_network("fdn-11", outputs=17), [str(card.weights_path)])
    assert (copied["tensors"], copied["of"]) == (22, 22)


def test_published_weights_serve_the_segmenter(
    recipe: Recipe, fabric: Fabric, cases: list[Path], case: Case, tmp_path: Path
) -> None:
    trainer = Trainer(recipe, SimulatedCaseFiles(cases), fabric)
    card = publish(trainer.average, recipe, tmp_path, {"steps_done": 0}, ["none"])
    assert card.parameters > 0
    result = Segmenter(card, "cpu").segment(case.count(np.random.default_rng(0), 1e5))
    assert result.regions is not None
    references = SimulatedSet(read_splits()["test"], tuple(cases))
    views = [view for each in segment_references(Segmenter(card, "cpu"), references) for view in each.views]
    scored = write_card(replace(card, scores=Scores.of(views).on_card("held-out simulated", 2)), tmp_path)
    assert [score["metric"] for score in scored.scores] == ["skeleton Dice", "regions Dice"]
    assert scored.weights_sha256 == card.weights_sha256
