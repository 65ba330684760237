"""Hot spots in the window: those of the scan that is read are layers, those of other scans are outlines.

A prior scan does not fill the list of layers thereby; its hot spots become layers when it is chosen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari_bonescint.gui.measure.reading import Reading

_PUT_MS = 1


class ShownSpots:
    """Keeps the hot spots of all measured scans shown as this module says.

    Parameters
    ----------
    call_later : callable
        Calls a function after some milliseconds, in the same thread.
    measured : callable
        Gives the measured scans, and the one of them that is read or None.
    """

    def __init__(
        self,
        call_later: Callable[[int, Callable[[], None]], None],
        measured: Callable[[], tuple[Sequence[Reading], Reading | None]],
    ) -> None:
        self._call_later, self._measured = call_later, measured
        self._is_due = False

    def update(self) -> None:
        """Add or remove one layer in each of the next turns, because napari takes 0.1 s for each."""
        if not self._is_due:
            self._is_due = True
            self._call_later(_PUT_MS, self._step)

    def _step(self) -> None:
        self._is_due = False
        scans, read = self._measured()
        others = [scan for scan in scans if scan is not read]
        for scan in others:
            if scan.spots.take_out_next():
                self.update()
                return
            scan.outline()
        if read is not None and read.measures is not None:
            read.clear_outlines()
            if read.spots.show_next():
                self.update()
