from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from napari.layers import Image

from napari_bonescint.display import contrast_limits
from napari_bonescint.gui.common.display_presets import DisplayPresets
from napari_bonescint.gui.common.settings import Limit, Setting, remember, set_limit, windows

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from napari_bonescint.scan import Scan


def test_presets_and_slider_widen_the_usual_window(scan: Scan, qtbot: QtBot) -> None:
    images = [Image(counts, contrast_limits=(0, 7)) for counts in scan.counts]
    usual = [contrast_limits(counts)[1] for counts in scan.counts]
    form = DisplayPresets()
    qtbot.addWidget(form.form.native)

    def widths() -> list[float]:
        return [image.contrast_limits[1] / high for image, high in zip(images, usual, strict=True)]

    form.set_images(images)
    assert [tuple(image.contrast_limits) for image in images] == [(0, 7), (0, 7)], "opened as they are"
    for name, percent in windows().items():
        form.preset.value = name
        if name != "Bone":  # it is the preset at the beginning
            assert widths() == pytest.approx([percent / 100] * 2)
    form.width.value = 150
    assert widths() == pytest.approx([1.5, 1.5])
    assert form.preset.value not in windows()
    form.next_preset()
    assert (form.preset.value, form.percent) == ("Hot spots", 300)
    form.next_preset()
    assert (form.preset.value, form.percent) == ("Faint", 40)


def test_an_image_opened_later_gets_the_preset_and_others_keep_their_limits(scan: Scan, qtbot: QtBot) -> None:
    first, second = (Image(counts) for counts in scan.counts)
    form = DisplayPresets()
    qtbot.addWidget(form.form.native)
    form.set_images([first])
    form.preset.value = "Faint"
    first.contrast_limits = (0, 3)
    form.set_images([first, second])
    assert tuple(first.contrast_limits) == (0, 3)
    np.testing.assert_allclose(second.contrast_limits[1], 0.4 * contrast_limits(scan.counts[1])[1])


def test_windows_that_are_known_are_used_at_once(scan: Scan, qtbot: QtBot) -> None:
    image = Image(scan.counts[0])
    form = DisplayPresets()
    qtbot.addWidget(form.form.native)
    form.set_images([image], [(0.0, 20.0)])
    assert tuple(image.contrast_limits) == (0, 20)
    form.preset.value = "Hot spots"
    assert tuple(image.contrast_limits) == (0, 60)


def test_the_preset_of_the_preferences_is_taken_and_followed(scan: Scan, qtbot: QtBot) -> None:
    remember(Setting.PRESET, "Faint")
    image = Image(scan.counts[0], contrast_limits=(0, 7))
    form = DisplayPresets()
    qtbot.addWidget(form.form.native)
    form.set_images([image])
    usual = contrast_limits(scan.counts[0])[1]
    assert image.contrast_limits[1] == pytest.approx(usual * 40 / 100)
    remember(Setting.PRESET, "Hot spots")
    assert image.contrast_limits[1] == pytest.approx(usual * 300 / 100)


def test_the_width_of_a_preset_is_a_preference(scan: Scan, qtbot: QtBot) -> None:
    image = Image(scan.counts[0])
    form = DisplayPresets()
    qtbot.addWidget(form.form.native)
    form.set_images([image], [(0.0, 20.0)])
    set_limit(Limit.HOT_SPOTS, 250)
    form.preset.value = "Hot spots"
    assert (tuple(image.contrast_limits), form.percent, form.preset.value) == ((0, 50), 250, "Hot spots")
    with pytest.raises(ValueError, match="400"):
        set_limit(Limit.HOT_SPOTS, 500)
