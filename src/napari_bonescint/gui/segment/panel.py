"""The panel "Segment skeleton"."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari.layers import Labels
from napari.utils import progress
from napari.utils.notifications import show_error, show_info, show_warning
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout

from napari_bonescint.errors import BonescintError
from napari_bonescint.gui.commands import correct_this_scan
from napari_bonescint.gui.common.ahead import do_ahead
from napari_bonescint.gui.common.dock_panel import DockPanel, disclaimer_label, main_button
from napari_bonescint.gui.common.escape_key import EscapeKey
from napari_bonescint.gui.common.segmenting import shared_child
from napari_bonescint.gui.export.export_dialog import ExportButton
from napari_bonescint.gui.layers.labels import empty_labels, image_of, prepare_labels
from napari_bonescint.gui.layers.scan_display import display_scans
from napari_bonescint.gui.layers.scans import can_be_scan, group_by_scan, same_scan
from napari_bonescint.gui.segment.page import SegmentPage
from napari_bonescint.gui.segment.result_target import Keep, ResultTarget
from napari_bonescint.gui.widgets.question import ask
from napari_bonescint.gui.widgets.text_colours import Tone, ToneLabel
from napari_bonescint.inference.child_messages import Failed, Finished, Loaded, Progressed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from napari.viewer import Viewer

    from napari_bonescint.inference.child_messages import Event
    from napari_bonescint.inference.model_card import ModelCard
    from napari_bonescint.segmentation import Segmentation

_POLL_MS = 25
_PUT_MS = 1
_LONG_MS = 1000
_STEPS = 100
_UNDO = "To remove the result, select its layer and press Ctrl+Z."
_LOADING = "Loading the model: some seconds when it is used for the first time …"
_SEGMENTING = "Segmenting …"


class SegmentWidget(DockPanel):
    """Choose scans and a model, and segment.

    A child process computes for all panels; it ends with the last one. A timer fetches events while any are expected.
    """

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__()
        self._viewer = napari_viewer
        display_scans(napari_viewer)
        self.child = shared_child()
        self._ready: ModelCard | None = None
        self._read_warnings: tuple[str, ...] = ()
        self._queue: list[tuple[ResultTarget, ModelCard]] = []
        self._done = 0
        self._result: tuple[Segmentation, Iterator[str | None]] | None = None
        self._activity: progress | None = None

        self.page = SegmentPage(napari_viewer)
        self.rows, self.models, self.notices = self.page.rows, self.page.models, self.page.notices
        self.button = main_button("Segment skeleton")
        self.cancel_button = QPushButton("Cancel")
        self.export_button = ExportButton(napari_viewer)
        self.empty_button = QPushButton("Empty labels")
        self.correct_button = QPushButton("Correct this scan")
        self.bar = QProgressBar()
        self.status = ToneLabel()
        self._escape = EscapeKey(self, self.cancel)
        self._lay_out()
        self._connect()

        self._timer = QTimer(self)
        self._timer.timeout.connect(self._poll)
        self._long = QTimer(self)
        self._long.setSingleShot(True)
        self._long.setInterval(_LONG_MS)
        self._long.timeout.connect(self._show_activity)
        self._end_at_last(self.child)
        self._show_running(False)
        self._soon(self._load_first)  # starting the child takes a while
        do_ahead(prepare_labels)

    @property
    def is_running(self) -> bool:
        """Whether a scan is being segmented."""
        return bool(self._queue)

    def segment(self) -> None:
        """Segment the checked layers; does nothing while a segmentation runs."""
        if self.is_running:
            return
        card, images = self.models.card, self.rows.checked()
        if card is None:
            show_info("Open a model from a file in the panel first.")
            return
        if not images:
            show_info("Open a bone scan and check its layers in the panel first.")
            return
        places = [
            ResultTarget(self._viewer.layers, group, names_regions=card.names_regions, ask=self._ask_what_to_keep)
            for group in group_by_scan(images)
        ]
        self._queue = [(place, card) for place in places if place.prepare()]
        if self._queue:
            self._done = 0
            self.bar.setMaximum(_STEPS * len(self._queue))
            self._show_running(True)
            self._long.start()
            self._begin_next()

    def segment_selected(self) -> None:
        """Segment the scans whose views or labels are selected in the layer list; without any, the checked ones.

        All views of a scan are segmented, because napari selects only the last layer of an opened file.
        """
        layers = self._viewer.layers
        selected = [image_of(layer) if isinstance(layer, Labels) else layer for layer in layers.selection]
        images = [layer for layer in layers if can_be_scan(layer)]
        chosen = [view for image in images if image in selected for view in same_scan(images, image)]
        if chosen and not self.is_running:
            self.rows.check_only(chosen)
        self.segment()

    def cancel(self) -> None:
        """Stop at once; views that have their result keep it."""
        if not self.is_running:
            return
        if self._result is None:  # otherwise the child has finished
            self.child.cancel()
        self._end(f"Cancelled. {_UNDO}" if self._queue[0][0].filled else "Cancelled.")

    def add_empty_labels(self) -> None:
        """Add an empty labels layer on each checked layer, to draw on."""
        for image in self.rows.checked():
            self._viewer.add_layer(empty_labels(image))

    def _end_processes(self) -> None:
        self._timer.stop()
        self.child.close()
        self.page.disconnect_from_viewer()
        self._end("")

    def _connect(self) -> None:
        self.button.clicked.connect(self.segment)
        self.cancel_button.clicked.connect(self.cancel)
        self.empty_button.clicked.connect(self.add_empty_labels)
        self.correct_button.clicked.connect(lambda: correct_this_scan(self._viewer))
        self.models.chosen.connect(self._load)

    def _lay_out(self) -> None:
        self.empty_button.setToolTip("Add an empty labels layer on each checked layer, to draw on by hand")
        self.correct_button.setToolTip("Correct the masks of the selected scan with tools, in its own layers")
        running = QHBoxLayout()
        running.addWidget(self.bar, 1)
        running.addWidget(self.cancel_button)
        # Small buttons for what follows a result.
        self.next_steps = QHBoxLayout()
        self.next_steps.addWidget(self.export_button)
        self.next_steps.addWidget(self.empty_button)
        self.next_steps.addWidget(self.correct_button)
        layout = QVBoxLayout(self)
        layout.addWidget(self.page, 1)
        layout.addWidget(self.button)
        layout.addLayout(running)
        layout.addWidget(self.status)
        layout.addLayout(self.next_steps)
        layout.addWidget(disclaimer_label())

    def _show_running(self, running: bool) -> None:
        self.button.setEnabled(not running)
        self.models.setEnabled(not running)
        self.rows.setEnabled(not running)
        self.notices.setEnabled(not running)
        self.cancel_button.setVisible(running)
        self._escape.listen(running)
        self.bar.setVisible(running)
        self.bar.setValue(0)

    def _load_first(self) -> None:
        if not self.child.is_busy:
            self._load(self.models.card)

    def _load(self, card: ModelCard | None) -> None:
        if card is not None:
            self.child.load(card, self.models.device)
            self._timer.start(_POLL_MS)

    def _begin_next(self) -> None:
        place, card = self._queue[0]
        self.status.say(_SEGMENTING if card == self._ready else _LOADING)
        try:
            scan = place.take_scan()
        except BonescintError as error:
            self._fail(str(error))
            return
        self._read_warnings = scan.warnings
        self.child.segment(scan, card, self.models.device)
        place.make_layers()
        self._timer.start(_POLL_MS)

    def _poll(self) -> None:
        # Handling an event may run Qt's event loop (a question, napari's activity dock), which would call this again.
        self._timer.stop()
        events, child = self.child.poll(), self.child.pid
        for event in events:
            self._handle(event)
            if self.child.pid != child:
                break  # cancelled: the other events are of a child that has ended
        if self._result is not None:
            self._put_next_view(*self._result)
        # Views are shown one after the other, so that the window can be drawn in between.
        if self._result is not None:
            self._timer.start(_PUT_MS)
        elif self.child.is_busy:
            self._timer.start(_POLL_MS)

    def _handle(self, event: Event) -> None:
        if isinstance(event, Loaded):
            self._ready = event.card
            self.models.devices.offer(event.devices)
            self.page.show_device(event.device.reason)
        elif isinstance(event, Failed):
            self._fail(event.sentence)
        elif self.is_running and isinstance(event, Progressed):
            self._ready = self._queue[0][1]
            self.status.say(_SEGMENTING)
            self._show_progress(event.fraction)
        elif self.is_running and isinstance(event, Finished):
            self.page.show_device(event.segmentation.device_reason)
            self._result = (event.segmentation, self._queue[0][0].put(event.segmentation))

    def _put_next_view(self, segmentation: Segmentation, views: Iterator[str | None]) -> None:
        """Put one view of the result into its layer; after the last view, start the next scan."""
        finished = object()
        dropped = next(views, finished)
        if isinstance(dropped, str):
            show_warning(f"{dropped}: no result, because the image was removed or changed during the segmentation.")
        if dropped is not finished or self._result is None:
            return
        self._result = None
        place = self._queue[0][0]
        # A notification disappears; notices about a result stay in the panel.
        self.notices.keep_result(place.images, [*self._read_warnings, *segmentation.warnings])
        outcome = _UNDO if place.filled else "Nothing was changed."
        self._go_on(f"{segmentation.model}, {segmentation.seconds:.1f} s. {outcome}")

    def _ask_what_to_keep(self, names: Sequence[str]) -> Keep:
        text = f"You have edited {' and '.join(names)}."
        explanation = "Keep your edits or replace them? You can undo each of these choices (Ctrl+Z)."
        return ask(self, "Segment skeleton", text, explanation, Keep)

    def _fail(self, sentence: str) -> None:
        show_error(sentence)
        self._go_on(sentence, Tone.WRONG)

    def _go_on(self, status: str, tone: Tone = Tone.PLAIN) -> None:
        """Remove the first scan, which is done or failed, from the queue and start the next."""
        del self._queue[:1]
        self._done += 1
        if self._queue:
            self._begin_next()
        else:
            self._end(status, tone)

    def _show_progress(self, fraction: float) -> None:
        value = round(_STEPS * (self._done + fraction))
        self.bar.setValue(value)
        if self._activity is not None:
            self._activity.update(value - self._activity.n)

    def _show_activity(self) -> None:
        """Show the progress in napari's activity dock, too; not at once, because drawing it delays a quick scan."""
        activity = progress(total=self.bar.maximum(), desc="Segment skeleton", mininterval=0)
        if self.is_running:
            activity.update(self.bar.value())
            self._activity = activity
        else:  # creating it ran Qt's event loop, in which the last scan ended
            activity.close()

    def _end(self, status: str, tone: Tone = Tone.PLAIN) -> None:
        self._queue = []
        self._result = None
        self._long.stop()
        self.status.say(status, tone)
        self._show_running(False)
        if self._activity is not None:
            self._activity.close()
            self._activity = None
