"""The panel "Retrain"."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from enum import Enum
from functools import cached_property, partial
from itertools import chain
from typing import TYPE_CHECKING

from magicgui.widgets import ComboBox
from qtpy.QtWidgets import QTabWidget, QVBoxLayout, QWidget

from napari_bonescint.gui.common.choices import numbered
from napari_bonescint.gui.common.dock_panel import DockPanel, disclaimer_label
from napari_bonescint.gui.common.file_worker import FileWorker
from napari_bonescint.gui.common.turns import in_turns
from napari_bonescint.gui.retrain.comparison_page import ComparisonPage
from napari_bonescint.gui.retrain.comparison_process import ComparisonProcess
from napari_bonescint.gui.retrain.model_list import ModelList
from napari_bonescint.gui.retrain.progress_page import ProgressPage
from napari_bonescint.gui.retrain.run_monitor import RunMonitor
from napari_bonescint.gui.retrain.setup_page import SetupPage
from napari_bonescint.gui.widgets import question
from napari_bonescint.gui.widgets.scrolled_page import ScrolledPage
from napari_bonescint.inference.model_card import read_card
from napari_bonescint.inference.model_registry import label, use
from napari_bonescint.training.runs.launch import launch, name_of_run, read_settings
from napari_bonescint.training.runs.run_control import Request, ask, runs_folder, runs_in
from napari_bonescint.training.runs.run_status import RunStatus, Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from napari.viewer import Viewer
    from qtpy.QtGui import QShowEvent

    from napari_bonescint.gui.retrain.comparison_process import ComparisonResult
    from napari_bonescint.inference.model_card import ModelCard
    from napari_bonescint.training.runs.launch import RunSettings


class Leave(Enum):
    """Answers to the question about a running training when napari closes."""

    RUNNING = "Leave it running"
    STOPPED = "Stop and keep the best"
    CANCEL = "Cancel"


class RetrainWidget(DockPanel):
    """Train on corrected masks, follow the training, compare the new weights, and put them into use.

    The training runs in a process that can continue after napari is closed. The panel shows only what the training
    writes to its files; a thread reads them.
    """

    def __init__(self, napari_viewer: Viewer) -> None:  # noqa: ARG002  (napari passes it by this name)
        super().__init__()
        self._background = FileWorker(self)
        self._stage: Stage | None = None
        self._run_status = RunStatus()
        self._leave = Leave.RUNNING
        self._judgement = ""

        self._runs: list[Path] = []
        self.runs = ComboBox(label="Training", choices=self._run_choices)
        self.runs.native.setAccessibleName("Trainings")
        self.monitor = RunMonitor(self, self._background)
        self.comparison = ComparisonProcess(self, self._background)
        self.tabs = QTabWidget()
        self._lay_out()
        self.monitor.changed.connect(self._on_changed)
        self.runs.native.activated.connect(self._show_run)  # also for the one that is shown
        self.comparison.judged.connect(self._on_judged)
        self.comparison.failed.connect(self._on_no_verdict)
        in_turns(self, self._fill_pages(), self._look_for_runs)

    # The pages are made in later turns, or when they are needed.

    @cached_property
    def setup(self) -> SetupPage:
        """The tab "Set up"."""
        page = SetupPage(self._background)
        page.start_requested.connect(self.start)
        return page

    @cached_property
    def training(self) -> ProgressPage:
        """The tab "Training"."""
        page = ProgressPage(self._background)
        page.requested.connect(self._request)
        page.resume_requested.connect(self.go_on)
        return page

    @cached_property
    def verdict(self) -> ComparisonPage:
        """The tab "Verdict"."""
        page = ComparisonPage(self._background)
        page.comparison_requested.connect(self._judge)
        page.cancelled.connect(self._cancel_comparison)
        page.accepted.connect(self._accept)
        page.declined.connect(self._decline)
        page.folds_requested.connect(self._set_up_folds)
        self.comparison.progressed.connect(page.show_judging)
        return page

    @cached_property
    def models(self) -> ModelList:
        """The tab "Models"."""
        page = ModelList(self._background)
        page.changed.connect(lambda: self.setup.show_model())
        return page

    def start(self, settings: RunSettings) -> None:
        """Start a training and show it."""
        run = runs_folder() / name_of_run(settings.plan, datetime.now())
        self._launch(run, settings)

    def go_on(self) -> None:
        """Continue the shown training from its last checkpoint."""
        run = self.monitor.run
        if run is not None:
            self._background.run(partial(read_settings, run), partial(self._launch, run), self.training.say)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        """Guard the window of the panel from now on."""
        super().showEvent(event)
        self._guard_window(self._may_close, self._on_closed)

    def _launch(self, run: Path, settings: RunSettings) -> None:
        def then(_pid: int) -> None:
            self.setup.say("")
            self._add_run(run)
            self.tabs.setCurrentWidget(self._pages["Training"])

        self._background.run(partial(launch, settings, run), then, self._show_error)

    def _show_error(self, sentence: str) -> None:
        self.setup.say(sentence)
        self.training.say(sentence)

    def _run_choices(self, _box: object = None) -> list[tuple[str, int]]:
        return numbered([run.name for run in self._runs])

    def _offer_runs(self, runs: list[Path]) -> None:
        """List the existing runs and show the first."""
        self._runs += runs
        self._choose_run(0)

    def _add_run(self, run: Path) -> None:
        if run not in self._runs:
            self._runs.insert(0, run)
        self._choose_run(self._runs.index(run))

    def _choose_run(self, index: int) -> None:
        self.runs.reset_choices()
        self.runs.visible = bool(self._runs)
        if self._runs:
            self.runs.value = index
            self._show_run(index)

    def _show_run(self, index: int) -> None:
        self.comparison.stop()
        self._stage, self._run_status = None, RunStatus()
        self.training.clear()
        self.verdict.clear("This training has not finished.")
        self.monitor.follow(self._runs[index])

    def _on_changed(self, stage: Stage, run_status: RunStatus, last_words: str) -> None:
        before, self._stage, self._run_status = self._stage, stage, run_status
        self.training.show_run_status(stage, run_status, last_words)
        if run_status.outcome:
            self.verdict.clear(run_status.outcome)
        elif before is not stage and stage is Stage.FINISHED:
            self._judge()
            if before is not None:  # the user saw it run
                self.tabs.setCurrentWidget(self._pages["Verdict"])
        elif before is None and stage is not Stage.FINISHED:
            self.tabs.setCurrentWidget(self._pages["Training"])

    def _request(self, request: Request) -> None:
        run = self.monitor.run
        if run is not None:
            self._background.run(partial(ask, run, request), lambda _: None, self.training.say)

    def _judge(self) -> None:
        run, weights = self.monitor.run, self._run_status.weights
        if run is None or weights is None:
            return
        compare = partial(self.comparison.judge, weights)
        self._background.run(partial(read_settings, run), compare, self._on_no_verdict)

    def _on_judged(self, judged: ComparisonResult) -> None:
        said = judged.verdict.sentences[0]
        self._judgement = f"Compared with {judged.verdict.current} before it was accepted: {said}"
        self.verdict.show_verdict(judged.verdict, judged.folder, in_use=judged.in_use)

    def _cancel_comparison(self) -> None:
        self.comparison.stop()
        self._on_no_verdict("The comparison was cancelled.")

    def _on_no_verdict(self, sentence: str) -> None:
        self.verdict.clear(sentence, can_judge=True)

    def _accept(self) -> None:
        weights, judgement = self._run_status.weights, self._judgement
        if weights is None:
            return

        def accept() -> ModelCard:
            return use(replace(read_card(weights.with_suffix(".json")), judgement=judgement))

        self._background.run(accept, self._on_accepted, self.verdict.show_decision)

    def _on_accepted(self, card: ModelCard) -> None:
        self.verdict.show_decision(f"{label(card)} is in use from now on; the tab Models lists the earlier models.")
        self.models.refresh()
        self.setup.show_model()

    def _decline(self) -> None:
        self.verdict.show_decision("The present weights stay in use. The new weights are kept with their training.")

    def _set_up_folds(self) -> None:
        self.setup.choose_folds()
        self.tabs.setCurrentWidget(self._pages["Set up"])

    def _may_close(self) -> bool:
        if self._stage is None or not self._stage.is_alive or self.monitor.run is None:
            return True
        text = f"{self.monitor.run.name} is being trained."
        status = self.training.status.text()
        explanation = f"{status} In both cases the panel Retrain shows this training when napari is opened again."
        self._leave = question.ask(self, "Retrain", text, explanation, Leave)
        return self._leave is not Leave.CANCEL

    def _on_closed(self) -> None:
        if self._leave is Leave.STOPPED:
            self._request(Request.STOP)
        self._shut_down()

    def _end_processes(self) -> None:
        """End the panel's processes and threads; a training continues."""
        self.monitor.stop()
        self.comparison.stop()
        if "setup" in vars(self):
            self.setup.devices.close_child()
            self.setup.missing.stop()
        self._background.close()

    def _fill_pages(self) -> Iterator[None]:
        steps = chain.from_iterable(page.fill_in_steps() for page in self._pages.values())
        while not self._is_shut_down:
            if next(steps, self) is self:
                return
            yield

    def _look_for_runs(self) -> None:
        if not self._is_shut_down:
            self._background.run(partial(runs_in, runs_folder()), self._offer_runs, self.setup.say)

    def _training_page(self) -> QWidget:
        page = QWidget()
        above = QVBoxLayout(page)
        above.addWidget(self.runs.native)
        above.addWidget(self.training)
        return page

    def _lay_out(self) -> None:
        self.tabs.setDocumentMode(True)
        contents: dict[str, Callable[[], QWidget]] = {
            "Set up": lambda: self.setup,
            "Training": self._training_page,
            "Verdict": lambda: self.verdict,
            "Models": lambda: self.models,
        }
        self._pages = {title: ScrolledPage(page, later=True) for title, page in contents.items()}
        for title, page in self._pages.items():
            self.tabs.addTab(page, title)
        layout = QVBoxLayout(self)
        layout.addWidget(self.tabs, 1)
        layout.addWidget(disclaimer_label())
