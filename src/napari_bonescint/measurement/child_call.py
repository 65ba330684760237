"""Call a function in a child process of its own, from a thread of a window."""

from __future__ import annotations

import logging
import multiprocessing
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar, cast

from napari_bonescint.errors import BonescintError
from napari_bonescint.processes.child import describe_exit, end_with_parent, without_main_module

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

T = TypeVar("T")


def call_in_child(function: Callable[..., T], *arguments: object) -> T:
    """Call a function in a new child process, and wait for its result; for threads of a window.

    An import, and any step of Python that cannot be interrupted, stops all threads of a process, also the window's.
    The child ends with its parent.

    Parameters
    ----------
    function : callable
        A function of a module.
    *arguments
        Arguments that can be sent to a process, as the result can.

    Raises
    ------
    BonescintError
        With the sentence of the `BonescintError` in the child, or if the child ended or failed.
    """
    context = multiprocessing.get_context("spawn")
    ours, childs = context.Pipe()
    process = context.Process(target=_serve_call, args=(childs,), name="bonescint-call", daemon=True)
    with without_main_module():
        process.start()
    childs.close()
    answer: object = None
    with ours, suppress(EOFError, OSError):
        ours.send((function, arguments))
        answer = ours.recv()
    process.join()
    if isinstance(answer, tuple):
        return cast("T", answer[0])
    how = describe_exit(process.exitcode)
    raise BonescintError(answer if isinstance(answer, str) else f"A process ended {how}; please try again.")


def _serve_call(pipe: Connection) -> None:
    """Run in the child: send a tuple with the result, or a sentence."""
    end_with_parent()
    with suppress(EOFError, OSError):
        function, arguments = pipe.recv()
        try:
            pipe.send((function(*arguments),))
        except BonescintError as error:
            pipe.send(str(error))
        except Exception as error:  # the user must see a message for each
            logging.getLogger(__name__).exception("a call failed")
            pipe.send(f"A process failed: {type(error).__name__}: {error}")
