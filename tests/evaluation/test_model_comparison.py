"""Two models compared on the same scans."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from judged import corrected_store, threshold_model
from napari_bonescint.corrections.selection import select
from napari_bonescint.corrections.store.records.revision import Origin
from napari_bonescint.evaluation.corrected_set import CorrectedSet
from napari_bonescint.evaluation.model_comparison import compare

if TYPE_CHECKING:
    from pathlib import Path


def test_what_differs_most_is_pictured_and_every_scan_is_told(tmp_path: Path) -> None:
    good, bad = (threshold_model(tmp_path, name, at) for name, at in (("good", 0.7), ("bad", 0.2)))
    store = corrected_store(tmp_path / "store", 3, Origin.of_model("good", good.weights_sha256))
    corrected, told = CorrectedSet(select([store]).held_out), []
    judgement = compare(bad, good, corrected, CorrectedSet([]), device="cpu", on_scan=lambda: told.append(1))
    assert len(told) == 3
    assert set(judgement.files()) == {"verdict.json", "report.html", "best.jpg", "worst.jpg", "changed.jpg"}
    captions = {picture.file: picture.caption for picture in judgement.verdict.pictures}
    assert captions["best.jpg"].startswith("Highest Dice of the new weights: Dice 0.")
    assert any(captions["changed.jpg"].endswith(f"(scan {key}).") for key in store.keys())  # noqa: SIM118
    assert "3 of the 3 corrected masks started from a result of the new weights" in judgement.verdict.sentences[-1]


@pytest.mark.parametrize("outputs", [1, 17])
def test_a_model_differs_from_its_like_in_nothing(tmp_path: Path, outputs: int) -> None:
    one, other = (threshold_model(tmp_path, name, 0.7, outputs) for name in ("one", "other"))
    store = corrected_store(tmp_path / "store", 2, Origin.empty())
    judgement = compare(one, other, CorrectedSet(select([store]).held_out), CorrectedSet([]), device="cpu")
    assert all(row.difference == row.low == row.high == 0 for row in judgement.verdict.rows)
    assert "Largest difference between the two: in 0 % of the bone" in judgement.verdict.pictures[-1].caption
