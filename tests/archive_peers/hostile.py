"""Peers that mean harm: a server that answers each connection with given bytes, whatever it is asked."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def hostile(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """The port of a server on the loopback that calls `answer` with each connection."""
    over = threading.Event()

    def serve(peer: socket.socket) -> None:
        with peer, suppress(OSError):
            peer.settimeout(5)
            answer(peer)

    def accept(server: socket.socket) -> None:
        threads = []
        while not over.is_set():
            with suppress(TimeoutError):
                peer, _ = server.accept()
                threads.append(threading.Thread(target=serve, args=(peer,), daemon=True))
                threads[-1].start()
        for thread in threads:
            thread.join(10)

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        accepting = threading.Thread(target=accept, args=(server,), daemon=True)
        accepting.start()
        try:
            yield int(server.getsockname()[1])
        finally:
            over.set()
            accepting.join(15)


def http(head: str, *pieces: bytes, endless: bytes = b"") -> Callable[[socket.socket], None]:
    """An answer by HTTP: status line and headers, pieces of the body, and a piece that is sent again and again."""

    def answer(peer: socket.socket) -> None:
        request = b""
        while b"\r\n\r\n" not in request:
            piece = peer.recv(2**16)
            if not piece:
                return
            request += piece
        peer.sendall(f"HTTP/1.1 {head}\r\n\r\n".encode())
        for piece in pieces:
            peer.sendall(piece)
        while endless:
            peer.sendall(endless)

    return answer


def whole(body: bytes, kind: str = "application/dicom+json", status: str = "200 OK") -> Callable[[socket.socket], None]:
    """A whole answer by HTTP."""
    return http(f"{status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close", body)
