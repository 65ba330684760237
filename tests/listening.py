"""Who is told how jobs come along, and remembers it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_bonescint.batch.job import Job, Outcome


class Listener:
    def __init__(self) -> None:
        self.notes: list[str] = []
        self.outcomes: list[Outcome] = []

    def note(self, sentence: str) -> None:
        self.notes.append(sentence)

    def progressed(self, job: Job, fraction: float) -> None:
        pass

    def ended(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)

    @property
    def kinds(self) -> dict[int, str]:
        """What became of each job; each has one outcome."""
        kinds = {outcome.number: outcome.kind for outcome in self.outcomes}
        assert len(kinds) == len(self.outcomes)
        return kinds
