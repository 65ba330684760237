"""An archive that sends images here when its users want it to, and takes results by C-STORE; it cannot be searched."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn, TypeVar

from napari_bonescint.archive.connection import association
from napari_bonescint.archive.connection.failures import no_answer
from napari_bonescint.archive.connection.line import Line
from napari_bonescint.archive.connection.tls import server_context
from napari_bonescint.archive.connection.waiting import wait_for
from napari_bonescint.archive.errors import NotPossible
from napari_bonescint.archive.progress import Progress, ignore, never
from napari_bonescint.archive.sending import c_store

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari_bonescint.archive.progress import IsCancelled, OnProgress
    from napari_bonescint.archive.receiving.inbox import Inbox
    from napari_bonescint.archive.records import Answer, Found, Instance, Query, Received, Series, Study
    from napari_bonescint.archive.sending.outgoing import Outgoing
    from napari_bonescint.archive.setup.archive_setup import ArchiveSetup

T = TypeVar("T")
E = TypeVar("E")


class ReceivingArchive:
    """An archive that only sends and takes; `interface.Archive` describes the methods, `receiver.Receiver` receives."""

    def __init__(self, setup: ArchiveSetup) -> None:
        self.setup = setup
        self._line = Line()

    def echo(self, *, is_cancelled: IsCancelled = never) -> str:
        """C-ECHO; the certificate for senders is tested first."""
        if self.setup.own_tls:
            server_context(self.setup)
        self._require_host("tested")
        return self.converse(lambda line, _tell: association.echo(self.setup, line), is_cancelled)

    def find_studies(self, query: Query, *, is_cancelled: IsCancelled = never) -> Found[Study]:  # noqa: ARG002
        """Raise `NotPossible`."""
        self._cannot_be_searched()

    def find_series(self, study_uid: str, *, is_cancelled: IsCancelled = never) -> Found[Series]:  # noqa: ARG002
        """Raise `NotPossible`."""
        self._cannot_be_searched()

    def find_instances(
        self,
        study_uid: str,  # noqa: ARG002
        series_uid: str,  # noqa: ARG002
        *,
        is_cancelled: IsCancelled = never,  # noqa: ARG002
    ) -> Found[Instance]:
        """Raise `NotPossible`."""
        self._cannot_be_searched()

    def get(
        self,
        series: Series,  # noqa: ARG002
        inbox: Inbox,  # noqa: ARG002
        *,
        on_progress: OnProgress = ignore,  # noqa: ARG002
        is_cancelled: IsCancelled = never,  # noqa: ARG002
    ) -> tuple[Received, ...]:
        """Raise `NotPossible`."""
        self._cannot_be_searched()

    def send(
        self, objects: Sequence[Outgoing], *, on_progress: OnProgress = ignore, is_cancelled: IsCancelled = never
    ) -> tuple[Answer, ...]:
        """C-STORE each object."""
        self._require_host("sent to")
        sizes = {each.instance_uid: len(each.content) for each in objects}
        answers: list[Answer] = []

        def answered(answer: Answer) -> None:
            answers.append(answer)
            on_progress(Progress(len(answers), len(objects), sum(sizes[each.instance_uid] for each in answers)))

        def work(line: Line, tell: Callable[[Answer], None]) -> None:
            c_store.store(self.setup, objects, line, tell)

        self.converse(work, is_cancelled, answered)
        return tuple(answers)

    def close(self) -> None:
        """End the association, if there is one."""
        self._line.cut()

    def converse(
        self,
        work: Callable[[Line, Callable[[E], None]], T],
        is_cancelled: IsCancelled,
        on_event: Callable[[E], object] = lambda _event: None,
    ) -> T:
        """Do work in a thread that uses one association at a time, and wait for it."""
        line = self._line = Line()
        setup = self.setup
        return wait_for(
            lambda tell: work(line, tell),
            # The first part of the wait is that for a connection, which is tried twice.
            seconds=setup.answer_seconds + 1.5,
            late=lambda: no_answer(setup.name, setup.host, setup.port, setup.answer_seconds),
            close=line.cut,
            is_cancelled=is_cancelled,
            on_event=on_event,
            most_seconds=3600,
        )

    def _require_host(self, done: str) -> None:
        if not self.setup.host:
            raise NotPossible(f"{self.setup.name}: has no host, so it cannot be {done}; give host, port and AE title.")

    def _cannot_be_searched(self) -> NoReturn:
        raise NotPossible(
            f"{self.setup.name}: cannot be searched; send images from a workstation while this computer receives."
        )
