"""C-FIND to search, C-GET to get, C-MOVE where C-GET is refused, and C-STORE to send (PS3.4)."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from pydicom.dataset import Dataset
from pynetdicom import build_context, build_role, evt
from pynetdicom.sop_class import (  # type: ignore[attr-defined]  # made at run time
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelGet,
    StudyRootQueryRetrieveInformationModelMove,
)

from napari_bonescint.archive.answers import (
    INSTANCE_FIELDS,
    SERIES_FIELDS,
    STUDY_FIELDS,
    found,
    instance_reader,
    newest_first,
    read_study,
    series_reader,
)
from napari_bonescint.archive.backends.receiver import ReceivingArchive
from napari_bonescint.archive.connection.association import associate
from napari_bonescint.archive.connection.failures import cut_off
from napari_bonescint.archive.connection.object_kinds import STORED_CLASSES, TRANSFER_SYNTAXES
from napari_bonescint.archive.connection.status_codes import failure_reason
from napari_bonescint.archive.errors import ArchiveError, Unreachable
from napari_bonescint.archive.progress import Progress, ignore, never
from napari_bonescint.archive.receiving.inbox import Unwanted
from napari_bonescint.archive.receiving.receiver import Receiver, Refused
from napari_bonescint.archive.records import MOST_MATCHES, Answer, Query, Received
from napari_bonescint.archive.sending import c_store
from napari_bonescint.archive.sending.outgoing import require_same_patient
from napari_bonescint.errors import BonescintError
from napari_bonescint.formats.safe_reading.silence import quiet

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari_bonescint.archive.connection.line import Line
    from napari_bonescint.archive.progress import IsCancelled, OnProgress
    from napari_bonescint.archive.receiving.inbox import Inbox
    from napari_bonescint.archive.records import Found, Instance, Series, Study
    from napari_bonescint.archive.sending.outgoing import Outgoing
    from napari_bonescint.archive.setup.archive_setup import ArchiveSetup

T = TypeVar("T")

_PENDING = (0xFF00, 0xFF01)
_CANCELLED = 0xFE00
_UNKNOWN_DESTINATION, _CANNOT_PROCESS = 0xA801, 0xC
_STORED, _REFUSED = 0x0000, 0xA900


class QueryRetrieveArchive(ReceivingArchive):
    """An archive with C-FIND and C-GET or C-MOVE; `interface.Archive` describes the methods."""

    def find_studies(self, query: Query, *, is_cancelled: IsCancelled = never) -> Found[Study]:
        """C-FIND at the level of studies."""
        if problem := query.problem():
            raise ArchiveError(problem)
        return newest_first(found(self._find("STUDY", STUDY_FIELDS, query.matching(), is_cancelled), read_study))

    def find_series(self, study_uid: str, *, is_cancelled: IsCancelled = never) -> Found[Series]:
        """C-FIND at the level of series."""
        wanted = {"StudyInstanceUID": study_uid}
        return found(self._find("SERIES", SERIES_FIELDS, wanted, is_cancelled), series_reader(study_uid))

    def find_instances(self, study_uid: str, series_uid: str, *, is_cancelled: IsCancelled = never) -> Found[Instance]:
        """C-FIND at the level of images."""
        wanted = {"StudyInstanceUID": study_uid, "SeriesInstanceUID": series_uid}
        reader = instance_reader(study_uid, series_uid)
        return found(self._find("IMAGE", INSTANCE_FIELDS, wanted, is_cancelled), reader)

    def get(
        self, series: Series, inbox: Inbox, *, on_progress: OnProgress = ignore, is_cancelled: IsCancelled = never
    ) -> tuple[Received, ...]:
        """C-GET a series; C-MOVE it if that is refused and this computer may receive."""
        coming = _Coming(series, inbox)
        on_progress(Progress(0, series.instances, 0))

        def came(progress: Progress) -> None:
            on_progress(progress)

        try:
            why = self.converse(partial(self._get, coming), is_cancelled, came)
        except Unreachable as error:
            # Some archives break off where others refuse.
            if coming.received or not self.setup.own_port:
                raise
            why = str(error)
        if why and not coming.received and self.setup.own_port:
            why = self._move(coming, came, is_cancelled)
        if coming.failure is not None:
            raise coming.failure
        if why:
            raise ArchiveError(why)
        return tuple(coming.received)

    def send(
        self, objects: Sequence[Outgoing], *, on_progress: OnProgress = ignore, is_cancelled: IsCancelled = never
    ) -> tuple[Answer, ...]:
        """C-STORE objects, and search for each afterwards."""
        for study in dict.fromkeys(each.study_uid for each in objects):
            for filed in self.find_studies(Query(study_uid=study, modality=""), is_cancelled=is_cancelled).items:
                same = [each for each in objects if each.study_uid == study == filed.uid]
                require_same_patient(same, filed.patient_id, self.setup.name)
        present = [each for each in objects if self._has(each, is_cancelled)]
        fresh = [each for each in objects if each not in present]
        sent = super().send(fresh, on_progress=on_progress, is_cancelled=is_cancelled) if fresh else ()
        answers = [c_store.present(self.setup, each) for each in present]
        by_uid = {each.instance_uid: each for each in objects}
        for answer in sent:
            if answer.is_kept and not self._has(by_uid[answer.instance_uid], is_cancelled):
                text = f"{answer.text} A search does not find it yet; look for it in the archive."
                answers.append(Answer(answer.instance_uid, answer.outcome, text))
            else:
                answers.append(Answer(answer.instance_uid, answer.outcome, answer.text, confirmed=answer.is_kept))
        return tuple(answers)

    def _has(self, each: Outgoing, is_cancelled: IsCancelled) -> bool:
        wanted = {
            "StudyInstanceUID": each.study_uid,
            "SeriesInstanceUID": each.series_uid,
            "SOPInstanceUID": each.instance_uid,
        }
        answers = self._find("IMAGE", INSTANCE_FIELDS, wanted, is_cancelled)
        reader = instance_reader(each.study_uid, each.series_uid)
        return any(item.uid == each.instance_uid for item in found(answers, reader).items)

    def _find(
        self, level: str, fields: Sequence[str], wanted: dict[str, str], is_cancelled: IsCancelled
    ) -> list[Dataset]:
        """Answers to C-FIND, at most one more than `MOST_MATCHES`."""
        keys = Dataset()
        keys.SpecificCharacterSet = "ISO_IR 192"
        keys.QueryRetrieveLevel = level
        with quiet():
            for keyword in fields:
                setattr(keys, keyword, wanted.get(keyword, ""))

        def work(line: Line, tell: Callable[[None], None]) -> list[Dataset]:
            model = StudyRootQueryRetrieveInformationModelFind
            association = associate(self.setup, [build_context(model)], line)
            answers: list[Dataset] = []
            try:
                self._require_context(association, "searched (C-FIND)")
                with quiet():
                    for status, answer in association.send_c_find(keys, model):
                        tell(None)
                        if self._is_last(status):
                            return answers
                        answers.append(answer if answer is not None else Dataset())
                        if len(answers) > MOST_MATCHES:
                            association.abort()
                            return answers
            except (RuntimeError, ValueError) as error:
                raise cut_off(self.setup.name, self.setup.host, self.setup.port) from error
            finally:
                line.release()
            return answers

        return self.converse(work, is_cancelled)

    def _get(self, coming: _Coming, line: Line, tell: Callable[[Progress], None]) -> str:
        """C-GET; returns one sentence on why nothing came, or an empty text."""
        model = StudyRootQueryRetrieveInformationModelGet
        storage = [build_context(each, list(TRANSFER_SYNTAXES)) for each in STORED_CLASSES]
        roles = [build_role(each, scp_role=True) for each in STORED_CLASSES]

        def store(event: Any) -> int:
            status = coming.take(event.encoded_dataset(), str(event.request.AffectedSOPInstanceUID))
            tell(coming.progress)
            return status

        association = associate(
            self.setup, [build_context(model), *storage], line, roles=roles, handlers=[(evt.EVT_C_STORE, store)]
        )
        try:
            if not any(context.abstract_syntax == model for context in association.accepted_contexts):
                return f"{self.setup.name}: does not give images by C-GET; set up C-MOVE with a port of this computer."
            with quiet():
                for status, _ in association.send_c_get(coming.keys(), model):
                    tell(coming.progress)
                    if coming.is_over:
                        association.abort()
                        return ""
                    if "Status" not in status:
                        raise cut_off(self.setup.name, self.setup.host, self.setup.port)
                    if status.Status not in _PENDING:
                        return coming.complaint(self.setup, status)
        except (RuntimeError, ValueError) as error:
            raise cut_off(self.setup.name, self.setup.host, self.setup.port) from error
        finally:
            line.release()
        return ""

    def _move(self, coming: _Coming, came: Callable[[Progress], object], is_cancelled: IsCancelled) -> str:
        """C-MOVE to a receiver that listens meanwhile; returns one sentence on why nothing came, or an empty text."""
        setup = self.setup
        model = StudyRootQueryRetrieveInformationModelMove

        def work(line: Line, tell: Callable[[Progress], None]) -> str:
            def happened(_event: Received | Refused) -> None:
                tell(coming.progress)

            receiver = Receiver(setup, coming.taken, happened)
            receiver.start()
            try:
                association = associate(setup, [build_context(model)], line)
                self._require_context(association, "asked for images (C-MOVE)")
                with quiet():
                    for status, _ in association.send_c_move(coming.keys(), setup.own_title, model):
                        tell(coming.progress)
                        if coming.is_over:
                            association.abort()
                            return ""
                        if "Status" not in status:
                            return coming.unknown_destination(setup)
                        if status.Status not in _PENDING:
                            return coming.complaint(setup, status, is_move=True)
            except (RuntimeError, ValueError) as error:
                raise cut_off(setup.name, setup.host, setup.port) from error
            finally:
                line.release()
                receiver.stop()
            return ""

        return self.converse(work, is_cancelled, came)

    def _require_context(self, association: Any, done: str) -> None:
        if not association.accepted_contexts:
            raise ArchiveError(
                f"{self.setup.name}: cannot be {done} by this computer; ask the archive's administrator."
            )

    def _is_last(self, status: Dataset) -> bool:
        """True for the last answer; a failure is an `ArchiveError`."""
        if "Status" not in status:
            raise cut_off(self.setup.name, self.setup.host, self.setup.port)
        if status.Status in _PENDING:
            return False
        if status.Status not in (0, _CANCELLED):
            raise ArchiveError(f"{self.setup.name}: {failure_reason(int(status.Status))}.")
        return True


@dataclass
class _Coming:
    """A series that is being got."""

    series: Series
    inbox: Inbox
    received: list[Received] = field(default_factory=list)
    size: int = 0
    failure: BonescintError | None = None

    @property
    def progress(self) -> Progress:
        """How much has come."""
        return Progress(len(self.received), self.series.instances, self.size)

    @property
    def is_over(self) -> bool:
        """True if no more is taken."""
        return self.failure is not None

    def keys(self) -> Dataset:
        """The series, as it is asked for."""
        keys = Dataset()
        keys.QueryRetrieveLevel = "SERIES"
        keys.StudyInstanceUID, keys.SeriesInstanceUID = self.series.study_uid, self.series.uid
        return keys

    def taken(self, content: bytes) -> Received:
        """Take one object that came."""
        received = self.inbox.take(content, study=self.series.study_uid, series=self.series.uid)
        self.received.append(received)
        self.size += len(content)
        return received

    def take(self, content: bytes, instance: str) -> int:
        """Take one object that came by C-GET; returns the status for the archive."""
        try:
            received = self.taken(content)
            if received.instance_uid != instance:
                raise Unwanted(f"{self.inbox.source}: sent an image with another identifier than it said.")
        except BonescintError as error:
            self.failure = self.failure or error
            return _REFUSED
        return _STORED

    def unknown_destination(self, setup: ArchiveSetup) -> str:
        """One sentence on an archive that does not send to this computer."""
        return (
            f"{setup.name}: does not send to {setup.own_title}; ask the archive's administrator to register this AE "
            f"title with the address of this computer and port {setup.own_port}."
        )

    def complaint(self, setup: ArchiveSetup, status: Dataset, *, is_move: bool = False) -> str:
        """One sentence on a last status that is a failure, or that claims what did not come; or an empty text."""
        code = int(status.Status)
        failed = int(status.get("NumberOfFailedSuboperations") or 0)
        completed = int(status.get("NumberOfCompletedSuboperations") or 0)
        # Some archives give no other code where they do not know the destination.
        if code == _UNKNOWN_DESTINATION or (is_move and code >> 12 == _CANNOT_PROCESS and not failed):
            return self.unknown_destination(setup)
        if failed or (code and not self.received):
            reason = failure_reason(code)
            return f"{setup.name}: could not send {failed or 'the'} images of the series ({reason})."
        if completed > len(self.received) or not self.received:
            arrived = f"{len(self.received)} of {completed}" if self.received else "no"
            return (
                f"{setup.name}: says that all is sent, but {arrived} images arrived; check which address and port the "
                "archive has for this computer, and whether a firewall is between."
            )
        return ""
