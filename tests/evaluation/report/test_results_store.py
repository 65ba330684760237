from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from napari_bonescint.evaluation.report.results_store import ResultsStore, ResultsStoreError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari_bonescint.evaluation.report.results_store import ModelResults
    from napari_bonescint.inference.model_card import ModelCard


def test_what_is_written_is_read(model_results: Callable[..., ModelResults], tmp_path: Path) -> None:
    store = ResultsStore()
    for outputs in (1, 17):
        results = model_results(f"fdn-{outputs}", outputs=outputs)
        store.models[results.name] = results
    store.write(tmp_path / "results.json")
    assert ResultsStore.read(tmp_path / "results.json").models == store.models


def test_no_file_is_no_results(tmp_path: Path) -> None:
    assert ResultsStore.read(tmp_path / "results.json").models == {}


def test_results_of_other_weights_are_dropped(make_model: Callable[..., ModelCard]) -> None:
    card = make_model()
    store = ResultsStore()
    store.of(card).speed["cpu"] = "measured"  # type: ignore[assignment]
    assert store.of(card).speed
    assert not store.of(replace(card, weights_sha256="another")).speed


@pytest.mark.parametrize("text", ["{", "[]", '{"fdn-5": {}}', '{"fdn-5": {"speed": {}, "sets": {}}}'])
def test_a_file_of_something_else_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "results.json").write_text(text, encoding="utf-8")
    with pytest.raises(ResultsStoreError, match=r"results\.json: is not a file of results of this version"):
        ResultsStore.read(tmp_path / "results.json")


@pytest.mark.parametrize(
    "content", ["5", "[]", '{"a": 5}', '{"a": {"name": 5}}', "[" * 100_000, '{"a": {"speed": [], "sets": []}}']
)
def test_a_file_of_other_kinds_is_one_sentence(tmp_path: Path, content: str) -> None:
    (tmp_path / "results.json").write_text(content)
    with pytest.raises(ResultsStoreError, match=r"results\.json: is not a file of results of this version"):
        ResultsStore.read(tmp_path / "results.json")
