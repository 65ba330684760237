"""The logic of the panel "Archive": what is asked of the chosen archive, in a thread, until the user cancels."""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING, Any, TypeVar

from psygnal import Signal

from napari_bonescint.archive.errors import safely
from napari_bonescint.archive.extra import require_extra
from napari_bonescint.archive.opening import opened
from napari_bonescint.archive.priors import bone_scans_first
from napari_bonescint.archive.setup.setups_file import read_setups
from napari_bonescint.display import thumbnail
from napari_bonescint.gui.archive.bringing import bring_priors, bring_study, read_received

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari_bonescint.archive.interface import Archive
    from napari_bonescint.archive.progress import IsCancelled, Progress
    from napari_bonescint.archive.records import Query, Received, Series, Study
    from napari_bonescint.archive.setup.archive_setup import ArchiveSetup
    from napari_bonescint.gui.archive.bringing import Brought, Haul
    from napari_bonescint.gui.common.run import Run

T = TypeVar("T")

_PICTURE_ROWS = 300
_CANCELLED = "Cancelled."


class ArchiveSession:
    """Asks the chosen archive.

    Parameters
    ----------
    run : Run
        The thread that speaks with archives.

    Attributes
    ----------
    setups : tuple of ArchiveSetup
    setup : ArchiveSetup or None
        The chosen archive.
    obstacle : str
        Why no archive can be used, in a sentence; empty if nothing is in the way.
    progress : Progress or None
        How far the present transfer is; set in the thread.
    """

    changed = Signal()
    """Emitted when work has begun or ended, and when the set-ups have changed."""
    message = Signal(str, bool)
    """Emitted with a sentence, which may be empty, and whether it is an error."""
    found = Signal(object)
    """Emitted with `Found` studies."""
    series_found = Signal(object, object)
    """Emitted with a study and its series."""
    refused = Signal(object)
    """Emitted with the reasons why series cannot be opened, by their identifiers."""
    pictured = Signal(object)
    """Emitted with a picture (y, x) of uint8."""
    brought = Signal(object, object)
    """Emitted with the scans of a study, and with earlier ones, newest first."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._cancelling: list[Event] = []
        self.setups: tuple[ArchiveSetup, ...] = ()
        self.setup: ArchiveSetup | None = None
        self.obstacle = ""
        self.progress: Progress | None = None

    @property
    def is_running(self) -> bool:
        """Whether something is asked of an archive."""
        return bool(self._cancelling)

    def cancel(self) -> None:
        """Stop at once; what came stays."""
        for each in self._cancelling:
            each.set()

    def reload(self) -> None:
        """Read the set-ups anew; the chosen one stays, or else the first one is chosen."""
        self._run(_usable_setups, self._take_setups, self._take_obstacle)

    def choose(self, index: int | None) -> None:
        """Choose an archive."""
        self.setup = None if index is None else self.setups[index]

    def search(self, query: Query) -> None:
        """Search for studies."""
        if problem := query.problem():
            self.message.emit(problem, True)
            return
        self._ask(
            lambda archive, is_cancelled: archive.find_studies(query, is_cancelled=is_cancelled),
            self.found.emit,
            "Searching …",
        )

    def list_series(self, study: Study) -> None:
        """Find the series of a study, planar bone scans first."""

        def work(archive: Archive, is_cancelled: IsCancelled) -> tuple[Series, ...]:
            return bone_scans_first(archive.find_series(study.uid, is_cancelled=is_cancelled).items)

        self._ask(work, lambda series: self.series_found.emit(study, series), "")

    def make_picture(self, study: Study, series: Sequence[Series]) -> None:
        """Get a series, or the first scan of a study, and make a small picture of it."""

        def work(archive: Archive, is_cancelled: IsCancelled) -> tuple[Haul, Any]:
            haul = bring_study(archive, study, series, self._tell, is_cancelled)
            return haul, _picture(haul)

        self._ask(work, self._take_picture, "Getting the picture …")

    def open(self, study: Study, series: Sequence[Series], *, with_priors: bool = False) -> None:
        """Get the scans of a study, or of some of its series, and earlier ones of the patient if wanted."""

        def work(archive: Archive, is_cancelled: IsCancelled) -> tuple[Haul, tuple[Brought, ...]]:
            haul = bring_study(archive, study, series, self._tell, is_cancelled)
            wants = with_priors and haul.scans
            return haul, bring_priors(archive, study, self._tell, is_cancelled) if wants else ()

        def then(result: tuple[Haul, tuple[Brought, ...]]) -> None:
            haul, priors = result
            self._report(haul)
            if haul.scans:
                self.brought.emit(haul.scans, priors)

        self._ask(work, then, "Getting …")

    def open_received(self, received: Sequence[Received], day: str) -> None:
        """Read the scans in files that came in."""

        def then(haul: Haul) -> None:
            self._report(haul)
            if haul.scans:
                self.brought.emit(haul.scans, ())

        self._begin(lambda _is_cancelled: read_received(received, day), then, "Reading …")

    def picture_received(self, received: Sequence[Received], day: str) -> None:
        """Make a small picture of the first scan in files that came in."""

        def work(_is_cancelled: IsCancelled) -> tuple[Haul, Any]:
            haul = read_received(received, day)
            return haul, _picture(haul)

        self._begin(work, self._take_picture, "Reading …")

    def _report(self, haul: Haul) -> None:
        """Show why series are no scans."""
        self.refused.emit(haul.reasons)
        if not haul.scans:
            reason = next(iter(haul.reasons.values()), "The archive has no images of it.")
            self.message.emit(f"There is no scan to open: {reason[:1].lower()}{reason[1:]}", True)

    def _take_picture(self, result: tuple[Haul, Any]) -> None:
        haul, picture = result
        self._report(haul)
        if picture is not None:
            self.message.emit("", False)
            self.pictured.emit(picture)

    def _tell(self, progress: Progress) -> None:
        self.progress = progress

    def _take_setups(self, setups: tuple[ArchiveSetup, ...]) -> None:
        chosen = "" if self.setup is None else self.setup.name
        self.setups, self.obstacle = setups, ""
        named = [each for each in setups if each.name == chosen]
        self.setup = next(iter((*named, *setups)), None)
        self.changed.emit()

    def _ask(self, work: Callable[[Archive, IsCancelled], T], then: Callable[[T], None], doing: str) -> None:
        """Do work with the archive in the thread; `doing` is shown meanwhile."""
        setup = self.setup
        if setup is None:
            return

        def with_archive(is_cancelled: IsCancelled) -> T:
            with opened(setup) as archive:
                return work(archive, is_cancelled)

        self._begin(with_archive, then, doing)

    def _begin(self, work: Callable[[IsCancelled], T], then: Callable[[T], None], doing: str) -> None:
        cancelled = Event()
        self._cancelling.append(cancelled)
        self.progress = None

        def end() -> None:
            self._cancelling.remove(cancelled)
            self.progress = None
            self.changed.emit()

        def done(result: T) -> None:
            end()
            then(result)

        def failed(sentence: str) -> None:
            end()
            self.message.emit(sentence, sentence != _CANCELLED)

        if doing:
            self.message.emit(doing, False)
        self._run(safely(lambda: work(cancelled.is_set)), done, failed)
        self.changed.emit()

    def _take_obstacle(self, sentence: str) -> None:
        self.setups, self.setup, self.obstacle = (), None, sentence
        self.changed.emit()


def _usable_setups() -> tuple[ArchiveSetup, ...]:
    require_extra()
    return read_setups()


def _picture(haul: Haul) -> Any:
    return thumbnail(haul.scans[0].scan.counts, _PICTURE_ROWS) if haul.scans else None
