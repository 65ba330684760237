"""What the report says about a prior scan."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pydicom.uid import generate_uid

from napari_bonescint.measurement.comparison.changes import MeasuredScan
from napari_bonescint.measurement.comparison.comparing import compare
from napari_bonescint.measurement.measures import HotSpotVerdict, Measured
from napari_bonescint.measurement.measuring import remeasure
from napari_bonescint.measurement.report.changes import changes_of
from napari_bonescint.measurement.report.options import ReportOptions
from napari_bonescint.measurement.report.writing import write_report
from napari_bonescint.scan import ViewName
from reported import pages_of


@pytest.fixture
def followed(draw):
    """A scan with three lesions, and its comparison with a prior scan that showed the first two."""
    new = draw(3, 3, AcquisitionDate="20240305")
    old = draw(2, 2, name="old.dcm", AcquisitionDate="20240105", SOPInstanceUID=generate_uid())
    scans = [MeasuredScan(each.scan, each.regions, each.measured) for each in (new, old)]
    return new, compare(*scans)


def test_new_lesions_come_first_and_the_index_is_told_with_its_noise(followed):
    new, comparison = followed
    changes = changes_of(comparison)
    index = new.measured.measures.index.total
    before = index * 2 / 3
    assert changes.index == (
        f"Bone scan index {before:.2f} % before, {index:.2f} % now: {index - before:+.2f}, within the noise of repeat "
        "scans, 0.30."
    )
    assert changes.lesions == "60 days between the scans. Lesions: 1 new, 2 same."
    assert [row[0] for row in changes.rows] == ["new", "same", "same"]
    assert set(changes.rows[0][3].split(", ")) == {"ant. 3", "post. 3"}
    assert changes.rows[0][4:6] == ("", "–")
    assert changes.rows[1][5] == "x 1.00"


def test_pages_and_structured_report_have_the_change(followed, tmp_path):
    from highdicom.sr import srread

    new, comparison = followed
    options = ReportOptions(html=True, document=None)
    paths = write_report(
        tmp_path / "out", "case", new.scan, new.regions, new.measured, comparison=comparison, options=options
    )
    text = " ".join(pages_of(paths[0].read_bytes()))
    html = paths[1].read_text("utf-8")
    for part in ("Change since the prior scan", "60 days between the scans. Lesions: 1 new, 2 same."):
        assert part in text
        assert part in html
    assert "Lesions now and in the prior scan" in text
    ribs = next(change for change in comparison.by_region if change.name == "ribs")
    assert f"{ribs.new:.2f} {ribs.change:+.2f}" in text
    (group,) = srread(paths[-1]).content.get_image_measurement_groups()
    told = {measurement.name.value: measurement.value for measurement in group.get_measurements()}
    assert told["BSI_CHANGE"] == pytest.approx(comparison.index.change, abs=1e-4)
    assert told["NEW_LESIONS"] == 1


def test_lesions_of_a_view_that_the_new_scan_lacks_are_unseen(draw):
    new, old = draw(0, 0), draw(2, 2, name="old.dcm", SOPInstanceUID=generate_uid())
    scan = replace(new.scan, counts=new.scan.counts[:1], views=new.scan.views[:1])
    labels = new.measured.labels[:1]
    measured = Measured(labels, remeasure(scan, new.regions[:1], labels))
    behind = old.measured.labels * np.array([0, 1], np.uint16)[:, None, None]
    decided = {(ViewName.POSTERIOR, number): HotSpotVerdict(True) for number in (1, 2)}
    before = Measured(behind, remeasure(old.scan, old.regions, behind, decided))
    comparison = compare(MeasuredScan(scan, new.regions[:1], measured), MeasuredScan(old.scan, old.regions, before))
    assert [row[0] for row in changes_of(comparison).rows] == ["unseen", "unseen"]
