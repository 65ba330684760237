"""Write the hot spots of a view as DICOM Segmentation, one segment for each."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.formats.masks.dicom_seg import Author, SegContent, Segment, encode_segments
from napari_bonescint.measurement.report.codes import ABNORMAL, HOT_SPOT, LESION
from napari_bonescint.measurement.report.pictures import OTHER_COLOUR, SUSPICIOUS_COLOUR

if TYPE_CHECKING:
    from napari_bonescint.measurement.measures import HotSpot, Measured
    from napari_bonescint.scan import Scan, ViewName

_CONTENT = SegContent("Bone scan hot spots", "HOT_SPOTS", "Hot spots of a planar bone scan")


def spots_in(measured: Measured, view: ViewName) -> list[HotSpot]:
    """The hot spots of a view in the order of their segments, which are numbered from 1 without gaps."""
    return sorted((spot for spot in measured.measures.hot_spots if spot.view is view), key=lambda spot: spot.id)


def encode_hot_spots(scan: Scan, measured: Measured, source_sha256: str) -> dict[ViewName, bytes]:
    """Encode hot spots as one DICOM SEG for each view that has any.

    The hash of the source stands in the description of each segment. If the scan's files are missing or are no DICOM
    files, `SourceMissing` is raised.
    """
    model = " + ".join(measured.measures.models) or None
    encoded = {}
    for view, counts, labels in zip(scan.views, scan.counts, measured.labels, strict=True):
        spots = spots_in(measured, view.name)
        if not spots:
            continue
        numbers = np.zeros(max(int(labels.max()), *(spot.id for spot in spots)) + 1, np.uint16)
        numbers[[spot.id for spot in spots]] = np.arange(1, len(spots) + 1)
        one_view = replace(scan, counts=counts[None], views=(view,))
        segments = [_segment(spot, model, source_sha256) for spot in spots]
        encoded[view.name] = encode_segments(one_view, numbers[labels][None], segments, _CONTENT)
    return encoded


def _segment(spot: HotSpot, model: str | None, source_sha256: str) -> Segment:
    place = " ".join(filter(None, (spot.side, spot.region.replace("_", " "))))
    verdict = "suspicious" if spot.suspicious else "not suspicious"
    return Segment(
        f"{spot.view} {spot.id}: {place}, {verdict}"[:64],
        ABNORMAL,
        LESION if spot.suspicious else HOT_SPOT,
        SUSPICIOUS_COLOUR if spot.suspicious else OTHER_COLOUR,
        Author(model, corrected=spot.verdict.by_reader),
        f"Research software, not a medical device. Source SHA-256 {source_sha256}",
    )
