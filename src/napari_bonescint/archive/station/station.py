"""An unattended station: what arrives is worked on, and the results go back or beside the scan. Nothing is lost.

Receiving goes on in threads meanwhile. A result that does not arrive is tried again and again.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from filelock import FileLock

from napari_bonescint.archive.errors import Unreachable
from napari_bonescint.archive.receiving.inbox import read_identifiers
from napari_bonescint.archive.records import Outcome
from napari_bonescint.archive.sending.outbox import Outbox
from napari_bonescint.archive.sending.outgoing import prepare
from napari_bonescint.archive.station.queue import QueueInUse, StationQueue
from napari_bonescint.errors import BonescintError
from napari_bonescint.files.atomic import CannotWrite, make_folder, write_bytes_atomically, writing
from napari_bonescint.files.lock import take
from napari_bonescint.formats.opening import collect
from napari_bonescint.text.formatting import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from napari_bonescint.archive.interface import Archive
    from napari_bonescint.archive.progress import IsCancelled
    from napari_bonescint.archive.records import Received
    from napari_bonescint.archive.sending.outbox import Parcel
    from napari_bonescint.archive.sending.outgoing import Outgoing
    from napari_bonescint.formats.opening import ScanSource

_POLL_SECONDS = 0.1
_ARCHIVE, _DISK = "archive", "disk"
_SECONDS_BETWEEN_TRIES = (2.0, 5.0, 15.0, 30.0, 60.0)


class MakeResults(Protocol):
    """Makes the results of a scan."""

    @property
    def name(self) -> str:
        """Models and steps: part of the seed of the results' identifiers, so other models give other results."""

    def __call__(self, source: ScanSource, folder: Path) -> list[Path]:
        """Write the results of a scan as DICOM files; an error of the scan is a `BonescintError`."""


Tell = Callable[[str], object]


@dataclass
class _Retry:
    """The next try to send to the archive, to send one parcel, or to work on scans when the disk took no results."""

    tries: int = 0
    at: float = 0.0


