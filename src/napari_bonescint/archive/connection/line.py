"""The association that is in use, for whoever wants to end it from another thread."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from napari_bonescint.formats.safe_reading.silence import quiet

if TYPE_CHECKING:
    from pynetdicom.association import Association

    from napari_bonescint.archive.connection.limited_connection import Connection


class Line:
    """The association that is in use, for whoever wants to end it from another thread."""

    def __init__(self) -> None:
        self.association: Association | None = None
        self._connection: Connection | None = None
        self.is_cut = False

    def hold(self, connection: Connection) -> None:
        """Keep a connection that is being made, or close it if the line was cut meanwhile."""
        self._connection = connection
        if self.is_cut:
            self.cut()

    def cut(self) -> None:
        """End the association, or the wait for it, without waiting for the peer."""
        self.is_cut = True
        association, connection = self.association, self._connection
        if association is not None:
            threading.Thread(target=_abort, args=(association,), name="archive abort", daemon=True).start()
        elif connection is not None:
            connection.hang_up()

    def release(self) -> None:
        """End the association as the standard wants it."""
        association, self.association = self.association, None
        if association is not None and association.is_established:
            with suppress(Exception), quiet():
                association.release()
        self.hang_up()

    def hang_up(self) -> None:
        """Close the connection, which pynetdicom leaves open where the peer closed it or broke off."""
        if self._connection is not None:
            self._connection.hang_up()


def _abort(association: Association) -> None:
    with suppress(Exception), quiet():
        association.abort()
