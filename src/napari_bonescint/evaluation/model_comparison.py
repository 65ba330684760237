"""Compare new weights with the weights in use, to decide if they should replace them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from napari_bonescint.evaluation.acceptance_rule import RULE, decide
from napari_bonescint.evaluation.best_and_worst import Extremes
from napari_bonescint.evaluation.paired import PairedScores
from napari_bonescint.evaluation.report.mask_pictures import LabelledMask, picture_of
from napari_bonescint.evaluation.report.verdict_report import verdict_page
from napari_bonescint.evaluation.verdict import ComparedModel, SetKind, Verdict, VerdictPicture
from napari_bonescint.evaluation.view_scores import segment_reference
from napari_bonescint.inference.segmenter import Segmenter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari_bonescint.evaluation.corrected_set import CorrectedSet
    from napari_bonescint.evaluation.out_of_fold import OutOfFold
    from napari_bonescint.evaluation.reference_sets import ReferenceSet
    from napari_bonescint.evaluation.view_scores import SegmentedReference
    from napari_bonescint.inference.model_card import ModelCard


class Judgement(NamedTuple):
    """A verdict, and its pictures as JPEG by file name."""

    verdict: Verdict
    pictures: dict[str, bytes]

    def files(self) -> dict[str, bytes]:
        """The files of a folder with the verdict, by name."""
        return {**self.verdict.files(), "report.html": verdict_page(self.verdict, self.pictures), **self.pictures}


class _Compared(NamedTuple):
    """Both models' results on one scan."""

    current: SegmentedReference
    new: SegmentedReference


def compare(
    current: ModelCard,
    new: ModelCard,
    corrected: CorrectedSet,
    simulated: ReferenceSet,
    *,
    out_of_fold: OutOfFold | None = None,
    device: str = "auto",
    notes: Sequence[str] = (),
    on_scan: Callable[[], object] = lambda: None,
) -> Judgement:
    """Score two models on the same scans, and give a verdict.

    Parameters
    ----------
    current, new : ModelCard
        The model in use, and the candidate to replace it.
    corrected : CorrectedSet
        Scans that neither model was trained on; may be empty.
    simulated : ReferenceSet
        Scans on which the Dice must not fall; may be empty.
    out_of_fold : OutOfFold, optional
        Scores that decide instead of the corrected scans, which then only give the pictures.
    device : str
        ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
    notes : sequence of str
        Further sentences for the verdict, such as those about scans left out.
    on_scan : callable
        Called after each scan of any of the three.
    """
    models = Segmenter(current, device), Segmenter(new, device)
    pictured: Extremes[_Compared] = Extremes()
    rows = []
    for kind, references in ((SetKind.CORRECTED, corrected), (SetKind.SIMULATED, simulated)):
        scores = PairedScores()
        for reference in references:
            compared = _Compared(*(segment_reference(model, reference) for model in models))
            scores.add(compared.current.views, compared.new.views)
            if kind is SetKind.CORRECTED or not len(corrected):
                dice = compared.new.dice
                pictured.add(compared, {"best": dice, "worst": -dice, "changed": _change(compared)})
            on_scan()
        if kind is SetKind.CORRECTED and out_of_fold is not None:
            scores = out_of_fold.paired(models[0], on_scan)
        rows += scores.rows(kind)
    decision = decide(rows, loses_regions=current.names_regions and not new.names_regions)
    verdict = Verdict(
        current=ComparedModel(current.name, current.weights_sha256),
        new=ComparedModel(new.name, new.weights_sha256),
        recommendation=decision.recommendation,
        sentences=(*decision.sentences, *notes, *_origins(current, new, corrected)),
        rule=RULE,
        rows=tuple(rows),
        pictures=tuple(VerdictPicture(f"{name}.jpg", _caption(name, each)) for name, each in pictured.found.items()),
    )
    return Judgement(verdict, {f"{name}.jpg": _draw(each) for name, each in pictured.found.items()})


def _change(compared: _Compared) -> float:
    """Number of pixels in which the models differ, divided by the number that either labels as bone."""
    own, other = compared.current.result, compared.new.result
    # If only one model names regions, their skeletons are compared.
    if own.regions is None or other.regions is None:
        differing = own.skeleton != other.skeleton
    else:
        differing = own.regions != other.regions
    return int(differing.sum()) / max(int((own.skeleton | other.skeleton).sum()), 1)


def _caption(name: str, compared: _Compared) -> str:
    dice = f"Dice {compared.new.dice:.3f}, with the present weights {compared.current.dice:.3f}"
    text = {
        "best": f"Highest Dice of the new weights: {dice}",
        "worst": f"Lowest Dice of the new weights: {dice}",
        "changed": f"Largest difference between the two: in {100 * _change(compared):.0f} % of the bone",
    }
    return f"{text[name]} (scan {compared.new.reference.name})."


def _draw(compared: _Compared) -> bytes:
    reference = compared.new.reference
    masks = [
        LabelledMask.of_truth(reference),
        LabelledMask.of_model("present", compared.current.result),
        LabelledMask.of_model("new", compared.new.result),
    ]
    return picture_of(reference.scan.counts, masks)


def _origins(current: ModelCard, new: ModelCard, corrected: CorrectedSet) -> list[str]:
    """Sentences about the bias of corrected masks that started from a result of either model."""
    sentences = []
    for card, called, effect in ((current, "present", "larger"), (new, "new", "smaller")):
        count = corrected.made_from(card.weights_sha256)
        if count:
            sentences.append(
                f"{count} of the {len(corrected)} corrected masks started from a result of the {called} weights. "
                f"Their uncorrected errors count as right, which favours the {called} weights: a gain is probably "
                f"{effect} than it looks."
            )
    return sentences
