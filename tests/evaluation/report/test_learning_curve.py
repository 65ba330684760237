from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_bonescint.evaluation.report.learning_curve import (
    CurvePoint,
    LearningCurve,
    LearningCurveError,
    curve_section,
    lower_bound,
)

if TYPE_CHECKING:
    from pathlib import Path


def test_the_lower_bound_is_that_of_the_paired_gain() -> None:
    rng = np.random.default_rng(0)
    before = rng.normal(0.8, 0.1, 50)
    gain = rng.normal(0.03, 0.02, 50)
    bound = lower_bound(before, before + gain)
    # Of a mean of independent normal gains, the normal theory knows it: the spread between patients does not matter.
    assert bound == pytest.approx(gain.mean() - 1.96 * gain.std() / np.sqrt(50), abs=0.0007)
    assert lower_bound(before, before) == 0


def test_a_curve_is_kept_and_told(tmp_path: Path) -> None:
    before = CurvePoint("none", 0, [0.8, 0.82], [0.95])
    curve = LearningCurve(
        "default",
        "ab12" * 16,
        "another hospital",
        "Each takes 10 steps.",
        before,
        [CurvePoint("fine-tuning", 20, [0.85, 0.89], [0.948])],
    )
    curve.write(tmp_path / "curve.json")
    assert LearningCurve.read(tmp_path / "curve.json") == curve
    section = curve_section(curve)
    assert "| none | 0 | 0.8100 | – | – | 0.9500 | – |" in section
    assert "| fine-tuning | 20 | 0.8700 | +0.0600 | +0.0500 | 0.9480 | -0.0020 |" in section
    (tmp_path / "curve.json").write_text("{}")
    with pytest.raises(LearningCurveError, match="holds no learning curve"):
        LearningCurve.read(tmp_path / "curve.json")
