from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject

from gui.retrain.verdicts import VERDICT, write_verdict
from napari_bonescint.evaluation.baseline import verdict_folder
from napari_bonescint.gui.retrain.comparison_process import ComparisonProcess
from napari_bonescint.inference.model_card import DEFAULT_MODEL
from napari_bonescint.inference.model_registry import current_model, use
from napari_bonescint.training.runs.launch import RunSettings, plan_of_file

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytestqt.qtbot import QtBot

    from napari_bonescint.gui.common.file_worker import FileWorker
    from napari_bonescint.inference.model_card import ModelCard

PATIENCE_MS = 120_000


def settings_of(store: str, start: str = DEFAULT_MODEL) -> RunSettings:
    return RunSettings(plan_of_file(Path("quick.toml")), (store,), start, "cpu")


def test_a_verdict_that_was_given_before_is_shown_again(
    tmp_path: Path, make_model: Callable[..., ModelCard], background: FileWorker, qtbot: QtBot
) -> None:
    new = make_model()
    write_verdict(folder := verdict_folder(new.weights_path, current_model()))
    parent = QObject()
    judging = ComparisonProcess(parent, background)
    with qtbot.waitSignal(judging.judged) as judged:
        judging.judge(new.weights_path, settings_of("nowhere"))
    assert judged.args == [(VERDICT, folder, False)]

    use(new)
    with qtbot.waitSignal(judging.judged) as judged:
        judging.judge(new.weights_path, settings_of("nowhere"))
    assert judged.args == [(VERDICT, folder, True)]


def test_a_comparison_that_cannot_be_made_is_one_sentence(
    tmp_path: Path, make_model: Callable[..., ModelCard], background: FileWorker, qtbot: QtBot
) -> None:
    parent = QObject()
    judging = ComparisonProcess(parent, background)
    with qtbot.waitSignal(judging.failed, timeout=PATIENCE_MS) as failed:
        judging.judge(make_model().weights_path, settings_of(str(tmp_path / "nowhere")))
    assert "nowhere" in failed.args[0]
