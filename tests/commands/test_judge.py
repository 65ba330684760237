"""`bonescint judge`: from a label store and two models to a verdict."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pytest
from PIL import Image

from judged import corrected_store, threshold_model
from napari_bonescint.cli import main
from napari_bonescint.corrections.selection import select
from napari_bonescint.corrections.store.records.revision import Origin
from napari_bonescint.evaluation.lineage import lineage_after
from napari_bonescint.evaluation.verdict import Recommendation, SetKind, read_verdict
from napari_bonescint.inference.model_registry import current_model, use
from napari_bonescint.simulation.case import SOURCES, Case

if TYPE_CHECKING:
    from pathlib import Path

    from napari_bonescint.inference.model_card import ModelCard


class Judged(NamedTuple):
    status: int
    out: list[str]
    err: str


@pytest.fixture
def good(tmp_path: Path) -> ModelCard:
    """Finds the bar."""
    return threshold_model(tmp_path, "good", 0.7)


@pytest.fixture
def bad(tmp_path: Path) -> ModelCard:
    """Takes soft tissue for bone."""
    return threshold_model(tmp_path, "bad", 0.2)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with one simulated case, a bar too."""
    regions = np.zeros((2, 256, 128), np.uint8)
    regions[:, 20:220, 55:75] = 3
    expected = np.zeros((len(SOURCES), *regions.shape), np.float32)
    expected[0], expected[SOURCES.index("soft"), :, 10:250, 25:100] = 4.0 * (regions > 0), 0.5
    folder = tmp_path / "data"
    folder.mkdir()
    Case(expected, regions, 2.0).save(folder / "case_003000.npz")
    return folder


@pytest.fixture
def judge(data: Path, capsys: pytest.CaptureFixture[str]):
    def run(*arguments: str | Path) -> Judged:
        status = main(["judge", *map(str, arguments), "--data", str(data), "--device", "cpu"])
        said = capsys.readouterr()
        return Judged(status, said.out.splitlines(), said.err)

    return run


def test_better_weights_are_recommended_and_the_verdict_is_kept(
    judge, good: ModelCard, bad: ModelCard, tmp_path: Path
) -> None:
    use(bad)
    store = corrected_store(tmp_path / "store", 6, Origin.of_model("bad", bad.weights_sha256))
    report = tmp_path / "report"
    ended = judge("--new", good.weights_path, "--store", store.folder, "--report", report)
    assert ended.status == 0
    assert "Use the new weights: they are better on corrected scans." in ended.out
    assert ended.out[:7] == [f"scored {done} of 7" for done in range(1, 8)]
    assert current_model() == bad

    verdict = read_verdict(report)
    assert verdict.recommendation is Recommendation.USE
    assert (verdict.current.name, verdict.new.name) == ("bad", "good")
    assert any(
        sentence.startswith("6 of the 6 corrected masks started from a result of the present")
        for sentence in verdict.sentences
    )
    rows = {(row.set, row.region): row for row in verdict.rows}
    skeleton = rows[SetKind.CORRECTED, "skeleton"]
    assert (skeleton.patients, skeleton.views) == (6, 12)
    assert skeleton.new > 0.8 > skeleton.current
    assert 0 < skeleton.low < skeleton.difference < skeleton.high
    assert rows[SetKind.SIMULATED, "skeleton"].low is None

    page = (report / "report.html").read_text(encoding="utf-8")
    assert verdict.sentences[0] in page
    assert page.count("data:image/jpeg;base64,") == 3
    assert not re.search(r"(src|href)=\"http", page)
    for picture in verdict.pictures:
        with Image.open(report / picture.file) as image:
            assert image.size == (8 * 48, 96 + 14)


def test_worse_weights_are_not(judge, good: ModelCard, bad: ModelCard, tmp_path: Path) -> None:
    store = corrected_store(tmp_path / "store", 6, Origin.empty())
    ended = judge("--new", bad.weights_path, "--current", good.weights_path, "--store", store.folder)
    assert "Keep the present weights: the new ones are worse in some respect." in ended.out
    assert any(line.startswith("Worse by more than 0.02 on corrected scans: skeleton") for line in ended.out)
    assert not any("started from a result" in line for line in ended.out)


