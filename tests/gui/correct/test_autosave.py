from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from gui.correct.correcting_panel import draw, masks, open_first
from napari_bonescint.corrections.store.drafts import Drafts

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari import Viewer
    from pytestqt.qtbot import QtBot

    from napari_bonescint.corrections.store.label_store import LabelStore
    from napari_bonescint.gui.correct.panel import CorrectWidget

CRASHES = Path(__file__).parents[3] / "benchmarks" / "napari_crashes.py"


@pytest.mark.skipif(os.name == "nt", reason="the display of the tests is not passed on there")
def test_a_napari_killed_after_strokes_is_followed_by_one_that_offers_them() -> None:
    # With this seed it is killed 7.6 s after the first stroke, while it draws more.
    ended = subprocess.run(
        [sys.executable, CRASHES, "--kills", "1", "--seed", "2"], capture_output=True, text=True, timeout=600
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    found = re.match(r"(\d+) strokes drawn, (\d+) offered", ended.stdout)
    assert found is not None
    assert int(found[2]) > 0


def test_a_draft_is_written_while_one_draws_without_a_pause(
    viewer: Viewer, store: LabelStore, open_correcting: Callable[..., CorrectWidget], qtbot: QtBot
) -> None:
    panel = open_correcting()
    key = open_first(qtbot, panel, store)
    kept: list[bool] = []
    panel.saving.autosave.kept.connect(lambda: kept.append(True))
    codes = iter(range(200))

    def draw_until_kept() -> bool:
        draw(viewer, 1 + next(codes) % 16)
        return bool(kept)

    # A change every 50 ms: counted from the last one, a draft would never be written.
    qtbot.waitUntil(lambda: (qtbot.wait(50), draw_until_kept())[1], timeout=5000)
    assert Drafts(store).find(key, "AB") is not None


def test_a_draft_that_cannot_be_written_is_one_sentence_and_is_written_with_the_next_change(
    viewer: Viewer, store: LabelStore, open_correcting: Callable[..., CorrectWidget], qtbot: QtBot
) -> None:
    panel = open_correcting()
    key = open_first(qtbot, panel, store)
    elsewhere = store.folder.rename(store.folder.with_name("elsewhere"))
    draw(viewer, 13)
    with qtbot.waitSignal(panel.saving.autosave.failed) as failure:
        panel.saving.autosave.keep()
    assert failure.args is not None
    assert failure.args[0] in panel.saving.status.text()
    assert "stay in the layers" in panel.saving.status.text()
    elsewhere.rename(store.folder)
    draw(viewer, 14)
    with qtbot.waitSignal(panel.saving.autosave.kept):
        pass
    draft = Drafts(store).find(key, "AB")
    assert draft is not None
    np.testing.assert_array_equal(draft.regions[0], masks(viewer)[0].data)
    assert "a draft was kept at" in panel.saving.status.text()
