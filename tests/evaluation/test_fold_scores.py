"""Scores of folds are kept as they are, and a file of anything else is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from napari_bonescint.evaluation.fold_scores import FoldScores, ScanScore, ViewDice, folds_file, read_fold_scores
from napari_bonescint.evaluation.folds import FoldsError
from napari_bonescint.scan import ViewName

if TYPE_CHECKING:
    from pathlib import Path


def test_what_was_written_is_read(tmp_path: Path) -> None:
    view = ViewDice(ViewName.POSTERIOR, 0.9, {"ribs": 0.7}, 0.1)
    scores = FoldScores(5, 400, {"weights_sha256": "ab"}, ["One scan is damaged."], [ScanScore("c", "m", 2, [view])])
    path = folds_file(tmp_path / "ward.7.safetensors")
    assert path.name == "ward.7.folds.json"
    assert read_fold_scores(path) is None
    scores.write(path)
    assert read_fold_scores(path) == scores
    (score,) = scores.scans[0].view_scores("somebody")
    assert (score.patient, score.view, score.skeleton, score.macro) == ("somebody", ViewName.POSTERIOR, 0.9, 0.7)


@pytest.mark.parametrize("content", ["", "[]", '{"version": 2}', '{"version": 1, "folds": "many"}'])
def test_a_file_of_anything_else_is_one_sentence(tmp_path: Path, content: str) -> None:
    (tmp_path / "x.folds.json").write_text(content)
    with pytest.raises(FoldsError, match=r"x\.folds\.json: holds no scores of folds of this version \(.*\); delete"):
        read_fold_scores(tmp_path / "x.folds.json")
