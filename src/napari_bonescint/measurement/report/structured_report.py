"""Write all measures as DICOM Comprehensive SR by template TID 1500 (Measurement Report)."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from napari_bonescint import __version__
from napari_bonescint.anatomy import REGIONS
from napari_bonescint.formats.dicom.derived import copy_patient_and_study
from napari_bonescint.formats.safe_reading.silence import quiet
from napari_bonescint.measurement.comparison.changes import Change
from napari_bonescint.measurement.measures import RESEARCH_ONLY
from napari_bonescint.measurement.report import codes
from napari_bonescint.measurement.report.hot_spot_segments import spots_in
from napari_bonescint.measurement.report.lesions import count_lesions
from napari_bonescint.measurement.report.region_ratios import (
    LEFT_RIGHT,
    MEAN_COUNTS,
    other_ratios,
    ratios_of_regions,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from napari_bonescint.formats.dicom.source_views import SourceImages
    from napari_bonescint.measurement.comparison.changes import Comparison
    from napari_bonescint.measurement.measures import HotSpot, Measured
    from napari_bonescint.measurement.report.content import Content
    from napari_bonescint.scan import Scan, ViewName

_NAME = "napari-bonescint"
_UNICODE = "ISO_IR 192"
_SNOMED = {region.name: region.snomed[0] for region in REGIONS[1:]}
_OF_REGIONS = (
    (MEAN_COUNTS, codes.GEOMETRIC_MEAN, codes.IN_COUNTS),
    (LEFT_RIGHT, codes.GEOMETRIC_LEFT_RIGHT, codes.NO_UNIT),
)
_DIGITS = 4


def encode_structured_report(
    scan: Scan,
    measured: Measured,
    content: Content,
    source: SourceImages,
    segmentations: Mapping[ViewName, bytes],
    comparison: Comparison | None = None,
) -> bytes:
    """Encode the measures of a scan; each hot spot refers to its segment.

    Parameters
    ----------
    scan : Scan
        The scan, whose `sources` are DICOM files.
    measured : Measured
        Its measures.
    content : Content
        The texts of the report.
    source : SourceImages
        The DICOM files of the scan.
    segmentations : mapping of ViewName to bytes
        What `encode_hot_spots` made.
    comparison : Comparison, optional
        Comparison with a prior scan.
    """
    from highdicom.sr import ComprehensiveSR

    with quiet():
        images = {view: dcmread(io.BytesIO(seg)) for view, seg in segmentations.items()}
        document = _report(scan, measured, content, images, comparison)[0]
        report = ComprehensiveSR(
            evidence=[*(_image(header) for header in source.headers), *images.values()],
            content=_without_items(document),
            series_instance_uid=generate_uid(),
            series_number=1,
            sop_instance_uid=generate_uid(),
            instance_number=1,
            manufacturer=_NAME,
            is_complete=True,
        )
        report.ContentSequence = document.ContentSequence
        report.SpecificCharacterSet = _UNICODE
        copy_patient_and_study(source.headers[0], report)
        report.SeriesDescription = "Bone scan measurements (research software)"
        report.ManufacturerModelName = _NAME
        report.DeviceSerialNumber, report.SoftwareVersions = "0", __version__
        report.CodingSchemeIdentificationSequence = [codes.private_scheme()]
        buffer = io.BytesIO()
        report.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _without_items(document: Dataset) -> Dataset:
    """The root of a document: highdicom would copy the tree and search it for evidence, half of the time."""
    root = Dataset()
    for element in document:
        if element.keyword != "ContentSequence":
            root.add(element)
    root.ContentSequence = []
    return root


def _image(header: Any) -> Dataset:
    """What a report must know of an image that it refers to."""
    image = Dataset()
    image.SpecificCharacterSet = _UNICODE
    copy_patient_and_study(header, image)
    for keyword in ("SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID"):
        setattr(image, keyword, header.text(keyword))
    return image


def _report(
    scan: Scan,
    measured: Measured,
    content: Content,
    images: Mapping[ViewName, Dataset],
    comparison: Comparison | None,
) -> Any:
    from highdicom.sr import MeasurementReport, RelationshipTypeValues, TextContentItem

    groups = [_whole_body(measured, comparison)]
    for index, view in enumerate(scan.views):
        for segment, spot in enumerate(spots_in(measured, view.name), start=1):
            groups.append(_hot_spot(scan, measured, index, spot, images[view.name], segment))
    report = MeasurementReport(
        observation_context=_observer(), procedure_reported=_coded(codes.PROCEDURE), imaging_measurements=groups
    )
    comments = (RESEARCH_ONLY, *content.definitions, f"Source SHA-256 {content.source}", *content.warnings)
    for text in comments:
        item = TextContentItem(_coded(codes.COMMENT), text, RelationshipTypeValues.CONTAINS)
        report[0].ContentSequence.append(item)
    return report


def _observer() -> Any:
    from highdicom.sr import DeviceObserverIdentifyingAttributes, ObservationContext, ObserverContext
    from pydicom.sr.codedict import codes as standard

    device = DeviceObserverIdentifyingAttributes(
        uid=generate_uid(entropy_srcs=[_NAME, __version__]), name=_NAME, model_name=f"{_NAME} {__version__}"
    )
    return ObservationContext(observer_device_context=ObserverContext(standard.DCM.Device, device))


def _whole_body(measured: Measured, comparison: Comparison | None) -> Any:
    """Index, number of lesions, and ratios."""
    from highdicom.sr import FindingSite, MeasurementsAndQualitativeEvaluations, TrackingIdentifier

    measures = measured.measures
    found = [
        _number(codes.INDEX, measures.index.total, codes.PERCENT),
        _number(codes.INDEX_WITH_DISTAL, measures.index.with_distal, codes.PERCENT),
        _number(codes.LESIONS, count_lesions(measures.hot_spots), codes.NO_UNIT),
        *(
            _number(codes.INDEX_OF_REGION, part.index, codes.PERCENT, finding_sites=[_site(part.region)])
            for part in measures.index.by_region
        ),
        *(
            _number(codes.private_ratio(ratio.name), ratio.value, codes.NO_UNIT)
            for ratio in other_ratios(measures.ratios)
            if ratio.value is not None
        ),
        *(
            _number(name, value, unit, finding_sites=[_site(region)])
            for kind, name, unit in _OF_REGIONS
            for region, value in ratios_of_regions(measures.ratios, kind).items()
        ),
    ]
    if comparison is not None:
        if comparison.index.change is not None:
            found.append(_number(codes.INDEX_CHANGE, comparison.index.change, codes.PERCENT))
        found.append(_number(codes.NEW_LESIONS, comparison.count(Change.NEW), codes.NO_UNIT))
    return MeasurementsAndQualitativeEvaluations(
        tracking_identifier=TrackingIdentifier(generate_uid(), "Whole body"),
        algorithm_id=_algorithm(measures.models.items()),
        finding_sites=[FindingSite(_coded(codes.BONE))],
        measurements=found,
    )


def _hot_spot(scan: Scan, measured: Measured, index: int, spot: HotSpot, seg: Dataset, segment: int) -> Any:
    """The measures of one hot spot, on its segment."""
    from highdicom.sr import (
        PlanarROIMeasurementsAndQualitativeEvaluations,
        RelationshipTypeValues,
        TextContentItem,
        TrackingIdentifier,
    )

    group = PlanarROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=TrackingIdentifier(generate_uid(), f"{spot.view} {spot.id}"),
        referenced_segment=_reference(seg, segment),
        finding_type=_coded(codes.LESION if spot.suspicious else codes.HOT_SPOT),
        finding_category=_coded(codes.ABNORMAL),
        finding_sites=[_site(spot.region, spot.side)] if spot.region in _SNOMED else None,
        measurements=_measurements(scan, measured, index, spot),
        qualitative_evaluations=[
            _said(codes.VERDICT, codes.SUSPICIOUS if spot.suspicious else codes.NOT_SUSPICIOUS),
            _said(codes.SET_BY, codes.READER if spot.verdict.by_reader else codes.MODEL),
        ],
    )
    if spot.reason:
        comment = TextContentItem(_coded(codes.COMMENT), spot.reason, RelationshipTypeValues.CONTAINS)
        group[0].ContentSequence.append(comment)
    return group


def _reference(seg: Dataset, segment: int) -> Any:
    """A reference to the frame of a segment, and to its source image."""
    from highdicom.sr import ReferencedSegmentationFrame, SourceImageForSegmentation

    numbers = [
        group.SegmentIdentificationSequence[0].ReferencedSegmentNumber for group in seg.PerFrameFunctionalGroupsSequence
    ]
    frame = numbers.index(segment)
    image = seg.PerFrameFunctionalGroupsSequence[frame].DerivationImageSequence[0].SourceImageSequence[0]
    number = image.get("ReferencedFrameNumber")
    frames = None if number is None else [int(number)]
    source = SourceImageForSegmentation(image.ReferencedSOPClassUID, image.ReferencedSOPInstanceUID, frames)
    found = ReferencedSegmentationFrame(seg.SOPClassUID, seg.SOPInstanceUID, frame + 1, segment, source)
    # The frame says all; the standard forbids to name the segment beside it (PS3.3 C.18.4).
    del found[0].ReferencedSOPSequence[0].ReferencedSegmentNumber
    return found


def _measurements(scan: Scan, measured: Measured, index: int, spot: HotSpot) -> list[Any]:
    over_region = {"method": _coded(codes.OVER_REGION)}
    found = [
        _number(codes.RATIO, spot.peak_ratio, codes.NO_UNIT, derivation=_coded(codes.MAXIMUM), **over_region),
        _number(codes.RATIO, spot.mean_ratio, codes.NO_UNIT, derivation=_coded(codes.MEAN), **over_region),
    ]
    if spot.area_mm2 is not None:
        found.append(_number(codes.AREA, spot.area_mm2, codes.SQUARE_MM))
    inside = scan.counts[index][measured.labels[index] == spot.id]
    # An 8-bit picture has no counts.
    if inside.size and "counts" not in measured.measures.absent:
        found.append(_number(codes.COUNTS, float(inside.mean()), codes.IN_COUNTS, derivation=_coded(codes.MEAN)))
        found.append(_number(codes.COUNTS, float(inside.max()), codes.IN_COUNTS, derivation=_coded(codes.MAXIMUM)))
    if spot.probability is not None:
        found.append(_number(codes.PROBABILITY, 100 * spot.probability, codes.PERCENT))
    return found


def _number(name: codes.Code, value: float, unit: codes.Code, **more: Any) -> Any:
    from highdicom.sr import Measurement

    return Measurement(name=_coded(name), value=round(float(value), _DIGITS), unit=_coded(unit), **more)


def _said(name: codes.Code, value: codes.Code) -> Any:
    from highdicom.sr import QualitativeEvaluation

    return QualitativeEvaluation(_coded(name), _coded(value))


def _site(region: str, side: str = "") -> Any:
    from highdicom.sr import FindingSite

    place = (_SNOMED[region], "SCT", region.replace("_", " ").capitalize())
    return FindingSite(_coded(place), _coded(codes.SIDES[side]) if side else None)


def _algorithm(models: Iterable[tuple[str, str]]) -> Any:
    from highdicom.sr import AlgorithmIdentification

    found = tuple(models)
    return AlgorithmIdentification(
        name=" + ".join(name for name, _ in found) or _NAME,
        version=__version__,
        parameters=[f"{name}: weights SHA-256 {sha256}" for name, sha256 in found if sha256] or None,
    )


def _coded(code: codes.Code) -> Any:
    from highdicom.sr import CodedConcept

    value, scheme, meaning = code
    return CodedConcept(value, scheme, meaning)
