"""Associations with an archive by DICOM's own protocol (PS3.7 and PS3.8), and the test of one (C-ECHO)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from pynetdicom import AE, build_context, evt
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]  # made at run time

from napari_bonescint.archive.connection.failures import connection_failure, cut_off
from napari_bonescint.archive.connection.limited_connection import PDU_BYTES, Connection, contain, message_came
from napari_bonescint.archive.connection.refused_association import diagnosis, rejection
from napari_bonescint.archive.connection.status_codes import failure_reason
from napari_bonescint.archive.connection.tls import client_context
from napari_bonescint.archive.errors import ArchiveError, Unreachable
from napari_bonescint.formats.safe_reading.silence import quiet

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pydicom
    from pynetdicom.association import Association
    from pynetdicom.presentation import PresentationContext
    from pynetdicom.transport import AssociationSocket

    from napari_bonescint.archive.connection.line import Line
    from napari_bonescint.archive.setup.archive_setup import ArchiveSetup

_SECONDS_BEFORE_RETRY = 0.3


class OwnEntity(AE):
    """The application entity of this computer, whose connections have limits."""

    line: Line | None = None

    def _create_socket(self, assoc: Association, address: Any, tls_args: Any) -> AssociationSocket:
        contain(assoc)
        connection = Connection(assoc, address=address)
        connection.seconds = float(self.acse_timeout or Connection.seconds)
        connection.tls_args = tls_args
        if self.line is not None:
            self.line.hold(connection)
        return connection


def own_entity(setup: ArchiveSetup) -> OwnEntity:
    """The application entity of this computer, with the deadlines of a set-up."""
    entity = OwnEntity(ae_title=setup.own_title)
    seconds = setup.answer_seconds
    entity.acse_timeout = entity.dimse_timeout = seconds
    entity.network_timeout = seconds + 1
    entity.connection_timeout = min(5.0, seconds)
    entity.maximum_pdu_size = PDU_BYTES
    return entity


def associate(
    setup: ArchiveSetup,
    contexts: Sequence[PresentationContext],
    line: Line,
    *,
    roles: Sequence[Any] = (),
    handlers: Sequence[tuple[Any, Any]] = (),
) -> Association:
    """Ask an archive for an association; once more if the connection was lost at once.

    Raises
    ------
    ArchiveError, Unreachable
        If the archive refuses or is not reached.
    """
    for last in (False, True):
        began = time.monotonic()
        try:
            association = _ask(setup, contexts, line, roles, handlers)
        except Unreachable:
            if last or line.is_cut or time.monotonic() - began > 1:
                raise
            time.sleep(_SECONDS_BEFORE_RETRY)
        else:
            line.association = association
            if line.is_cut:
                line.cut()
            return association
    raise AssertionError("the last try returns or raises")


def _ask(
    setup: ArchiveSetup,
    contexts: Sequence[PresentationContext],
    line: Line,
    roles: Sequence[Any],
    handlers: Sequence[Any],
) -> Association:
    entity = own_entity(setup)
    entity.line = line
    tls = (client_context(setup), setup.host) if setup.tls else None
    try:
        with quiet():
            association = entity.associate(
                setup.host,
                setup.port,
                contexts=list(contexts),
                ae_title=setup.title,
                max_pdu=PDU_BYTES,
                ext_neg=list(roles),
                tls_args=tls,
                evt_handlers=[(evt.EVT_DIMSE_RECV, message_came), *handlers],
            )
    except OSError as error:
        raise connection_failure(setup.name, setup.host, setup.port, error, setup.answer_seconds) from error
    if association.is_established:
        return association
    line.hang_up()
    if association.is_rejected:
        raise rejection(setup, association)
    raise diagnosis(setup)


def echo(setup: ArchiveSetup, line: Line) -> str:
    """C-ECHO; returns one sentence about what answered."""
    began = time.monotonic()
    association = associate(setup, [build_context(Verification)], line)
    try:
        with quiet():
            status = association.send_c_echo() if association.accepted_contexts else None
    except (RuntimeError, ValueError) as error:
        raise cut_off(setup.name, setup.host, setup.port) from error
    finally:
        line.release()
    if status is None:
        raise ArchiveError(f"{setup.name}: {setup.title} takes associations, but not the test (C-ECHO).")
    require_success(setup, status)
    milliseconds = 1000 * (time.monotonic() - began)
    return f"{setup.name}: {setup.title} answers {setup.own_title} after {milliseconds:.0f} ms."


def require_success(setup: ArchiveSetup, status: pydicom.Dataset) -> None:
    """Raise `ArchiveError` for a status that is a failure, or none at all."""
    if "Status" not in status:
        raise cut_off(setup.name, setup.host, setup.port)
    if status.Status != 0:
        raise ArchiveError(f"{setup.name}: {failure_reason(int(status.Status))}.")
