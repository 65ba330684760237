from __future__ import annotations

import logging
import threading
import warnings
from typing import TYPE_CHECKING

from napari_bonescint.formats.safe_reading.silence import quiet

if TYPE_CHECKING:
    import pytest


def test_warnings_and_logs_of_libraries_are_not_heard_and_are_again_afterwards(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        with quiet():
            warnings.warn("Smith", stacklevel=1)
            logging.getLogger("pydicom.pixels").warning("Smith")
        warnings.warn("Jones", stacklevel=1)
        logging.getLogger("pydicom.pixels").warning("Jones")
    assert [str(warning.message) for warning in heard] == ["Jones"]
    assert [record.message for record in caplog.records] == ["Jones"]


def test_a_thread_that_is_done_first_does_not_end_the_silence_of_another() -> None:
    begun, done = threading.Event(), threading.Event()

    def first() -> None:
        with quiet():
            begun.set()
            done.wait(10)

    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        thread = threading.Thread(target=first)
        thread.start()
        begun.wait(10)
        with quiet():
            done.set()
            thread.join(10)
            warnings.warn("Smith", stacklevel=1)
        assert heard == []
        warnings.warn("Jones", stacklevel=1)
    assert [str(warning.message) for warning in heard] == ["Jones"]
