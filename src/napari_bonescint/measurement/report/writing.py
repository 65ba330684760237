"""Write the report of a scan: pages for people, and DICOM objects for an archive."""

from __future__ import annotations

import hashlib
from functools import partial
from typing import TYPE_CHECKING

from napari_bonescint.errors import BonescintError, converted_errors
from napari_bonescint.files.atomic import make_folder, write_files_atomically, writing
from napari_bonescint.formats.dicom.derived import require_identifiers
from napari_bonescint.formats.dicom.source_views import SourceMissing, find_views
from napari_bonescint.measurement.report.archive_document import encode_document
from napari_bonescint.measurement.report.content import content_of
from napari_bonescint.measurement.report.hot_spot_segments import encode_hot_spots
from napari_bonescint.measurement.report.html import encode_html
from napari_bonescint.measurement.report.options import ReportOptions
from napari_bonescint.measurement.report.pdf import encode_pdf
from napari_bonescint.measurement.report.pictures import draw_views
from napari_bonescint.measurement.report.sacroiliac_picture import draw_sacroiliac
from napari_bonescint.measurement.report.source import (
    is_dicom_source,
    read_patient_of,
    read_study,
    require_unchanged,
    with_sources,
)
from napari_bonescint.measurement.report.structured_report import encode_structured_report
from napari_bonescint.results import ResultError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from napari_bonescint.measurement.comparison.changes import Comparison
    from napari_bonescint.measurement.measures import Measured
    from napari_bonescint.measurement.report.content import Content
    from napari_bonescint.scan import Scan


_NOT_FOR_ARCHIVES = "The report has no files for an archive."


class ReportError(BonescintError):
    """A report that cannot be made."""


def write_report(
    folder: Path,
    stem: str,
    scan: Scan,
    regions: NDArray[np.uint8],
    measured: Measured,
    *,
    comparison: Comparison | None = None,
    options: ReportOptions | None = None,
    sources: Sequence[Path] = (),
    on_left_out: Callable[[str], None] | None = None,
) -> list[Path]:
    """Write the report of a scan: all files, or none if one cannot be written. Returns their paths.

    The files are `STEM.report.pdf` and `STEM.report.html`, and, if the scan came from DICOM files, `STEM.VIEW.seg.dcm`
    for each view with hot spots, `STEM.sr.dcm` and `STEM.report.dcm`. An earlier report of the same scan is replaced.

    Parameters
    ----------
    folder : Path
        Folder of the files, which is made if it does not exist.
    stem : str
        Beginning of their names.
    scan : Scan
        The scan.
    regions : ndarray of uint8, shape (view, y, x)
        Region codes.
    measured : Measured
        Its hot spots and measures.
    comparison : Comparison, optional
        Comparison with a prior scan.
    options : ReportOptions, optional
        The files to write; by default all that the input allows, without identity on the pages.
    sources : sequence of Path
        The scan's files, in place of `scan.sources`.
    on_left_out : callable, optional
        If the scan's DICOM files lack the identifiers for a reference, the pages are written alone, and this is called
        with a sentence that says so. Without it, and if no pages are wanted, that is an error.

    Raises
    ------
    ResultError
        If a file exists that was not made from this scan.
    ReportError
        If the identity is wanted and the scan did not come from DICOM files.
    SourceChanged, SourceMissing, Refusal
        If the scan's DICOM files have changed, are missing, or cannot be read.
    CannotWrite
        If the disk is full or the folder not writable.
    """
    options = ReportOptions() if options is None else options
    scan = with_sources(scan, sources)
    source = _source_hash(scan)
    _require_own(_possible_files(folder, stem, scan), source)
    with converted_errors(partial(_failure, scan)):
        files = _encode(scan, regions, measured, source, options, comparison, on_left_out)
    make_folder(folder)
    written = write_files_atomically(folder, {stem + ending: content for ending, content in files.items()})
    if options.segmentation or options.structured_report:
        for path in _segmentations(folder, stem, scan):
            if path not in written:  # of an earlier report, when this view had hot spots
                path.unlink(missing_ok=True)
    return written


def _possible_files(folder: Path, stem: str, scan: Scan) -> list[Path]:
    endings = (".report.pdf", ".report.html", ".sr.dcm", ".report.dcm")
    return [*(folder / f"{stem}{ending}" for ending in endings), *_segmentations(folder, stem, scan)]


def _segmentations(folder: Path, stem: str, scan: Scan) -> list[Path]:
    return [folder / f"{stem}.{view.name}.seg.dcm" for view in scan.views]


def _encode(
    scan: Scan,
    regions: NDArray[np.uint8],
    measured: Measured,
    source: str,
    options: ReportOptions,
    comparison: Comparison | None,
    on_left_out: Callable[[str], None] | None,
) -> dict[str, bytes]:
    """All files of a report, by the ending of their names."""
    from_dicom = is_dicom_source(scan)
    if options.identity and not from_dicom:
        raise ReportError(f"{scan.name}: no DICOM file of this scan is known, so the report cannot name the patient.")
    if from_dicom:
        require_unchanged(scan)
    content = content_of(
        scan,
        measured,
        source=source,
        study=read_study(scan.sources[0]) if from_dicom else None,
        patient=read_patient_of(scan) if options.identity else None,
        comparison=comparison,
    )
    picture, sacroiliac = draw_views(scan, regions, measured), draw_sacroiliac(scan, regions, measured)
    pdf, content = encode_pdf(content, picture, sacroiliac)
    files = {".report.pdf": pdf} if options.pdf else {}
    if options.html:
        files[".report.html"] = encode_html(content, picture, sacroiliac)
    if not from_dicom:
        return files
    try:
        return files | _encode_dicom(scan, measured, pdf, content, options, comparison)
    except SourceMissing as error:
        if on_left_out is None or not files:
            raise
        on_left_out(f"{error} {_NOT_FOR_ARCHIVES}")
        return files


def _encode_dicom(
    scan: Scan,
    measured: Measured,
    pdf: bytes,
    content: Content,
    options: ReportOptions,
    comparison: Comparison | None,
) -> dict[str, bytes]:
    if not options.wants_dicom:
        return {}
    images = find_views(scan)
    require_identifiers(scan, images)
    files: dict[str, bytes] = {}
    # A structured report refers to the segmentations, so it is not written without them.
    if options.segmentation or options.structured_report:
        segmentations = encode_hot_spots(scan, measured, content.source)
        files |= {f".{view}.seg.dcm": seg for view, seg in segmentations.items()}
        if options.structured_report:
            files[".sr.dcm"] = encode_structured_report(scan, measured, content, images, segmentations, comparison)
    if options.document is not None:
        files[".report.dcm"] = encode_document(options.document, pdf, content, images)
    return files


def _failure(scan: Scan, error: Exception) -> ReportError:
    """A sentence without the message of a library, which may quote what identifies a patient."""
    return ReportError(f"{scan.name}: the report could not be made ({type(error).__name__}); check the scan's files.")


def _source_hash(scan: Scan) -> str:
    """The hash of the scan's files or, of a scan without files, of its counts."""
    return scan.source_sha256 or hashlib.sha256(scan.counts.tobytes()).hexdigest()


def _require_own(paths: Iterable[Path], source: str) -> None:
    """Refuse to replace files that do not state the hash of this scan; each file of a report states its source's."""
    for path in paths:
        with writing(path):
            if path.exists() and source.encode() not in path.read_bytes():
                raise ResultError(
                    f"{path}: exists already and is no report of this scan; choose another folder or another name."
                )
