"""Read damaged files of every format, and check that each gives a scan, a mask or an error of one sentence.

    python benchmarks/fuzz_readers.py --inputs 20000
    python benchmarks/fuzz_readers.py --number 1234          # one of them again, with the details of its error

Input N is the same on every computer: a valid file (DICOM in ten transfer syntaxes, DICOM SEG, TIFF in fifteen
variants, PNG, NIfTI, tables) with one to three kinds of damage (`fuzz_dicom.py`, `fuzz_pictures.py`). A process reads
the files as commands and panels do, native decoders included; another process watches its time and memory. It is a
fault if the process crashes (its decoders may, in their child process), if an input takes more than five seconds of
processor time or a gigabyte of memory, or if an error is not one sentence.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import tempfile
import threading
import time
import traceback
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import psutil
from tqdm import tqdm

from napari_bonescint.errors import BonescintError
from napari_bonescint.formats.dicom.identity import burned_in_text, read_identity
from napari_bonescint.formats.masks.region_mapping import read_region_mapping
from napari_bonescint.formats.masks.registry import looks_like_mask, read_mask
from napari_bonescint.formats.opening import collect, open_scan
from napari_bonescint.formats.safe_reading.decoder_process import DECODER
from napari_bonescint.formats.safe_reading.silence import quiet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection

MOST_SECONDS = 5.0
MOST_WALL_SECONDS = 60.0
MOST_MEMORY = 2**30
_SECONDS_BETWEEN_LOOKS = 0.01


class Read(NamedTuple):
    """Result of reading a file in every way.

    Attributes
    ----------
    sentences : tuple of str
        Messages of the ways that refused it.
    ways : int
        Number of ways that read it as a scan or a mask.
    fault : str
        An error that is not one sentence; empty if there is none.
    seconds : float
        Processor time, decoders included.
    decoder : int or None
        Process number of the decoders afterwards.
    """

    sentences: tuple[str, ...]
    ways: int
    fault: str
    seconds: float
    decoder: int | None


@dataclass
class Tally:
    """Results of all inputs; faults are printed at once."""

    read: int = 0
    refused: int = 0
    restarts: int = 0
    slowest: tuple[float, str] = (0.0, "")
    largest: tuple[int, str] = (0, "")
    faults: int = 0
    kinds: Counter[str] = field(default_factory=Counter)

    def complain(self, fault: str) -> None:
        """Print and count a fault."""
        self.faults += 1
        with tqdm.external_write_mode():
            print(fault, flush=True)


def make(number: int) -> tuple[str, bytes]:
    """The name and the bytes of an input."""
    import fuzz_dicom
    import fuzz_pictures

    chance = random.Random(number)  # noqa: S311
    module = chance.choice((fuzz_dicom, fuzz_pictures))
    with quiet():
        name = chance.choice(list(module.whole()))
        content = module.damaged(name, chance) or b"\0"
    return (name if module is fuzz_pictures else f"{name.split('(')[0].replace(' ', '')}.dcm"), content


def read_in_every_way(path: Path) -> Read:
    """Read a file in every way in which commands and panels read files."""

    def collected() -> None:
        found = collect([path])
        for source in found.sources:
            source.open()
        for failure in found.failures:
            raise failure

    def dicom_facts() -> None:
        read_identity(path)
        burned_in_text(path)

    def as_mask() -> None:
        looks_like_mask(path)
        read_mask(path)

    ways: list[Callable[[], object]] = [collected, as_mask]
    if path.suffix == ".dcm":
        ways.append(dicom_facts)
    elif path.suffix == ".csv":
        ways = [lambda: read_region_mapping(path)]
    else:
        ways.append(lambda: open_scan(path, spacing=(2.0, 2.0), split_sides=True))
    sentences, fault, read = [], "", 0
    began = _computed()
    for way in ways:
        try:
            way()
            read += way is not dicom_facts
        except BonescintError as error:
            sentence = str(error)
            sentences.append(sentence)
            if "\n" in sentence or not sentence.endswith((".", ")")):
                fault = f"no sentence: {sentence!r}"
        except Exception:
            fault = traceback.format_exc()
    return Read(tuple(sentences), read, fault, max(0.0, _computed() - began), DECODER.pid)


def _computed() -> float:
    """Processor seconds of this process and its running decoders."""
    seconds = time.process_time()
    if DECODER.pid is not None:
        with suppress(psutil.Error):
            seconds += sum(psutil.Process(DECODER.pid).cpu_times()[:2])
    return seconds


def _serve(pipe: Connection) -> None:
    with suppress(EOFError):
        while True:
            pipe.send(read_in_every_way(pipe.recv()))


class Reader:
    """The process that reads; started again after it has crashed or was ended."""

    def __init__(self) -> None:
        self._start()

    def read(self, path: Path) -> tuple[Read | None, int, str]:
        """The result for a file, the peak memory, and the reason if there is no result."""
        over, largest = threading.Event(), [0]
        reason: list[str] = []
        watch = threading.Thread(target=self._look, args=(over, largest, reason))
        watch.start()
        answer = None
        try:
            self._pipe.send(path)
            answer = self._pipe.recv()
        except (EOFError, OSError):
            self._process.join()
            reason.append(f"the process ended with exit code {self._process.exitcode}")
        over.set()
        watch.join()
        if answer is None:
            self._start()
        return answer, largest[0], reason[0] if reason else ""

    def close(self) -> None:
        """End the process."""
        self._pipe.close()
        self._process.join(5)
        self._process.kill()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()

    def _look(self, over: threading.Event, largest: list[int], reason: list[str]) -> None:
        began = time.monotonic()
        with suppress(psutil.Error):
            process = psutil.Process(self._process.pid)
            while not over.wait(_SECONDS_BETWEEN_LOOKS):
                memory = 0
                for each in (process, *process.children()):
                    with suppress(psutil.NoSuchProcess):
                        memory += each.memory_info().rss
                largest[0] = max(largest[0], memory)
                if memory > MOST_MEMORY:
                    reason.append(f"it took {memory // 2**20} MB")
                elif time.monotonic() - began > MOST_WALL_SECONDS:
                    reason.append(f"it did not end within {MOST_WALL_SECONDS:.0f} s")
                if reason:
                    self._process.kill()
                    return


def run(numbers: Iterator[int] | range, folder: Path, most_wall_seconds: float) -> Tally:
    """Read inputs one after the other, up to a time limit."""
    tally, reader, decoder = Tally(), Reader(), None
    until = time.monotonic() + most_wall_seconds
    try:
        for number in tqdm(numbers, disable=None, leave=False):
            name, content = make(number)
            path = folder / f"{number}-{name}"
            path.write_bytes(content)
            found, memory, reason = reader.read(path)
            what = f"input {number} ({name})"
            tally.largest = max(tally.largest, (memory, what))
            tally.kinds[name] += 1
            if found is None:
                tally.complain(f"{what}: {reason}")
                continue
            tally.slowest = max(tally.slowest, (found.seconds, what))
            tally.restarts += decoder is not None and found.decoder != decoder
            decoder = found.decoder or decoder
            tally.read += found.ways > 0
            tally.refused += found.ways == 0
            if found.fault:
                tally.complain(f"{what}: {found.fault}")
            if found.seconds > MOST_SECONDS:
                tally.complain(f"{what}: it took {found.seconds:.1f} s of processor time")
            path.unlink()
            if time.monotonic() > until:
                break
    finally:
        reader.close()
    return tally


def main() -> int:
    """Read damaged files; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=20_000, help="how many (default: %(default)s)")
    parser.add_argument("--first", type=int, default=0, help="number of the first one (default: %(default)s)")
    parser.add_argument("--minutes", type=float, default=600, help="end after so long (default: %(default)s)")
    parser.add_argument("--number", type=int, help="read only this one, and print the details of its errors")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if arguments.number is not None:
            name, content = make(arguments.number)
            path = Path(folder, f"{arguments.number}-{name}")
            path.write_bytes(content)
            print(read_in_every_way(path))
            return 0
        began = time.monotonic()
        numbers = range(arguments.first, arguments.first + arguments.inputs)
        tally = run(numbers, Path(folder), 60 * arguments.minutes)
        seconds = time.monotonic() - began
    print(f"{sum(tally.kinds.values())} inputs of {len(tally.kinds)} kinds in {seconds:.0f} s")
    print(f"{tally.read} read in at least one way, {tally.refused} refused; decoders ended {tally.restarts} times")
    print(f"slowest: {tally.slowest[0]:.2f} s of processor time, {tally.slowest[1]}")
    print(f"largest: {tally.largest[0] / 2**20:.0f} MB, {tally.largest[1]}")
    print(f"{tally.faults} faults")
    return 1 if tally.faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
