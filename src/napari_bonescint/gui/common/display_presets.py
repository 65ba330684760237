"""Brightness of scans: presets for bone scans, and a slider; a form of magicgui for all panels."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from magicgui.widgets import ComboBox, Container, Slider
from psygnal import Signal

from napari_bonescint.display import contrast_limits, widened
from napari_bonescint.gui.common.settings import Setting, follow, remembered, windows
from napari_bonescint.gui.widgets.label_column import align_fields

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari.layers import Image

    from napari_bonescint.display import Window

_NARROWEST_PERCENT, _USUAL, _WIDEST_PERCENT = 10, 100, 400
_OWN = "As set below"


class DisplayPresets:
    """A form with presets and a slider for the brightness of some images.

    Attributes
    ----------
    form : Container
        `form.native` goes into a layout.
    """

    changed = Signal(int)
    """Emitted with the new width of the window, in per cent of the usual one."""

    def __init__(self) -> None:
        self._images: list[Image] = []
        self._windows: WeakKeyDictionary[Image, Window] = WeakKeyDictionary()
        self.preset = ComboBox(
            label="Brightness",
            choices=[*windows(), _OWN],
            value="Bone",
            tooltip="How dark counts are drawn: for bone, for faint uptake, or for hot spots",
        )
        self.width = Slider(
            label=_label(_USUAL),
            value=_USUAL,
            readout=False,
            min=_NARROWEST_PERCENT,
            max=_WIDEST_PERCENT,
            tooltip="Counts shown as black, in per cent of the usual value",
        )
        self.form = Container(widgets=[self.preset, self.width])
        self.form.margins = (0, 0, 0, 0)
        align_fields(self.form.native)
        self.preset.changed.connect(self._take_preset)
        self.width.changed.connect(self._show)
        self.preset.value = remembered(Setting.PRESET)
        follow(Setting.PRESET, self.preset.native.setCurrentText)

    @property
    def percent(self) -> int:
        """Width of the window, in per cent of the usual one."""
        return int(self.width.value)

    def set_images(self, images: Sequence[Image], windows: Sequence[Window] | None = None) -> None:
        """Set the images that the form changes, and the usual window of each if they are known; computed otherwise.

        Images that were there before keep their contrast limits.
        """
        new = [image for image in images if image not in self._images]
        self._images = list(images)
        if windows is not None:
            new = self._images
            self._windows.update(zip(images, windows, strict=True))
        if windows is not None or self.percent != _USUAL:
            self._apply(new)

    def next_preset(self) -> None:
        """Take the next wider preset; after the widest, the narrowest."""
        wider = [percent for percent in windows().values() if percent > self.percent]
        self.width.value = min(wider or windows().values())

    def _take_preset(self, name: str) -> None:
        if name != _OWN:
            self.width.value = windows()[name]

    def _show(self, percent: int) -> None:
        name = next((name for name, usual in windows().items() if usual == percent), _OWN)
        with self.preset.changed.blocked():
            self.preset.value = name
        self.width.label = _label(percent)
        self._apply(self._images)
        self.changed.emit(percent)

    def _apply(self, images: Sequence[Image]) -> None:
        for image in images:
            if image not in self._windows:
                self._windows[image] = contrast_limits(image.data)
            image.contrast_limits = widened(self._windows[image], self.percent)


def _label(percent: int) -> str:
    return f"Window {percent} %"