def test_with_four_patients_it_cannot_be_told(judge, good: ModelCard, bad: ModelCard, tmp_path: Path) -> None:
    store = corrected_store(tmp_path / "store", 4, Origin.empty())
    ended = judge("--new", good.weights_path, "--current", bad.weights_path, "--store", store.folder)
    sentence = "corrected scans of at least 5 held-out patients are needed, and there are 4."
    assert f"There are too few patients to compare the weights: {sentence}" in ended.out


@pytest.mark.parametrize(("outputs", "named"), [(1, True), (17, False), (1, False)])
def test_skeletons_alone_decide_where_no_regions_are_named(judge, tmp_path: Path, outputs: int, named: bool) -> None:
    good, bad = (threshold_model(tmp_path, name, at, outputs) for name, at in (("good", 0.7), ("bad", 0.2)))
    store = corrected_store(tmp_path / "store", 5, Origin.empty(), names_regions=named)
    report = tmp_path / "report"
    judge("--new", good.weights_path, "--current", bad.weights_path, "--store", store.folder, "--report", report)
    verdict = read_verdict(report)
    assert verdict.recommendation is Recommendation.USE
    assert {row.region for row in verdict.rows if row.set is SetKind.CORRECTED} == {"skeleton"}


def test_weights_that_lose_the_regions_are_not_recommended(judge, bad: ModelCard, tmp_path: Path) -> None:
    plain = threshold_model(tmp_path, "plain", 0.7, outputs=1)
    store = corrected_store(tmp_path / "store", 5, Origin.empty())
    ended = judge("--new", plain.weights_path, "--current", bad.weights_path, "--store", store.folder)
    assert "The present weights name regions; the new weights do not." in ended.out
    assert "Keep the present weights: the new ones are worse in some respect." in ended.out


def test_weights_are_not_judged_on_what_they_learnt_from_in_another_store(
    judge, good: ModelCard, bad: ModelCard, tmp_path: Path
) -> None:
    trained = corrected_store(tmp_path / "trained", 6, Origin.empty(), held_out=False)
    good.path.write_text(
        replace(good, learnt_from=lineage_after([], select([trained]).scans)).to_json(), encoding="utf-8"
    )
    # The same scans in a store with another secret, which holds their patients out.
    store = corrected_store(tmp_path / "store", 7, Origin.empty())
    report = tmp_path / "report"
    ended = judge(
        "--new", good.weights_path, "--current", bad.weights_path, "--store", store.folder, "--report", report
    )
    said = "Left out: 6 scans of 6 patients, because model good or one of its ancestors learnt from scans of the same"
    assert any(line.endswith("are needed, and there are 1.") for line in ended.out)
    assert any(line.startswith(said) for line in ended.out)
    assert read_verdict(report).recommendation is Recommendation.CANNOT_TELL
    assert said in (report / "report.html").read_text(encoding="utf-8")


def test_without_corrected_scans_it_cannot_be_told(judge, good: ModelCard, bad: ModelCard, tmp_path: Path) -> None:
    ended = judge("--new", good.weights_path, "--current", bad.weights_path, "--report", tmp_path / "report")
    assert any(line.endswith("are needed, and there are 0.") for line in ended.out)
    assert {row.set for row in read_verdict(tmp_path / "report").rows} == {SetKind.SIMULATED}


def test_what_cannot_be_compared_is_told_before_anything_is_computed(
    judge, good: ModelCard, bad: ModelCard, tmp_path: Path
) -> None:
    same = judge("--new", good.weights_path, "--current", good.weights_path)
    assert (same.status, same.out) == (1, [])
    assert same.err == (
        "bonescint: The new weights are the same as those of good; give other weights with --current.\n"
    )
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("kept", encoding="utf-8")
    taken = judge("--new", good.weights_path, "--current", bad.weights_path, "--report", tmp_path / "thesis")
    assert taken.err.endswith("thesis: is not empty; choose an empty or a new folder.\n")
    assert taken.out == []
    nowhere = judge("--new", good.weights_path, "--current", bad.weights_path, "--store", tmp_path / "nowhere")
    assert "nowhere: does not exist" in nowhere.err
