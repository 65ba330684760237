from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydicom.data import get_testdata_file
from scipy.ndimage import gaussian_filter

import napari_bonescint
from napari_bonescint.anatomy import CODES
from napari_bonescint.corrections.checks import Finding, check
from napari_bonescint.formats.masks.label_tiff import read_labels
from napari_bonescint.formats.opening import open_scan
from napari_bonescint.inference.model_card import DEFAULT_MODEL
from napari_bonescint.inference.model_registry import find_model
from napari_bonescint.inference.segmenter import Segmenter
from napari_bonescint.scan import View, ViewName

SAMPLES = Path(napari_bonescint.__file__).parent / "samples"
SCAN = open_scan(SAMPLES / "simulated.dcm")
TRUTH = read_labels(SAMPLES / "simulated.regions.tif").masks


def found(regions: np.ndarray) -> list[Finding]:
    return check(regions, SCAN.counts, SCAN.views, SCAN.spacing)


@pytest.fixture
def mask() -> np.ndarray:
    return TRUTH.copy()


def test_true_mask_passes_in_silence() -> None:
    assert found(TRUTH) == []


def test_empty_mask_passes_in_silence() -> None:
    assert found(np.zeros_like(TRUTH)) == []


def test_missing_region_is_named_in_its_view(mask: np.ndarray) -> None:
    mask[1][mask[1] == CODES["sacrum"]] = 0
    (finding,) = found(mask)
    assert (finding.kind, finding.view, finding.code) == ("missing", 1, CODES["sacrum"])
    assert "no sacrum is labelled" in finding.sentence


def test_sternum_below_the_pelvis_is_pointed_at(mask: np.ndarray) -> None:
    foot = np.argwhere(mask[0] == CODES["foot"])
    mask[0][mask[0] == CODES["foot"]] = CODES["sternum"]
    places = [finding for finding in found(mask) if finding.kind == "place" and finding.code == CODES["sternum"]]
    assert places
    assert "sternum lies below the pelvis" in places[0].sentence
    assert foot[:, 0].min() <= places[0].point[0] <= foot[:, 0].max()


def test_island_far_from_bone_is_pointed_at(mask: np.ndarray) -> None:
    mask[0, 2:7, 2:7] = CODES["ribs"]
    islands = [finding for finding in found(mask) if finding.kind == "island"]
    assert [finding.point for finding in islands] == [(4, 4)]


def test_removed_leg_is_missed_on_the_side_of_the_patient(mask: np.ndarray) -> None:
    middle = mask.shape[2] // 2
    leg = mask[0] == CODES["lower_leg"]
    leg[:, middle:] = False
    mask[0][leg] = 0
    (finding,) = [finding for finding in found(mask) if finding.kind == "sides"]
    assert finding.code == CODES["lower_leg"]
    assert "patient's right" in finding.sentence
    assert finding.point[1] < middle


def test_bladder_labelled_as_bone_is_doubted(mask: np.ndarray) -> None:
    counts = SCAN.counts.astype(np.float32)
    rows, columns = np.nonzero(mask[0] == CODES["pelvis"])
    low, middle = round(np.quantile(rows, 0.8)), round(columns.mean())
    blob = np.zeros(counts.shape[1:], np.float32)
    blob[low, middle] = 1
    blob = gaussian_filter(blob, 5)
    counts[0] += 40 * counts[0][mask[0] > 0].mean() * blob / blob.max()
    mask[0][blob > 0.01 * blob.max()] = CODES["pelvis"]
    kinds = {finding.kind for finding in check(mask, counts, SCAN.views, SCAN.spacing)}
    assert "bladder" in kinds


def turned_foot() -> np.ndarray:
    """Two legs left of the line of the spine, as on the NM1 sample; the right foot of the image in two pieces."""
    regions = np.zeros((1, 200, 100), np.uint8)
    regions[0, 10:90, 56:64] = CODES["thoracic_spine"]
    for column in (34, 54):
        regions[0, 95:140, column : column + 8] = CODES["femur"]
        regions[0, 140:180, column : column + 8] = CODES["lower_leg"]
    regions[0, 180:190, 34:42] = CODES["foot"]
    regions[0, 180:186, 54:62] = CODES["foot"]
    regions[0, 188:192, 46:60] = CODES["foot"]  # toes, turned inwards across the midline
    return regions


def test_a_turned_foot_of_two_pieces_is_as_large_as_the_other_and_a_missing_one_is_missed() -> None:
    regions = turned_foot()
    views = (View(ViewName.ANTERIOR),)

    def unlike() -> list[str]:
        found = check(regions, np.ones(regions.shape), views, (4.0, 4.0))
        return [finding.sentence for finding in found if finding.kind == "sides"]

    assert unlike() == []
    regions[0, 180:, 44:] = 0
    assert unlike() == ["Anterior: the foot on the patient's left is only 0% as large as on the other side."]


def test_the_models_mask_of_the_nm1_sample_has_no_finding() -> None:
    path = get_testdata_file("JPEG-LL.dcm", download=False)
    assert path is not None
    scan = open_scan(Path(path), view=ViewName.ANTERIOR)
    regions = Segmenter(find_model(DEFAULT_MODEL), "cpu").segment(scan).regions
    assert regions is not None
    assert check(regions, scan.counts, scan.views, scan.spacing) == []
