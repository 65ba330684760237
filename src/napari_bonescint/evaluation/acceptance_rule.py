"""The rule by which new weights are recommended, or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from napari_bonescint.corrections.store.patient_split import FEWEST_PATIENTS
from napari_bonescint.evaluation.folds import FEW_PATIENTS
from napari_bonescint.evaluation.interval import METHOD
from napari_bonescint.evaluation.paired import MACRO
from napari_bonescint.evaluation.verdict import SKELETON, Recommendation, SetKind
from napari_bonescint.text import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_bonescint.evaluation.verdict import Row

MARGIN = 0.02
"""The most that the mean Dice of a region may fall."""

RULE = (
    f"New weights are recommended if, on the corrected scans of at least {FEWEST_PATIENTS} patients who are held out "
    "from every training, their Dice is higher with the lower bound of its 95 % confidence interval above zero, and if "
    f"no region, on these or on the simulated scans, is worse by more than {MARGIN:g} in the mean. The Dice that "
    "decides is the mean over the regions where both models and the masks of most patients name them, and that of the "
    f"skeleton otherwise. A region counts where at least {FEWEST_PATIENTS} patients show it. With fewer than "
    f"{FEW_PATIENTS} patients in all, and weights that were trained with --folds, the corrected scans of all patients "
    f"decide, each scored by a training of the same recipe that had not seen the patient. Interval: {METHOD}."
)


class Decision(NamedTuple):
    """What is recommended, and sentences that say so and why."""

    recommendation: Recommendation
    sentences: list[str]


def decide(rows: Sequence[Row], *, loses_regions: bool) -> Decision:
    """Apply the rule.

    Parameters
    ----------
    rows : sequence of Row
        Of both sets.
    loses_regions : bool
        Whether the current model names regions and the new one does not.
    """
    losses = _losses(rows)
    if loses_regions:
        losses.append("The new weights no longer name regions, which the present ones do.")
    deciding = deciding_row(rows)
    found = [] if deciding is None else [describe(deciding)]
    patients = 0 if deciding is None else deciding.patients
    if deciding is None or deciding.low is None or deciding.high is None or patients < FEWEST_PATIENTS:
        sentence = (
            "Whether the new weights are better cannot be told: corrected scans of at least "
            f"{FEWEST_PATIENTS} held-out patients would tell, and there are {patients}."
        )
        return Decision(Recommendation.CANNOT_TELL, [sentence, *found, *losses])
    if losses:
        sentence = "Keep the present weights: the new ones lose something."
    elif deciding.low > 0:
        return Decision(Recommendation.USE, ["Use the new weights: they are better on corrected scans.", *found])
    elif deciding.high < 0:
        sentence = "Keep the present weights: the new ones are worse on corrected scans."
    else:
        sentence = "Keep the present weights: the new ones are not shown to be better on corrected scans."
    return Decision(Recommendation.KEEP, [sentence, *losses, *found])


def _losses(rows: Sequence[Row]) -> list[str]:
    """What is worse by more than the margin, a sentence for each set of scans."""
    of_set: dict[SetKind, list[str]] = {}
    for row in rows:
        if row.difference < -MARGIN and row.patients >= FEWEST_PATIENTS:
            of_set.setdefault(row.set, []).append(f"{row.label} ({row.current:.3f} to {row.new:.3f})")
    return [f"Worse by more than {MARGIN:g} on {which} scans: {', '.join(lost)}." for which, lost in of_set.items()]


def deciding_row(rows: Sequence[Row]) -> Row | None:
    """The row of the corrected scans that decides; None if there are no corrected scans."""
    corrected = {row.region: row for row in rows if row.set is SetKind.CORRECTED}
    named, skeleton = corrected.get(MACRO), corrected.get(SKELETON)
    if named is not None and skeleton is not None and 2 * named.patients > skeleton.patients:
        return named
    return skeleton


def describe(row: Row) -> str:
    """What became of the Dice in a row, in a sentence."""
    interval = "" if row.low is None else f" (95 % confidence interval {row.low:+.4f} to {row.high:+.4f})"
    return (
        f"On the corrected scans of {counted(row.patients, 'patient')} the Dice of the {row.label} changes from "
        f"{row.current:.4f} to {row.new:.4f}, by {row.difference:+.4f}{interval}."
    )
