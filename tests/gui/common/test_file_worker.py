"""Work is done one after the other off the window's thread, and told in it, unless nobody listens any more."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING

import pytest
from qtpy.QtCore import QObject

from napari_bonescint.errors import BonescintError
from napari_bonescint.gui.common.file_worker import FileWorker

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytestqt.qtbot import QtBot


@pytest.fixture
def often_switched() -> Iterator[None]:
    """Threads take turns as often as they can, so that what happens once in many thousands happens now."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-7)
    yield
    sys.setswitchinterval(before)


def complain(sentence: str) -> None:
    pytest.fail(sentence)


def test_work_is_done_in_another_thread_and_told_in_the_windows(background: FileWorker, qtbot: QtBot) -> None:
    told: list[tuple[threading.Thread, threading.Thread]] = []
    background.run(threading.current_thread, lambda worker: told.append((worker, threading.current_thread())), complain)
    qtbot.waitUntil(lambda: bool(told))
    ((worker, teller),) = told
    assert worker is not teller
    assert teller is threading.main_thread()


def test_pieces_of_work_are_done_and_told_in_the_order_in_which_they_were_given(
    background: FileWorker, qtbot: QtBot
) -> None:
    gate = threading.Event()
    done: list[int] = []
    told: list[int] = []

    def work(number: int) -> int:
        gate.wait(30)
        done.append(number)
        return number

    futures = [background.run(lambda n=n: work(n), told.append, complain) for n in range(20)]
    assert not any(future.done() for future in futures)
    gate.set()
    assert futures[-1].result(30) == 19
    # Who waits for the future waits for the work, not for the window.
    assert told == []
    qtbot.waitUntil(lambda: len(told) == 20)
    assert done == told == list(range(20))


@pytest.mark.usefixtures("often_switched")
def test_nobody_is_told_before_whoever_gave_the_work_goes_on(background: FileWorker, qtbot: QtBot) -> None:
    told: list[int] = []
    for n in range(300):
        background.run(lambda n=n: n, told.append, complain)
        assert told == []
    qtbot.waitUntil(lambda: len(told) == 300)


def test_an_error_for_the_user_is_its_sentence_and_the_next_piece_of_work_is_done(
    background: FileWorker, qtbot: QtBot
) -> None:
    def fail() -> None:
        raise BonescintError("The store is gone.")

    told: list[object] = []
    future = background.run(fail, complain, told.append)
    background.run(lambda: 2, told.append, complain)
    qtbot.waitUntil(lambda: len(told) == 2)
    assert told == ["The store is gone.", 2]
    assert isinstance(future.exception(), BonescintError)


def test_a_fault_of_ours_is_raised_in_the_window_where_napari_shows_it(background: FileWorker, qtbot: QtBot) -> None:
    told: list[int] = []
    with qtbot.captureExceptions() as raised:
        background.run(lambda: 1 // 0, complain, complain)
        background.run(lambda: 2, told.append, complain)
        qtbot.waitUntil(lambda: told == [2])
    assert [kind for kind, _, _ in raised] == [ZeroDivisionError]


def test_closing_finishes_what_was_given_and_tells_nobody(qtbot: QtBot) -> None:
    parent = QObject()
    background = FileWorker(parent)
    gate = threading.Event()
    done: list[int] = []

    def first() -> None:
        gate.wait(30)
        done.append(1)

    def fail() -> None:
        done.append(2)
        raise BonescintError("Nobody hears this.")

    background.run(first, complain, complain)
    background.run(fail, complain, complain)
    background.run(lambda: done.append(3), complain, complain)
    gate.set()
    background.close()
    assert done == [1, 2, 3]
    assert background.run(lambda: done.append(4), complain, complain).cancelled()
    with qtbot.captureExceptions() as raised:
        qtbot.wait(1)
    assert raised == []
    background.close()
