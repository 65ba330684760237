"""The names by which layers and captions show the cases of a list."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import numpy as np

from gui.correct.correcting_panel import is_open, key_of, move_on
from napari_bonescint.gui.layers.marks import marks_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari import Viewer
    from pytestqt.qtbot import QtBot

    from napari_bonescint.gui.correct.panel import CorrectWidget


def test_layers_bear_the_name_of_the_scans_file_unless_it_shows_the_patient(
    viewer: Viewer,
    tmp_path: Path,
    write_nm: Callable[..., Path],
    open_correcting: Callable[..., CorrectWidget],
    qtbot: QtBot,
) -> None:
    for number, name in enumerate(("a_2024", "b_doe")):
        counts = np.random.default_rng(number).poisson(9, (2, 128, 64)).astype(np.uint16)
        write_nm(f"scans/{name}.dcm", counts, PatientName="Doe^Jane", StudyInstanceUID=f"1.{number}")
    panel = open_correcting()
    panel.controller.open(tmp_path / "store", tmp_path / "scans")
    qtbot.waitUntil(lambda: is_open(panel))
    plain = key_of(panel)
    assert {layer.name.partition(" ")[0] for layer in viewer.layers} == {"a_2024"}
    shown = [marks_of(layer).title for layer in viewer.layers if marks_of(layer) is not None]
    assert shown == ["a_2024", "a_2024"]
    key = move_on(qtbot, panel)
    assert panel.list.place.text().startswith("2 of 2")
    assert {layer.name.partition(" ")[0] for layer in viewer.layers} == {key[:8]}
    # The names are the same when only the label store is there.
    shutil.rmtree(tmp_path / "scans")
    names = {plain: "a_2024", key: key[:8]}
    panel.controller.open(tmp_path / "store")
    qtbot.waitUntil(lambda: panel.list.model.queue.items[0].source is None and is_open(panel))
    for item in panel.list.model.queue.items:
        panel.controller.go_to(item)
        qtbot.waitUntil(lambda key=item.key: is_open(panel) and key_of(panel) == key)
        assert {layer.name.partition(" ")[0] for layer in viewer.layers} == {names[item.key]}
