"""Take images that archives and workstations send (C-STORE SCP); it listens only between `start` and `stop`."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pynetdicom import build_context, evt
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]  # made at run time

from napari_bonescint.archive.connection.association import own_entity
from napari_bonescint.archive.connection.limited_connection import message_came
from napari_bonescint.archive.connection.object_kinds import STORED_CLASSES, TRANSFER_SYNTAXES
from napari_bonescint.archive.connection.tls import server_context
from napari_bonescint.archive.errors import ArchiveError
from napari_bonescint.archive.receiving.inbox import TooMuch, Unwanted
from napari_bonescint.archive.receiving.server import MOST_CONNECTIONS, Handler, Server
from napari_bonescint.errors import BonescintError
from napari_bonescint.files.atomic import CannotWrite
from napari_bonescint.formats.safe_reading.silence import quiet

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_bonescint.archive.records import Received
    from napari_bonescint.archive.setup.archive_setup import ArchiveSetup

_SUCCESS, _NO_ROOM, _NOT_UNDERSTOOD, _OTHER_IDENTIFIERS = 0x0000, 0xA700, 0xC000, 0xA900
_ENDING_SECONDS = 5.0


@dataclass(frozen=True)
class Refused:
    """Something that was sent and not taken; `sentence` says why."""

    sentence: str


class Receiver:
    """A receiver of one set-up.

    Parameters
    ----------
    setup : ArchiveSetup
        Its address, port, title, and the titles that may send.
    take : callable
        Takes a DICOM file, and returns what it became once it is on the disk. Called in threads.
    on_event : callable
        Receives a `Received` or a `Refused` for each object. Called in threads.
    """

    def __init__(
        self,
        setup: ArchiveSetup,
        take: Callable[[bytes], Received],
        on_event: Callable[[Received | Refused], object],
    ) -> None:
        self._setup = setup
        self._take = take
        self._on_event = on_event
        self._server: Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def is_on(self) -> bool:
        """True between `start` and `stop`."""
        return self._server is not None

    def start(self) -> None:
        """Begin to listen; raises `ArchiveError` if address, port or certificate cannot be used."""
        setup = self._setup
        context = server_context(setup) if setup.own_tls else None
        entity = own_entity(setup)
        entity.maximum_associations = MOST_CONNECTIONS
        entity.require_called_aet = True
        entity.require_calling_aet = list(setup.callers)
        contexts = [build_context(each, list(TRANSFER_SYNTAXES)) for each in STORED_CLASSES]
        handlers: list[Any] = [(evt.EVT_DIMSE_RECV, message_came), (evt.EVT_C_STORE, self._store)]
        try:
            with quiet():
                server: Any = entity.make_server(
                    (setup.address, setup.own_port),
                    contexts=[*contexts, build_context(Verification)],
                    evt_handlers=handlers,
                    server_class=Server,
                    request_handler=Handler,
                )
        except OSError as error:
            raise ArchiveError(
                f"{setup.name}: cannot listen at {setup.address} port {setup.own_port} ({error.strerror}); choose an "
                "address of this computer and a free port."
            ) from error
        server.secure(context, self._refuse_connection)
        entity._servers.append(server)
        self._server = server
        self._thread = threading.Thread(target=server.serve_forever, args=(0.1,), name="archive receiver", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Listen no longer, and end what is being sent."""
        server, self._server = self._server, None
        if server is None:
            return
        with quiet():
            server.is_over = True
            server.shutdown()
            for association in server.active_associations:
                association.abort()
        if self._thread is not None:
            self._thread.join(_ENDING_SECONDS)

    def _store(self, event: Any) -> int:
        """Take one object; the sender is told of success only when it is on the disk."""
        caller = event.assoc.requestor.ae_title
        try:
            received = self._take(event.encoded_dataset())
        except TooMuch as error:
            return self._refuse(caller, str(error), _NO_ROOM)
        except CannotWrite as error:
            return self._refuse(caller, str(error), _NO_ROOM)
        except Unwanted as error:
            return self._refuse(caller, str(error), _OTHER_IDENTIFIERS)
        except BonescintError as error:
            return self._refuse(caller, str(error), _NOT_UNDERSTOOD)
        except Exception as error:  # a hostile sender must not end the thread
            return self._refuse(caller, f"an object could not be taken ({type(error).__name__}).", _NOT_UNDERSTOOD)
        if received.instance_uid != str(event.request.AffectedSOPInstanceUID):
            return self._refuse(caller, "an object has another identifier than its message.", _OTHER_IDENTIFIERS)
        self._on_event(received)
        return _SUCCESS

    def _refuse(self, caller: str, sentence: str, status: int) -> int:
        self._on_event(Refused(f"{caller} sent what was not taken: {sentence}"))
        return status

    def _refuse_connection(self, host: str, why: str) -> None:
        self._on_event(Refused(f"a connection from {host} was refused: {why}."))
