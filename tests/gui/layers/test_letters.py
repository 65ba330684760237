from __future__ import annotations

import gc
from typing import TYPE_CHECKING

from vispy.visuals.shaders.program import preprocess

from napari_bonescint.gui.layers.letters import ShortText, draw_in_turns

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


class Drawer:
    """Writes down its steps."""

    def __init__(self, name: str, steps: int, done: list[str]) -> None:
        self.name, self.steps, self.done = name, steps, done

    def step(self) -> bool:
        self.done.append(self.name)
        self.steps -= 1
        return self.steps > 0


def test_steps_follow_one_another_and_end_with_their_object(qtbot: QtBot) -> None:
    done: list[str] = []
    drawers = [Drawer(name, steps, done) for name, steps in (("first", 2), ("gone", 9), ("last", 1))]
    for drawer in drawers:
        draw_in_turns(drawer.step)
    del drawers[1], drawer
    gc.collect()
    assert done == []  # the window answers first
    qtbot.waitUntil(lambda: "last" in done)
    assert done == ["first", "first", "last"]


def test_the_shader_of_short_text_is_short() -> None:
    # vispy's has 77,000 characters, which take 20 ms to search.
    assert len(preprocess(ShortText._shaders["fragment"])) < 3000
