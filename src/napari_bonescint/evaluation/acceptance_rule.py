"""The rule that decides if new weights are recommended."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from napari_bonescint.corrections.store.patient_split import FEWEST_PATIENTS
from napari_bonescint.evaluation.folds import EXTRA_TRAININGS, FEW_PATIENTS
from napari_bonescint.evaluation.interval import METHOD
from napari_bonescint.evaluation.paired import MACRO
from napari_bonescint.evaluation.verdict import SKELETON, Recommendation, SetKind
from napari_bonescint.text.formatting import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_bonescint.evaluation.verdict import Row

MARGIN = 0.02
"""Largest acceptable loss of a region's mean Dice."""

RULE = (
    "New weights are recommended if two conditions hold. Their Dice is higher on the corrected scans of at least "
    f"{FEWEST_PATIENTS} patients who are held out from every training: the 95 % confidence interval of the gain is "
    f"above zero. And no region loses more than {MARGIN:g} of its mean Dice on these scans or on the simulated scans. "
    "The Dice that decides is the mean over the regions if both models, and the masks of most patients, name regions; "
    f"otherwise it is the Dice of the skeleton. A region counts if at least {FEWEST_PATIENTS} patients show it. "
    f"If there are fewer than {FEW_PATIENTS} patients in all and the weights were trained with {EXTRA_TRAININGS}, the "
    "corrected scans of all patients decide. Each patient is then scored by a training of the same recipe that had not "
    f"seen the patient. Interval: {METHOD}."
)


class Decision(NamedTuple):
    """A recommendation, and sentences that state it with its reasons."""

    recommendation: Recommendation
    sentences: list[str]


def decide(rows: Sequence[Row], *, loses_regions: bool) -> Decision:
    """Apply the rule.

    Parameters
    ----------
    rows : sequence of Row
        Scores on the corrected and the simulated scans.
    loses_regions : bool
        True if the current model names regions and the new one does not.
    """
    losses = _losses(rows)
    if loses_regions:
        losses.append("The present weights name regions; the new weights do not.")
    deciding = deciding_row(rows)
    found = [] if deciding is None else [describe(deciding)]
    patients = 0 if deciding is None else deciding.patients
    if deciding is None or deciding.low is None or deciding.high is None or patients < FEWEST_PATIENTS:
        sentence = (
            "There are too few patients to compare the weights: corrected scans of at least "
            f"{FEWEST_PATIENTS} held-out patients are needed, and there are {patients}."
        )
        return Decision(Recommendation.CANNOT_TELL, [sentence, *found, *losses])
    if losses:
        sentence = "Keep the present weights: the new ones are worse in some respect."
    elif deciding.low > 0:
        return Decision(Recommendation.USE, ["Use the new weights: they are better on corrected scans.", *found])
    elif deciding.high < 0:
        sentence = "Keep the present weights: the new ones are worse on corrected scans."
    else:
        sentence = "Keep the present weights: the new ones are not shown to be better on corrected scans."
    return Decision(Recommendation.KEEP, [sentence, *losses, *found])


def _losses(rows: Sequence[Row]) -> list[str]:
    """One sentence for each set of scans, listing the regions that lose more Dice than the margin."""
    of_set: dict[SetKind, list[str]] = {}
    for row in rows:
        if row.difference < -MARGIN and row.patients >= FEWEST_PATIENTS:
            of_set.setdefault(row.set, []).append(f"{row.label} ({row.current:.3f} to {row.new:.3f})")
    return [f"Worse by more than {MARGIN:g} on {which} scans: {', '.join(lost)}." for which, lost in of_set.items()]


def deciding_row(rows: Sequence[Row]) -> Row | None:
    """The row that decides, from the corrected scans; None if there are no corrected scans."""
    corrected = {row.region: row for row in rows if row.set is SetKind.CORRECTED}
    named, skeleton = corrected.get(MACRO), corrected.get(SKELETON)
    if named is not None and skeleton is not None and 2 * named.patients > skeleton.patients:
        return named
    return skeleton


def describe(row: Row) -> str:
    """One sentence about the change of Dice in a row."""
    interval = "" if row.low is None else f" (95 % confidence interval {row.low:+.4f} to {row.high:+.4f})"
    return (
        f"On the corrected scans of {counted(row.patients, 'patient')} the Dice of the {row.label} changes from "
        f"{row.current:.4f} to {row.new:.4f}, by {row.difference:+.4f}{interval}."
    )
