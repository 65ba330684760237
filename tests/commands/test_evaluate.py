"""`bonescint evaluate`: what it measures, prints, writes and does not measure twice."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pytest

from judged import corrected_store, threshold_model
from napari_bonescint.cli import main
from napari_bonescint.corrections.selection import select
from napari_bonescint.corrections.store.records.revision import Origin
from napari_bonescint.evaluation.lineage import lineage_after
from napari_bonescint.evaluation.report.learning_curve import CurvePoint, LearningCurve
from napari_bonescint.formats.masks.label_tiff import write_labels
from napari_bonescint.formats.opening import open_scan
from napari_bonescint.inference.model_card import DEFAULT_MODEL
from napari_bonescint.resources import shipped_folder
from napari_bonescint.simulation.case import Case

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari_bonescint.inference.model_card import ModelCard

    Evaluate = Callable[..., "Ended"]

SAMPLES = shipped_folder("samples")


class Ended(NamedTuple):
    status: int
    out: list[str]
    err: str


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with one test case: a bar of bone in soft tissue."""
    regions = np.zeros((2, 256, 128), np.uint8)
    regions[:, 20:220, 55:75] = 3
    soft = np.zeros(regions.shape, np.float32)
    soft[:, 10:250, 25:100] = 0.2
    folder = tmp_path / "data"
    folder.mkdir()
    Case(np.stack([4.0 * (regions > 0), soft, 0 * soft]), regions, 2.0).save(folder / "case_003000.npz")
    return folder


@pytest.fixture
def hospital(tmp_path: Path) -> Path:
    """The shipped sample as an external set."""
    folder = tmp_path / "hospital"
    folder.mkdir()
    shutil.copy(SAMPLES / "simulated.dcm", folder / "scan.dcm")
    shutil.copy(SAMPLES / "simulated.regions.tif", folder / "s1.reference.tif")
    spacing = open_scan(folder / "scan.dcm").spacing
    assert spacing is not None
    text = f"stem,file,views,spacing_mm\ns1,scan.dcm,anterior+posterior,{spacing[0]}\n"
    (folder / "index.csv").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def evaluate(capsys: pytest.CaptureFixture[str]) -> Evaluate:
    def run(*arguments: str | Path) -> Ended:
        status = main(["evaluate", *map(str, arguments), "--device", "cpu"])
        said = capsys.readouterr()
        return Ended(status, said.out.splitlines(), said.err)

    return run


@pytest.fixture
def tiny(make_model: Callable[..., ModelCard]) -> Path:
    return make_model().weights_path


def test_scores_are_printed_and_nothing_is_written(evaluate: Evaluate, data: Path, tiny: Path) -> None:
    before = sorted(data.parent.rglob("*"))
    ended = evaluate("--data", data, "--model", tiny)
    assert ended.status == 0
    said, heading, test, nm1_like = ended.out
    assert said == "Model tiny. CPU: chosen by the user."
    assert heading.split()[:4] == ["MODEL", "SET", "VIEWS", "DICE"]
    assert test.split()[:3] == ["tiny", "test", "2"]
    assert nm1_like.split()[:3] == ["tiny", "nm1-like", "2"]
    assert test.endswith(" ms")
    assert sorted(data.parent.rglob("*")) == before


