"""The weights of a hot spot's features: found if spots tell them, else those of the pixels alone."""

import numpy as np
import pytest
from scipy.special import expit

from napari_bonescint.measurement.hot_spots.likelihood import FEATURES, PIXELS_ALONE, spot_probabilities
from napari_bonescint.training.loop.spot_weights import fit_spot_weights


@pytest.fixture
def spots():
    """Spots whose truth follows the mean, and whether there are others."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(4000, len(FEATURES)))
    odds = 0.8 * features[:, FEATURES.index("mean")] + 1.5 * features[:, FEATURES.index("highest elsewhere")] - 1
    return features, rng.random(4000) < expit(odds)


def test_the_weights_by_which_spots_were_drawn_are_found(spots):
    found = fit_spot_weights(*spots, "drawn", 7)
    assert (found.data, found.scans) == ("drawn", 7)
    assert found.bias == pytest.approx(-1, abs=0.1)
    expected = dict.fromkeys(FEATURES, 0.0) | {"mean": 0.8, "highest elsewhere": 1.5}
    assert found.weights == pytest.approx(expected, abs=0.12)
    features, is_lesion = spots
    probability = spot_probabilities(features, found)
    # Calibrated: of spots with a probability of 0.4 to 0.6, half are lesions.
    assert is_lesion[(probability > 0.4) & (probability < 0.6)].mean() == pytest.approx(0.5, abs=0.05)


def test_few_spots_hardly_change_what_is_assumed(spots):
    features, is_lesion = spots
    few = fit_spot_weights(features[:12], is_lesion[:12], "drawn", 1)
    assert few.weights["mean"] == pytest.approx(0.5, abs=0.35)
    none = fit_spot_weights(features[:0], is_lesion[:0], "drawn", 1)
    assert (none.weights, none.bias) == (PIXELS_ALONE.weights, 0)
