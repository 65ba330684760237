from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QObject

from gui.verdicts import VERDICT, write_verdict
from napari_bonescint.gui.judging import Judging
from napari_bonescint.inference.model_shelf import current_model, label

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from napari_bonescint.gui.background import Background
    from napari_bonescint.inference.model_card import ModelCard

PATIENCE_MS = 120_000


def test_a_verdict_that_was_given_before_is_shown_again(
    tmp_path: Path, make_model: Callable[..., ModelCard], background: Background, qtbot: QtBot
) -> None:
    write_verdict(tmp_path / f"against-{label(current_model())}")
    parent = QObject()
    judging = Judging(parent, background)
    with qtbot.waitSignal(judging.judged) as judged:
        judging.judge(make_model().weights_path, ["nowhere"])
    assert judged.args[0] == VERDICT


def test_a_comparison_that_cannot_be_made_is_one_sentence(
    tmp_path: Path, make_model: Callable[..., ModelCard], background: Background, qtbot: QtBot
) -> None:
    parent = QObject()
    judging = Judging(parent, background)
    with qtbot.waitSignal(judging.failed, timeout=PATIENCE_MS) as failed:
        judging.judge(make_model().weights_path, [str(tmp_path / "nowhere")])
    assert "nowhere" in failed.args[0]
