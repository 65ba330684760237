from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_bonescint.inference.child import SegmentationProcess
from napari_bonescint.inference.child_messages import Failed, Finished, Interrupted, Loaded, Progressed
from napari_bonescint.inference.segmenter import Segmenter
from napari_bonescint.scan import Scan, View, ViewName

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from napari_bonescint.inference.child_messages import Event
    from napari_bonescint.inference.model_card import ModelCard

PATIENCE = 60.0
# Whoever asks without a pause takes a processor from the child that they wait for.
PAUSE = 0.002


@pytest.fixture
def child() -> Iterator[SegmentationProcess]:
    child = SegmentationProcess()
    yield child
    child.close()


def events_until(child: SegmentationProcess, *last: type[Event]) -> list[Event]:
    """All events up to the first of one of the types `last`."""
    events: list[Event] = []
    deadline = time.monotonic() + PATIENCE
    while not events or not isinstance(events[-1], last):
        assert time.monotonic() < deadline, f"the child said no more than {events}"
        time.sleep(PAUSE)
        events += child.poll()
    return events


def pid_when_loaded(child: SegmentationProcess, card: ModelCard) -> int:
    """Load a model, and return the process number of the child, which is idle then."""
    child.load(card)
    events_until(child, Loaded)
    assert child.pid is not None
    return child.pid


