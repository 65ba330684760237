"""All panels share one child process: everyone gets their own results, and the user's come first."""

from __future__ import annotations

import multiprocessing
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from qtpy.QtWidgets import QDockWidget

from gui.correct.correcting_panel import open_first
from gui.panel_actions import click_and_wait, labels_in
from napari_bonescint.corrections.store.label_store import LabelStore
from napari_bonescint.gui.common.segmenting import SegmentationBroker, SegmentationClient
from napari_bonescint.inference.child_messages import Computed, Failed, Finished, Loaded, Progressed
from napari_bonescint.inference.model_card import FINDING_HOT_SPOTS
from napari_bonescint.measurement.detection.detector import classify
from napari_bonescint.scan import Scan, View, ViewName

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from napari import Viewer
    from napari.layers import Image
    from pytestqt.qtbot import QtBot

    from napari_bonescint.gui.correct.panel import CorrectWidget
    from napari_bonescint.gui.segment.panel import SegmentWidget
    from napari_bonescint.inference.child_messages import Event
    from napari_bonescint.inference.model_card import ModelCard

PATIENCE_S = 60.0


@pytest.fixture
def broker() -> Iterator[SegmentationBroker]:
    # This computer may be busy with other things, so that a step of a scan takes long.
    broker = SegmentationBroker(patience=PATIENCE_S)
    yield broker
    broker.process.close()


def shape_of(event: Event) -> tuple[int, ...]:
    assert isinstance(event, Finished), event
    return event.segmentation.skeleton.shape


def wait_for(clients: list[SegmentationClient], *last: type[Event]) -> list[tuple[SegmentationClient, Event]]:
    """What the clients are told in this order, until one is told one of `last`."""
    told: list[tuple[SegmentationClient, Event]] = []
    deadline = time.monotonic() + PATIENCE_S
    while not any(isinstance(event, last) for _, event in told):
        assert time.monotonic() < deadline, f"no more than {told}"
        time.sleep(0.002)  # or this process would take a processor from the child
        for client in clients:
            told += [(client, event) for event in client.poll()]
    return told


def flat(rows: int, columns: int = 67) -> Scan:
    counts = np.random.default_rng(rows).poisson(5, (1, rows, columns))
    return Scan(counts.astype(np.uint16), (View(ViewName.ANTERIOR),), (4.5, 4.4))


def test_the_child_finds_hot_spots_between_two_scans_and_keeps_its_model(
    broker: SegmentationBroker, make_model: Callable[..., ModelCard], scan: Scan
) -> None:
    card, finding = make_model(), make_model("spots", "hot-spot-u-net", 3, purpose=FINDING_HOT_SPOTS)
    regions = np.zeros(scan.counts.shape, np.uint8)
    regions[:, 20:110, 25:40] = 3
    one, other = SegmentationClient(broker), SegmentationClient(broker)
    one.segment(flat(131), card)
    other.compute(classify, scan, regions, finding)
    with pytest.raises(ValueError, match="already"):
        other.segment(scan, card)
    told = wait_for([one, other], Computed, Failed)
    assert shape_of(next(event for client, event in told if client is one and isinstance(event, Finished)))
    client, event = told[-1]
    assert client is other
    assert isinstance(event, Computed)
    np.testing.assert_array_equal(event.result.lesion, classify(scan, regions, finding).lesion)
    child = one.pid
    one.segment(flat(111), card)
    assert shape_of(wait_for([one], Finished, Failed)[-1][1]) == (1, 111, 67)
    assert one.pid == child

    other.compute(classify, scan, regions[:, :50], finding)
    assert isinstance(wait_for([other], Computed, Failed)[-1][1], Failed)
    other.compute(classify, scan, regions, finding)
    other.cancel()
    assert other.poll() == []
    other.compute(classify, scan, regions, finding)
    assert isinstance(wait_for([other], Computed, Failed)[-1][1], Computed)


def test_one_child_loads_a_model_once_and_gives_each_client_its_own_result(
    broker: SegmentationBroker, make_model: Callable[..., ModelCard]
) -> None:
    card = make_model()
    one, other = SegmentationClient(broker), SegmentationClient(broker)
    for client in (one, other):
        client.load(card)
    told = [*wait_for([one], Loaded), *wait_for([other], Loaded)]
    assert [client for client, _ in told] == [one, other]
    child = one.pid
    one.segment(flat(131), card)
    other.segment(flat(111), card)
    with pytest.raises(ValueError, match="already"):
        one.segment(flat(131), card)
    told = wait_for([one], Finished, Failed)
    assert shape_of(told[-1][1]) == (1, 131, 67)
    told = wait_for([other], Finished, Failed)
    assert shape_of(told[-1][1]) == (1, 111, 67)
    assert {client for client, _ in told} == {other}
    assert child == other.pid
    assert not one.is_busy
    assert not other.is_busy
    one.close()
    assert other.pid == child
    other.close()
    assert other.pid is None


