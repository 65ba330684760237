from __future__ import annotations

from typing import TYPE_CHECKING

from gui.correct.correcting_panel import draw, masks, open_first
from napari_bonescint.corrections.store.drafts import Drafts

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari import Viewer
    from pytestqt.qtbot import QtBot

    from napari_bonescint.corrections.store.label_store import LabelStore
    from napari_bonescint.gui.correct.panel import CorrectWidget


def test_a_panel_taken_out_of_its_dock_keeps_what_was_drawn_and_lets_go_of_the_viewer(
    viewer: Viewer, store: LabelStore, open_correcting: Callable[..., CorrectWidget], qtbot: QtBot
) -> None:
    keys, callbacks = dict(viewer.keymap), list(viewer.mouse_drag_callbacks)
    panel = open_correcting()
    key = open_first(qtbot, panel, store)
    draw(viewer)
    viewer.window.remove_dock_widget(panel)  # napari closes no panel that it takes out
    draft = Drafts(store).find(key, "AB")
    assert draft is not None
    assert (draft.regions[0] == masks(viewer)[0].data).all()
    assert dict(viewer.keymap) == keys
    assert list(viewer.mouse_drag_callbacks) == callbacks
    panel.close()  # once more does no harm
