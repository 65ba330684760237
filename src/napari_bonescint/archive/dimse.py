"""Associations with an archive by DICOM's own protocol (PS3.7 and PS3.8): asked for, limited, and ended in time."""

from __future__ import annotations

import io
import logging
import socket
import ssl
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pydicom
from pynetdicom import AE, _config, build_context, evt
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]  # made at run time
from pynetdicom.transport import AssociationSocket

from napari_bonescint.archive.errors import ArchiveError, Unreachable
from napari_bonescint.archive.failures import connection_failure, cut_off
from napari_bonescint.archive.inbox import MOST_OBJECT_BYTES
from napari_bonescint.archive.records import Answer, Outcome
from napari_bonescint.archive.status import failure_reason
from napari_bonescint.archive.tls import client_context
from napari_bonescint.formats.safe_reading.silence import quiet

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pynetdicom.association import Association
    from pynetdicom.presentation import PresentationContext

    from napari_bonescint.archive.outgoing import Outgoing
    from napari_bonescint.archive.setups import ArchiveSetup

TRANSFER_SYNTAXES = (
    "1.2.840.10008.1.2.1",
    "1.2.840.10008.1.2",
    "1.2.840.10008.1.2.1.99",
    "1.2.840.10008.1.2.2",
    "1.2.840.10008.1.2.5",
    "1.2.840.10008.1.2.4.57",
    "1.2.840.10008.1.2.4.70",
    "1.2.840.10008.1.2.4.80",
    "1.2.840.10008.1.2.4.90",
    "1.2.840.10008.1.2.4.50",
    "1.2.840.10008.1.2.4.51",
    "1.2.840.10008.1.2.4.81",
    "1.2.840.10008.1.2.4.91",
)
"""Those that the readers of scans decode: uncompressed, lossless, and lossy ones last."""
STORED_CLASSES = (
    "1.2.840.10008.5.1.4.1.1.20",  # Nuclear Medicine
    "1.2.840.10008.5.1.4.1.1.7",  # Secondary Capture
    "1.2.840.10008.5.1.4.1.1.7.2",
    "1.2.840.10008.5.1.4.1.1.7.3",
    "1.2.840.10008.5.1.4.1.1.7.4",
    "1.2.840.10008.5.1.4.1.1.66.4",  # Segmentation
    "1.2.840.10008.5.1.4.1.1.88.11",  # SR
    "1.2.840.10008.5.1.4.1.1.88.22",
    "1.2.840.10008.5.1.4.1.1.88.33",
    "1.2.840.10008.5.1.4.1.1.104.1",  # PDF
)
"""Classes of objects that are taken from archives."""

MOST_PDU_BYTES = 2**20
"""Bytes of one part of a message that a peer may send; it is told of `_PDU_BYTES`."""
_PDU_BYTES = 2**17
_MOST_MESSAGE_BYTES = MOST_OBJECT_BYTES + 2**22
_SECONDS_BEFORE_RETRY = 0.3

# pynetdicom would write identifiers of patients to logs.
logging.getLogger("pynetdicom").setLevel(logging.CRITICAL + 1)
_config.LOG_HANDLER_LEVEL = "none"
_config.LOG_REQUEST_IDENTIFIERS = _config.LOG_RESPONSE_IDENTIFIERS = False


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


def own_entity(setup: ArchiveSetup) -> OwnEntity:
    """The application entity of this computer, with the deadlines of a set-up."""
    entity = OwnEntity(ae_title=setup.own_title)
    seconds = setup.answer_seconds
    entity.acse_timeout = entity.dimse_timeout = seconds
    entity.network_timeout = seconds + 1
    entity.connection_timeout = min(5.0, seconds)
    entity.maximum_pdu_size = _PDU_BYTES
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
            if last or time.monotonic() - began > 1:
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
                max_pdu=_PDU_BYTES,
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
        raise _rejection(setup, association)
    raise _diagnosis(setup)


def _rejection(setup: ArchiveSetup, association: Association) -> ArchiveError:
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


def _diagnosis(setup: ArchiveSetup) -> ArchiveError:
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


def store(setup: ArchiveSetup, objects: Sequence[Outgoing], line: Line, tell: Callable[[Answer], None]) -> None:
    """C-STORE each object, and tell the archive's answer to each as it comes.

    If the connection is lost, the rest is tried once more in a new association: repeating is safe, since an object has
    the same identifiers and content in each try.
    """
    waiting = list(objects)
    for last in (False, True):
        try:
            association = associate(setup, _store_contexts(waiting), line)
        except ArchiveError as error:
            outcome = Outcome.FAILED if isinstance(error, Unreachable) else Outcome.REFUSED
            for each in waiting:
                tell(Answer(each.instance_uid, outcome, str(error)))
            return
        try:
            while waiting:
                answer = _store_one(setup, association, waiting[0])
                if answer.outcome is Outcome.FAILED and not last:
                    break
                tell(answer)
                waiting.pop(0)
        finally:
            line.release()
        if not waiting:
            return


def _store_one(setup: ArchiveSetup, association: Association, each: Outgoing) -> Answer:
    try:
        with quiet():
            dataset = pydicom.dcmread(io.BytesIO(each.content))
            status = association.send_c_store(dataset)
    except ValueError:
        return Answer(
            each.instance_uid,
            Outcome.REFUSED,
            f"{setup.name}: does not take this kind of object; ask its administrator.",
        )
    except (RuntimeError, AttributeError):  # the association has ended
        status = pydicom.Dataset()
    if "Status" not in status:
        return Answer(each.instance_uid, Outcome.FAILED, str(cut_off(setup.name, setup.host, setup.port)))
    code = int(status.Status)
    if code == 0 or code >> 12 == 0xB:
        warned = "" if code == 0 else f", with the warning {code:04X}"
        return Answer(each.instance_uid, Outcome.STORED, f"{setup.name}: stored it{warned}.")
    if code == 0x0111:
        return Answer(each.instance_uid, Outcome.PRESENT, f"{setup.name}: has it already.")
    return Answer(each.instance_uid, Outcome.REFUSED, f"{setup.name}: refused it ({failure_reason(code)}).")


def present(setup: ArchiveSetup, each: Outgoing) -> Answer:
    """The answer about an object that the archive has already, so it is not sent."""
    return Answer(each.instance_uid, Outcome.PRESENT, f"{setup.name}: has it already.", confirmed=True)


def _store_contexts(objects: Sequence[Outgoing]) -> list[PresentationContext]:
    kinds: dict[tuple[str, str], None] = {}
    for each in objects:
        kinds[each.sop_class, each.transfer_syntax] = None
    # What is not compressed may be sent in another form.
    plain = [build_context(each, list(TRANSFER_SYNTAXES[:2])) for each in dict.fromkeys(kind for kind, _ in kinds)]
    return [*(build_context(kind, syntax) for kind, syntax in kinds), *plain][:128]
