"""Turn errors of sockets and libraries into sentences about the connection."""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING

from napari_bonescint.archive.connection.tls import describe_failure
from napari_bonescint.archive.errors import ArchiveError, Unreachable

if TYPE_CHECKING:
    from collections.abc import Iterator


def chain(error: BaseException) -> Iterator[BaseException]:
    """An error and those that caused it, also those that libraries keep as arguments."""
    waiting: list[object] = [error]
    seen: set[int] = set()
    while waiting:
        each = waiting.pop(0)
        if not isinstance(each, BaseException) or id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        waiting += [each.__cause__, each.__context__, getattr(each, "reason", None), *each.args]


def connection_failure(archive: str, host: str, port: int, error: BaseException, seconds: float) -> ArchiveError:
    """The sentence for an error of a connection; messages of libraries are left out, since they may quote anything."""
    where = f"{host} port {port}"
    for each in chain(error):
        if isinstance(each, ArchiveError):
            return each
        if isinstance(each, ssl.SSLError):
            return ArchiveError(f"{archive}: {where}: {describe_failure(host, each)}.")
        if isinstance(each, socket.gaierror):
            return Unreachable(f"{archive}: no computer is called {host}; check the address.")
        if isinstance(each, ConnectionRefusedError):
            return Unreachable(f"{archive}: {where} refuses connections; check the port and whether the archive runs.")
        if isinstance(each, TimeoutError) or type(each).__name__ in ("ReadTimeoutError", "ConnectTimeoutError"):
            return no_answer(archive, host, port, seconds)
        if isinstance(each, (ConnectionResetError, BrokenPipeError)):
            return cut_off(archive, host, port)
    for each in chain(error):
        if isinstance(each, OSError) and each.errno is not None:
            return Unreachable(f"{archive}: {where} cannot be reached ({each.strerror}); check network and address.")
    return cut_off(archive, host, port)


def no_answer(archive: str, host: str, port: int, seconds: float) -> Unreachable:
    """The sentence for an archive that does not answer."""
    return Unreachable(
        f"{archive}: no answer from {host} port {port} within {seconds:.0f} seconds; check whether the archive "
        "runs and whether a firewall is between."
    )


def cut_off(archive: str, host: str, port: int) -> Unreachable:
    """The sentence for a connection that ended early."""
    return Unreachable(f"{archive}: {host} port {port} closed the connection before its answer was whole; try again.")
