"""The public Python interface, as scripts and notebooks use it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import napari_bonescint
from dicom_files import ANTERIOR, POSTERIOR, some_counts
from napari_bonescint.anatomy import CODES
from napari_bonescint.api import NotOneScan, ScanMeasures
from napari_bonescint.formats.masks.label_tiff import write_labels
from napari_bonescint.gui.samples import SAMPLES
from napari_bonescint.measurement.comparison.changes import Change
from napari_bonescint.measurement.comparison.comparing import CannotCompare
from napari_bonescint.measurement.measuring import CannotMeasure, measure_regions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari_bonescint.inference.model_card import ModelCard

    WriteScan = Callable[..., Path]


def test_asking_for_a_function_imports_neither_torch_nor_qt() -> None:
    code = (
        "import sys, napari_bonescint\n"
        "assert 'napari_bonescint.api' not in sys.modules\n"
        "assert {'open_scan', 'segment', 'measure', 'compare'} <= set(dir(napari_bonescint))\n"
        "napari_bonescint.open_scan, napari_bonescint.segment, napari_bonescint.measure, napari_bonescint.compare\n"
        "print([name for name in ('torch', 'openvino', 'napari', 'qtpy', 'pandas') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
    with pytest.raises(AttributeError, match="no attribute 'measures'"):
        _ = napari_bonescint.measures


def test_a_scan_is_opened_segmented_and_measured() -> None:
    scan = napari_bonescint.open_scan(str(SAMPLES / "simulated.dcm"))
    segmentation = napari_bonescint.segment(scan, device="cpu")
    measured = napari_bonescint.measure(scan, segmentation)
    assert measured.labels.shape == scan.counts.shape == measured.regions.shape
    regions, spots = measured.region_table(), measured.hot_spot_table()
    assert isinstance(regions, pd.DataFrame)
    bone = regions.query("view == 'posterior' and region == 'skeleton' and side == ''")
    assert bone.pixels.item() == segmentation.skeleton[1].sum()
    assert len(spots) == sum(len(np.unique(plane)) - 1 for plane in measured.labels)
    assert spots.reason.str.len().min() > 0
    # A scan without hot spots, spacing or counts has the same types, so tables of many scans can be joined.
    cold = replace(scan, counts=np.minimum(scan.counts, 1).astype(np.uint8), spacing=None)
    none = ScanMeasures(cold, measured.regions, measure_regions(cold, measured.regions))
    assert len(none.hot_spot_table()) == 0
    assert (none.hot_spot_table().dtypes == spots.dtypes)[["id", "suspicious", "probability", "area_mm2"]].all()
    assert (none.region_table().dtypes == regions.dtypes).all()
    joined = pd.concat([spots, none.hot_spot_table()], ignore_index=True)
    assert len(joined[joined.suspicious]) + len(joined[~joined.suspicious]) == len(spots)
    assert joined.peak_ratio.round(1).min() > 0
    alone = napari_bonescint.measure(SAMPLES / "simulated.dcm", device="cpu")
    assert alone.index == measured.index


def test_facts_that_a_file_lacks_come_from_the_caller(write_nm: WriteScan) -> None:
    path = write_nm(views=(None,))
    scan = napari_bonescint.open_scan(path, view="posterior", spacing=3)
    assert [view.name for view in scan.views] == ["posterior"]
    study = {"StudyInstanceUID": "1.2.3", "SeriesInstanceUID": "1.2.3.4"}
    posterior = write_nm("p.dcm", views=(POSTERIOR,), **study)
    anterior = write_nm("a.dcm", views=(ANTERIOR,), **study)
    both = napari_bonescint.open_scan(posterior, anterior)
    assert [view.name for view in both.views] == ["anterior", "posterior"]
    other = write_nm("other.dcm")
    with pytest.raises(NotOneScan, match=r"other\.dcm: has 2 scans; give the file of one scan"):
        napari_bonescint.open_scan(path, other)


def test_corrected_masks_and_other_models_are_used(
    write_nm: WriteScan, make_model: Callable[..., ModelCard], tmp_path: Path
) -> None:
    path = write_nm(counts=some_counts(2) + 30)
    codes = np.zeros((2, 64, 32), np.uint8)
    codes[:, 10:40, 5:25] = CODES["pelvis"]
    write_labels(tmp_path / "mask.tif", codes, None)
    for masks in (codes, tmp_path / "mask.tif", [str(tmp_path / "mask.tif")]):
        measured = napari_bonescint.measure(path, masks)
        assert {part.region for part in measured.index.by_region} == {"pelvis"}
    plain = make_model("plain", outputs=1)
    assert napari_bonescint.segment(path, model=plain.weights_path).model == "plain"
    with pytest.raises(CannotMeasure, match="marks bone without naming regions"):
        napari_bonescint.measure(path, model=plain)
    write_labels(tmp_path / "mask.tif", (codes > 0).astype(np.uint8), None)
    with pytest.raises(CannotMeasure, match=r"mask\.tif: marks bone without naming regions"):
        napari_bonescint.measure(path, tmp_path / "mask.tif")


def test_two_scans_are_compared_and_two_patients_only_on_request(write_nm: WriteScan, models_folder: Path) -> None:
    # Thresholds find the hot spots of scans that look like no body.
    models_folder.mkdir(parents=True)
    (models_folder / "current-hot-spots").write_text('{"model": "lost"}', encoding="utf-8")
    codes = np.zeros((2, 64, 32), np.uint8)
    codes[:, 10:40, 5:25] = CODES["pelvis"]
    hot = some_counts(2) + 30
    hot[0, 20:24, 8:12] += 300
    hot[1, 20:24, 18:22] += 300
    old = write_nm("old.dcm", counts=some_counts(2) + 30, StudyDate="20230305")
    new = write_nm("new.dcm", counts=hot, StudyDate="20240305")
    other = write_nm("other.dcm", counts=hot, PatientID="0815", PatientName="Else^Somebody")
    with pytest.warns(UserWarning, match="There is no model 'lost'; .* Hot spots are found by thresholds instead"):
        before, now, else_s = (napari_bonescint.measure(path, codes) for path in (old, new, other))
    comparison = napari_bonescint.compare(now, before)
    assert comparison.days == 366
    assert [lesion.change for lesion in comparison.lesions] == ["new"] * comparison.count(Change.NEW)
    assert comparison.count(Change.NEW) == 1
    assert comparison.index.change == pytest.approx(now.index.total - before.index.total)
    with pytest.raises(CannotCompare, match=r"name different patients; .* Then give same_patient=True"):
        napari_bonescint.compare(else_s, before)
    assert napari_bonescint.compare(else_s, before, same_patient=True).patient == "other"
