"""The accept gate: new weights against those in use, before they replace them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_bonescint.inference.segmenter import Segmenter
from napari_bonescint.training import html_page
from napari_bonescint.training.paired import PairedScores
from napari_bonescint.training.pictures import LabelledMask, picture_of
from napari_bonescint.training.rule import RULE, decide
from napari_bonescint.training.verdict import Contestant, Picture, Recommendation, SetKind, Verdict
from napari_bonescint.training.view_scores import score_views

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_bonescint.inference.model_card import ModelCard
    from napari_bonescint.segmentation import Segmentation
    from napari_bonescint.training.corrected_set import CorrectedSet
    from napari_bonescint.training.reference_sets import Reference, ReferenceSet

_TITLES = {
    Recommendation.USE: "Use the new weights",
    Recommendation.KEEP: "Keep the present weights",
    Recommendation.CANNOT_TELL: "It cannot be told which weights are better",
}


class Judgement(NamedTuple):
    """A verdict and its pictures, JPEG by file name."""

    verdict: Verdict
    pictures: dict[str, bytes]

    def files(self) -> dict[str, bytes]:
        """What a folder with the verdict holds."""
        return {**self.verdict.files(), "report.html": _page(self), **self.pictures}


class _Shown(NamedTuple):
    """A scan that may be pictured, both models' masks, and the new model's Dice."""

    reference: Reference
    current: Segmentation
    new: Segmentation
    dice: float


def compare(
    current: ModelCard,
    new: ModelCard,
    corrected: CorrectedSet,
    simulated: ReferenceSet,
    *,
    device: str = "auto",
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
    device : str
        ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
    on_scan : callable
        Told after each scan, of ``len(corrected) + len(simulated)``.
    """
    models = Segmenter(current, device), Segmenter(new, device)
    pictured = _Extremes()
    rows = []
    for kind, references in ((SetKind.CORRECTED, corrected), (SetKind.SIMULATED, simulated)):
        scores = PairedScores()
        for reference in references:
            own, other = (model.segment(reference.scan) for model in models)
            views = score_views(reference, other)
            scores.add(score_views(reference, own), views)
            if kind is SetKind.CORRECTED or not len(corrected):
                dice = float(np.mean([view.skeleton if view.macro is None else view.macro for view in views]))
                pictured.see(_Shown(reference, own, other, dice))
            on_scan()
        rows += scores.rows(kind)
    decision = decide(rows, loses_regions=current.names_regions and not new.names_regions)
    verdict = Verdict(
        current=Contestant(current.name, current.weights_sha256),
        new=Contestant(new.name, new.weights_sha256),
        recommendation=decision.recommendation,
        sentences=(*decision.sentences, *_origins(current, new, corrected)),
        rule=RULE,
        rows=tuple(rows),
        pictures=tuple(Picture(f"{name}.jpg", _caption(name, shown)) for name, shown in pictured.found.items()),
    )
    return Judgement(verdict, {f"{name}.jpg": _draw(shown) for name, shown in pictured.found.items()})


class _Extremes:
    """The scans to picture of all that are seen; memory holds three at most."""

    def __init__(self) -> None:
        self.found: dict[str, _Shown] = {}
        self._highest: dict[str, float] = {}

    def see(self, shown: _Shown) -> None:
        """Keep a scan if it is the best, the worst or the most changed so far."""
        for name, value in (("best", shown.dice), ("worst", -shown.dice), ("changed", _change(shown))):
            if value > self._highest.get(name, -np.inf):
                self._highest[name] = value
                self.found[name] = shown


def _change(shown: _Shown) -> float:
    """Share of the pixels that either model calls bone on which the two differ."""
    masks = [LabelledMask.of_model("", result) for result in (shown.current, shown.new)]
    # Where only one of them names regions, bone is all that both tell.
    if not all(each.names_regions for each in masks):
        own, other = shown.current.skeleton, shown.new.skeleton
    else:
        own, other = (each.mask for each in masks)
    return int((own != other).sum()) / max(int(((own > 0) | (other > 0)).sum()), 1)


def _caption(name: str, shown: _Shown) -> str:
    what = {
        "best": f"Where the new weights do best: Dice {shown.dice:.3f}",
        "worst": f"Where the new weights do worst: Dice {shown.dice:.3f}",
        "changed": f"Where the two differ most: in {100 * _change(shown):.0f} % of the bone",
    }
    return f"{what[name]} (scan {shown.reference.name})."


def _draw(shown: _Shown) -> bytes:
    masks = [
        LabelledMask.of_truth(shown.reference),
        LabelledMask.of_model("present", shown.current),
        LabelledMask.of_model("new", shown.new),
    ]
    return picture_of(shown.reference.scan.counts, masks)


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


def _page(judgement: Judgement) -> bytes:
    """The verdict for a browser."""
    verdict = judgement.verdict
    lead, *others = verdict.sentences
    parts = [
        html_page.paragraph(lead, lead=True),
        *map(html_page.paragraph, others),
        html_page.paragraph(
            f"Present: {verdict.current.name} ({verdict.current.weights_sha256[:8]}). "
            f"New: {verdict.new.name} ({verdict.new.weights_sha256[:8]})."
        ),
    ]
    for kind in SetKind:
        rows = [row for row in verdict.rows if row.set is kind]
        if rows:
            parts.append(html_page.heading(f"Dice on {kind} scans"))
            headings = ("region", "patients", "views", "present", "new", "difference", "95 % interval")
            parts.append(
                html_page.table(
                    headings,
                    [
                        (
                            *(row.label, str(row.patients), str(row.views), f"{row.current:.4f}", f"{row.new:.4f}"),
                            f"{row.difference:+.4f}",
                            "–" if row.low is None else f"{row.low:+.4f} to {row.high:+.4f}",
                        )
                        for row in rows
                    ],
                )
            )
    parts.append(html_page.heading("Pictures"))
    parts += [html_page.figure(judgement.pictures[each.file], each.caption) for each in verdict.pictures]
    parts += [html_page.heading("The rule"), html_page.paragraph(verdict.rule)]
    return html_page.page(_TITLES[verdict.recommendation], parts)