class Station:
    """A station in a folder.

    Parameters
    ----------
    folder : Path
    source : str
        Name of the archive that sends.
    make : MakeResults
    send_back : Archive or None
        The archive that gets the results; None to keep scans and results in `folder / "results"`.
    tell : callable
        Takes sentences about what happens.
    settle_seconds : float
        Time without another image of a study after which the study counts as whole.
    """

    def __init__(
        self,
        folder: Path,
        source: str,
        make: MakeResults,
        send_back: Archive | None,
        tell: Tell,
        *,
        settle_seconds: float = 10.0,
    ) -> None:
        self._make = make
        self._send_back = send_back
        self._tell = tell
        self._settle_seconds = settle_seconds
        self._folder = folder
        self._queue = StationQueue(folder, source)
        self._outbox = Outbox(folder / "outbox")
        self._retries: dict[str, _Retry] = {}

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the folder; raises `QueueInUse` if another station works in it."""
        lock = FileLock(self._folder / "station.lock")
        with writing(self._folder):
            held = take(lock)
        if not held:
            raise QueueInUse(f"{self._folder}: another station works in this folder; choose another one.")
        try:
            yield
        finally:
            lock.release()

    def receive(self, content: bytes) -> Received:
        """Take one object that was sent; called in threads."""
        return self._queue.take(content)

    def run(self, is_over: IsCancelled) -> None:
        """Work until `is_over` returns true, also on what an earlier run left; call within `alone`.

        Raises
        ------
        ModelError, DeviceError
            If nothing can be worked on.
        """
        while not is_over():
            self._send(is_over)
            if self._is_time(_DISK):
                self._work(is_over)
            time.sleep(_POLL_SECONDS)

    def _work(self, is_over: IsCancelled) -> None:
        """Work on the studies that are whole, until the disk takes no more."""
        for study in self._queue.studies(self._settle_seconds):
            if is_over():
                return
            try:
                self._work_on(study)
            except CannotWrite as error:
                self._postpone(_DISK, str(error))
                return
            self._retries.pop(_DISK, None)
            self._send(is_over)

    def _work_on(self, study: Path) -> None:
        """Make the results of a study, put them into the outbox, and leave out what is no planar scan."""
        found = collect([study])
        ready = set(study.glob("*.dcm"))
        for source in found.sources:
            ready -= set(source.paths)
            self._make_results(source)
        for failure in found.failures:
            if failure.path in ready:
                ready.discard(failure.path)
                self._queue.set_aside(failure.path, str(failure))
                self._tell(f"error: a scan was set aside in {self._folder / 'failed'}: {failure.reason}")
        # What came while the folder was searched is left for the next time.
        left_out = [path for path in ready if time.time() - path.stat().st_mtime >= self._settle_seconds]
        for path in left_out:
            self._queue.finish(path.stem, "no planar scan")
        if left_out:
            self._tell(f"{counted(len(left_out), 'image')} left out: no planar bone scan.")

    def _make_results(self, source: ScanSource) -> None:
        keys = [path.stem for path in source.paths]
        seed = hashlib.sha256("\n".join([self._make.name, *sorted(keys)]).encode()).hexdigest()
        began = time.monotonic()
        with writing(self._queue.work):
            folder = Path(tempfile.mkdtemp(dir=self._queue.work))
        try:
            results = self._make(source, folder)
            objects = prepare(results, source.paths[0], seed=seed)
            if self._send_back is not None:
                self._outbox.put(self._send_back.setup.name, objects, seed[:32], keys)
            else:
                self._keep(source, objects)
        except CannotWrite:
            raise
        except BonescintError as error:
            for path in source.paths:
                self._queue.set_aside(path, str(error))
            self._tell(f"error: a scan was set aside in {self._folder / 'failed'}: {error}")
            return
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        self._tell(f"{counted(len(objects), 'result')} of a scan made in {time.monotonic() - began:.1f} s.")

    def _keep(self, source: ScanSource, results: Sequence[Outgoing]) -> None:
        """Keep a scan and its results; what a try before this one has left is replaced."""
        folder = self._folder / "results" / results[0].study_uid
        make_folder(folder)
        for path in source.paths:
            content = path.read_bytes()
            _, _, instance_uid, _ = read_identifiers(content, "station")
            write_bytes_atomically(folder / f"{instance_uid}.dcm", content)
        for each in results:
            write_bytes_atomically(folder / f"{each.instance_uid}.dcm", each.content)
        for path in source.paths:
            self._queue.finish(path.stem, "kept")

    def _send(self, is_over: IsCancelled) -> None:
        """Send what is in the outbox; what the archive does not take waits for another try."""
        if self._send_back is None or not self._is_time(_ARCHIVE):
            return
        for parcel in self._outbox.parcels(self._send_back.setup.name):
            name = parcel.folder.name
            if is_over():
                return
            if not self._is_time(name):
                continue
            try:
                lost = self._send_parcel(self._send_back, parcel)
            except Unreachable as error:
                self._postpone(_ARCHIVE, str(error))
                return
            except BonescintError as error:
                lost = str(error)
            self._retries.pop(_ARCHIVE, None)
            if lost:
                self._postpone(name, lost)
            else:
                self._retries.pop(name, None)

    def _is_time(self, what: str) -> bool:
        return what not in self._retries or time.monotonic() >= self._retries[what].at

    def _send_parcel(self, archive: Archive, parcel: Parcel) -> str:
        """Send one parcel; returns why it did not arrive, or an empty text; raises `Unreachable`."""
        answers = archive.send(parcel.objects())
        for answer in answers:
            if answer.outcome is Outcome.FAILED:
                raise Unreachable(answer.text)
            if not answer.is_kept:
                return answer.text
        for key in parcel.sources:
            self._queue.finish(key, "sent")
        parcel.discard()
        self._tell(f"{counted(len(answers), 'result')} sent to {archive.setup.name}.")
        return ""

    def _postpone(self, what: str, why: str) -> None:
        tries = self._retries[what].tries + 1 if what in self._retries else 0
        seconds = _SECONDS_BETWEEN_TRIES[min(tries, len(_SECONDS_BETWEEN_TRIES) - 1)]
        self._retries[what] = _Retry(tries, time.monotonic() + seconds)
        self._tell(f"error: {why} Next try in {seconds:.0f} s; nothing is lost.")

    def describe(self) -> str:
        """One sentence on what is in the folder."""
        counts = self._queue.counts()
        return f"{counts['waiting']} waiting, {counts['done']} done, {counts['failed']} failed."
