"""The interface that all archives have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from napari_bonescint.archive.progress import ignore, never

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_bonescint.archive.progress import IsCancelled, OnProgress
    from napari_bonescint.archive.receiving.inbox import Inbox
    from napari_bonescint.archive.records import Answer, Found, Instance, Query, Received, Series, Study
    from napari_bonescint.archive.sending.outgoing import Outgoing
    from napari_bonescint.archive.setup.archive_setup import ArchiveSetup


class Archive(Protocol):
    """An archive that was set up.

    Each method waits for the archive, at most as long as the set-up says, so a window calls it in a thread. It raises
    `ArchiveError` if the archive fails, and `Cancelled` within a tenth of a second once `is_cancelled` returns true.
    `on_progress` and `is_cancelled` are called in the thread of the caller.
    """

    setup: ArchiveSetup

    def echo(self, *, is_cancelled: IsCancelled = never) -> str:
        """Test connection and login; returns one sentence about what answered."""

    def find_studies(self, query: Query, *, is_cancelled: IsCancelled = never) -> Found[Study]:
        """Find studies, newest first."""

    def find_series(self, study_uid: str, *, is_cancelled: IsCancelled = never) -> Found[Series]:
        """Find the series of a study."""

    def find_instances(self, study_uid: str, series_uid: str, *, is_cancelled: IsCancelled = never) -> Found[Instance]:
        """Find the images and other objects of a series."""

    def get(
        self, series: Series, inbox: Inbox, *, on_progress: OnProgress = ignore, is_cancelled: IsCancelled = never
    ) -> tuple[Received, ...]:
        """Get all objects of a series into an inbox.

        What was received before a failure or a cancellation stays in the inbox.
        """

    def send(
        self,
        objects: Sequence[Outgoing],
        *,
        on_progress: OnProgress = ignore,
        is_cancelled: IsCancelled = never,
    ) -> tuple[Answer, ...]:
        """Send objects; returns an answer for each, also where the archive refused it or was not reached."""

    def close(self) -> None:
        """End connections."""
