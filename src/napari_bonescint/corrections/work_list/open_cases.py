"""Marks of open cases in a label store, so that a second napari is told who has a case open.

A mark is a lock on a file beside the drafts, one for each annotator and case. The system releases it when its process
ends, however it ends, so a mark of a dead process never stands in the way.
"""

from __future__ import annotations

import json
import platform
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from filelock import FileLock

from napari_bonescint.corrections.store.drafts import annotator_key
from napari_bonescint.files.facts import build, read_json
from napari_bonescint.files.lock import take
from napari_bonescint.text.plain_output import one_line

if TYPE_CHECKING:
    from pathlib import Path

    from napari_bonescint.corrections.store.label_store import LabelStore

_ENDING = ".open"
# Another program may look at this moment whether the mark is taken.
_SECONDS_TO_WAIT = 0.2


@dataclass(frozen=True)
class Holder:
    """Who has a case open.

    Attributes
    ----------
    annotator : str
        Empty if it is not known.
    computer : str
        Name of the computer.
    since : str
        Time in UTC: ``2026-03-01T09:30:00+00:00``.
    """

    annotator: str = ""
    computer: str = ""
    since: str = ""

    def __str__(self) -> str:
        """``CD on PC-3, since 09:30 UTC``."""
        who = one_line(self.annotator or "Somebody")
        where = f" on {one_line(self.computer)}" if self.computer else ""
        return who + where + (f", since {self.since[11:16]} UTC" if self.since else "")


class CaseMark:
    """The mark of an annotator on a case; all methods may wait for a network folder."""

    def __init__(self, store: LabelStore, case: str, annotator: str) -> None:
        self._annotator = annotator
        self._folder = store.folder / "drafts"
        self._case = case
        self._path = self._folder / f".{case}.{annotator_key(annotator)}{_ENDING}"
        # Taken in one thread and released in another.
        self._lock = FileLock(self._path, thread_local=False)

    def take(self) -> Holder | None:
        """Take the mark; if another window or program of the same annotator has it, return that.

        Where no mark can be written, such as in a store that may only be read, nothing is marked.
        """
        try:
            if not take(self._lock, _SECONDS_TO_WAIT):
                return _read(self._path)
            facts = Holder(self._annotator, platform.node(), datetime.now(UTC).isoformat(timespec="seconds"))
            self._path.with_suffix(".json").write_text(json.dumps(asdict(facts)), encoding="utf-8")
        except OSError:
            return None
        return None

    def others(self) -> list[Holder]:
        """Other annotators who have the case open now."""
        found = []
        with suppress(OSError):
            for path in sorted(self._folder.glob(f".{self._case}.*{_ENDING}")):
                if path == self._path:
                    continue
                lock = FileLock(path, thread_local=False)
                if take(lock):
                    lock.release()
                else:
                    found.append(_read(path))
        return found

    def release(self) -> None:
        """Give the mark back."""
        with suppress(OSError):
            if self._lock.is_locked:
                self._path.with_suffix(".json").unlink(missing_ok=True)
            self._lock.release()


def _read(path: Path) -> Holder:
    try:
        return build(Holder, read_json(path.with_suffix(".json")))
    except Exception:  # the file may come from elsewhere
        return Holder()
