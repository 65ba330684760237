"""Say why an archive gave no association."""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING, Any

from napari_bonescint.archive.connection.failures import connection_failure
from napari_bonescint.archive.connection.tls import client_context
from napari_bonescint.archive.errors import ArchiveError, Unreachable

if TYPE_CHECKING:
    from pynetdicom.association import Association

    from napari_bonescint.archive.setup.archive_setup import ArchiveSetup


def rejection(setup: ArchiveSetup, association: Association) -> ArchiveError:
    """Why an archive refused the association."""
    answer: Any = association.acceptor.primitive
    source, reason = getattr(answer, "result_source", None), getattr(answer, "diagnostic", None)
    if (source, reason) == (1, 3):
        return ArchiveError(
            f"{setup.name}: does not know the AE title {setup.own_title} of this computer; ask the archive's "
            "administrator to register it."
        )
    if (source, reason) == (1, 7):
        return ArchiveError(f"{setup.name}: is not called {setup.title}; check the archive's AE title.")
    if getattr(answer, "result", None) == 2:
        return Unreachable(f"{setup.name}: has no room for another association now; try again later.")
    return ArchiveError(f"{setup.name}: refused the association; ask the archive's administrator about its rights.")


def diagnosis(setup: ArchiveSetup) -> ArchiveError:
    """Why there is no association: pynetdicom does not say, so the connection alone is tried."""
    seconds = min(5.0, setup.answer_seconds)
    where = f"{setup.host} port {setup.port}"
    is_connected = False
    try:
        with socket.create_connection((setup.host, setup.port), timeout=seconds) as plain:
            is_connected = True
            if setup.tls:
                with client_context(setup).wrap_socket(plain, server_hostname=setup.host):
                    pass
    except (ConnectionError, ssl.SSLEOFError) as error:
        if is_connected:
            return ArchiveError(f"{setup.name}: {where} does not speak TLS; check the port, or switch TLS off.")
        return connection_failure(setup.name, setup.host, setup.port, error, seconds)
    except OSError as error:
        return connection_failure(setup.name, setup.host, setup.port, error, seconds)
    return Unreachable(
        f"{setup.name}: {where} takes the connection, but gives no association; check that it "
        f"speaks DICOM{'' if setup.tls else ' without TLS'} and knows this computer."
    )
