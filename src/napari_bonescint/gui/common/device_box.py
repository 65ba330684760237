"""The choice of a device to compute on, a field of magicgui for all forms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from magicgui.widgets import ComboBox

from napari_bonescint.gui.common.settings import Setting, remembered

if TYPE_CHECKING:
    from collections.abc import Iterable


class DeviceBox:
    """A field with the devices of this computer; `box` is the field, for a form.

    The window never looks for graphics cards, because that imports PyTorch. A child process names them to `offer`.
    """

    def __init__(self) -> None:
        self._gpus: list[str] = []
        self.box = ComboBox(
            label="Device",
            choices=self._choices,
            tooltip="Automatic takes the first graphics card (GPU), and the processor (CPU) if there is none",
        )
        self.box.native.setAccessibleName("Device")
        self.choose(remembered(Setting.DEVICE))

    @property
    def device(self) -> str:
        """The chosen device: ``auto``, ``cpu`` or ``cuda:N``."""
        return str(self.box.value)

    def choose(self, device: str) -> None:
        """Choose a device, also one that no child process has found yet."""
        if device != "auto":
            self.offer([device])
        self.box.value = device

    def offer(self, devices: Iterable[str]) -> None:
        """Add devices that a child process has found."""
        new = [device for device in devices if device != "cpu" and device not in self._gpus]
        if new:
            self._gpus += new
            self.box.reset_choices()

    def _choices(self, _box: object) -> list[tuple[str, str]]:
        gpus = [(f"GPU {device.partition(':')[2]}".strip(), device) for device in self._gpus]
        return [("Automatic", "auto"), ("CPU", "cpu"), *gpus]
