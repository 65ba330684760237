from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from qtpy.QtCore import QObject, QTimer

from napari_bonescint.gui.common.turns import in_turns

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


def test_other_events_come_between_two_steps(qtbot: QtBot) -> None:
    owner, done = QObject(), []

    def steps():
        for step in range(3):
            done.append(f"step {step}")
            QTimer.singleShot(0, lambda: done.append("event"))
            yield

    in_turns(owner, steps(), then=lambda: done.append("end"))
    assert done == []
    qtbot.waitUntil(lambda: "end" in done)
    assert done[:3] == ["step 0", "event", "step 1"]


def test_the_steps_end_with_their_owner(qtbot: QtBot) -> None:
    owner, done = QObject(), []
    in_turns(owner, (done.append(step) for step in range(1000)))
    qtbot.waitUntil(lambda: len(done) > 1)
    owner.deleteLater()
    with qtbot.waitSignal(owner.destroyed):
        pass
    before = len(done)
    with pytest.raises(qtbot.TimeoutError):
        qtbot.waitUntil(lambda: len(done) > before, timeout=50)
