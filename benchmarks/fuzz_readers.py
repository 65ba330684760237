"""Read damaged files of every format and look whether any ends, stops or bloats the process, or escapes as a traceback.

    python benchmarks/fuzz_readers.py --inputs 20000
    python benchmarks/fuzz_readers.py --number 1234          # one of them again, with what is behind its sentence

Input N is the same wherever it is made: a sound file (DICOM in ten transfer syntaxes, DICOM SEG, TIFF in fifteen
flavours, PNG, NIfTI, tables) whose structure is damaged in one to three ways (`fuzz_dicom.py`, `fuzz_pictures.py`). A
process reads one after the other in every way in which commands and panels do, native decoders included; another one
looks at its time and memory. Each input must end as a scan or a mask, or in one sentence. It is a fault if the process
ends (its decoders may: they have a process of their own), if an input takes more than five seconds of computing, or a
gigabyte of memory in all, or if anything but a sentence is raised.
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
    """What reading a file in every way came to.

    Attributes
    ----------
    sentences : tuple of str
        Of the ways in which it was refused.
    ways : int
        In how many it was read as a scan or a mask.
    fault : str
        What was raised and is no sentence; empty if nothing was.
    seconds : float
        Of computing, decoders included.
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
    """What all inputs came to; faults are printed as they come."""

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
    """Read a file as commands and panels do, whatever it is."""

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
    """Seconds of computing of this process and its decoders; those of decoders that have ended count no more."""
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
    """The process that reads, started again when it has died or was ended."""

    def __init__(self) -> None:
        self._start()

    def read(self, path: Path) -> tuple[Read | None, int, str]:
        """What came of a file; the most memory meanwhile, and why there is no answer, if there is none."""
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
        """End it."""
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
    """Read inputs one after the other, at most so long."""
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
                tally.complain(f"{what}: it took {found.seconds:.1f} s of computing")
            path.unlink()
            if time.monotonic() > until:
                break
    finally:
        reader.close()
    return tally


def main() -> int:
    """Read damaged files; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=20_000, help="how many (default: %(default)s)")
    parser.add_argument("--first", type=int, default=0, help="number of the first one (default: %(default)s)")
    parser.add_argument("--minutes", type=float, default=600, help="end after so long (default: %(default)s)")
    parser.add_argument("--number", type=int, help="read this one alone, and print what is behind its sentences")
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
    print(f"{tally.read} were read in some way, {tally.refused} refused in all; decoders ended {tally.restarts} times")
    print(f"slowest: {tally.slowest[0]:.2f} s of computing, {tally.slowest[1]}")
    print(f"largest: {tally.largest[0] / 2**20:.0f} MB, {tally.largest[1]}")
    print(f"{tally.faults} faults")
    return 1 if tally.faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
