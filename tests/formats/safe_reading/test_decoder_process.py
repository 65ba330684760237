"""Native decoders run in a process that may die, take too long or too much memory, and ours goes on."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import psutil
import pytest

import bad_decoders
from napari_bonescint.formats.safe_reading import decoder_process
from napari_bonescint.formats.safe_reading.budget import OverBudget
from napari_bonescint.formats.safe_reading.decoder_process import CannotDecode, DecoderProcess
from napari_bonescint.formats.safe_reading.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

FILE = Path("scan.dcm")


@pytest.fixture(scope="module")
def shared() -> Iterator[DecoderProcess]:
    """Kept between the tests, as between files."""
    child = DecoderProcess()
    yield child
    child.close()


@pytest.fixture
def child(shared: DecoderProcess) -> DecoderProcess:
    assert bytes(shared.decode(FILE, bad_decoders.as_bytes, b"ready")) == b"ready"
    return shared


def still_decodes(child: DecoderProcess) -> bool:
    return bytes(child.decode(FILE, bad_decoders.as_bytes, b"next file")) == b"next file"


@pytest.mark.parametrize("dtype", ["uint8", ">u2", "int16", "float32", "float64", "bool"])
def test_an_array_comes_back_as_it_was(child: DecoderProcess, dtype: str) -> None:
    counts = np.arange(2 * 3 * 5).reshape(2, 3, 5).astype(dtype)
    decoded = child.decode(FILE, bad_decoders.as_counts, counts.tobytes(), shape=[2, 3, 5], dtype=counts.dtype.str)
    np.testing.assert_array_equal(decoded, counts)
    assert decoded.dtype == counts.dtype
    assert decoded.flags.writeable


def test_nothing_comes_back_as_nothing(child: DecoderProcess) -> None:
    assert child.decode(FILE, bad_decoders.as_bytes, b"").shape == (0,)


def test_one_child_is_kept_and_what_it_raises_is_told_without_its_message(child: DecoderProcess) -> None:
    before = child.pid
    with pytest.raises(CannotDecode, match=r"^NotImplementedError$"):
        child.decode(FILE, bad_decoders.raising, b"")
    assert still_decodes(child)
    assert child.pid == before


def test_what_decoders_print_is_no_answer(child: DecoderProcess, capfd: pytest.CaptureFixture[str]) -> None:
    assert bytes(child.decode(FILE, bad_decoders.chatty, b"counts")) == b"counts"
    assert still_decodes(child)
    assert capfd.readouterr() == ("", "")


def test_it_imports_neither_torch_nor_napari(child: DecoderProcess) -> None:
    imported = set(bytes(child.decode(FILE, bad_decoders.modules, b"")).decode().split())
    assert "numpy" in imported
    assert not imported & {"urllib3", "torch", "napari", "qtpy", "scipy", "openvino"}


def test_a_decoder_that_dies_costs_its_file_alone(child: DecoderProcess) -> None:
    before = child.pid
    with pytest.raises(Refusal, match=r"^scan\.dcm: The file is damaged: its decoder ended unexpectedly .*; export"):
        child.decode(FILE, bad_decoders.aborting, b"")
    assert still_decodes(child)
    assert child.pid != before


def test_it_starts_again_when_it_was_killed_between_two_files(child: DecoderProcess) -> None:
    assert child.pid is not None
    psutil.Process(child.pid).kill()
    assert still_decodes(child)


@pytest.mark.skipif(os.name == "nt", reason="Windows does not tell that a process was killed")
def test_a_file_is_tried_again_when_somebody_killed_its_decoder(child: DecoderProcess, tmp_path: Path) -> None:
    marker = tmp_path / "killed"
    assert bytes(child.decode(FILE, bad_decoders.killed_once, b"counts", marker=str(marker))) == b"counts"
    assert marker.exists()


@pytest.mark.parametrize("decoder", [bad_decoders.endless, bad_decoders.waiting])
def test_a_decoder_that_does_not_come_back_is_ended(
    child: DecoderProcess, monkeypatch: pytest.MonkeyPatch, decoder: decoder_process.Decoder
) -> None:
    monkeypatch.setattr(decoder_process, "SECONDS", 0.1)
    with pytest.raises(OverBudget, match=r"^scan\.dcm: Decoding takes more than .* seconds; export the image"):
        child.decode(FILE, decoder, b"")
    assert still_decodes(child)


@pytest.mark.parametrize("decoder", [bad_decoders.growing, bad_decoders.huge, bad_decoders.large_answer])
def test_a_decoder_that_takes_too_much_memory_is_ended(child: DecoderProcess, decoder: decoder_process.Decoder) -> None:
    with pytest.raises(OverBudget, match=r"^scan\.dcm: Decoding takes more than 768 MB of memory; export the image"):
        child.decode(FILE, decoder, b"")
    assert still_decodes(child)


def test_threads_take_turns(child: DecoderProcess) -> None:
    found: dict[int, bytes] = {}

    def decode(number: int) -> None:
        found[number] = bytes(child.decode(FILE, bad_decoders.as_bytes, b"%d" % number * 100_000))

    threads = [threading.Thread(target=decode, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {number: b"%d" % number * 100_000 for number in range(8)}


def test_preparing_starts_it_and_asks_nothing() -> None:
    child = DecoderProcess()
    assert child.pid is None
    child.prepare(bad_decoders.as_bytes)
    started = child.pid
    assert started is not None
    child.prepare(bad_decoders.as_bytes)
    assert still_decodes(child)
    assert child.pid == started
    child.close()
    assert child.pid is None
    assert not psutil.pid_exists(started)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no process groups of this kind")
def test_ctrl_c_in_the_terminal_does_not_reach_it(child: DecoderProcess) -> None:
    assert child.pid is not None
    assert os.getpgid(child.pid) != os.getpgid(0)


def test_a_start_that_fails_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(Path("no", "such", "python")))
    child = DecoderProcess()
    child.prepare(bad_decoders.as_bytes)
    with pytest.raises(Refusal, match=r"^scan\.dcm: The process that decodes .* could not be started; export"):
        child.decode(FILE, bad_decoders.as_bytes, b"")


PARENT = """
import sys
from pathlib import Path
import bad_decoders
from napari_bonescint.formats.safe_reading.decoder_process import DECODER

DECODER.decode(Path("scan.dcm"), bad_decoders.as_bytes, b"")
print(DECODER.pid, flush=True)
sys.stdin.read()
"""


def test_it_ends_with_its_parent_however_that_ends() -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    )
    with parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        assert child.is_running()
        parent.kill()
    _, alive = psutil.wait_procs([child], timeout=20)
    assert alive == []


def _decode_in_daemon(answers: multiprocessing.SimpleQueue[bytes]) -> None:
    child = DecoderProcess()
    answers.put(bytes(child.decode(FILE, bad_decoders.as_bytes, b"from a worker")))
    child.close()


def test_worker_processes_have_one_of_their_own() -> None:
    """Those of `bonescint segment --workers` are daemons, which multiprocessing lets start no process."""
    context = multiprocessing.get_context("spawn")
    answers = context.SimpleQueue()
    worker = context.Process(target=_decode_in_daemon, args=(answers,), daemon=True)
    worker.start()
    assert answers.get() == b"from a worker"
    worker.join()


def test_how_it_died_is_told(child: DecoderProcess) -> None:
    if os.name == "nt":
        pytest.skip("Windows has no such signals")
    with pytest.raises(Refusal, match=signal.SIGABRT.name):
        child.decode(FILE, bad_decoders.aborting, b"")