def has_ended(pid: int) -> bool:
    """Whether no thread of process `pid` runs any more (one that waits to be reaped has ended)."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
            if state == "Z" and len(list(Path(f"/proc/{pid}/task").iterdir())) == 1:
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(PAUSE)
    return False


def test_gives_what_the_segmenter_gives(
    child: SegmentationProcess, make_model: Callable[..., ModelCard], scan: Scan
) -> None:
    card = make_model()
    child.segment(scan, card, "cpu")
    *progress, finished = events_until(child, Finished, Failed)
    assert isinstance(finished, Finished)
    here = Segmenter(card, "cpu").segment(scan)
    np.testing.assert_array_equal(finished.segmentation.skeleton, here.skeleton)
    np.testing.assert_allclose(finished.segmentation.probability, here.probability, atol=1e-5)
    fractions = [event.fraction for event in progress if isinstance(event, Progressed)]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert not child.is_busy


def test_loads_a_model_ahead_and_says_on_which_device(
    child: SegmentationProcess, make_model: Callable[..., ModelCard], scan: Scan
) -> None:
    card = make_model()
    child.load(card, "cpu")
    (loaded,) = events_until(child, Loaded)
    assert loaded == Loaded(card, loaded.device)
    assert loaded.device.reason == "CPU: chosen by the user"
    first = child.pid
    child.segment(scan, card, "cpu")
    assert isinstance(events_until(child, Finished)[-1], Finished)
    assert child.pid == first


def test_a_task_given_while_the_model_loads_is_done_afterwards(
    child: SegmentationProcess, make_model: Callable[..., ModelCard], scan: Scan
) -> None:
    card = make_model()
    child.load(card)
    child.segment(scan, card)
    assert isinstance(events_until(child, Finished, Failed)[-1], Finished)


def test_one_scan_at_a_time(child: SegmentationProcess, make_model: Callable[..., ModelCard], scan: Scan) -> None:
    child.segment(scan, make_model())
    with pytest.raises(ValueError, match="already"):
        child.segment(scan, make_model())


@pytest.fixture
def slow(make_model: Callable[..., ModelCard]) -> tuple[ModelCard, Scan]:
    """A model and a scan that keep the child busy for many seconds."""
    card = replace(make_model("large", "fdn-13"), grid_mm=1.0)
    return card, Scan(np.ones((1, 3000, 2000), np.uint16), (View(ViewName.ANTERIOR),), (1.0, 1.0))


def test_cancel_in_the_middle_of_a_view_is_immediate_and_the_next_scan_works(
    child: SegmentationProcess, slow: tuple[ModelCard, Scan], scan: Scan
) -> None:
    card, large = slow
    child.load(card, "cpu")
    events_until(child, Loaded)
    child.segment(large, card, "cpu")
    assert events_until(child, Progressed) == [Progressed(0.1)]
    pid = child.pid
    assert pid is not None
    start = time.monotonic()
    child.cancel()
    assert has_ended(pid)
    assert time.monotonic() - start < 1
    child.segment(scan, replace(card, grid_mm=9.0), "cpu")
    assert isinstance(events_until(child, Finished, Failed)[-1], Finished)


def test_an_interrupted_scan_is_left_at_the_next_step_by_a_child_that_stays(
    child: SegmentationProcess, make_model: Callable[..., ModelCard], scan: Scan
) -> None:
    card = replace(make_model("large", "fdn-13"), grid_mm=2.2)
    fine = replace(scan, spacing=(2.2, 2.2), counts=np.ones((1, 451, 301), np.uint16), views=scan.views[:1])
    child.segment(fine, card, "cpu")
    assert child.interrupt()  # it waited for the child to start, so there is nothing to be told
    assert not child.is_busy
    child.segment(fine, card, "cpu")
    events_until(child, Progressed)
    pid = child.pid
    assert not child.interrupt()
    assert not child.interrupt()  # once more does no harm
    assert events_until(child, Interrupted, Finished)[-1] == Interrupted()
    child.segment(scan, card, "cpu")
    assert isinstance(events_until(child, Finished, Failed)[-1], Finished)
    assert child.pid == pid


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="signals as Linux and macOS know them")
def test_a_killed_child_is_one_sentence_and_the_next_scan_works(
    child: SegmentationProcess, slow: tuple[ModelCard, Scan], scan: Scan
) -> None:
    card, large = slow
    child.segment(large, card)
    events_until(child, Progressed)
    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)
    failed = events_until(child, Failed)[-1]
    assert failed == Failed(
        "The segmentation process ended unexpectedly (SIGKILL, most often for lack of memory); "
        "nothing was changed, please try again."
    )
    child.segment(scan, replace(card, grid_mm=9.0))
    assert isinstance(events_until(child, Finished, Failed)[-1], Finished)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="signals as Linux and macOS know them")
def test_a_child_killed_while_idle_is_not_missed(
    child: SegmentationProcess, make_model: Callable[..., ModelCard], scan: Scan
) -> None:
    card = make_model()
    pid = pid_when_loaded(child, card)
    os.kill(pid, signal.SIGKILL)
    assert has_ended(pid)
    child.segment(scan, card)
    assert isinstance(events_until(child, Finished, Failed)[-1], Finished)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot halt a process with a signal")
def test_a_scan_is_given_to_a_child_that_does_not_read_yet(
    child: SegmentationProcess, make_model: Callable[..., ModelCard], scan: Scan
) -> None:
    card = make_model()
    pid = pid_when_loaded(child, card)
    os.kill(pid, signal.SIGSTOP)
    large = replace(scan, counts=np.repeat(scan.counts, 4, axis=2))
    child.segment(large, card)  # would never return if it waited for the child
    assert child.poll() == []
    os.kill(pid, signal.SIGCONT)
    finished = events_until(child, Finished, Failed)[-1]
    assert isinstance(finished, Finished)
    assert finished.segmentation.skeleton.shape == large.counts.shape


def test_damaged_weights_are_one_sentence(
    child: SegmentationProcess, make_model: Callable[..., ModelCard], scan: Scan
) -> None:
    card = make_model()
    card.weights_path.write_bytes(b"damaged")
    child.segment(scan, card)
    failed = events_until(child, Failed)[-1]
    assert isinstance(failed, Failed)
    assert "tiny.safetensors" in failed.sentence
    assert "SHA-256" in failed.sentence


def test_nothing_comes_after_close(
    child: SegmentationProcess, make_model: Callable[..., ModelCard], scan: Scan
) -> None:
    child.segment(scan, make_model())
    pid = child.pid
    assert pid is not None
    child.close()
    assert child.poll() == []
    assert not child.is_busy
    assert has_ended(pid)


# A main module as napari's console script is one: everything that it imports at its top would reach a spawned child.
PARENT = """
import colorsys
import sys
from pathlib import Path
from napari_bonescint.inference.child import SegmentationProcess
from napari_bonescint.inference.child_messages import Loaded
from napari_bonescint.inference.model_card import read_card

child = SegmentationProcess()
child.load(read_card(Path(sys.argv[1])), "cpu")
while not any(isinstance(event, Loaded) for event in child.poll()):
    pass
print(child.pid, "torch" in sys.modules, flush=True)
if sys.argv[2] == "wait":
    sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("end", ["return", "kill"])
def test_ends_with_its_parent_and_imports_nothing_of_it(
    end: str, make_model: Callable[..., ModelCard], tmp_path: Path
) -> None:
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    card = str(make_model().path)
    how = "wait" if end == "kill" else "return"
    with subprocess.Popen(
        [sys.executable, script, card, how], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        # A child that imported the main module would start children itself, and fail; nothing would be printed.
        pid, torch_in_parent = parent.stdout.readline().split()
        assert torch_in_parent == "False"
        if end == "kill":
            parent.kill()
    assert has_ended(int(pid))


def test_a_model_that_cannot_be_loaded_fails_a_waiting_scan_once(
    child: SegmentationProcess, make_model: Callable[..., ModelCard], scan: Scan
) -> None:
    card = make_model()
    card.weights_path.unlink()
    child.load(card)
    child.segment(scan, card)
    assert [type(event) for event in events_until(child, Failed)] == [Failed]
    assert not child.is_busy
