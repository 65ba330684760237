"""What an annotator is told about the work of others on a case."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_bonescint.text.formatting import to_the_minute

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_bonescint.corrections.store.drafts import Draft
    from napari_bonescint.corrections.store.records.revision import Origin, Revision


def others_work(
    annotator: str, revisions: Sequence[Revision], drafts: Sequence[Draft], own_draft: Draft | None, origin: Origin
) -> str:
    """Sentences for an annotator who opens a case; empty if nobody else has worked on it since.

    Parameters
    ----------
    annotator : str
        Who opens the case.
    revisions : sequence of Revision
        In order.
    drafts : sequence of Draft
        Unsaved work of others.
    own_draft : Draft or None
        Unsaved work of the annotator, which is restored.
    origin : Origin
        The mask to begin with, unless there is a draft.
    """
    saved = _last_of_others(annotator, revisions)
    if not (saved or drafts):
        return ""
    sentences = [
        f"{each.annotator} saved revision {each.number}, {_state(each)}, on {to_the_minute(each.when)} UTC."
        for each in saved
    ]
    sentences += [f"{each.annotator} has unsaved work of {to_the_minute(each.when)} UTC." for each in drafts]
    start = f"unsaved work began with {own_draft.origin}" if own_draft is not None else f"mask starts from {origin}"
    return " ".join([*sentences, f"Your {start}; all work is kept."])


def saved_meanwhile(revisions: Sequence[Revision], known: int, saved: Revision) -> str:
    """A sentence about revisions of others after revision `known` and before `saved`; empty if there are none."""
    others = [r for r in revisions if known < r.number < saved.number and r.annotator != saved.annotator]
    if not others:
        return ""
    listed = ", ".join(f"revision {r.number} by {r.annotator} ({_state(r)})" for r in others)
    return f"Meanwhile saved: {listed}; all are kept, see Revisions."


def _last_of_others(annotator: str, revisions: Sequence[Revision]) -> list[Revision]:
    """The last revision of each other annotator since the annotator's own last one, in order."""
    last: dict[str, Revision] = {}
    for revision in revisions:
        if revision.annotator == annotator:
            last.clear()
        else:
            last[revision.annotator] = revision
    return sorted(last.values(), key=lambda revision: revision.number)


def _state(revision: Revision) -> str:
    return "reviewed" if revision.reviewed else "not reviewed"
