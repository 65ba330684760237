"""Hot spots are scored on a set, written down, and shown as a section with a curve."""

from dataclasses import replace

import numpy as np
import pytest

from napari_bonescint.evaluation.hot_spots import THRESHOLDS, score_hot_spots
from napari_bonescint.evaluation.reference_sets import SimulatedSet
from napari_bonescint.evaluation.report.hot_spot_section import (
    HotSpotResultsError,
    curve_svg,
    hot_spot_section,
    read_results,
    write_results,
)
from napari_bonescint.inference.model_card import FINDING_HOT_SPOTS
from napari_bonescint.inference.segmenter import Segmenter
from napari_bonescint.measurement.detection.detector import HotSpotDetector
from napari_bonescint.simulation.case import SOURCES
from napari_bonescint.simulation.pathology import LesionKind
from napari_bonescint.simulation.splits import read_splits
from napari_bonescint.simulation.visible_lesions import VisibleLesion


@pytest.fixture
def references(case, tmp_path):
    """A patient with a bright metastasis in the spine, and one without."""
    mask = np.zeros(case.regions.shape, bool)
    mask[:, 60:72, 58:70] = True
    expected = case.expected.copy()
    expected[SOURCES.index("lesions")][mask] = 4 * case.expected.sum(axis=0)[mask]
    pixels = np.flatnonzero(mask).astype(np.int32)
    found = VisibleLesion(LesionKind.METASTASIS, 3, pixels, np.full(len(pixels), 4, np.float16))
    paths = [tmp_path / f"case_{seed:06d}.npz" for seed in (4000, 4001)]
    case.save(paths[0])
    replace(case, expected=expected, lesions=(found,)).save(paths[1])
    return SimulatedSet(read_splits()["lesions"], tuple(paths))


@pytest.fixture
def results(references, make_model):
    card = make_model("spots", "hot-spot-u-net", 3, purpose=FINDING_HOT_SPOTS)
    done = []
    found = score_hot_spots(
        references, Segmenter(make_model(), "cpu"), [HotSpotDetector(card), None], lambda: done.append(1)
    )
    assert len(done) == 2
    return found


def test_results_are_those_of_the_set_and_of_the_weights(results, references, tmp_path):
    assert (results.name, results.scans, results.clean, results.pieces) == ("lesions", 2, 1, 2)
    model, without = results.methods
    assert [model.method, without.method] == ["spots", THRESHOLDS]
    assert sum(group.pieces for group in model.groups if group.of == "size") == 2
    assert {group.of for group in model.groups} == {"size", "region", "counts"}
    assert results.holds(references.sha256(), [model.weights_sha256])
    assert not results.holds(references.sha256(), ["0" * 64])
    assert not results.holds("0" * 64, [])
    path = tmp_path / "hot_spots.json"
    assert read_results(path) is None
    write_results(results, path)
    assert read_results(path) == results
    path.write_text("{}")
    with pytest.raises(HotSpotResultsError, match=r"hot_spots\.json: is not a file of results of this version"):
        read_results(path)


def test_the_section_shows_each_method_and_its_curve(results):
    text = hot_spot_section(results)
    assert "2 pieces" in text
    assert "| spots |" in text
    assert "| thresholds |" in text
    assert "| region | spine | 2 |" in text
    drawing = curve_svg(results)
    for words in ("spots", "thresholds", "sensitivity", "false alarms a scan"):
        assert f">{words}</text>" in drawing
    assert drawing.count("<polyline") == 2
