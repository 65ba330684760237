"""Colours of text that says how something went, readable in dark and in light themes.

Their contrast with the background is at least 4.5:1 in napari's themes, as WCAG 2.2 asks for.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

from napari import current_viewer
from napari.settings import get_settings
from napari.utils.theme import get_system_theme, get_theme
from qtpy.QtCore import QEvent

from napari_bonescint.gui.widgets.plain_label import PlainLabel


class Tone(Enum):
    """The meaning of a text, with its colour on a dark and on a light background; plain text has the theme's colour."""

    PLAIN = ("", "")
    GOOD = ("#6cc26c", "#1f6b2d")
    CAUTION = ("#f0a030", "#7a4a00")
    WRONG = ("#ff8f87", "#a3121b")


def colour_of(tone: Tone) -> str:
    """The colour of a tone in the theme of the viewer; empty for plain text."""
    on_dark, on_light = tone.value
    return on_dark if is_dark() else on_light


def is_dark() -> bool:
    """Whether the theme of the viewer is dark."""
    return bool(_theme().type == "dark")


def icon_colour() -> str:
    """The colour of the theme for icons, ``#rrggbb``."""
    return "#" + "".join(f"{part:02x}" for part in _theme().icon.as_rgb_tuple()[:3])


def _theme() -> Any:
    viewer = current_viewer()
    name = get_settings().appearance.theme if viewer is None else viewer.theme
    return get_theme(get_system_theme() if name == "system" else name)


class ToneLabel(PlainLabel):
    """A label whose text has a tone; its colour follows the theme. `style` is added to its style sheet."""

    def __init__(self, text: str = "", *, wraps: bool = True, style: str = "") -> None:
        super().__init__(text, wraps=wraps)
        self._tone, self._style = Tone.PLAIN, style
        self._colour()

    def say(self, text: str, tone: Tone = Tone.PLAIN) -> None:
        """Show a text."""
        self.setText(text)
        self._tone = tone
        self._colour()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        """Follow the theme."""
        super().changeEvent(event)
        # `_tone` is missing while the label is being made.
        if event.type() == QEvent.Type.StyleChange and getattr(self, "_tone", Tone.PLAIN) is not Tone.PLAIN:
            self._colour()

    def _colour(self) -> None:
        colour = colour_of(self._tone)
        style = f"{self._style}color: {colour};" if colour else self._style
        # Setting a style sheet is a change of style, too.
        if self.styleSheet() != style:
            self.setStyleSheet(style)
