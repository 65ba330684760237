"""Hot spots as segmentations."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from pydicom import dcmread

from napari_bonescint.formats.dicom.source_views import SourceMissing
from napari_bonescint.measurement.measures import Measured
from napari_bonescint.measurement.report.hot_spot_segments import encode_hot_spots
from napari_bonescint.scan import ViewName
from reported import without_files


def test_each_hot_spot_is_a_segment_that_says_where_it_is_and_what_it_is_taken_for(draw):
    drawn = draw(3, 1)
    encoded = encode_hot_spots(drawn.scan, drawn.measured, "ef" * 32)
    assert list(encoded) == [ViewName.ANTERIOR, ViewName.POSTERIOR]
    for view, content in enumerate(encoded.values()):
        seg = dcmread(io.BytesIO(content))
        name = ("anterior", "posterior")[view]
        assert seg.SegmentSequence[0].SegmentLabel == f"{name} 1: right ribs, suspicious"
        assert seg.SegmentSequence[2].SegmentLabel == f"{name} 3: right ribs, not suspicious"
        kinds = [segment.SegmentedPropertyTypeCodeSequence[0].CodeMeaning for segment in seg.SegmentSequence]
        assert kinds == ["Lesion", *["Focal uptake that is not suspicious"] * 2]
        for number, frame in enumerate(seg.pixel_array, start=1):
            np.testing.assert_array_equal(frame > 0, drawn.measured.labels[view] == number)
        (source,) = seg.PerFrameFunctionalGroupsSequence[0].DerivationImageSequence[0].SourceImageSequence
        assert source.ReferencedFrameNumber == view + 1


def test_numbers_with_gaps_become_segments_without(draw):
    drawn = draw(3, 1)
    labels = np.where(drawn.measured.labels == 2, 0, drawn.measured.labels).astype(np.uint16)
    kept = tuple(spot for spot in drawn.measured.measures.hot_spots if spot.id != 2 and spot.view == "anterior")
    measured = Measured(labels, replace(drawn.measured.measures, hot_spots=kept))
    encoded = encode_hot_spots(drawn.scan, measured, "ef" * 32)
    assert list(encoded) == [ViewName.ANTERIOR]
    seg = dcmread(io.BytesIO(encoded[ViewName.ANTERIOR]))
    assert [segment.SegmentNumber for segment in seg.SegmentSequence] == [1, 2]
    assert seg.SegmentSequence[1].SegmentLabel.startswith("anterior 3")
    np.testing.assert_array_equal(seg.pixel_array[1] > 0, labels[0] == 3)


def test_without_a_dicom_file_there_is_none(draw):
    drawn = without_files(draw(1))
    with pytest.raises(SourceMissing, match="the DICOM file of this scan is needed"):
        encode_hot_spots(drawn.scan, drawn.measured, "")
