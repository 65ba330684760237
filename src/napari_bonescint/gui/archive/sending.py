"""Make the results of a scan and send them to an archive, for a thread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_bonescint.archive.delivery import send_parcel, send_results
from napari_bonescint.archive.errors import ArchiveError
from napari_bonescint.archive.opening import opened
from napari_bonescint.archive.receiving.private_folder import PrivateFolder
from napari_bonescint.archive.sending.outbox import Outbox
from napari_bonescint.formats.masks.dicom_seg import write_dicom_seg
from napari_bonescint.measurement.report.apart import ReportOrder, write_report_apart
from napari_bonescint.text.formatting import counted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from napari_bonescint.archive.progress import IsCancelled, OnProgress
    from napari_bonescint.archive.records import Answer
    from napari_bonescint.archive.setup.archive_setup import ArchiveSetup
    from napari_bonescint.formats.masks.registry import MaskOfScan
    from napari_bonescint.measurement.comparison.changes import Comparison
    from napari_bonescint.measurement.measures import Measured
    from napari_bonescint.measurement.report.options import ReportOptions


@dataclass(frozen=True, eq=False)
class ScanToSend:
    """A scan with its mask and what was measured, as copies, which nobody changes.

    Attributes
    ----------
    name : str
        Names of its layers.
    mask : MaskOfScan
    files : tuple of Path
        The files that it was opened from.
    measured : Measured or None
    comparison : Comparison or None
        With a prior scan.
    """

    name: str
    mask: MaskOfScan
    files: tuple[Path, ...]
    measured: Measured | None = None
    comparison: Comparison | None = None


def send_scan(
    setup: ArchiveSetup,
    of: ScanToSend,
    options: ReportOptions,
    on_progress: OnProgress,
    is_cancelled: IsCancelled,
    *,
    masks: bool,
) -> tuple[Answer, ...]:
    """Write masks and a report into a private folder, and send their DICOM files into the study of the scan.

    Raises
    ------
    BonescintError
        If the scan has no DICOM files, or as `write_report` and `send_results` describe.
    """
    # Here, in the thread: what this imports would stop the window.
    from napari_bonescint.measurement.report.source import is_dicom_source, require_unchanged, with_sources

    mask, scan = of.mask, with_sources(of.mask.scan, of.files)
    if not of.files or not is_dicom_source(scan):
        raise ArchiveError(
            f"{of.name}: was not opened from DICOM files, so its study is unknown; open the scan from the archive."
        )
    with PrivateFolder() as folder, opened(setup) as archive:
        results: list[Path] = []
        if masks:
            require_unchanged(scan)
            results.append(folder / "scan.bones.dcm")
            write_dicom_seg(results[0], scan, mask.regions, names_regions=mask.names_regions, author=mask.author)
        if of.measured is not None and options.wants_dicom:
            order = ReportOrder(
                *(folder, "scan", scan, mask.regions, of.measured),
                comparison=of.comparison,
                options=options,
                sources=of.files,
            )
            written, left_out = write_report_apart(order)
            if left_out:
                raise ArchiveError(left_out[0])
            results += sorted(path for path in written if path.suffix == ".dcm")
        return send_results(archive, results, of.files[0], on_progress=on_progress, is_cancelled=is_cancelled)


def send_waiting(setup: ArchiveSetup, on_progress: OnProgress, is_cancelled: IsCancelled) -> tuple[Answer, ...]:
    """Send again what an archive did not take before."""
    answers: list[Answer] = []
    with opened(setup) as archive:
        for parcel in Outbox().parcels(setup.name):
            answers += send_parcel(archive, parcel, on_progress=on_progress, is_cancelled=is_cancelled)
    return tuple(answers)


def count_waiting(archive: str) -> int:
    """Number of results that wait to be sent to an archive."""
    return sum(len(parcel.objects()) for parcel in Outbox().parcels(archive))


def discard_waiting(archive: str) -> None:
    """Delete the results that wait to be sent to an archive."""
    for parcel in Outbox().parcels(archive):
        parcel.discard()


def told(answers: Sequence[Answer], archive: str) -> tuple[str, bool]:
    """What an archive answered, in one line each, and whether it has everything."""
    kept = [answer for answer in answers if answer.is_kept]
    confirmed = sum(answer.confirmed for answer in kept)
    first = f"{archive} has {len(kept)} of {counted(len(answers), 'result')}"
    found = f"; a search found {confirmed} in the study of the scan." if confirmed else "."
    return "\n".join((first + found, *dict.fromkeys(answer.text for answer in answers))), len(kept) == len(answers)
