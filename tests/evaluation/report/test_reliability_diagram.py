from __future__ import annotations

from xml.etree import ElementTree as ET

import numpy as np

from napari_bonescint.evaluation.calibration import Reliability
from napari_bonescint.evaluation.report.reliability_diagram import reliability_svg

SVG = "{http://www.w3.org/2000/svg}"


def test_every_model_has_a_diagram_with_a_point_for_each_bin() -> None:
    sure = Reliability.of(np.array([0.9, 0.9, 0.1, 0.1], np.float32), np.array([True, True, False, False]))
    picture = ET.fromstring(reliability_svg({f"net <{i}>": sure for i in range(5)}))  # noqa: S314 - our own
    assert len(picture.findall(f".//{SVG}circle")) == 5 * 2
    texts = [text.text for text in picture.iter(f"{SVG}text")]
    assert "net <4>, ECE 0.1000" in texts
    # Four beside one another, the fifth below.
    places = [group.get("transform") for group in picture.findall(f"{SVG}g")]
    assert len(set(places)) == 5


def test_a_sure_model_that_is_right_lies_in_the_corners() -> None:
    right = Reliability.of(np.array([1.0, 0.006], np.float32), np.array([True, False]))
    circles = list(ET.fromstring(reliability_svg({"net": right})).iter(f"{SVG}circle"))  # noqa: S314 - our own
    assert [(circle.get("cx"), circle.get("cy")) for circle in circles] == [("0.9", "150.0"), ("150.0", "0.0")]