def test_the_default_model_does_well_on_a_simulated_scan(evaluate: Evaluate, hospital: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert evaluate("--external", hospital, "--model", DEFAULT_MODEL, "--out", out).status == 0
    results = json.loads((out / "results.json").read_text(encoding="utf-8"))[DEFAULT_MODEL]
    scores = results["sets"]["hospital"]["scores"]
    assert scores["skeleton"]["views"] == 2
    assert scores["skeleton"]["lowest"] > 0.9
    assert scores["macro"]["mean"] > 0.8
    assert scores["regions"]["skull"] > 0.9
    assert scores["loss"] < 0.1
    page = (out / "RESULTS.md").read_text(encoding="utf-8")
    assert "## External sets: not reproducible by the reader (data not public)" in page
    # The diagram shows the test set, which was not measured.
    assert not (out / "reliability.svg").exists()


def test_only_what_is_missing_is_measured(
    evaluate: Evaluate, data: Path, tiny: Path, make_model: Callable[..., ModelCard], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    evaluate("--data", data, "--model", tiny, "--out", out)
    written = {path.name: path.read_bytes() for path in out.iterdir()}
    assert set(written) == {"results.json", "RESULTS.md", "reliability.svg"}

    again = evaluate("--data", data, "--model", tiny, "--out", out)
    assert again.out[0].startswith("MODEL")
    assert {path.name: path.read_bytes() for path in out.iterdir()} == written

    other = make_model("other", outputs=1).weights_path
    more = evaluate("--data", data, "--model", tiny, other, "--out", out)
    assert [line for line in more.out if line.startswith("Model ")] == ["Model other. CPU: chosen by the user."]
    page = (out / "RESULTS.md").read_text(encoding="utf-8")
    assert "| tiny | 261,201 | 16 regions |" in page
    assert "| other | 259,137 | skeleton |" in page

    shutil.copy(data / "case_003000.npz", data / "case_003001.npz")
    changed = evaluate("--data", data, "--model", tiny, "--out", out)
    assert changed.out[0] == "Model tiny. CPU: chosen by the user."
    assert changed.out[2].split()[:3] == ["tiny", "test", "4"]


def test_the_table_is_written_again_without_any_data(
    evaluate: Evaluate, data: Path, tiny: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    evaluate("--data", data, "--model", tiny, "--out", out)
    page = (out / "RESULTS.md").read_bytes()
    (out / "RESULTS.md").write_text("typed by hand", encoding="utf-8")
    ended = evaluate("--out", out)
    assert [line.split()[:3] for line in ended.out[1:3]] == [["tiny", "nm1-like", "2"], ["tiny", "test", "2"]]
    assert (out / "RESULTS.md").read_bytes() == page


def test_what_cannot_be_scored_is_told(evaluate: Evaluate, tmp_path: Path, hospital: Path, tiny: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    nothing = evaluate("--data", empty)
    assert nothing.status == 1
    assert nothing.err == f"bonescint: {empty}: holds no cases to score on; make some with `bonescint simulate`.\n"
    assert evaluate().err == "bonescint: There is nothing to score on; give --data or --external.\n"
    twice = evaluate("--external", hospital, hospital, "--model", tiny)
    assert (twice.status, twice.err) == (
        1,
        "bonescint: 2 sets are named hospital; give them one at a time, or rename them.\n",
    )


def test_a_reference_that_does_not_fit_is_told(evaluate: Evaluate, hospital: Path, tiny: Path) -> None:
    write_labels(hospital / "s1.reference.tif", np.ones((1, 8, 8), np.uint8), None)
    ended = evaluate("--external", hospital, "--model", tiny)
    assert ended.status == 1
    assert "s1.reference.tif: has the shape (1, 8, 8), its scan (2, 1024, 256)." in ended.err


def test_a_label_store_is_scored_region_by_region(evaluate: Evaluate, tmp_path: Path) -> None:
    store = corrected_store(tmp_path / "labels", 2, Origin.empty())
    model, report = threshold_model(tmp_path, "good", 0.7).weights_path, tmp_path / "report"
    ended = evaluate("--data", store.folder, "--model", model, "--report", report)
    assert ended.status == 0
    assert ended.out[2].split()[:3] == ["good", "labels", "4"]
    assert {path.name for path in report.iterdir()} == {"scores.csv", "report.html"}

    with (report / "scores.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    # Two scans with two views each, of which the skeleton and one region of more than 30 pixels are scored.
    assert len(rows) == 8
    assert {row["scan"] for row in rows} == set(store.keys())
    assert {row["region"] for row in rows} == {"skeleton", "thoracic_spine"}
    for row in rows:
        assert float(row["dice"]) > 0.8
        assert 0 <= float(row["distance_mean_mm"]) <= float(row["distance_p95_mm"]) < 60

    page = (report / "report.html").read_text(encoding="utf-8")
    for shown in ("good on labels", "thoracic spine", "ECE", "<svg", "data:image/jpeg;base64,"):
        assert shown in page


def test_patients_who_may_have_been_trained_on_are_scored_only_if_wanted(
    evaluate: Evaluate, tmp_path: Path, tiny: Path
) -> None:
    store = corrected_store(tmp_path / "labels", 1, Origin.empty(), held_out=False)
    ended = evaluate("--data", store.folder, "--model", tiny)
    assert ended.status == 1
    sentence = "no reviewed mask is of a held-out patient; --all-patients scores the masks of all patients (1)."
    assert ended.err == f"bonescint: {store.folder}: {sentence}\n"
    assert evaluate("--data", store.folder, "--model", tiny, "--all-patients").out[2].split()[:3] == [
        *("tiny", "labels", "2")
    ]


def test_scans_that_a_model_learnt_from_are_scored_for_none(evaluate: Evaluate, tmp_path: Path) -> None:
    trained = corrected_store(tmp_path / "trained", 2, Origin.empty(), held_out=False)
    learnt_from = lineage_after([], select([trained]).scans)
    models = [threshold_model(tmp_path, name, 0.7) for name in ("seer", "other")]
    card = replace(models[0], learnt_from=learnt_from)
    card.path.write_text(card.to_json(), encoding="utf-8")
    store = corrected_store(tmp_path / "labels", 3, Origin.empty())
    ended = evaluate("--data", store.folder, "--model", *(model.weights_path for model in models))
    assert [line.split()[:3] for line in ended.out[-2:]] == [["seer", "labels", "2"], ["other", "labels", "2"]]
    assert f"warning: {store.folder}: Left out: 2 scans of 2 patients, because model seer" in ended.err
    nothing = evaluate("--data", trained.folder, "--model", card.weights_path, "--all-patients")
    assert (nothing.status, nothing.err.splitlines()[-1]) == (
        1,
        f"bonescint: {trained.folder}: the models were trained on all patients with reviewed masks.",
    )


def test_a_mask_that_cannot_be_scored_is_named(evaluate: Evaluate, tmp_path: Path, tiny: Path) -> None:
    store = corrected_store(tmp_path / "labels", 2, Origin.empty())
    case = store.keys()[0]
    store.save(case, store.regions(case, 1) * 0, Origin.empty(), annotator="Ada", reviewed=True)
    ended = evaluate("--data", store.folder, "--model", tiny)
    assert (ended.status, ended.out[2].split()[:3]) == (0, ["tiny", "labels", "2"])
    assert f"case {case} is left out: Revision 2 shows no bone in the anterior view." in ended.err


def test_a_report_goes_into_a_new_folder_only(evaluate: Evaluate, data: Path, tiny: Path) -> None:
    ended = evaluate("--data", data, "--model", tiny, "--report", data)
    assert (ended.status, ended.out) == (1, [])
    assert "is not empty; choose an empty or a new folder." in ended.err


def test_a_learning_curve_beside_the_results_becomes_a_section_of_their_page(
    evaluate: Evaluate, data: Path, tiny: Path, tmp_path: Path
) -> None:
    before, after = CurvePoint("none", 0, [0.8], [0.9]), CurvePoint("fine-tuning", 20, [0.85], [0.89])
    out = tmp_path / "out"
    out.mkdir()
    LearningCurve("mine", "ab" * 32, "another hospital", "", before, [after]).write(out / "learning_curve.json")
    assert evaluate("--data", data, "--model", tiny, "--out", out).status == 0
    page = (out / "RESULTS.md").read_text(encoding="utf-8")
    assert "| fine-tuning | 20 | 0.8500 | +0.0500 | +0.0500 | 0.8900 | -0.0100 |" in page
