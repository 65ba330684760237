from __future__ import annotations

from magicgui.widgets import Container
from qtpy.QtWidgets import QApplication

from napari_bonescint.gui.common.device_box import DeviceBox


def test_devices_that_are_found_are_offered_and_the_choice_stays(qtbot: object) -> None:
    devices = DeviceBox()
    form = Container(widgets=[devices.box])
    assert [devices.box.native.itemText(row) for row in range(2)] == ["Automatic", "CPU"]
    devices.box.value = "cpu"
    devices.offer(["cuda:0", "cuda:1", "cpu"])
    devices.offer(["cuda:1"])
    assert devices.box.choices == ("auto", "cpu", "cuda:0", "cuda:1")
    assert devices.device == "cpu"
    devices.box.value = "cuda:1"
    assert devices.box.native.currentText() == "GPU 1"
    form.close()
    QApplication.processEvents()
