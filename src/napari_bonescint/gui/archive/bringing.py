"""Get scans from an archive into a private folder and read them, for a thread."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from napari_bonescint.archive.priors import bone_scans_first, find_priors, why_not
from napari_bonescint.archive.progress import Progress
from napari_bonescint.archive.receiving.inbox import Inbox
from napari_bonescint.archive.receiving.private_folder import PrivateFolder, private_root
from napari_bonescint.errors import BonescintError
from napari_bonescint.formats.opening import collect
from napari_bonescint.formats.safe_reading.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from napari_bonescint.archive.interface import Archive
    from napari_bonescint.archive.progress import IsCancelled, OnProgress
    from napari_bonescint.archive.records import Received, Series, Study
    from napari_bonescint.scan import Scan

MOST_PRIORS = 2
"""Earlier scans that are opened with a scan."""


@dataclass(frozen=True)
class Brought:
    """A scan that came from an archive.

    Attributes
    ----------
    day : str
        Date of its study, as ``20260301``.
    paths : tuple of Path
        Its file, or the files of its views.
    scan : Scan
    """

    day: str
    paths: tuple[Path, ...]
    scan: Scan


@dataclass(frozen=True)
class Haul:
    """What came: scans, and why each other series or file is none, by the identifier of its series."""

    scans: tuple[Brought, ...] = ()
    reasons: dict[str, str] = field(default_factory=dict)


def received_folder() -> Path:
    """The folder of this process for what archives send, which only the user can read and which ends with napari."""
    return _folder_in(private_root()).path


@cache
def _folder_in(_root: Path) -> PrivateFolder:
    return PrivateFolder()


def bring(
    archive: Archive, study: Study, wanted: Sequence[Series], on_progress: OnProgress, is_cancelled: IsCancelled
) -> Haul:
    """Get series of a study and read the scans in them; series that cannot be scans are left in the archive.

    Raises
    ------
    ArchiveError, CannotWrite, Cancelled
    """
    inbox = Inbox(received_folder(), archive.setup.name)
    reasons = {each.uid: why for each in wanted if (why := why_not(each))}
    possible = [each for each in wanted if each.uid not in reasons]
    expected = [each.instances for each in possible]
    total = None if None in expected else sum(filter(None, expected))
    received: list[Received] = []
    for series in possible:
        came = len(received)

        def tell(progress: Progress, came: int = came) -> None:
            on_progress(Progress(came + progress.done, total, progress.bytes))

        received += archive.get(series, inbox, on_progress=tell, is_cancelled=is_cancelled)
    haul = read_received(received, study.date)
    return Haul(haul.scans, {**reasons, **haul.reasons})


def read_received(received: Sequence[Received], day: str) -> Haul:
    """Read the scans in files that came."""
    series_of = {each.path: each.series_uid for each in received}
    found = collect(series_of)
    failures: list[BonescintError] = list(found.failures)
    scans: list[Brought] = []
    for source in found.sources:
        try:
            scans.append(Brought(day, source.paths, source.open()))
        except BonescintError as error:
            failures.append(error)
    reasons = {series_of[each.path]: each.reason for each in failures if isinstance(each, Refusal)}
    return Haul(tuple(scans), reasons)


def bring_study(
    archive: Archive, study: Study, series: Sequence[Series], on_progress: OnProgress, is_cancelled: IsCancelled
) -> Haul:
    """Get a study, or some of its series; the scans that are bone scans by their description come first."""
    wanted = tuple(series) or archive.find_series(study.uid, is_cancelled=is_cancelled).items
    return bring(archive, study, bone_scans_first(wanted), on_progress, is_cancelled)


def bring_priors(
    archive: Archive, study: Study, on_progress: OnProgress, is_cancelled: IsCancelled
) -> tuple[Brought, ...]:
    """The newest earlier bone scans of a patient, newest first: one of each study, at most `MOST_PRIORS`."""
    scans: list[Brought] = []
    for earlier in find_priors(archive, study, is_cancelled=is_cancelled):
        if len(scans) == MOST_PRIORS:
            break
        scans += bring_study(archive, earlier, (), on_progress, is_cancelled).scans[:1]
    return tuple(sorted(scans, key=lambda each: each.day, reverse=True))
