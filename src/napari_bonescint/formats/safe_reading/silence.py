"""Silence the messages of libraries about odd files: they may quote data that identifies a patient."""

from __future__ import annotations

import logging
import threading
import warnings
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_LIBRARIES = (
    *("pydicom", "tifffile", "PIL", "nibabel", "imagecodecs"),
    # Those that speak with archives write addresses with patients' identifiers.
    *("dicomweb_client", "pynetdicom", "retrying", "urllib3"),
)


class _Silence:
    """Silence of libraries for as long as any thread needs it.

    `warnings.catch_warnings` alone is not enough: it keeps and restores the filters of the whole process. The first of
    two threads to finish would end the silence of the other.
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
    """Send no message of a logger, or of the loggers below it, to a handler."""
    propagates, handlers = logger.propagate, logger.handlers
    logger.propagate, logger.handlers = False, [logging.NullHandler()]
    try:
        yield
    finally:
        logger.propagate, logger.handlers = propagates, handlers


_SILENCE = _Silence()


@contextmanager
def quiet() -> Iterator[None]:
    """Silence warnings and log messages of the libraries that read files, in all threads."""
    _SILENCE.begin()
    try:
        yield
    finally:
        _SILENCE.end()
