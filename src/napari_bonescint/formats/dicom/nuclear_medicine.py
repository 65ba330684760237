"""Read planar DICOM Nuclear Medicine images: whole-body bone scans, and static images with a warning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydicom.uid import UID, MediaStorageDirectoryStorage, NuclearMedicineImageStorage

from napari_bonescint.formats.dicom.acquisition import acquisition_facts
from napari_bonescint.formats.dicom.frame_count import described_windows, frame_count_agrees, settle_frame_count
from napari_bonescint.formats.dicom.frames import frames_of, item_positions
from napari_bonescint.formats.dicom.header import Header, parse_whole, read_header
from napari_bonescint.formats.dicom.identity import study_token
from napari_bonescint.formats.dicom.lossy import lossy_warning
from napari_bonescint.formats.dicom.photopeak import choose_frames, energy_windows
from napari_bonescint.formats.dicom.pixels import prepare_to_decode, require_grey_pixels
from napari_bonescint.formats.dicom.stored_values import read_counts
from napari_bonescint.formats.dicom.terms import MODALITIES, image_type
from napari_bonescint.formats.dicom.views import NamedView, settle_views, view_of_codes, view_of_descriptions
from napari_bonescint.formats.safe_reading.guarded import reader
from napari_bonescint.formats.safe_reading.plausibility import require_counts, without_blank_views
from napari_bonescint.formats.safe_reading.refusal import NotAPlanarScan, Refusal
from napari_bonescint.formats.safe_reading.source_file import read_whole, sha256
from napari_bonescint.notices import Notice, Remedy
from napari_bonescint.scan import NO_SPACING, Scan, Spacing, View, ViewName, ViewSource, spacing_problem

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from napari_bonescint.formats.dicom.frames import Frame

_SPOT = "STATIC"
_PLANAR = ("WHOLE BODY", _SPOT)
_RESCALE_NUMBERS = ("RescaleSlope", "RescaleIntercept")
_RESCALE_TABLES = ("ModalityLUTSequence", "RealWorldValueMappingSequence")


@dataclass(frozen=True)
class PlanarHeader:
    """Facts about the scan in a file, read before any pixel is decoded.

    `size` is rows and columns; `views` has the view of each frame of the scan, anterior first, among the `frames` of
    the file; `spacing` is (y, x) in mm or None. `planar_type` is ``WHOLE BODY``, ``STATIC``, or empty if it is not
    stated. `study` and `series` are UIDs, to find the other view of the same study; they identify, so they stay within
    `formats`.
    """

    size: tuple[int, int]
    frames: int
    views: Mapping[int, View]
    spacing: Spacing | None
    acquisition: Mapping[str, str | int | float]
    warnings: tuple[str, ...]
    planar_type: str
    study: str
    series: str

    @property
    def may_show_whole_body(self) -> bool:
        """True if the image is no spot view; spot views are STATIC and about square."""
        rows, columns = self.size
        return self.planar_type != _SPOT or rows >= 2 * columns


@reader
def read_nuclear_medicine(path: Path) -> Scan:
    """Read the counts of the photopeak window of a planar DICOM Nuclear Medicine image, anterior first.

    A view that the file does not name is assumed to be anterior (of two: anterior, then posterior), with a warning. A
    file that is no planar NM image (`NotAPlanarScan`), or is damaged, encrypted, or without usable counts, is a
    `Refusal`.
    """
    content = read_whole(path)
    header = parse_whole(path, content)
    planar = _examine(header, path)
    stack, warnings = read_counts(header, path, planar.frames)
    counts = stack[list(planar.views)]
    require_counts(path, counts)
    return without_blank_views(
        Scan(
            counts=counts,
            views=tuple(planar.views.values()),
            spacing=planar.spacing,
            acquisition=planar.acquisition,
            sources=(path,),
            source_sha256=sha256(content),
            warnings=(*planar.warnings, *warnings),
            study=study_token(planar.study) if planar.may_show_whole_body else "",
        )
    )


@reader
def read_planar_header(path: Path) -> PlanarHeader:
    """Read the facts about a scan without its pixels; it raises the refusals of `read_nuclear_medicine`."""
    header = read_header(path)
    _require_nuclear_medicine(header, path)
    if not frame_count_agrees(header):
        header = parse_whole(path, read_whole(path))
    planar = _examine(header, path)
    prepare_to_decode(header)
    return planar


def _examine(header: Header, path: Path) -> PlanarHeader:
    _require_nuclear_medicine(header, path)
    planar_type = _planar_type(header, path)
    require_grey_pixels(header, path)
    warnings = _warnings_about_pixels(header)
    if planar_type == _SPOT:
        warnings.append("Image Type is STATIC: the image may show part of a body, but models need the whole body.")
    elif not planar_type:
        warnings.append("Image Type does not state a whole-body scan; the image was taken as one.")

    count, count_warnings = settle_frame_count(header, path)
    frames, frame_warnings = frames_of(header, path, count)
    peak = choose_frames(path, frames, energy_windows(header), described_windows(header))
    chosen = peak.chosen
    detectors = _detectors(header, frames)
    stated = {
        i: _stated_view(header, detectors.get(frames[i].detector), i, frames, [i] == chosen)
        for i in (*chosen, *peak.left_out)
    }
    views, view_warnings = settle_views(path, [stated[i] for i in chosen])
    for i, view in views.items():
        frame = chosen[i]
        described = _described_view(header, detectors.get(frames[frame].detector), frame, frames, [frame] == chosen)
        if view.source is ViewSource.FILE and described is view.name.opposite:
            codes = f"The file's codes name a view {view.name} and its descriptions {described}"
            view_warnings.append(Notice(f"{codes}; the codes were used.", Remedy.NAME_VIEW, view.name))
    kept_names = {view.name for view in views.values()}
    for i, other in peak.left_out.items():
        # A detector may have a new number in each window; then its view is among the kept ones.
        if (named := stated[i]) is None or (isinstance(named, ViewName) and named not in kept_names):
            window = f"the energy window {other.label}" if other.ranges else "an energy window"
            subject = "One view" if named is None else f"The {named} view"
            view_warnings.append(f"{subject} was acquired only in {window} beside the photopeak, and was left out.")
    spacing, spacing_warnings = _spacing(header)

    kept = [detectors[frames[chosen[i]].detector] for i in views if frames[chosen[i]].detector in detectors]
    return PlanarHeader(
        size=header.size,
        frames=len(frames),
        views={chosen[i]: view for i, view in views.items()},
        spacing=spacing,
        acquisition=acquisition_facts(header, kept, peak.window),
        warnings=(*warnings, *count_warnings, *frame_warnings, *peak.warnings, *view_warnings, *spacing_warnings),
        planar_type=planar_type,
        study=header.text("StudyInstanceUID"),
        series=header.text("SeriesInstanceUID"),
    )


def _require_nuclear_medicine(header: Header, path: Path) -> None:
    kind = header.text("SOPClassUID") or Header(header.dataset.file_meta).text("MediaStorageSOPClassUID")
    if kind == MediaStorageDirectoryStorage:
        raise NotAPlanarScan(path, "The file is a DICOM directory, not an image; open the images that it lists.")
    if header.has("EncryptedAttributesSequence"):
        raise Refusal(path, "Parts of the file are encrypted; decrypt it, or export it without encryption.")
    if header.has("EncapsulatedDocument"):
        raise NotAPlanarScan(path, "The file holds a document, not an image.")
    modality = header.text("Modality").upper()
    if modality and modality != "NM":
        stated = modality if modality in MODALITIES else "none that DICOM defines"
        raise NotAPlanarScan(path, f"Modality is {stated}; only nuclear medicine (NM) images can be segmented.")
    if not modality and kind != NuclearMedicineImageStorage:
        name = f" ({UID(kind).name})" if UID(kind).name != kind else ""
        raise NotAPlanarScan(path, f"The file{name} names no modality; only nuclear medicine images can be segmented.")


def _planar_type(header: Header, path: Path) -> str:
    """Value 3 of Image Type: one of `_PLANAR`, or empty."""
    values = [value.upper().replace("_", " ") for value in header.texts("ImageType")]
    if "TRANSMISSION" in values[2:]:
        raise NotAPlanarScan(path, "Image Type is TRANSMISSION; only emission images can be segmented.")
    stated = values[2] if len(values) > 2 else ""
    stated = "WHOLE BODY" if stated == "WHOLEBODY" else stated
    if stated and stated not in _PLANAR:
        supported = "only WHOLE BODY and STATIC planar images can be segmented"
        raise NotAPlanarScan(path, f"Image Type is {image_type(stated)}; {supported}.")
    return stated


def _warnings_about_pixels(header: Header) -> list[str]:
    warnings: list[str] = []
    rescale = [_with_numbers(keyword, header) for keyword in _RESCALE_NUMBERS if header.has(keyword)]
    rescale += [keyword for keyword in _RESCALE_TABLES if header.has(keyword)]
    if rescale:
        found = ", ".join(rescale)
        warnings.append(f"The file has rescale tags ({found}), which counts do not need; they were ignored.")
    if header.text("PhotometricInterpretation").upper() == "MONOCHROME1":
        meant = "The image is meant to be shown inverted (MONOCHROME1); its values were taken as counts."
        warnings.append(Notice(meant, Remedy.INVERT))
    lossy = lossy_warning(header)
    return warnings + ([lossy] if lossy else [])


def _detectors(header: Header, frames: list[Frame]) -> dict[int, Header]:
    items = header.items("DetectorInformationSequence")
    return {n: items[at] for n, at in item_positions([frame.detector for frame in frames], len(items)).items()}


def _stated_view(
    header: Header, detector: Header | None, frame: int, frames: list[Frame], alone: bool
) -> NamedView | None:
    """The view that the file states for one frame: by its codes, otherwise by its descriptions."""
    found = view_of_codes(detector) if detector else None
    if found is None and alone:
        found = view_of_codes(header)
    return found if found is not None else _described_view(header, detector, frame, frames, alone)


def _described_view(
    header: Header, detector: Header | None, frame: int, frames: list[Frame], alone: bool
) -> NamedView | None:
    """The view that descriptions name for one frame: those of the detector before those of the file."""
    found = view_of_descriptions(detector, frame, len(frames), alone=True) if detector else None
    return found if found is not None else view_of_descriptions(header, frame, len(frames), alone=alone)


def _spacing(header: Header) -> tuple[Spacing | None, list[str]]:
    stated = header.numbers("PixelSpacing")
    if len(stated) != 2:
        impossible = f"{_with_numbers('PixelSpacing', header, 'Pixel Spacing is')}, which is impossible."
        stated_wrong = [Notice(impossible, Remedy.SET_SPACING)] if header.text("PixelSpacing") else []
        return None, [*stated_wrong, NO_SPACING]
    problem = spacing_problem((stated[0], stated[1]), header.size)
    if problem is not None:
        ignored = f"A pixel spacing {problem}; the file's value was ignored."
        return None, [Notice(ignored, Remedy.SET_SPACING), NO_SPACING]
    return (stated[0], stated[1]), []


def _with_numbers(keyword: str, header: Header, name: str = "") -> str:
    """The name of an attribute with its numbers; other values could be any text, so they are left out."""
    numbers = "\\".join(f"{number:g}" for number in header.numbers(keyword))
    return f"{name or keyword} {numbers or 'no number'}"
