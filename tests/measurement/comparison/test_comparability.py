from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from measurement.comparison.conftest import measured, one_view
from napari_bonescint.formats.dicom.two_studies import TwoStudies
from napari_bonescint.measurement.comparison.comparability import reasons_against
from napari_bonescint.measurement.measures import Measured
from napari_bonescint.scan import ViewName


@pytest.fixture
def plain(body):
    return measured(body.scan, body.regions, body.labels)


def acquired(plain, **facts):
    return replace(plain, scan=replace(plain.scan, acquisition=facts))


def with_measures(plain, **changed):
    return replace(plain, measured=Measured(plain.measured.labels, replace(plain.measured.measures, **changed)))


def test_alike_scans_have_no_reason(plain):
    same = acquired(plain, radionuclide="99mTechnetium", manufacturer="GE", collimator_type="PARA")
    assert reasons_against(same, same, TwoStudies(tracers=("HDP", "HDP"), hours=(3.0, 2.6))) == ()
    # What a file does not tell is no reason.
    assert reasons_against(same, plain, TwoStudies(tracers=("HDP", ""), hours=(3.0, None))) == ()


@pytest.mark.parametrize(
    ("new", "old", "studies", "reason"),
    [
        ({"radionuclide": "18Fluorine"}, {"radionuclide": "99mTechnetium"}, {}, "radionuclides differ: 18Fluorine now"),
        ({}, {}, {"tracers": ("HDP", "MDP")}, "tracers differ: HDP now, MDP before"),
        ({}, {}, {"hours": (2.0, 4.5)}, "from injection to acquisition differ: 2.0 hours now, 4.5 hours before"),
        ({"manufacturer": "GE"}, {"manufacturer": "Siemens"}, {}, "different makers: GE now, Siemens before"),
        ({"collimator_type": "PARA"}, {"collimator_type": "FANB"}, {}, "collimators differ: PARA now, FANB before"),
    ],
)
def test_an_acquisition_that_differs_is_a_reason(plain, new, old, studies, reason):
    (sentence,) = reasons_against(acquired(plain, **new), acquired(plain, **old), TwoStudies(**studies))
    assert reason in sentence
    assert sentence.endswith(".")


def test_pictures_views_large_indices_and_other_models_are_reasons(plain):
    eight_bits = replace(plain, scan=replace(plain.scan, counts=plain.scan.counts.astype(np.uint8)))
    (sentence,) = reasons_against(plain, eight_bits, TwoStudies())
    assert sentence.startswith("The prior scan has no counts: the image has 8 bits")
    (sentence,) = reasons_against(one_view(plain, ViewName.ANTERIOR), plain, TwoStudies())
    assert sentence == "The new scan has no posterior view, so the index is of other views."
    large = with_measures(plain, index=replace(plain.measured.measures.index, total=12.3))
    (sentence,) = reasons_against(large, plain, TwoStudies())
    assert "index of the new scan is 12.3; above 10" in sentence
    (sentence,) = reasons_against(plain, with_measures(plain, models={"m": "1" * 64}), TwoStudies())
    assert "different models: m (0) now, m (11111111) before" in sentence
    # Masks that a person drew name no model.
    assert reasons_against(plain, with_measures(plain, models={}), TwoStudies()) == ()
