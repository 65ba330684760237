"""Predictions on validation scans during a training."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QSlider, QVBoxLayout, QWidget

from napari_bonescint.gui.retrain.image_view import ImageView, load_picture
from napari_bonescint.gui.widgets.plain_label import PlainLabel

if TYPE_CHECKING:
    from pathlib import Path

    from qtpy.QtGui import QImage

    from napari_bonescint.gui.common.file_worker import FileWorker

_NONE = "Sample predictions come with the first check of the validation scans."


class SampleViewer(QWidget):
    """A picture of the last predictions, and a slider to earlier ones; `background` loads the pictures."""

    def __init__(self, background: FileWorker) -> None:
        super().__init__()
        self._background = background
        self._samples: tuple[tuple[int, Path], ...] = ()
        self._shown: Path | None = None
        self.caption = PlainLabel(wraps=True)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setToolTip("Earlier and later predictions")
        self.slider.setAccessibleName("Step of the sample predictions")
        self.picture = ImageView()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for part in (self.caption, self.slider, self.picture):
            layout.addWidget(part)
        self.slider.valueChanged.connect(self._show)
        self.show_samples(())

    def show_samples(self, samples: tuple[tuple[int, Path], ...]) -> None:
        """Set the pictures (step, file); the last one is shown unless the user has chosen an earlier one."""
        if samples == self._samples and samples:
            return
        last = self.slider.value() >= len(self._samples) - 1 or samples[: len(self._samples)] != self._samples
        self._samples = samples
        self.slider.setVisible(len(samples) > 1)
        self.slider.blockSignals(True)
        self.slider.setMaximum(max(0, len(samples) - 1))
        if last:
            self.slider.setValue(self.slider.maximum())
        self.slider.blockSignals(False)
        self._show()

    def _show(self) -> None:
        if not self._samples:
            self._shown = None
            self.picture.show_image(None, "")
            self.caption.setText(_NONE)
            return
        step, path = self._samples[self.slider.value()]
        self.caption.setText(f"Held-out scans at step {step}")
        if path != self._shown:
            self._shown = path
            self._background.run(partial(load_picture, path), partial(self._put, path), self.caption.setText)

    def _put(self, path: Path, image: QImage) -> None:
        if path == self._shown:  # otherwise the slider has moved in the meantime
            self.picture.show_image(image, self.caption.text())
