"""A picture from a file, shown as wide as its panel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QImageReader, QPixmap
from qtpy.QtWidgets import QDialog, QPushButton, QSizePolicy, QVBoxLayout

from napari_bonescint.errors import BonescintError
from napari_bonescint.gui.widgets.fitted_picture import FittedPicture, draw_fitted

if TYPE_CHECKING:
    from pathlib import Path

    from qtpy.QtGui import QImage, QPaintEvent

_LARGEST = QSize(1400, 900)


class CannotShow(BonescintError):
    """A picture cannot be read."""


def load_picture(path: Path) -> QImage:
    """Read a picture; any thread may call this. Raises `CannotShow` if the file is missing or damaged."""
    reader = QImageReader(str(path))
    image = reader.read()
    if image.isNull():
        raise CannotShow(f"{path.name}: cannot be shown: {reader.errorString()}.")
    return image


class ImageView(QPushButton):
    """A picture that keeps its proportions; a click or the space bar shows it in a large window.

    `title` is the title of that window, and the text for screen readers.
    """

    def __init__(self, title: str = "") -> None:
        super().__init__()
        self._pixmap = QPixmap()
        self.setFlat(True)
        self.setToolTip("Show it larger")
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.clicked.connect(self.show_large)
        self.hide()
        self.setAccessibleName(title)

    def show_image(self, image: QImage | None, title: str) -> None:
        """Show another picture, or none."""
        self._pixmap = QPixmap() if image is None else QPixmap.fromImage(image)
        self.setAccessibleName(title)
        self.setVisible(image is not None)
        self.updateGeometry()
        self.update()

    def show_large(self) -> QDialog | None:
        """Open a window with the picture."""
        if self._pixmap.isNull():
            return None
        dialog = QDialog(self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setWindowTitle(self.accessibleName())
        QVBoxLayout(dialog).addWidget(FittedPicture(self._pixmap))
        dialog.resize(self._pixmap.size().scaled(_LARGEST, Qt.AspectRatioMode.KeepAspectRatio))
        dialog.show()
        return dialog

    def hasHeightForWidth(self) -> bool:  # noqa: N802
        """The height depends on the width."""
        return True

    def heightForWidth(self, width: int) -> int:  # noqa: N802
        """The height that keeps the proportions of the picture."""
        size = self._pixmap.size()
        return round(width * size.height() / size.width()) if size.width() else 0

    def sizeHint(self) -> QSize:  # noqa: N802
        """The width of a narrow dock."""
        return QSize(260, self.heightForWidth(260))

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """The smallest size."""
        return QSize(80, self.heightForWidth(80))

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, ARG002
        """Draw the picture, with a frame while it has the keyboard focus."""
        draw_fitted(self, self._pixmap, framed=self.hasFocus())
