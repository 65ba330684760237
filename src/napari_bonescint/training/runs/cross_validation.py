"""Cross-validation (`--folds`): each training is scored on patients that it has not seen, and then discarded."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from napari_bonescint.corrections.errors import StoreError
from napari_bonescint.errors import BonescintError
from napari_bonescint.evaluation.acceptance_rule import deciding_row, describe
from napari_bonescint.evaluation.corrected_set import CorrectedSet
from napari_bonescint.evaluation.fold_scores import FoldScores, ScanScore, folds_file, read_fold_scores
from napari_bonescint.evaluation.folds import FoldsError, folds_of
from napari_bonescint.evaluation.out_of_fold import OutOfFold
from napari_bonescint.evaluation.unseen import unseen_by
from napari_bonescint.evaluation.verdict import SetKind
from napari_bonescint.evaluation.view_scores import segment_reference
from napari_bonescint.files.atomic import CannotWrite, make_folder
from napari_bonescint.inference.model_registry import find_model
from napari_bonescint.inference.segmenter import Segmenter
from napari_bonescint.text.formatting import counted
from napari_bonescint.training.loop.checkpoint import publish, write_card
from napari_bonescint.training.loop.listener import TrainingListener
from napari_bonescint.training.loop.resuming import CannotResume, settings_of
from napari_bonescint.training.runs.run_folder import RunFolder
from napari_bonescint.training.runs.session import Session

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lightning_fabric import Fabric

    from napari_bonescint.evaluation.folds import Fold
    from napari_bonescint.evaluation.verdict import Row
    from napari_bonescint.inference.model_card import ModelCard
    from napari_bonescint.training.data.training_data import TrainingData
    from napari_bonescint.training.loop.listener import FinishedTraining, TrainingProgress
    from napari_bonescint.training.loop.recipe import Recipe
    from napari_bonescint.training.runs.event_log import TrainingLog
    from napari_bonescint.training.runs.session import SessionSettings


class CrossValidation:
    """One training for each fold of the patients, one after the other; finished folds are kept for resuming.

    Parameters
    ----------
    recipe : Recipe
    material : TrainingData
        Data with corrected scans.
    fabric : lightning_fabric.Fabric
        Of a single process.
    run : RunFolder
        Folder of the training whose weights are exported afterwards.
    settings : SessionSettings
    folds : int

    Raises
    ------
    FoldsError
        If there are no corrected scans, too few patients, or several training processes.
    """

    def __init__(
        self,
        recipe: Recipe,
        material: TrainingData,
        fabric: Fabric,
        run: RunFolder,
        settings: SessionSettings,
        folds: int,
    ) -> None:
        if fabric.world_size > 1:
            raise FoldsError("--folds trains in one process; leave out --devices and --nodes.")
        if material.selection is None:
            raise FoldsError("--folds needs corrected scans; give --store.")
        self._recipe, self._material, self._fabric, self._run, self._settings = recipe, material, fabric, run, settings
        self._selection = material.selection
        self._folds = folds_of(material.selection, folds)
        self._folder = run.path / "folds"
        self._starts = [find_model(name) for name in (*recipe.start_partial, *recipe.start)]
        self._about = {"sha256": self._identity()}
        self._done: list[FoldScores] = []

    def train(self) -> bool:
        """Train and score all folds; return true if all are done, false if the user stopped it.

        Raises
        ------
        BonescintError
            If a fold cannot be trained, or finished folds belong to another recipe or other scans.
        """
        self._run.occupy()
        try:
            make_folder(self._folder)
            for fold in self._folds:
                scores = self._kept(fold) or self._trained(fold)
                if scores is None:
                    return False
                self._done.append(scores)
            return True
        except BonescintError as error:
            with suppress(CannotWrite):
                self._run.log.append("failed", text=str(error))
            raise
        finally:
            self._run.leave()

    @property
    def steps(self) -> int:
        """Number of steps of each training."""
        return self._done[0].steps

    def scores(self, weights_sha256: str) -> FoldScores:
        """The scores of all folds, for the weights that the same recipe trained."""
        scans = [scan for fold in self._done for scan in fold.scans]
        left_out = list(dict.fromkeys(sentence for fold in self._done for sentence in fold.left_out))
        return FoldScores(len(self._folds), self.steps, {"weights_sha256": weights_sha256}, left_out, scans)

    def rows(self) -> list[Row]:
        """The change of each region's Dice from the initial model; empty without an initial model."""
        if not self._starts:
            return []
        found = OutOfFold(self.scores(""), self._selection.scans)
        return found.paired(Segmenter(self._starts[-1], self._settings.device)).rows(SetKind.CORRECTED)

    def _kept(self, fold: Fold) -> FoldScores | None:
        scores = read_fold_scores(self._file(fold))
        if scores is not None and scores.about != self._about:
            raise CannotResume(
                f"{self._file(fold)}: belongs to another recipe, start or other corrected scans; start a new training "
                "(on the command line: another --name)."
            )
        return scores

    def _trained(self, fold: Fold) -> FoldScores | None:
        """Train a fold, score it, and discard its weights; None if the user stopped it."""
        folder = self._folder / f"fold-{fold.number}"
        recipe = replace(self._recipe, name=f"{self._recipe.name}-fold-{fold.number}")
        # Each fold takes as many steps as the first; timing each fold would give different numbers.
        steps = self._done[0].steps if self._done else self._settings.steps
        scoring = _FoldScoring(fold, self._starts, recipe, self._settings.device)
        session = Session(
            recipe,
            replace(self._material, selection=fold.selection),
            self._fabric,
            RunFolder(folder, steered_by=self._run),
            replace(self._settings, steps=steps, out=None),
            (_FoldLog(self._run.log, fold.number, len(self._folds)),),
            scoring,
        )
        print(f"{self._recipe.name}: fold {fold.number} of {len(self._folds)}", flush=True)
        session.train()
        if session.is_stopped or session.planned is None:
            return None
        scores = FoldScores(len(self._folds), session.planned, self._about, scoring.left_out, scoring.scores)
        scores.write(self._file(fold))
        shutil.rmtree(folder, ignore_errors=True)
        return scores

    def _file(self, fold: Fold) -> Path:
        return self._folder / f"fold-{fold.number}.json"

    def _identity(self) -> str:
        facts = [
            len(self._folds),
            settings_of(self._recipe),
            [card.weights_sha256 for card in self._starts],
            sorted(f"{scan.case} {scan.mask_sha256}" for scan in self._selection.scans),
            self._material.manifest.get("simulated"),
        ]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


