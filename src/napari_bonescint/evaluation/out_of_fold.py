"""Compare a model with the trainings of cross-validation, on scans that neither has seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_bonescint.evaluation.corrected_set import CorrectedSet
from napari_bonescint.evaluation.paired import PairedScores
from napari_bonescint.evaluation.view_scores import segment_reference
from napari_bonescint.text.formatting import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari_bonescint.corrections.selection import CorrectedScan
    from napari_bonescint.evaluation.fold_scores import FoldScores
    from napari_bonescint.inference.segmenter import Segmenter


class OutOfFold:
    """Scores of folds, with their scans.

    Parameters
    ----------
    scores : FoldScores
    scans : sequence of CorrectedScan
        Scans of the stores. Those whose mask has changed since they were scored are ignored.
    """

    def __init__(self, scores: FoldScores, scans: Sequence[CorrectedScan]) -> None:
        found = {(scan.case, scan.mask_sha256): scan for scan in scans}
        self._scores = scores
        pairs = [(score, found.get((score.case, score.mask_sha256))) for score in scores.scans]
        self._pairs = [(score, scan) for score, scan in pairs if scan is not None]

    def __len__(self) -> int:
        return len(self._pairs)

    @property
    def sentences(self) -> list[str]:
        """Notes for the verdict."""
        patients = counted(len({scan.patient for _, scan in self._pairs}), "patient")
        first = (
            f"Too few patients are held out for a verdict, so {patients} decide: each was scored by one of "
            f"{self._scores.folds} trainings of the same recipe that had not seen the patient. The new weights "
            "themselves learnt from most of these patients."
        )
        lost = len(self._scores.scans) - len(self._pairs)
        changed = f"{counted(lost, 'scan')} of the folds left out: deleted, corrected again, or used for training."
        return [first, *([changed] if lost else ()), *self._scores.left_out]

    def paired(self, current: Segmenter, on_scan: Callable[[], object] = lambda: None) -> PairedScores:
        """Score the current model on the same scans, and pair the scores; `on_scan` is called after each scan."""
        paired = PairedScores()
        for score, scan in self._pairs:
            (reference,) = CorrectedSet([scan])
            views = segment_reference(current, reference).views
            paired.add(views, score.view_scores(reference.patient), score.fold)
            on_scan()
        return paired