def test_a_users_scan_comes_before_one_that_waits_and_interrupts_one_that_is_computed(
    broker: SegmentationBroker, make_model: Callable[..., ModelCard]
) -> None:
    card = replace(make_model("large", "fdn-13"), grid_mm=2.2)
    panel = SegmentationClient(broker)
    ahead = [panel.part(ahead=True) for _ in range(2)]
    for client, rows in zip(ahead, (451, 131), strict=True):
        client.segment(replace(flat(rows, 301), spacing=(2.2, 2.2)), card)
    wait_for(ahead, Progressed)
    child = panel.pid
    panel.segment(flat(111), card)
    told = [*wait_for([panel, *ahead], Finished, Failed)]
    assert (told[-1][0], shape_of(told[-1][1])) == (panel, (1, 111, 67))
    ended: list[tuple[SegmentationClient, Event]] = []
    while len(ended) < len(ahead):
        # The next scan may have begun when the end of one is told.
        told = wait_for(ahead, Finished, Failed)
        ended += [(client, event) for client, event in told if isinstance(event, Finished | Failed)]
    assert [(client, shape_of(event)) for client, event in ended] == [
        (ahead[0], (1, 451, 301)),
        (ahead[1], (1, 131, 301)),
    ]
    assert panel.pid == child


def test_a_step_that_takes_too_long_ends_the_child_when_a_user_waits(make_model: Callable[..., ModelCard]) -> None:
    broker = SegmentationBroker(patience=0.0)
    card = replace(make_model("large", "fdn-13"), grid_mm=1.0)
    panel = SegmentationClient(broker)
    ahead = panel.part(ahead=True)
    large = Scan(np.ones((1, 3000, 2000), np.uint16), (View(ViewName.ANTERIOR),), (1.0, 1.0))
    ahead.segment(large, card)
    wait_for([ahead], Progressed)
    child = panel.pid
    panel.segment(flat(111), replace(card, grid_mm=9.0))
    told = wait_for([panel], Finished, Failed)
    assert shape_of(told[-1][1]) == (1, 111, 67)
    assert panel.pid != child
    assert ahead.is_busy  # it is computed again
    panel.close()
    assert panel.pid is None


def test_to_cancel_ends_the_own_scan_only(broker: SegmentationBroker, make_model: Callable[..., ModelCard]) -> None:
    card = replace(make_model("large", "fdn-13"), grid_mm=1.0)
    one, other = SegmentationClient(broker), SegmentationClient(broker)
    large = Scan(np.ones((1, 3000, 2000), np.uint16), (View(ViewName.ANTERIOR),), (1.0, 1.0))
    one.segment(large, card)
    other.segment(flat(111), replace(card, grid_mm=9.0))
    wait_for([one], Progressed)
    one.cancel()
    told = wait_for([one, other], Finished, Failed)
    assert (told[-1][0], shape_of(told[-1][1])) == (other, (1, 111, 67))
    one.segment(large, card)
    one.close()  # as does a panel that closes
    other.segment(flat(131), replace(card, grid_mm=9.0))
    told = wait_for([one, other], Finished, Failed)
    assert (told[-1][0], shape_of(told[-1][1])) == (other, (1, 131, 67))


def test_a_model_that_cannot_be_loaded_is_told_to_whoever_wants_it(
    broker: SegmentationBroker, make_model: Callable[..., ModelCard]
) -> None:
    good, bad = make_model("good"), make_model("bad")
    bad.weights_path.write_bytes(b"damaged")
    one, other = SegmentationClient(broker), SegmentationClient(broker)
    one.load(bad)
    other.load(good)
    told = wait_for([one], Failed)
    told += wait_for([other], Loaded)
    assert [client for client, _ in told] == [one, other]


@pytest.mark.usefixtures("own_child")
def test_two_panels_in_a_window_share_one_child_that_ends_with_the_last(
    viewer: Viewer,
    images: list[Image],
    scan: Scan,
    tmp_path: Path,
    open_panel: Callable[..., SegmentWidget],
    open_correcting: Callable[..., CorrectWidget],
    qtbot: QtBot,
) -> None:
    store = LabelStore.create(tmp_path / "unpredicted")
    store.add(scan)
    segmenting = open_panel()
    click_and_wait(qtbot, segmenting)
    child = segmenting.child.pid
    correcting = open_correcting()
    correcting.controller.loader.card = segmenting.models.card
    with qtbot.waitSignal(correcting.controller.loader.predicted, timeout=120_000):
        open_first(qtbot, correcting, store)
    assert correcting.controller.loader.child.pid == segmenting.child.pid == child
    assert [process.pid for process in multiprocessing.active_children()] == [child]
    assert store.prediction(store.keys()[0]) is not None
    assert len(labels_in(viewer)) >= 4
    docks = {dock.widget(): dock for dock in viewer.window._qt_window.findChildren(QDockWidget)}
    docks[segmenting].destroyOnClose()
    assert [process.pid for process in multiprocessing.active_children()] == [child]
    docks[correcting].destroyOnClose()
    qtbot.waitUntil(lambda: not multiprocessing.active_children(), timeout=5000)
