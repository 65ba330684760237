"""The accept gate: new weights against those in use, before they replace them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from napari_bonescint.evaluation.acceptance_rule import RULE, decide
from napari_bonescint.evaluation.best_and_worst import Extremes
from napari_bonescint.evaluation.paired import PairedScores
from napari_bonescint.evaluation.report.mask_pictures import LabelledMask, picture_of
from napari_bonescint.evaluation.report.verdict_report import verdict_page
from napari_bonescint.evaluation.verdict import Contestant, SetKind, Verdict, VerdictPicture
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
    """A verdict and its pictures, JPEG by file name."""

    verdict: Verdict
    pictures: dict[str, bytes]

    def files(self) -> dict[str, bytes]:
        """What a folder with the verdict holds."""
        return {**self.verdict.files(), "report.html": verdict_page(self.verdict, self.pictures), **self.pictures}


class _Compared(NamedTuple):
    """One scan, segmented by both models."""

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
    to_bear_in_mind: Sequence[str] = (),
    on_scan: Callable[[], object] = lambda: None,
) -> Judgement:
    """Score two models on the same scans, and decide.

    Parameters
    ----------
    current, new : ModelCard
        The model in use, and the one that might replace it.
    corrected : CorrectedSet
        Scans that neither was trained on; may be empty.
    simulated : ReferenceSet
        Scans that must not get worse; may be empty.
    out_of_fold : OutOfFold, optional
        What decides instead of the corrected scans, which are then there for the pictures.
    device : str
        ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
    to_bear_in_mind : sequence of str
        Sentences for the verdict, such as what was left out.
    on_scan : callable
        Told after each scan, of those of all three.
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
                pictured.see(compared, {"best": dice, "worst": -dice, "changed": _change(compared)})
            on_scan()
        if kind is SetKind.CORRECTED and out_of_fold is not None:
            scores = out_of_fold.paired(models[0], on_scan)
        rows += scores.rows(kind)
    decision = decide(rows, loses_regions=current.names_regions and not new.names_regions)
    verdict = Verdict(
        current=Contestant(current.name, current.weights_sha256),
        new=Contestant(new.name, new.weights_sha256),
        recommendation=decision.recommendation,
        sentences=(*decision.sentences, *to_bear_in_mind, *_origins(current, new, corrected)),
        rule=RULE,
        rows=tuple(rows),
        pictures=tuple(VerdictPicture(f"{name}.jpg", _caption(name, each)) for name, each in pictured.found.items()),
    )
    return Judgement(verdict, {f"{name}.jpg": _draw(each) for name, each in pictured.found.items()})


def _change(compared: _Compared) -> float:
    """Share of the pixels that either model calls bone on which the two differ."""
    own, other = compared.current.result, compared.new.result
    # Where only one of them names regions, bone is all that both tell.
    if own.regions is None or other.regions is None:
        differing = own.skeleton != other.skeleton
    else:
        differing = own.regions != other.regions
    return int(differing.sum()) / max(int((own.skeleton | other.skeleton).sum()), 1)


def _caption(name: str, compared: _Compared) -> str:
    what = {
        "best": f"Where the new weights do best: Dice {compared.new.dice:.3f}, present {compared.current.dice:.3f}",
        "worst": f"Where the new weights do worst: Dice {compared.new.dice:.3f}, present {compared.current.dice:.3f}",
        "changed": f"Where the two differ most: in {100 * _change(compared):.0f} % of the bone",
    }
    return f"{what[name]} (scan {compared.new.reference.name})."


def _draw(compared: _Compared) -> bytes:
    reference = compared.new.reference
    masks = [
        LabelledMask.of_truth(reference),
        LabelledMask.of_model("present", compared.current.result),
        LabelledMask.of_model("new", compared.new.result),
    ]
    return picture_of(reference.scan.counts, masks)


def _origins(current: ModelCard, new: ModelCard, corrected: CorrectedSet) -> list[str]:
    """What to bear in mind about where the corrected masks came from."""
    sentences = []
    for card, called, effect in (
        (current, "present", "so a gain is likely greater than it looks"),
        (new, "new", "so a gain is likely smaller than it looks"),
    ):
        count = corrected.made_from(card.weights_sha256)
        if count:
            sentences.append(
                f"{count} of the {len(corrected)} corrected masks began as the mask of the {called} weights, and what "
                f"nobody changed in them counts as right: they favour the {called} weights, {effect}."
            )
    return sentences
