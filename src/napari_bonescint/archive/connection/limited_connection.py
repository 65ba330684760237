"""Limits of DICOM's connections: of one part, of a message, and of time; and no traceback from their threads."""

from __future__ import annotations

import logging
import socket
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pynetdicom import _config
from pynetdicom.transport import AssociationSocket

from napari_bonescint.formats.safe_reading.budget import MOST_BYTES
from napari_bonescint.formats.safe_reading.silence import quiet

if TYPE_CHECKING:
    from collections.abc import Callable

    from pynetdicom.association import Association

MOST_PDU_BYTES = 2**20
"""Bytes of one part of a message that a peer may send; it is told of `PDU_BYTES`."""
PDU_BYTES = 2**17
_MOST_MESSAGE_BYTES = MOST_BYTES + 2**22

# pynetdicom would write identifiers of patients to logs.
logging.getLogger("pynetdicom").setLevel(logging.CRITICAL + 1)
_config.LOG_HANDLER_LEVEL = "none"
_config.LOG_REQUEST_IDENTIFIERS = _config.LOG_RESPONSE_IDENTIFIERS = False


class Connection(AssociationSocket):
    """A connection with limits: of one part, of a message, and of the time for a part.

    pynetdicom's own waits for ever, reads as much as the peer announces, and leaves a socket open that the peer closed.
    An `OSError` while reading ends the association.
    """

    seconds = 10.0
    left = _MOST_MESSAGE_BYTES

    def recv(self, nr_bytes: int) -> bytearray:
        """Read exactly so many bytes, or fewer if the peer closes the connection."""
        self.left -= nr_bytes
        if self.socket is None or nr_bytes > MOST_PDU_BYTES or self.left < 0:
            raise OSError("the peer sends more than is taken")
        self.socket.settimeout(self.seconds)
        until = time.monotonic() + self.seconds
        content = bytearray()
        while len(content) < nr_bytes:
            if time.monotonic() > until:
                raise TimeoutError("the peer sends too slowly")
            piece = self.socket.recv(min(2**16, nr_bytes - len(content)))
            if not piece:
                break
            content += piece
        return content

    def hang_up(self) -> None:
        """Close the connection at once; whoever reads from it is told that it ended."""
        open_socket = self.socket
        if open_socket is not None:
            with suppress(OSError):
                open_socket.shutdown(socket.SHUT_RDWR)
            with suppress(OSError):
                open_socket.close()

    def _shutdown_socket(self) -> None:
        self.hang_up()


def contain(association: Association) -> None:
    """Let an error in the threads of an association end it, without a traceback; damaged messages make many."""
    threads: tuple[Any, Any] = (association, association.dul)
    for thread in threads:
        thread._target = _contained(association, thread._target)


def _contained(association: Association, run: Callable[[], None]) -> Callable[[], None]:
    def contained() -> None:
        try:
            with quiet():
                run()
        except Exception:  # whatever pynetdicom raises
            association.is_aborted, association.is_established = True, False
            association._kill = association.dul._kill_thread = True
            # Those who wait for a message look whether the association lives.
            association.dimse.msg_queue.put((None, None))
            if isinstance(association.dul.socket, Connection):
                association.dul.socket.hang_up()

    return contained


def message_came(event: Any) -> None:
    """Count the bytes of a message anew: one is complete."""
    connection = event.assoc.dul.socket
    if isinstance(connection, Connection):
        connection.left = _MOST_MESSAGE_BYTES
