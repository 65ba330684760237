"""Whatever is raised while a file is read becomes one sentence about that file."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

from napari_bonescint.errors import BonescintError, Cancelled
from napari_bonescint.formats.safe_reading.guarded import reader, refusing
from napari_bonescint.formats.safe_reading.refusal import NotAPlanarScan, Refusal

FILE = Path("folder", "scan.dcm")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (NotImplementedError("Unknown VR of Secret^Person"), r"cannot be read \(NotImplementedError\); copy or export"),
        (TypeError("x"), r"cannot be read \(TypeError\)"),
        (np.linalg.LinAlgError("Singular matrix"), r"cannot be read \(LinAlgError\)"),
        (AssertionError(), r"cannot be read \(AssertionError\)"),
        (EOFError(), r"cannot be read \(EOFError\)"),
        (RecursionError("maximum recursion depth exceeded"), "nested too deeply"),
        (MemoryError(), "more memory than there is"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_whatever_is_raised_becomes_a_sentence(error: Exception, reason: str) -> None:
    with pytest.raises(Refusal, match=rf"^scan\.dcm: The file .*{reason}") as found, refusing(FILE):
        raise error
    assert found.value.path == FILE
    assert "Secret" not in str(found.value)
    assert "\n" not in str(found.value)


@pytest.mark.parametrize(
    "error", [NotAPlanarScan(FILE, "Modality is CT."), Cancelled("Cancelled."), BonescintError("!")]
)
def test_what_is_a_sentence_already_stays_as_it_is(error: BonescintError) -> None:
    with pytest.raises(type(error)) as found, refusing(FILE):
        raise error
    assert found.value is error


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_whoever_wants_to_end_the_program_does(error: type[BaseException]) -> None:
    with pytest.raises(error), refusing(FILE):
        raise error


def test_a_reader_is_guarded_and_keeps_its_arguments_name_and_text() -> None:
    @reader
    def read(path: Path, scale: int = 1, *, offset: int = 0) -> int:
        """Read."""
        return int(path.name) * scale + offset

    assert read(Path("12"), 2, offset=3) == 27
    assert (read.__name__, read.__doc__) == ("read", "Read.")
    with pytest.raises(Refusal, match=r"^scan\.dcm: .*ValueError"):
        read(FILE)


def test_what_libraries_warn_of_is_not_printed(capfd: pytest.CaptureFixture[str]) -> None:
    with refusing(FILE):
        warnings.warn("Invalid value for VR UI: '1.2.secret'", stacklevel=1)
    assert capfd.readouterr() == ("", "")