class _FoldScoring(TrainingListener):
    """Scores the weights of a fold's training, instead of exporting them; `starts` are its initial models."""

    def __init__(self, fold: Fold, starts: Sequence[ModelCard], recipe: Recipe, device: str) -> None:
        self._fold, self._starts, self._recipe, self._device = fold, starts, recipe, device
        self.scores: list[ScanScore] = []
        self.left_out: list[str] = []

    def export_weights(self, finished: FinishedTraining) -> None:
        """Score the weights, unless the training was stopped."""
        if finished.stopped:
            return
        # Patients that the initial models learnt from must not score them or their successors.
        unseen = unseen_by(self._starts, self._fold.scored)
        self.left_out += unseen.sentences
        with tempfile.TemporaryDirectory(prefix="bonescint-") as folder:
            # If no weights were better than the start, the start would be used.
            is_start = finished.step == 0 and bool(self._starts)
            card = self._starts[-1] if is_start else publish(finished.network, self._recipe, Path(folder), {}, [])
            segmenter = Segmenter(card, self._device)
            for scan in unseen.scans:
                try:
                    (reference,) = CorrectedSet([scan])
                except StoreError as error:
                    self.left_out.append(str(error))
                    continue
                views = segment_reference(segmenter, reference).views
                self.scores.append(ScanScore.of(scan, self._fold.number, views))
        print(
            f"{self._recipe.name}: scored on {counted(len(self.scores), 'scan')} outside its training data", flush=True
        )


class _FoldLog(TrainingListener):
    """Writes the progress of a fold's training to the log of the run."""

    def __init__(self, log: TrainingLog, fold: int, folds: int) -> None:
        self._tell, self._fold, self._folds = log.append, fold, folds

    def on_train_epoch_end(self, progress: TrainingProgress) -> None:
        """Write the fold and its progress."""
        self._tell("fold", fold=self._fold, folds=self._folds, **asdict(progress))

    def on_pause(self, step: int) -> None:  # noqa: ARG002
        """Write the pause."""
        self._tell("paused")

    def on_resume(self, step: int) -> None:
        """Write the step."""
        self._tell("resumed", step=step)

    def on_note(self, sentence: str) -> None:
        """Write the note."""
        self._tell("note", text=sentence)


def train_with_folds(
    recipe: Recipe,
    material: TrainingData,
    fabric: Fabric,
    run: RunFolder,
    settings: SessionSettings,
    folds: int,
    listeners: Sequence[TrainingListener] = (),
) -> bool:
    """Train and score all folds, then train on the training patients, and export the weights with the folds' scores.

    Parameters
    ----------
    recipe, material, fabric, run, settings, listeners
        As for `Session`.
    folds : int

    Returns
    -------
    bool
        True if the user stopped it.

    Raises
    ------
    BonescintError
        If training cannot continue; the log has the reason, too.
    """
    # Occupied until the scores are written, because the run is not finished before.
    run.occupy()
    try:
        cross = CrossValidation(recipe, material, fabric, run, settings, folds)
        if not cross.train():
            print(f"{recipe.name}: stopped before all folds were scored; the same command continues", flush=True)
            return True
        session = Session(recipe, material, fabric, run, replace(settings, steps=cross.steps), listeners)
        was_interrupted = session.train()
        if session.is_stopped:
            return was_interrupted
        rows = cross.rows()
        for sentence in _report(rows):
            run.log.append("note", text=sentence)
            print(f"{recipe.name}: {sentence}", flush=True)
        run.log.append("out_of_fold", folds=folds, rows=[asdict(row) for row in rows])
        if session.card is not None:
            weights = session.card.weights_path
            cross.scores(session.card.weights_sha256).write(folds_file(weights))
            facts = {"folds": folds, "steps": cross.steps, "rows": [asdict(row) for row in rows]}
            training = {**session.card.training, "out_of_fold": facts}
            write_card(replace(session.card, training=training), weights.parent)
    finally:
        run.leave()
    return was_interrupted


def _report(rows: Sequence[Row]) -> list[str]:
    """Sentences about the change of each region's Dice in the folds, the deciding one first."""
    deciding = deciding_row(rows)
    if deciding is None:
        return []
    others = [row for row in rows if row is not deciding]
    return [f"Scored by trainings that had not seen them: {describe(row)}" for row in (deciding, *others)]
