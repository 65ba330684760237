"""Receive what archives and workstations send, and list it by study."""

from __future__ import annotations

from dataclasses import replace
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from psygnal import Signal

from napari_bonescint.archive.answers import read_study, series_reader
from napari_bonescint.archive.opening import opened
from napari_bonescint.archive.receiving.inbox import Inbox
from napari_bonescint.archive.records import Received
from napari_bonescint.formats.dicom.header import read_header
from napari_bonescint.formats.safe_reading.guarded import refusing
from napari_bonescint.gui.archive.bringing import received_folder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from napari_bonescint.archive.receiving.receiver import Receiver, Refused
    from napari_bonescint.archive.records import Series, Study
    from napari_bonescint.archive.setup.archive_setup import ArchiveSetup
    from napari_bonescint.gui.common.run import Run


class Receiving:
    """The receivers that the user has switched on, and what came in since.

    Parameters
    ----------
    run : Run
        The thread that starts and stops them, and reads what came.
    """

    changed = Signal()
    """Emitted when a receiver was switched, and when something came in."""
    message = Signal(str, bool)
    """Emitted with a sentence and whether it is an error."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._receivers: dict[str, Receiver] = {}
        self._came: SimpleQueue[tuple[str, Received | Refused]] = SimpleQueue()
        self._files: dict[str, dict[str, list[Received]]] = {}
        self._studies: dict[str, dict[str, Study]] = {}
        self._series: dict[str, Series] = {}

    def is_on(self, archive: str) -> bool:
        """Whether images of an archive are taken now."""
        return archive in self._receivers

    @property
    def is_any_on(self) -> bool:
        """Whether images of any archive are taken now."""
        return bool(self._receivers)

    def switch(self, setup: ArchiveSetup, *, on: bool) -> None:
        """Begin or end to receive."""
        name = setup.name
        if on == self.is_on(name):
            return
        if not on:
            receiver = self._receivers.pop(name)
            self._run(receiver.stop, lambda _: self._say(f"{name}: nothing is received now.", False), self._say_wrong)
            self.changed.emit()
            return

        def start() -> None:
            with opened(setup):  # says so if the extra is not installed
                # Imported here, since it is part of the extra.
                from napari_bonescint.archive.receiving.receiver import Receiver
            inbox = Inbox(received_folder(), name)
            receiver = Receiver(setup, inbox.take, lambda event: self._came.put((name, event)))
            receiver.start()
            self._receivers[name] = receiver  # here, so that `close` ends it whenever that is called

        def started(_result: None) -> None:
            self._say(setup.listening, False)
            self.changed.emit()

        def failed(sentence: str) -> None:
            self._say_wrong(sentence)
            self.changed.emit()

        self._run(start, started, failed)

    def look(self) -> None:
        """Take what came since the last look."""
        news: list[tuple[str, Received]] = []
        while True:
            try:
                name, event = self._came.get_nowait()
            except Empty:
                break
            if isinstance(event, Received):
                news.append((name, event))
            else:
                self._say_wrong(f"{name}: {event.sentence}")
        if news:
            self._run(lambda: [(name, each, _facts(each.path)) for name, each in news], self._list, self._say_wrong)

    def studies(self, archive: str) -> list[Study]:
        """The studies that came in, the newest first."""
        studies = self._studies.get(archive, {}).values()
        return sorted(studies, key=lambda study: (study.date, study.time), reverse=True)

    def series(self, archive: str, study: Study) -> tuple[Series, ...]:
        """The series of a study that came in."""
        files = self._files.get(archive, {}).get(study.uid, [])
        uids = [each.series_uid for each in files]
        return tuple(replace(self._series[uid], instances=uids.count(uid)) for uid in dict.fromkeys(uids))

    def files(self, archive: str, study: Study, series: Sequence[Series]) -> list[Received]:
        """The files of a study, or of some of its series."""
        wanted = {each.uid for each in series}
        files = self._files.get(archive, {}).get(study.uid, [])
        return [each for each in files if not wanted or each.series_uid in wanted]

    def close(self) -> None:
        """End all receivers; waits until they have ended."""
        for receiver in self._receivers.values():
            receiver.stop()
        self._receivers.clear()

    def _list(self, news: Sequence[tuple[str, Received, tuple[Study, Series] | None]]) -> None:
        for name, received, facts in news:
            if facts is None:
                continue
            study, series = facts
            files = self._files.setdefault(name, {}).setdefault(study.uid, [])
            if all(each.path != received.path for each in files):
                files.append(received)
            self._series[series.uid] = series
            self._studies.setdefault(name, {})[study.uid] = replace(study, instances=len(files))
        self.changed.emit()

    def _say(self, sentence: str, wrong: bool) -> None:
        self.message.emit(sentence, wrong)

    def _say_wrong(self, sentence: str) -> None:
        self._say(sentence, True)


def _facts(path: Path) -> tuple[Study, Series] | None:
    """What the list shows of a file."""
    with refusing(path):
        header = read_header(path)
        study = read_study(header)
        series = None if study is None else series_reader(study.uid)(header)
    if study is None or series is None:
        return None
    return replace(study, modalities=(series.modality,)), series
