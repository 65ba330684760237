"""The panel "Retrain"."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QComboBox, QTabWidget, QVBoxLayout, QWidget

from napari_bonescint.gui.common import question
from napari_bonescint.gui.common.close_guard import WindowClosing
from napari_bonescint.gui.common.dock_panel import DockPanel
from napari_bonescint.gui.common.file_worker import FileWorker
from napari_bonescint.gui.common.plain_label import PlainLabel
from napari_bonescint.gui.common.scrolled_page import ScrolledPage
from napari_bonescint.gui.retrain.comparison_page import VerdictPage
from napari_bonescint.gui.retrain.comparison_process import Judging
from napari_bonescint.gui.retrain.model_list import ModelList
from napari_bonescint.gui.retrain.progress_page import TrainingView
from napari_bonescint.gui.retrain.run_monitor import RunWatch
from napari_bonescint.gui.retrain.setup_page import TrainingSetup
from napari_bonescint.inference.model_card import read_card
from napari_bonescint.inference.model_registry import label, use
from napari_bonescint.text import DISCLAIMER
from napari_bonescint.training.runs.launch import launch, name_of_run, read_settings
from napari_bonescint.training.runs.run_control import Request, ask, runs_folder, runs_in
from napari_bonescint.training.runs.run_status import RunStatus, Stage

if TYPE_CHECKING:
    from pathlib import Path

    from napari.viewer import Viewer
    from qtpy.QtGui import QShowEvent

    from napari_bonescint.gui.retrain.comparison_process import Judged
    from napari_bonescint.inference.model_card import ModelCard
    from napari_bonescint.training.runs.launch import RunSettings


class Leave(Enum):
    """What becomes of a training when napari closes."""

    RUNNING = "Leave it running"
    STOPPED = "Stop and keep the best"
    CANCEL = "Cancel"


class RetrainWidget(DockPanel):
    """Train on corrected masks, watch it, judge the weights that come out, and put them to use.

    The training runs in a process that outlives napari if the user wants; everything that is shown of it comes from the
    files that it writes. Files are read in a thread.

    Parameters
    ----------
    napari_viewer : Viewer
        The viewer; napari gives it by this name.
    """

    def __init__(self, napari_viewer: Viewer) -> None:  # noqa: ARG002  (napari gives it by this name)
        super().__init__()
        self._background = FileWorker(self)
        self._closing: WindowClosing | None = None
        self._stage: Stage | None = None
        self._run_status = RunStatus()
        self._leave = Leave.RUNNING
        self._is_shut_down = False

        self.runs = QComboBox()
        self.runs.setAccessibleName("Trainings")
        self.setup = TrainingSetup(self._background)
        self.training = TrainingView(self._background)
        self.verdict = VerdictPage(self._background)
        self.models = ModelList(self._background)
        self.watch = RunWatch(self, self._background)
        self.judging = Judging(self, self._background)
        self.tabs = QTabWidget()
        self._lay_out()
        self._connect()
        self._background.run(partial(runs_in, runs_folder()), self._offer_runs, self.setup.say)

    def start(self, settings: RunSettings) -> None:
        """Begin a training, and show it."""
        run = runs_folder() / name_of_run(settings.plan, datetime.now())
        self._launch(run, settings)

    def go_on(self) -> None:
        """Go on with the run that is shown, from its last checkpoint."""
        run = self.watch.run
        if run is not None:
            self._background.run(partial(read_settings, run), partial(self._launch, run), self.training.say)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        """Take hold of the window that the panel is docked in."""
        super().showEvent(event)
        if self._closing is None and not self._is_shut_down:
            self._closing = WindowClosing(self, self._may_close, self._on_closed)

    def _launch(self, run: Path, settings: RunSettings) -> None:
        def then(_pid: int) -> None:
            self.setup.say("")
            self._add_run(run)
            self.tabs.setCurrentWidget(self._pages["Training"])

        self._background.run(partial(launch, settings, run), then, self._complain)

    def _complain(self, sentence: str) -> None:
        self.setup.say(sentence)
        self.training.say(sentence)

    def _offer_runs(self, runs: list[Path]) -> None:
        """List the runs that there are; one that is alive or was interrupted shows at once."""
        for run in runs:
            self.runs.addItem(run.name, run)
        self.runs.setVisible(bool(runs))
        if runs:
            self._show_run(0)

    def _add_run(self, run: Path) -> None:
        index = self.runs.findText(run.name)
        if index < 0:
            self.runs.insertItem(0, run.name, run)
            index = 0
        self.runs.show()
        self.runs.setCurrentIndex(index)
        self._show_run(index)

    def _show_run(self, index: int) -> None:
        run = self.runs.itemData(index)
        if run is None:
            return
        self.judging.stop()
        self._stage, self._run_status = None, RunStatus()
        self.training.clear()
        self.verdict.clear("This training has not finished.")
        self.watch.follow(run)

    def _on_changed(self, stage: Stage, run_status: RunStatus, last_words: str) -> None:
        before, self._stage, self._run_status = self._stage, stage, run_status
        self.training.show_run_status(stage, run_status, last_words)
        if run_status.outcome:
            self.verdict.clear(run_status.outcome)
        elif before is not stage and stage is Stage.FINISHED:
            self._judge()
            if before is not None:  # it finished before the user's eyes
                self.tabs.setCurrentWidget(self._pages["Verdict"])
        elif before is None and stage is not Stage.FINISHED:
            self.tabs.setCurrentWidget(self._pages["Training"])

    def _request(self, request: Request) -> None:
        run = self.watch.run
        if run is not None:
            self._background.run(partial(ask, run, request), lambda _: None, self.training.say)

    def _judge(self) -> None:
        run, weights = self.watch.run, self._run_status.weights
        if run is None or weights is None:
            return
        self._background.run(partial(read_settings, run), partial(self.judging.judge, weights), self._on_no_verdict)

    def _on_judged(self, judged: Judged) -> None:
        self.verdict.show_verdict(judged.verdict, judged.folder, in_use=judged.in_use)

    def _on_no_verdict(self, sentence: str) -> None:
        self.verdict.clear(sentence, can_judge=True)

    def _accept(self) -> None:
        weights = self._run_status.weights
        if weights is None:
            return

        def put_to_use() -> ModelCard:
            return use(read_card(weights.with_suffix(".json")))

        self._background.run(put_to_use, self._on_accepted, self.verdict.show_decision)

    def _on_accepted(self, card: ModelCard) -> None:
        self.verdict.show_decision(f"{label(card)} is in use from now on; the tab Models has the older ones.")
        self.models.refresh()
        self.setup.show_model()

    def _decline(self) -> None:
        self.verdict.show_decision("The present weights stay in use. These are kept with their training.")

    def _may_close(self) -> bool:
        if self._stage is None or not self._stage.is_alive or self.watch.run is None:
            return True
        text = f"{self.watch.run.name} is being trained."
        status = self.training.status.text()
        explanation = f"{status} The panel Retrain finds it again when napari is opened next, either way."
        self._leave = question.ask(self, "Retrain", text, explanation, Leave)
        return self._leave is not Leave.CANCEL

    def _on_closed(self) -> None:
        if self._leave is Leave.STOPPED:
            self._request(Request.STOP)
        self._shut_down()

    def _shut_down(self) -> None:
        """End what belongs to the panel; a training goes on."""
        if self._is_shut_down:
            return
        self._is_shut_down = True
        if self._closing is not None:
            self._closing.let_go()
        self.watch.stop()
        self.judging.stop()
        self.setup.devices.close_child()
        self._background.close()

    def _connect(self) -> None:
        self.setup.wanted.connect(self.start)
        self.runs.activated.connect(self._show_run)
        self.watch.changed.connect(self._on_changed)
        self.training.requested.connect(self._request)
        self.training.go_on_wanted.connect(self.go_on)
        self.judging.progressed.connect(self.verdict.show_judging)
        self.judging.judged.connect(self._on_judged)
        self.judging.failed.connect(self._on_no_verdict)
        self.verdict.judging_wanted.connect(self._judge)
        self.verdict.accepted.connect(self._accept)
        self.verdict.declined.connect(self._decline)
        self.models.changed.connect(self.setup.show_model)

    def _lay_out(self) -> None:
        watching = QWidget()
        above = QVBoxLayout(watching)
        above.addWidget(self.runs)
        above.addWidget(self.training)
        self.tabs.setDocumentMode(True)
        contents = {"Set up": self.setup, "Training": watching, "Verdict": self.verdict, "Models": self.models}
        self._pages = {title: ScrolledPage(page) for title, page in contents.items()}
        for title, page in self._pages.items():
            self.tabs.addTab(page, title)
        notice = PlainLabel(f"{DISCLAIMER}.")
        notice.setEnabled(False)
        layout = QVBoxLayout(self)
        layout.addWidget(self.tabs, 1)
        layout.addWidget(notice)
