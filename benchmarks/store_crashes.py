"""Kill a process at random moments while it writes to a label store, and look whether anything was lost.

    python benchmarks/store_crashes.py --kills 500

A process saves revisions, drafts and predictions and imports scans with masks as fast as it can, and says before and
after each what it does; some milliseconds later it is killed (SIGKILL). Whatever it had said was done must be there,
with the same pixels, and whatever is there must be whole. All kills are at one store, so that what they leave behind
piles up.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import os
import random
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from napari_bonescint.corrections.drafts import Drafts
from napari_bonescint.corrections.label_store import LabelStore
from napari_bonescint.corrections.numbered import numbers
from napari_bonescint.corrections.plane_files import planes_sha256
from napari_bonescint.corrections.revision import Origin
from napari_bonescint.corrections.store_check import check_store
from napari_bonescint.scan import Scan, View, ViewName
from napari_bonescint.segmentation import Segmentation

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from numpy.typing import NDArray

SHAPE = (2, 128, 48)
FIRST_CASES = 6
LONGEST_S = 0.2
ANNOTATOR = "A. Annotator"
CHECK_ALL_EVERY = 50
_IMPORTED = ["napari_bonescint.corrections.store_check", "napari_bonescint.corrections.label_store"]


def some_scan(seed: int) -> Scan:
    """A scan of random counts."""
    counts = np.random.default_rng(seed).poisson(20, SHAPE).astype(np.uint16)
    source = hashlib.sha256(str(seed).encode()).hexdigest()
    return Scan(counts, (View(ViewName.ANTERIOR), View(ViewName.POSTERIOR)), (2.4, 2.4), source_sha256=source)


def write_until_killed(folder: Path, seed: int, said: Connection) -> None:
    """Write to a store for ever, saying before and after each write what is written."""
    store, drafts = LabelStore.open(folder), Drafts(LabelStore.open(folder))
    generator = np.random.default_rng(seed)
    cases = store.keys()

    def say(state: str, kind: str, **what: object) -> None:
        said.send_bytes(json.dumps({"state": state, "kind": kind, **what}).encode())

    while True:
        regions = generator.integers(0, 17, SHAPE, dtype=np.uint8)
        sha256 = planes_sha256(regions)
        case = str(generator.choice(cases))
        kind = str(generator.choice(["save", "draft", "predict", "import"]))
        say("begun", kind, case=case, sha256=sha256)
        number = 0
        if kind == "save":
            number = store.save(case, regions, Origin.empty(), annotator=ANNOTATOR, reviewed=True).number
        elif kind == "draft":
            drafts.save(case, ANNOTATOR, regions, Origin.empty())
        elif kind == "predict":
            store.add_prediction(case, _segmentation(regions, model_sha256=sha256))
        else:
            case = store.add(some_scan(int(generator.integers(2**40))))
            number = store.save(case, regions, Origin.imported(), annotator=ANNOTATOR, reviewed=False).number
        say("done", kind, case=case, sha256=sha256, number=number)


def _segmentation(regions: NDArray[np.uint8], model_sha256: str) -> Segmentation:
    skeleton = (regions > 0).astype(np.uint8)
    return Segmentation(
        skeleton, regions, skeleton.astype(np.float32), "random", model_sha256, "cpu", "CPU: a test", "none", 0.0
    )


class Outcome(NamedTuple):
    """What the kills did.

    Attributes
    ----------
    kills : Counter
        How many there were, by what the process was doing.
    done : Counter
        How many writes the processes had said were done.
    losses : list of str
        A sentence for each write that was lost or is damaged.
    leftovers : int
        Files that interrupted writes left behind.
    """

    kills: Counter[str]
    done: Counter[str]
    losses: list[str]
    leftovers: int


class _Ledger:
    """What was said to be done, and whether it is there.

    Parameters
    ----------
    folder : Path
        The store.
    """

    def __init__(self, folder: Path) -> None:
        self.losses: list[str] = []
        self._folder = folder
        self._revisions: dict[tuple[str, int], str] = {}
        self._drafts: dict[str, set[str | None]] = {}

    def note(self, said: list[dict[str, Any]]) -> None:
        """Take down what a process said, and look at what it wrote."""
        store = LabelStore.open(self._folder)
        drafts = Drafts(store)
        for each in said:
            case, sha256 = each.get("case", ""), each.get("sha256", "")
            if each["kind"] == "draft":
                # The last one that is done, none if none ever was, or one that was under way.
                possible = self._drafts.setdefault(case, {None})
                if each["state"] == "done":
                    possible.clear()
                possible.add(sha256)
            elif each["state"] == "done" and each["number"]:
                self._revisions[case, each["number"]] = sha256
                self._look_at(store, case, each["number"])
            elif each["state"] == "done":
                prediction = store.prediction(case)
                if prediction is None:
                    self.losses.append(f"A prediction of case {case} is lost.")
        for case, possible in self._drafts.items():
            draft = drafts.find(case, ANNOTATOR)
            if (planes_sha256(draft.regions) if draft else None) not in possible:
                self.losses.append(f"The draft of case {case} is lost.")

    def look_at_all(self) -> int:
        """Look at everything that was ever said to be done and all that is there; how many leftovers there are."""
        store = LabelStore.open(self._folder)
        for case, number in self._revisions:
            self._look_at(store, case, number)
        found = check_store(store, lambda _fraction: None)
        self.losses += found.damage
        return len(found.leftovers)

    def _look_at(self, store: LabelStore, case: str, number: int) -> None:
        whole = number in numbers(store.files(case).revisions)
        if not whole or planes_sha256(store.regions(case, number)) != self._revisions[case, number]:
            self.losses.append(f"Revision {number} of case {case} is lost.")


def kill_often(folder: Path, kills: int, seed: int) -> Outcome:
    """Kill a writing process many times, and look after each what it left."""
    # A fork of a process that has imported everything starts in milliseconds; Windows has none.
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
        receiver.poll(None)
        time.sleep(moments.uniform(0, LONGEST_S))
        process.kill()
        process.join()
        said = _all_of(receiver)
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
    """Kill and report; 1 if anything was lost."""
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
