"""Send results to an archive, and keep those that did not arrive for another try."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from napari_bonescint.archive.progress import ignore, never
from napari_bonescint.archive.sending.outbox import Outbox
from napari_bonescint.archive.sending.outgoing import prepare

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from napari_bonescint.archive.interface import Archive
    from napari_bonescint.archive.progress import IsCancelled, OnProgress
    from napari_bonescint.archive.records import Answer
    from napari_bonescint.archive.sending.outbox import Parcel


def send_results(
    archive: Archive,
    results: Sequence[Path],
    source: Path,
    *,
    outbox: Outbox | None = None,
    on_progress: OnProgress = ignore,
    is_cancelled: IsCancelled = never,
) -> tuple[Answer, ...]:
    """Send results of one scan; `outgoing.prepare` says how they are compared with their source.

    They are in the outbox before the first is sent. Each leaves it when the archive has it.

    Raises
    ------
    NotFitting, Refusal, CannotWrite
        Before anything is sent, and nothing is kept.
    ArchiveError, Cancelled
        What was not sent is kept.
    """
    objects = prepare(results, source)
    parcel = (outbox or Outbox()).put(archive.setup.name, objects, secrets.token_hex(8))
    return send_parcel(archive, parcel, on_progress=on_progress, is_cancelled=is_cancelled)


def send_parcel(
    archive: Archive, parcel: Parcel, *, on_progress: OnProgress = ignore, is_cancelled: IsCancelled = never
) -> tuple[Answer, ...]:
    """Send what a parcel still holds; what arrives leaves the parcel."""
    answers = archive.send(parcel.objects(), on_progress=on_progress, is_cancelled=is_cancelled)
    for answer in answers:
        if answer.is_kept:
            parcel.remove(answer.instance_uid)
    return answers
