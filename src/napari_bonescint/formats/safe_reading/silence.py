"""Keeping to ourselves what libraries say about odd files: it may quote what identifies a patient."""

from __future__ import annotations

import logging
import threading
import warnings
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_LIBRARIES = ("pydicom", "tifffile", "PIL", "nibabel", "imagecodecs")


class _Silence:
    """Silence for as long as any thread wants it.

    `warnings.catch_warnings` alone does not do: it keeps and restores the filters of the whole process, so that of two
    threads the one that is done first ends the other one's silence.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wanted = 0
        self._undo = ExitStack()

    def begin(self) -> None:
        with self._lock:
            self._wanted += 1
            if self._wanted == 1:
                self._undo.enter_context(warnings.catch_warnings())
                warnings.simplefilter("ignore")
                for name in _LIBRARIES:
                    self._undo.enter_context(_unheard(logging.getLogger(name)))

    def end(self) -> None:
        with self._lock:
            self._wanted -= 1
            if self._wanted == 0:
                self._undo.close()


@contextmanager
def _unheard(logger: logging.Logger) -> Iterator[None]:
    """Let no message of a logger, or of those below it, reach a handler."""
    propagates, handlers = logger.propagate, logger.handlers
    logger.propagate, logger.handlers = False, [logging.NullHandler()]
    try:
        yield
    finally:
        logger.propagate, logger.handlers = propagates, handlers


_SILENCE = _Silence()


@contextmanager
def quiet() -> Iterator[None]:
    """Keep to ourselves what libraries have to say about odd files; what matters to a user becomes a sentence."""
    _SILENCE.begin()
    try:
        yield
    finally:
        _SILENCE.end()
