"""The detector with a small model of random weights, and refusals."""

import numpy as np
import pytest

from napari_bonescint.errors import Cancelled
from napari_bonescint.inference.model_card import FINDING_HOT_SPOTS, ModelError
from napari_bonescint.measurement.detection.detector import HotSpotDetector
from napari_bonescint.scan import Scan


@pytest.fixture
def regions(scan):
    codes = np.zeros(scan.counts.shape, np.uint8)
    codes[:, 20:110, 25:40] = 3
    return codes


@pytest.fixture
def detector(make_model):
    return HotSpotDetector(make_model("spots", "hot-spot-u-net", 3, purpose=FINDING_HOT_SPOTS))


def test_every_pixel_gets_probabilities_and_the_model_is_named(detector, scan, regions):
    told = []
    classes = detector.classify(scan, regions, on_progress=told.append)
    for image in (classes.lesion, classes.benign):
        assert image.shape == scan.counts.shape
        assert image.dtype == np.float32
        assert image.min() >= 0
        assert image.max() > 0
    assert (classes.lesion + classes.benign).max() <= 1 + 1e-6
    assert (classes.model, classes.model_sha256) == ("spots", detector.card.weights_sha256)
    assert told == [0.3, 0.8, 1.0]


def test_a_view_is_seen_with_and_without_its_opposite(detector, scan, regions):
    both = detector.classify(scan, regions)
    single = Scan(scan.counts[:1], scan.views[:1], scan.spacing)
    alone = detector.classify(single, regions[:1])
    assert alone.lesion.shape == (1, *scan.counts.shape[1:])
    assert np.abs(alone.lesion[0] - both.lesion[0]).max() > 1e-4


def test_cancelling_keeps_nothing(detector, scan, regions):
    with pytest.raises(Cancelled):
        detector.classify(scan, regions, is_cancelled=lambda: True)


def test_a_model_for_segmenting_finds_no_hot_spots(make_model):
    with pytest.raises(ModelError, match="tiny is for segmenting, not for finding hot spots"):
        HotSpotDetector(make_model())


@pytest.mark.parametrize(
    ("architecture", "outputs", "reason"),
    [("fdn-5", 3, "fdn-5 is no network for finding hot spots"), ("hot-spot-u-net", 4, "has 4 outputs")],
)
def test_a_network_of_another_kind_is_refused(make_model, architecture, outputs, reason):
    card = make_model("spots", architecture, outputs, purpose=FINDING_HOT_SPOTS)
    with pytest.raises(ModelError, match=reason):
        HotSpotDetector(card)
