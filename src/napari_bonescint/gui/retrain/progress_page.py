"""The tab "Training": shows the progress of a training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from magicgui.widgets import ComboBox
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from napari_bonescint.anatomy import REGIONS
from napari_bonescint.evaluation.verdict import SKELETON
from napari_bonescint.gui.retrain.sample_viewer import SampleViewer
from napari_bonescint.gui.widgets.line_plot import LinePlot
from napari_bonescint.gui.widgets.plain_label import PlainLabel
from napari_bonescint.text.formatting import counted, duration
from napari_bonescint.training.runs.run_control import Request
from napari_bonescint.training.runs.run_status import RunStatus, Stage

if TYPE_CHECKING:
    from napari_bonescint.gui.common.file_worker import FileWorker

_LEFT_OUT = 8
_NOTES = 8
_LOSS, _DICE = "#f0a030", "#59a14f"
_DICE_OF_ALL, _LOSS_OF_ALL = "dice", "loss"
_MEASURES = {
    "Dice": _DICE_OF_ALL,
    "Loss": _LOSS_OF_ALL,
    "Dice of the skeleton": SKELETON,
    **{f"Dice of the {region.label}": region.name for region in REGIONS[1:]},
}


class ProgressPage(QWidget):
    """Progress, time left, curves and sample predictions, with buttons to pause and stop.

    `background` loads the pictures.
    """

    requested = Signal(object)
    """Emitted with a `Request` to the training process."""
    resume_requested = Signal()
    """Emitted when the user wants to continue an interrupted training."""

    def __init__(self, background: FileWorker) -> None:
        super().__init__()
        self._stage: Stage | None = None
        self.status = PlainLabel(wraps=True)
        self.bar = QProgressBar()
        self.pause_button = QPushButton("Pause")
        self.stop_button = QPushButton("Stop")
        self.stop_button.setToolTip("End the training now; the best weights so far are kept")
        self.loss = LinePlot("Training loss", _LOSS)
        self.dice = LinePlot("Dice on validation scans", _DICE)
        self.measures = ComboBox(label="Measure of the second curve", choices=list(_MEASURES.items()))
        self.measures.native.setAccessibleName(self.measures.label)
        self._run_status = RunStatus()
        self.samples = SampleViewer(background)
        self.facts = PlainLabel(wraps=True)
        self._lay_out()
        self.pause_button.clicked.connect(self._on_pause)
        self.stop_button.clicked.connect(self._on_stop)
        self.measures.changed.connect(self._show_measure)
        self.clear()

    def clear(self) -> None:
        """Show that there is no training."""
        self._show("There is no training yet: start one in the first tab.", None, RunStatus())

    def show_run_status(self, stage: Stage, run_status: RunStatus, last_words: str) -> None:
        """Show the state of a training; `last_words` is the last line of a process that ended without a reason."""
        self._show(status_of(stage, run_status, last_words), stage, run_status)

    def say(self, sentence: str) -> None:
        """Show a sentence until the state of the training changes."""
        self.status.setText(sentence)

    def _show(self, status: str, stage: Stage | None, run_status: RunStatus) -> None:
        self._stage = stage
        self.status.setText(status)
        alive = stage is not None and stage.is_alive
        self.bar.setVisible(stage is not None)
        # A maximum of 0 shows a busy bar; a training that failed at once shows an empty one.
        self.bar.setMaximum(run_status.steps or (0 if alive else 1))
        self.bar.setValue(run_status.step)
        can_go_on = stage in (Stage.PAUSED, Stage.INTERRUPTED, Stage.FAILED)
        self.pause_button.setText("Go on" if can_go_on else "Pause")
        self.pause_button.setEnabled(can_go_on or stage is Stage.TRAINING)
        self.stop_button.setEnabled(alive)
        self._run_status = run_status
        self.loss.show_points(run_status.losses, run_status.steps)
        self._show_measure()
        self.samples.show_samples(run_status.samples)
        self.facts.setText("\n".join(facts_of(run_status)))
        self.facts.setVisible(bool(self.facts.text()))

    def _show_measure(self) -> None:
        """Draw the chosen measure of the validation scans."""
        run_status, measure = self._run_status, self.measures.value
        points = {_DICE_OF_ALL: run_status.dices, _LOSS_OF_ALL: run_status.check_losses}
        self.dice.set_title(f"{self.measures.current_choice} on validation scans")
        self.dice.show_points(points.get(measure, run_status.regions.get(measure, ())), run_status.steps)

    def _on_pause(self) -> None:
        if self._stage is Stage.TRAINING:
            self.say("Pausing after this step …")
            self.requested.emit(Request.PAUSE)
        elif self._stage is Stage.PAUSED:
            self.requested.emit(Request.GO_ON)
        else:
            self.resume_requested.emit()

    def _on_stop(self) -> None:
        self.say("Stopping; the best weights so far are being written …")
        self.requested.emit(Request.STOP)

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        buttons.addWidget(self.pause_button)
        buttons.addWidget(self.stop_button)
        layout = QVBoxLayout(self)
        layout.addWidget(self.status)
        layout.addWidget(self.bar)
        layout.addLayout(buttons)
        for part in (self.loss, self.measures.native, self.dice, self.samples, self.facts):
            layout.addWidget(part)
        layout.addStretch()


def status_of(stage: Stage, run_status: RunStatus, last_words: str) -> str:
    """A sentence about the state of a training."""
    where = f"Step {run_status.step} of {run_status.steps}" if run_status.steps else ""
    if where and run_status.fold:
        where = f"Fold {run_status.fold} of {run_status.folds}, step {run_status.step} of {run_status.steps}"
    match stage:
        case Stage.TRAINING if not where:
            return "Starting: loading PyTorch and the corrected scans …"
        case Stage.TRAINING:
            left = "" if run_status.seconds_left is None else f", {duration(run_status.seconds_left)} left"
            return f"{where}{left}{' in this fold' if left and run_status.fold else ''}."
        case Stage.PAUSED:
            return f"{where}. Paused."
        case Stage.FINISHED if run_status.outcome:
            return f"Finished. {run_status.outcome}"
        case Stage.FINISHED:
            best = "" if run_status.best is None else f"; Dice on validation scans {run_status.best:.3f}"
            return f"Finished. The weights of step {run_status.weights_step} were kept{best}."
        case Stage.FAILED:
            return run_status.failure
        case Stage.INTERRUPTED if where:
            return f"The training process ended unexpectedly; its last checkpoint is kept. {where}."
        case Stage.INTERRUPTED:
            return f"The training process ended unexpectedly: {last_words or 'it left no reason.'}"


def facts_of(run_status: RunStatus) -> list[str]:
    """Sentences about the scans of a training, those left out, and its notes."""
    facts = [run_status.data] if run_status.data else []
    if run_status.left_out:
        facts.append(f"{counted(len(run_status.left_out), 'scan')} left out:")
        facts += [f"  {case}: {why}" for case, why in run_status.left_out[:_LEFT_OUT]]
        if more := run_status.left_out[_LEFT_OUT:]:
            facts.append(f"  and {len(more)} more; data.json in the folder of the training lists all.")
    if earlier := run_status.notes[:-_NOTES]:
        facts.append(f"({counted(len(earlier), 'earlier note')} in log.jsonl in the folder of the training)")
    return facts + list(run_status.notes[-_NOTES:])
