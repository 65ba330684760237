"""Small pictures of scans, made by a thread when they are first shown."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QObject, Signal
from qtpy.QtGui import QImage

from napari_bonescint.display import thumbnail
from napari_bonescint.gui.common.file_worker import FileWorker

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from numpy.typing import NDArray

    from napari_bonescint.scan import Scan

HEIGHT = 60
_KEPT = 2000
# The oldest requests are dropped, since the user has scrolled past them.
_WAITING = 30


class Thumbnails(QObject):
    """Pictures by name; the last requested picture is made first."""

    ready = Signal(object)
    """Emitted with the name of a new picture."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._background = FileWorker(self)
        self._made: OrderedDict[Hashable, QImage | None] = OrderedDict()
        self._wanted: OrderedDict[Hashable, Callable[[], Scan]] = OrderedDict()
        self._making: Hashable | None = None
        self._closed = False

    def get(self, name: Hashable, read: Callable[[], Scan]) -> QImage | None:
        """A picture by its name; None if it is not made yet, if the scan cannot be read, or after `close`.

        `read` reads the scan in the thread.
        """
        if name in self._made:
            self._made.move_to_end(name)
            return self._made[name]
        if name != self._making and not self._closed:
            self._wanted[name] = read
            self._wanted.move_to_end(name)
            if len(self._wanted) > _WAITING:
                self._wanted.popitem(last=False)
            self._make_next()
        return None

    def clear(self) -> None:
        """Forget all pictures and requests."""
        self._made.clear()
        self._wanted.clear()

    def close(self) -> None:
        """End the thread; a list may still be drawn once more."""
        self._closed = True
        self._wanted.clear()
        self._background.close()

    def _make_next(self) -> None:
        if self._making is not None or not self._wanted:
            return
        name, read = self._wanted.popitem()
        self._making = name
        self._background.run(
            lambda: thumbnail(read().counts, HEIGHT),
            lambda grey: self._keep(name, _image(grey)),
            lambda _sentence: self._keep(name, None),
        )

    def _keep(self, name: Hashable, picture: QImage | None) -> None:
        self._making = None
        self._made[name] = picture
        if len(self._made) > _KEPT:
            self._made.popitem(last=False)
        self.ready.emit(name)
        self._make_next()


def _image(grey: NDArray[np.uint8]) -> QImage:
    height, width = grey.shape
    data = np.ascontiguousarray(grey).tobytes()
    return QImage(data, width, height, width, QImage.Format.Format_Grayscale8).copy()
