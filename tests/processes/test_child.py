"""Children start without Ctrl-C and without our main module, and their end is told in words."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import psutil
import pytest

from napari_bonescint.processes.child import describe_exit, without_interrupts, without_main_module

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

needs_masks = pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="Windows cannot keep a signal waiting")


@pytest.fixture
def heard() -> Iterator[list[int]]:
    """Each Ctrl-C that this process has heard of, beside another thread that would take it."""
    heard: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _frame: heard.append(number))
    over = threading.Event()
    other = threading.Thread(target=over.wait)
    other.start()
    yield heard
    over.set()
    other.join()
    signal.signal(signal.SIGINT, before)


def press_ctrl_c() -> None:
    os.kill(os.getpid(), signal.SIGINT)
    # Whichever thread has taken it, the handler has run once another child has come and gone.
    subprocess.run([sys.executable, "-c", ""], check=True)


@needs_masks
def test_ctrl_c_waits_until_the_child_has_started(heard: list[int]) -> None:
    with without_interrupts():
        press_ctrl_c()
        assert heard == []
    assert heard == [signal.SIGINT]
    press_ctrl_c()
    assert heard == [signal.SIGINT] * 2


@needs_masks
def test_ctrl_c_is_not_lost_where_the_start_fails_or_another_is_within(heard: list[int]) -> None:
    def start() -> None:
        with without_interrupts():
            with without_interrupts():
                press_ctrl_c()
            assert heard == []
            raise OSError("no more processes")

    with pytest.raises(OSError, match="no more processes"):
        start()
    assert set(heard) == {signal.SIGINT}
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


@needs_masks
@pytest.mark.parametrize("ignored", [True, False])
def test_a_child_starts_with_ctrl_c_kept_from_it_and_ignores_what_its_parent_does(
    heard: list[int], ignored: bool
) -> None:
    code = (
        "import signal as s; print(s.SIGINT in s.pthread_sigmask(s.SIG_BLOCK, []), s.getsignal(s.SIGINT) == s.SIG_IGN)"
    )
    if ignored:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    with without_interrupts():
        child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert child.stdout == f"True {ignored}\n"


@needs_masks
def test_a_thread_that_starts_a_child_leaves_the_main_thread_alone(heard: list[int]) -> None:
    started, over = threading.Event(), threading.Event()

    def start() -> None:
        with without_interrupts():
            started.set()
            over.wait()

    thread = threading.Thread(target=start)
    thread.start()
    started.wait()
    press_ctrl_c()
    assert heard == [signal.SIGINT]
    over.set()
    thread.join()


STARTED = """
import os, sys, time
from napari_bonescint.processes.child import end_with_starter

print(os.getpid(), flush=True)
end_with_starter()
assert "BONESCINT_STARTER" not in os.environ
if sys.argv[1] == "begins":
    time.sleep(600)
print("ended by itself", flush=True)
"""
STARTER = """
import os, subprocess, sys
from napari_bonescint.processes.child import starter_named

with starter_named(os.environ):
    subprocess.Popen([sys.executable, "-c", sys.argv[1], "begins"])
assert "BONESCINT_STARTER" not in os.environ
input()
"""


def test_a_command_ends_with_its_starter_however_that_one_ends() -> None:
    command = [sys.executable, "-c", STARTER, STARTED]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        child = psutil.Process(int(starter.stdout.readline()))
        # Nobody has waited for it yet.
        starter.kill()
        child.wait(60)


@pytest.mark.parametrize(
    ("starter", "printed"), [("", "ended by itself\n"), ("nobody", "ended by itself\n"), (str(2**22 + 1), "")]
)
def test_without_a_starter_a_command_goes_on_and_without_it_any_more_it_does_not_begin(
    starter: str, printed: str
) -> None:
    environment = {**os.environ, "BONESCINT_STARTER": starter}
    done = subprocess.run(
        [sys.executable, "-c", STARTED, "goes on"], env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout.partition("\n")[2] == printed


PARENT = """
import multiprocessing
import sys
from contextlib import nullcontext
from napari_bonescint.processes.child import without_main_module

print("main module", flush=True)
if __name__ == "__main__":
    child = multiprocessing.get_context("spawn").Process(target=print, args=("child",))
    with without_main_module() if sys.argv[1] == "without" else nullcontext():
        child.start()
    child.join()
    print("back" if sys.modules["__main__"].__file__ == __file__ else "gone")
"""


@pytest.mark.parametrize(("how", "imports"), [("without", 1), ("with", 2)])
def test_a_child_does_not_import_the_main_module(tmp_path: Path, how: str, imports: int) -> None:
    (tmp_path / "parent.py").write_text(PARENT)
    done = subprocess.run([sys.executable, tmp_path / "parent.py", how], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["main module"] * imports + ["child", "back"]


def test_the_main_module_comes_back_even_where_the_start_fails() -> None:
    main = sys.modules["__main__"]

    def start() -> None:
        with without_main_module():
            assert sys.modules["__main__"] is not main
            raise OSError("no more processes")

    with pytest.raises(OSError, match="no more processes"):
        start()
    assert sys.modules["__main__"] is main


@pytest.mark.parametrize(
    ("exit_code", "told"),
    [
        (None, "unexpectedly"),
        (0, "unexpectedly (exit code 0)"),
        (1, "unexpectedly (exit code 1)"),
        (0xC0000005, "unexpectedly (exit code 3221225477)"),
        (-signal.SIGTERM, "unexpectedly (SIGTERM)"),
        (-9, "unexpectedly (SIGKILL, most often for lack of memory)"),
        (-11, "unexpectedly (SIGSEGV)"),
        # A real-time signal, which has no name of its own.
        (-40, "unexpectedly (signal 40)"),
    ],
)
def test_how_a_child_ended(exit_code: int | None, told: str) -> None:
    if os.name == "nt" and exit_code in (-9, -11):
        pytest.skip("Windows has no such signals")
    assert describe_exit(exit_code) == told
