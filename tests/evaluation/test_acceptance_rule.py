"""When new weights are recommended."""

from __future__ import annotations

import pytest

from napari_bonescint.evaluation.acceptance_rule import decide
from napari_bonescint.evaluation.verdict import Recommendation, Row, SetKind


def row(
    difference: float,
    width: float = 0.005,
    region: str = "skeleton",
    kind: SetKind = SetKind.CORRECTED,
    patients: int = 8,
) -> Row:
    interval = (None, None) if patients < 2 else (difference - width, difference + width)
    return Row(kind, region, region, patients, 2 * patients, 0.9, 0.9 + difference, difference, *interval)


SIMULATED = row(0.0, kind=SetKind.SIMULATED)


@pytest.mark.parametrize(
    ("rows", "recommendation"),
    [
        ([row(0.01)], Recommendation.USE),
        ([row(0.004)], Recommendation.KEEP),
        ([row(-0.01)], Recommendation.KEEP),
        ([row(0.01, patients=5)], Recommendation.USE),
        ([row(0.01, patients=4)], Recommendation.CANNOT_TELL),
        ([row(0.01, patients=1)], Recommendation.CANNOT_TELL),
        ([], Recommendation.CANNOT_TELL),
        # A region that falls too far, on either set, where enough patients show it.
        ([row(0.01), row(-0.03, region="sternum")], Recommendation.KEEP),
        ([row(0.01), row(-0.019, region="sternum")], Recommendation.USE),
        ([row(0.01), row(-0.03, region="sternum", patients=4)], Recommendation.USE),
        ([row(0.01), row(-0.03, region="sternum", kind=SetKind.SIMULATED)], Recommendation.KEEP),
        # Regions decide where most masks name them.
        ([row(0.0), row(0.01, region="regions")], Recommendation.USE),
        ([row(0.01), row(0.0, region="regions")], Recommendation.KEEP),
        ([row(0.0, patients=20), row(0.01, region="regions", patients=9)], Recommendation.KEEP),
    ],
)
def test_what_is_recommended(rows: list[Row], recommendation: Recommendation) -> None:
    assert decide([*rows, SIMULATED], loses_regions=False).recommendation is recommendation


def test_the_sentences_say_what_was_found() -> None:
    lead, found = decide([row(0.01), SIMULATED], loses_regions=False).sentences
    assert lead == "Use the new weights: they are better on corrected scans."
    assert found == (
        "On the corrected scans of 8 patients the Dice of the skeleton changes from 0.9000 to 0.9100, by +0.0100 "
        "(95 % confidence interval +0.0050 to +0.0150)."
    )
    assert decide([row(-0.01)], loses_regions=False).sentences[0].endswith("are worse on corrected scans.")
    assert decide([row(0.0)], loses_regions=False).sentences[0].endswith("not shown to be better on corrected scans.")


def test_few_patients_still_tell_what_got_worse() -> None:
    lost = row(-0.05, region="sternum", kind=SetKind.SIMULATED)
    sentences = decide([row(0.01, patients=1), lost], loses_regions=False).sentences
    assert sentences[-1] == "Worse by more than 0.02 on simulated scans: sternum (0.900 to 0.850)."


def test_what_got_worse_is_one_sentence_for_each_set() -> None:
    lost = [row(-0.05, region=region) for region in ("ribs", "sternum")]
    simulated = row(-0.03, region="skull", kind=SetKind.SIMULATED)
    _, corrected, other, _ = decide([row(0.01), *lost, simulated], loses_regions=False).sentences
    assert corrected.endswith("on corrected scans: ribs (0.900 to 0.850), sternum (0.900 to 0.850).")
    assert other.endswith("on simulated scans: skull (0.900 to 0.870).")


def test_weights_that_lose_the_regions_are_kept_out() -> None:
    assert decide([row(0.01)], loses_regions=True).recommendation is Recommendation.KEEP
