"""The server beneath a receiver: it limits each connection, begins TLS, and prints no traceback."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from pynetdicom.transport import RequestHandler, ThreadedAssociationServer

from napari_bonescint.archive.connection import tls
from napari_bonescint.archive.connection.limited_connection import Connection, contain

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from pynetdicom.association import Association

MOST_CONNECTIONS = 16
"""Connections at once; further ones are closed."""

_SECONDS_BETWEEN_SAME = 60.0
"""A peer that is refused again and again is told of once in this time."""
_MOST_REMEMBERED = 100


class Handler(RequestHandler):
    """Gives each connection limits before anything is read from it."""

    def _create_association(self) -> Association:
        association = super()._create_association()
        contain(association)
        connection: Any = association.dul.socket
        if connection is not None:
            connection.__class__ = Connection
            connection.seconds = float(self.ae.acse_timeout or Connection.seconds)
        return association


class Server(ThreadedAssociationServer):
    """A server that closes connections above a limit, and waits for no peer but in the thread of its connection.

    Attributes
    ----------
    is_over : bool
        True when it has been stopped: no association begins any more.
    """

    daemon_threads = True
    block_on_close = False
    is_over = False

    def secure(self, context: ssl.SSLContext | None, refused: Callable[[str, str], object]) -> None:
        """Take only connections with TLS, if there is a context; `refused` gets host and reason of those without.

        The server's own `ssl_context` is not used: it waits for the peer in the thread that accepts all others.
        """
        self._context = context
        self._refused = refused
        self._beginning = 0
        self._lock = threading.Lock()
        self._told: dict[tuple[str, str], float] = {}

    def verify_request(self, _request: Any, _client_address: Any) -> bool:
        """False if there are too many connections."""
        with self._lock:
            return len(self.active_associations) + self._beginning < MOST_CONNECTIONS

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection in a thread."""
        with self._lock:
            self._beginning += 1
        try:
            super().process_request(request, client_address)
        except BaseException:
            self._has_begun()
            raise

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Begin TLS and the association, in the thread of the connection."""
        try:
            if self._context is not None:
                try:
                    request = tls.accept(self._context, request, float(self.ae.acse_timeout or Connection.seconds))
                except OSError as error:
                    self._tell(str(client_address[0]), tls.describe_refusal(error))
                    return
            if self.is_over:
                request.close()
                return
            super().finish_request(request, client_address)
        finally:
            self._has_begun()

    def handle_error(self, _request: Any, _client_address: Any) -> None:
        """Nothing: the connection is closed."""

    def _has_begun(self) -> None:
        with self._lock:
            self._beginning -= 1

    def _tell(self, host: str, why: str) -> None:
        now = time.monotonic()
        with self._lock:
            if now - self._told.get((host, why), -_SECONDS_BETWEEN_SAME) < _SECONDS_BETWEEN_SAME or self.is_over:
                return
            if len(self._told) >= _MOST_REMEMBERED:
                self._told.clear()
            self._told[host, why] = now
        self._refused(host, why)
