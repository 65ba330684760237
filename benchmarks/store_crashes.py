"""Kill a process at random moments while it writes to a label store, and check that nothing is lost.

    python benchmarks/store_crashes.py --kills 500

A process saves revisions, drafts and predictions, and adds scans and imports masks by the command line, as fast as it
can. It prints a line before and after each write, and is killed (SIGKILL) some milliseconds after one of the first
lines. Every write that it had reported as done must be present with the same pixels, and every file must be complete;
an interrupted addition or import must succeed when the same command is repeated. All kills use one store, so leftovers
accumulate. `napari_crashes.py` does the same with a whole napari.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import multiprocessing
import os
import random
import tempfile
import threading
import time
from collections import Counter
from contextlib import redirect_stderr, redirect_stdout
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from PIL import Image
from tqdm import tqdm

from napari_bonescint import cli
from napari_bonescint.corrections.store.check import check_store
from napari_bonescint.corrections.store.drafts import Drafts
from napari_bonescint.corrections.store.files.append_only import numbers
from napari_bonescint.corrections.store.files.plane_files import planes_sha256
from napari_bonescint.corrections.store.label_store import LabelStore
from napari_bonescint.corrections.store.records.revision import Origin
from napari_bonescint.formats.masks.label_tiff import read_labels, write_labels
from napari_bonescint.formats.opening import open_scan
from napari_bonescint.scan import Scan, View, ViewName
from napari_bonescint.segmentation import Segmentation

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from numpy.typing import NDArray

SHAPE = (2, 128, 48)
FIRST_CASES = 6
MOST_SAID = 24
LONGEST_S = 0.03
ANNOTATOR = "A. Annotator"
CHECK_ALL_EVERY = 50
_IMPORTED = [
    "napari_bonescint.cli",
    "napari_bonescint.commands.store.export",
    "napari_bonescint.corrections.store.check",
]


def some_scan(seed: int) -> Scan:
    """A scan of random counts."""
    counts = np.random.default_rng(seed).poisson(20, SHAPE).astype(np.uint16)
    source = hashlib.sha256(str(seed).encode()).hexdigest()
    return Scan(counts, (View(ViewName.ANTERIOR), View(ViewName.POSTERIOR)), (2.4, 2.4), source_sha256=source)


class Files(NamedTuple):
    """Files of a scan and its mask, for `bonescint store add` and `import`.

    Attributes
    ----------
    scan : Path
        A PNG of one view.
    mask : Path
        A TIFF.
    """

    scan: Path
    mask: Path

    @classmethod
    def write(cls, folder: Path, name: str, generator: np.random.Generator) -> Files:
        """Write random ones."""
        files = cls(folder / f"{name}.png", folder / f"{name}.tif")
        Image.fromarray(generator.poisson(20, SHAPE[1:]).astype(np.uint8)).save(files.scan)
        write_labels(files.mask, generator.integers(0, 17, (1, *SHAPE[1:]), np.uint8), None)
        return files

    def add(self, store: Path) -> None:
        """Add the scan to a store."""
        _bonescint("add", store, self.scan, "--view", "anterior")

    def import_mask(self, store: Path) -> None:
        """Import the mask."""
        _bonescint("import", store, self.mask, "--source", self.scan, "--annotator", ANNOTATOR)

    def counts_sha256(self) -> str:
        """Hash of the scan."""
        return planes_sha256(open_scan(self.scan, view=ViewName.ANTERIOR).counts)

    def mask_sha256(self) -> str:
        """Hash of the mask."""
        return planes_sha256(read_labels(self.mask).masks)


def _bonescint(action: str, store: Path, *arguments: object) -> None:
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        status = cli.main(["store", action, *map(str, (store, *arguments))])
    if status != 0:
        raise RuntimeError(said.getvalue())


def write_until_killed(folder: Path, seed: int, said: Connection) -> None:
    """Write to a store until killed, and print a line before and after each write."""
    # A kill would leave tqdm's lock behind, which is a semaphore of the system.
    tqdm.set_lock(threading.RLock())
    store, drafts = LabelStore.open(folder), Drafts(LabelStore.open(folder))
    generator = np.random.default_rng(seed)
    cases = store.keys()

    def say(state: str, kind: str, **what: object) -> None:
        said.send_bytes(json.dumps({"state": state, "kind": kind, **what}).encode())

    for number in count():
        case = str(generator.choice(cases))
        regions = generator.integers(0, 17, store.files(case).facts().shape, dtype=np.uint8)
        what = {"case": case, "sha256": planes_sha256(regions)}
        kind = str(generator.choice(["save", "draft", "predict", "import"]))
        if kind == "save":
            say("begun", kind, **what)
            revision = store.save(case, regions, Origin.empty(), annotator=ANNOTATOR, reviewed=True)
            say("done", kind, number=revision.number, **what)
        elif kind == "draft":
            say("begun", kind, **what)
            drafts.save(case, ANNOTATOR, regions, Origin.empty())
            say("done", kind, **what)
        elif kind == "predict":
            say("begun", kind, **what)
            store.add_prediction(case, _segmentation(regions, model_sha256=planes_sha256(regions)))
            say("done", kind, **what)
        else:
            files = Files.write(folder.parent, f"{seed}-{number}", generator)
            for step, run in (("add", files.add), ("import", files.import_mask)):
                say("begun", step, files=list(map(str, files)))
                run(folder)
                say("done", step, files=list(map(str, files)))


def _segmentation(regions: NDArray[np.uint8], model_sha256: str) -> Segmentation:
    skeleton = (regions > 0).astype(np.uint8)
    return Segmentation(
        skeleton, regions, skeleton.astype(np.float32), "random", model_sha256, "cpu", "CPU: a test", "none", 0.0
    )


class Outcome(NamedTuple):
    """Results of the kills.

    Attributes
    ----------
    kills : Counter
        Number of kills by the action that they interrupted.
    done : Counter
        Number of writes that were reported as done.
    losses : list of str
        A sentence for each write that is lost or damaged.
    leftovers : int
        Number of files left by interrupted writes.
    """

    kills: Counter[str]
    done: Counter[str]
    losses: list[str]
    leftovers: int


class _Ledger:
    """The writes that were reported as done, and checks that they are present.

    Parameters
    ----------
    folder : Path
        The store.
    """

    def __init__(self, folder: Path) -> None:
        self.losses: list[str] = []
        self._folder = folder
        self._revisions: dict[tuple[str, int], str] = {}
        # Drafts and predictions by case: the last one done, none, or the one being written.
        self._latest: dict[tuple[str, str], set[str | None]] = {}

    def note(self, said: list[dict[str, Any]]) -> None:
        """Record the lines of a process, and check its writes."""
        store = LabelStore.open(self._folder)
        for each in said:
            kind, is_done = each["kind"], each["state"] == "done"
            if kind in ("draft", "predict"):
                possible = self._latest.setdefault((kind, each["case"]), {None})
                if is_done:
                    possible.clear()
                possible.add(each["sha256"])
            elif kind == "save" and is_done:
                self._note_revision(store, each["case"], each["number"], each["sha256"])
            elif kind in ("add", "import") and is_done:
                self._note_files(store, kind, Files(*map(Path, each["files"])))
        last = said[-1]
        if last["state"] == "begun" and last["kind"] in ("add", "import"):
            self._take_up(store, Files(*map(Path, last["files"])))
        for (kind, case), possible in self._latest.items():
            found = Drafts(store).find(case, ANNOTATOR) if kind == "draft" else store.prediction(case)
            if (None if found is None else planes_sha256(found.regions)) not in possible:
                self.losses.append(f"The {kind} of case {case} is lost.")

    def look_at_all(self) -> int:
        """Check all reported writes and all files; return the number of leftover files."""
        store = LabelStore.open(self._folder)
        for case, number in self._revisions:
            self._look_at(store, case, number)
        found = check_store(store, lambda _fraction: None)
        self.losses += found.damage
        return len(found.leftovers)

    def _note_revision(self, store: LabelStore, case: str, number: int, sha256: str) -> None:
        self._revisions[case, number] = sha256
        self._look_at(store, case, number)

    def _note_files(self, store: LabelStore, kind: str, files: Files) -> None:
        case = store.find(open_scan(files.scan, view=ViewName.ANTERIOR))
        if case is None or planes_sha256(store.scan(case).counts) != files.counts_sha256():
            self.losses.append(f"The scan {files.scan.name} is lost.")
        elif kind == "import":
            # Other writes to this case came later.
            matching = [each for each in store.revisions(case) if each.mask_sha256 == files.mask_sha256()]
            if not matching:
                self.losses.append(f"The mask {files.mask.name} is lost.")
                return
            self._note_revision(store, case, matching[0].number, files.mask_sha256())

    def _take_up(self, store: LabelStore, files: Files) -> None:
        """Repeat the interrupted commands."""
        try:
            files.add(self._folder)
            files.import_mask(self._folder)
        except RuntimeError as error:
            self.losses.append(f"The import of {files.mask.name} could not be repeated: {error}")
        else:
            self._note_files(store, "import", files)

    def _look_at(self, store: LabelStore, case: str, number: int) -> None:
        whole = number in numbers(store.files(case).revisions)
        if not whole or planes_sha256(store.regions(case, number)) != self._revisions[case, number]:
            self.losses.append(f"Revision {number} of case {case} is lost.")


def kill_often(folder: Path, kills: int, seed: int) -> Outcome:
    """Kill a writing process many times, and check the store after each kill."""
    # A fork of a process with all imports starts in milliseconds; Windows has no fork.
    method = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
    context = multiprocessing.get_context(method)
    context.set_forkserver_preload(_IMPORTED)
    store = LabelStore.create(folder)
    for number in range(FIRST_CASES):
        store.add(some_scan(number))
    ledger = _Ledger(folder)
    during: Counter[str] = Counter()
    done: Counter[str] = Counter()
    moments = random.Random(seed)  # noqa: S311 - no secret
    leftovers = 0
    for kill in range(kills):
        receiver, sender = context.Pipe(duplex=False)
        process = context.Process(target=write_until_killed, args=(folder, seed * 1_000_003 + kill, sender))
        process.start()
        sender.close()
        # Counted in lines, so the progress before a kill does not depend on the load of the machine.
        said = [json.loads(receiver.recv_bytes()) for _ in range(moments.randint(1, MOST_SAID))]
        time.sleep(moments.uniform(0, LONGEST_S))
        process.kill()
        process.join()
        said += _all_of(receiver)
        last = said[-1]
        during[last["kind"] if last["state"] == "begun" else "between two"] += 1
        done.update(each["kind"] for each in said if each["state"] == "done")
        ledger.note(said)
        if (kill + 1) % CHECK_ALL_EVERY == 0 or kill + 1 == kills:
            leftovers = ledger.look_at_all()
    return Outcome(during, done, ledger.losses, leftovers)


def _all_of(receiver: Connection) -> list[dict[str, Any]]:
    said = []
    try:
        while True:
            said.append(json.loads(receiver.recv_bytes()))
    except (EOFError, OSError):
        return said


def main() -> int:
    """Kill and report; return 1 if anything was lost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=500, help="how many (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the moments (default: %(default)s)")
    options = parser.parse_args()
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    with tempfile.TemporaryDirectory() as parent:
        outcome = kill_often(Path(parent) / "store", options.kills, options.seed)
    print(f"kills: {', '.join(f'{count} during {kind}' for kind, count in sorted(outcome.kills.items()))}")
    print(f"done before: {', '.join(f'{count} x {kind}' for kind, count in sorted(outcome.done.items()))}")
    print(f"{outcome.leftovers} files left over, {len(outcome.losses)} losses")
    print("\n".join(outcome.losses[:20]))
    return 1 if outcome.losses else 0


if __name__ == "__main__":
    raise SystemExit(main())
