from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from napari.utils.theme import get_theme
from qtpy.QtGui import QColor

from napari_bonescint.gui.widgets.text_colours import Tone, ToneLabel, colour_of, icon_colour

if TYPE_CHECKING:
    from napari import Viewer

LEAST_CONTRAST = 4.5  # WCAG 2.2, success criterion 1.4.3


def luminance(colour: QColor) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    parts = (colour.redF(), colour.greenF(), colour.blueF())
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: QColor, other: QColor) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def colour_of_theme(theme: str, part: str) -> QColor:
    return QColor(*getattr(get_theme(theme), part).as_rgb_tuple()[:3])


def test_text_is_readable_in_both_themes_and_follows_them(viewer: Viewer) -> None:
    label = ToneLabel()
    viewer.window.add_dock_widget(label)
    label.say("wrong", Tone.WRONG)
    seen = []
    for theme in ("light", "dark"):
        viewer.theme = theme
        for tone in (Tone.GOOD, Tone.CAUTION, Tone.WRONG):
            for part in ("background", "foreground"):
                assert contrast(QColor(colour_of(tone)), colour_of_theme(theme, part)) >= LEAST_CONTRAST, (theme, tone)
        assert contrast(QColor(icon_colour()), colour_of_theme(theme, "background")) >= LEAST_CONTRAST
        assert label.styleSheet() == f"color: {colour_of(Tone.WRONG)};"
        seen.append(label.palette().text().color().name())
    assert seen[0] != seen[1]
    label.say("plain")
    assert label.styleSheet() == ""


@pytest.mark.parametrize("tone", list(Tone))
def test_without_a_viewer_the_theme_of_the_settings_counts(tone: Tone) -> None:
    assert colour_of(tone) in tone.value
