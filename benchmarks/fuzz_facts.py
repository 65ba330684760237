"""Read changed cards, recipes, tables, results and label stores, and check that each error is one sentence.

    python benchmarks/fuzz_facts.py --inputs 20000
    python benchmarks/fuzz_facts.py --inputs 1 --first 1234

Input N is the same on every computer: a valid file in which values have another type, names point elsewhere, entries
are missing or added, or bytes are changed. In label stores one or two files are changed and their checksums corrected,
so that the content behind the checksums is tested; then the store is checked, listed, opened, exported and selected
from. It is a fault if anything but a `BonescintError` is raised, if its text is not one line of at most 600 characters,
if reading takes more than five seconds, or if a file is written outside of the input's folder.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import random
import shutil
import tempfile
import time
import traceback
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from tqdm import tqdm

from napari_bonescint.anatomy import CODES
from napari_bonescint.commands.models import table
from napari_bonescint.corrections.opening import open_case
from napari_bonescint.corrections.selection import select
from napari_bonescint.corrections.store.check import check_store
from napari_bonescint.corrections.store.drafts import Drafts
from napari_bonescint.corrections.store.files.checksummed_json import seal
from napari_bonescint.corrections.store.label_store import LabelStore
from napari_bonescint.corrections.store.patient_table import read_patient_table
from napari_bonescint.corrections.store.records.hot_spot_revision import SpotDecision
from napari_bonescint.corrections.store.records.revision import Origin
from napari_bonescint.corrections.work_list.record import (
    FOLDER_VARIABLE,
    read_record,
    recent_lists,
    records_folder,
    remember,
)
from napari_bonescint.corrections.work_list.work import open_work
from napari_bonescint.errors import BonescintError
from napari_bonescint.evaluation.reference_sets import ExternalSet
from napari_bonescint.evaluation.report.results_store import ResultsStore
from napari_bonescint.evaluation.verdict import read_verdict
from napari_bonescint.formats.masks.region_mapping import read_region_mapping
from napari_bonescint.inference.model_card import read_card, shipped_models
from napari_bonescint.measurement.files import MeasuredMasks, MeasureFiles
from napari_bonescint.measurement.measuring import measure_regions
from napari_bonescint.measurement.scan_table import TableRow, read_comparison, scan_table
from napari_bonescint.resources import shipped_folder
from napari_bonescint.results import Result
from napari_bonescint.scan import Scan, View, ViewName
from napari_bonescint.segmentation import Segmentation
from napari_bonescint.training.loop.recipe import read_recipe
from napari_bonescint.training.runs.launch import read_settings
from napari_bonescint.training.runs.run_status import RunStatusReader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MOST_SECONDS = 5.0
MOST_CHARACTERS = 600

_VALUES: list[Any] = [
    *(None, True, 5, -1, 0, 1e308, float("nan"), float("inf"), 10**400, "", "x", "../evil", "/etc/passwd", "..\\evil"),
    *("=1+1", "\x1b[2J", "\0", "\ud800", [], [1], [[]], {}, {"a": {}}, [None] * 3, "9" * 5000),
]
_TOML_VALUES = (
    *("nan", "inf", "-inf", "-1", "0", "1e400", "''", "'../evil'", "[]", "[[1]]", "true", "{a=1}", "9" * 20),
    *("'\\u001b[2J'", "1979-05-27", "'nul'"),
)
_INSERTED = (b"[" * 3000, b"\0", b"\xff\xfe", b"nan", b"1e999", b'"', b",", b"\r\n", b"../")

_MAPPING = b"label,region\n1,skull\nleft femur,femur\nbladder,background\n"
_PATIENTS = b"patient,id,file\nA,0012345,\nA,WARD-12345,\nB,,scan.png\n"
_INDEX = b"stem,file,views,spacing_mm\np1,back.png,posterior,2.5\np2,b.png,anterior+posterior,2.5\n"
_SETTINGS = {
    "plan": {"title": "quick", "recipe": "quick.toml", "minutes": 1.0},
    "stores": ["labels"],
    "start": "phase-u-net-regions",
    "device": "cpu",
}
_RESULT = {
    "masks": ["scan.skeleton.tif"],
    "sources": ["scan.dcm"],
    "source_sha256": "ab",
    "spacing_mm": [1.0, 1.0],
    "views": [{"name": "anterior", "source": "file", "flipped": False}],
    "model": "m",
    "model_sha256": "c",
    "device": "cpu",
    "seconds": 1.0,
    "warnings": ["It is dim."],
    "version": "1",
}
_COMPARISON = {
    "source_sha256": "ab",
    "prior": {"source_sha256": "cd"},
    "days": 366,
    "bone_scan_index": {"name": "total", "new": 1.0, "old": 0.5, "change": 0.5},
    "lesions": [{"number": 1, "change": "new"}],
    "not_comparable": ["Another tracer."],
    "follow_up": {"scans": [{"days_before": 366}], "progression": "none"},
}
_VERDICT = {
    "version": 1,
    "current": {"name": "a", "weights_sha256": "b"},
    "new": {"name": "c", "weights_sha256": "d"},
    "recommendation": "use",
    "sentences": ["Use it."],
    "rule": "A rule.",
    "pictures": [{"file": "best.jpg", "caption": "Best."}],
    "rows": [
        {
            "set": "corrected",
            "region": "skull",
            "label": "skull",
            "patients": 6,
            "views": 12,
            "current": 0.9,
            "new": 0.91,
            "difference": 0.01,
            "low": 0.0,
            "high": 0.02,
        }
    ],
}
_EVENTS = (
    {"event": "data", "cases": 1, "patients": 1, "held_out_cases": 1, "held_out_patients": 1, "left_out": []},
    {"event": "progress", "step": 1, "steps": 2, "loss": 0.5, "seconds_left": 3},
    {"event": "check", "step": 1, "dice": 0.5},
    {"event": "sample", "step": 1, "file": "samples/000001.png"},
    {"event": "finished", "step": 2, "weights": "a.safetensors"},
)


class Inputs:
    """Makes inputs and reads them.

    Parameters
    ----------
    folder : Path
        Empty; gets everything.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._store = folder / "sound"
        self._random = random.Random()  # noqa: S311 - the same inputs for the same number
        self._card = json.loads(_text_of(shipped_models()[0].path))
        self._recipe = (shipped_folder("train") / "recipes" / "full.toml").read_bytes()
        results = json.loads((shipped_folder("train") / "results.json").read_bytes())
        self._results = dict(list(results.items())[:1])
        self._measures = _some_measures()
        _fill(self._store)
        self.faults: Counter[str] = Counter()
        self.ends: Counter[str] = Counter()
        self.slowest = 0.0

    def read(self, number: int) -> None:
        """Make an input and read it in every way."""
        self._random.seed(number)
        place = self._folder / "input"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        kinds: list[Callable[[Path], Iterator[tuple[str, Callable[[], object]]]]] = [
            *(self._of_models, self._of_tables, self._of_runs, self._of_results, self._of_store, self._of_lists)
        ]
        for name, attempt in kinds[number % len(kinds)](place):
            self._attempt(number, name, attempt)
        outside = {path.name for path in self._folder.iterdir()} - {"sound", "input"}
        if outside:
            self._complain(f"input {number}: wrote {', '.join(map(ascii, outside))} outside of its folder")

    def _attempt(self, number: int, name: str, attempt: Callable[[], object]) -> None:
        began = time.process_time()
        try:
            attempt()
            self.ends["read"] += 1
        except BonescintError as error:
            self.ends["refused"] += 1
            if not str(error).isprintable() or len(str(error)) > MOST_CHARACTERS:
                self._complain(f"input {number}, {name}: {str(error)[:200]!a} is no sentence")
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            self._complain(f"input {number}, {name}: {type(error).__name__} {Path(where.filename).name}:{where.lineno}")
        seconds = time.process_time() - began
        self.slowest = max(self.slowest, seconds)
        if seconds > MOST_SECONDS:
            self._complain(f"input {number}, {name}: took {seconds:.1f} s")

    def _complain(self, fault: str) -> None:
        self.faults[fault] += 1
        tqdm.write(fault)

    def _of_models(self, place: Path) -> Iterator[tuple[str, Callable[[], object]]]:
        card, recipe = place / "m.json", place / "r.toml"
        card.write_bytes(self._changed(self._card))
        yield "card", lambda: table([read_card(card)])
        recipe.write_bytes(self._changed_recipe())
        yield "recipe", lambda: read_recipe(recipe)

    def _of_tables(self, place: Path) -> Iterator[tuple[str, Callable[[], object]]]:
        mapping, patients, index = place / "regions.csv", place / "patients.csv", place / "index.csv"
        mapping.write_bytes(self._flipped(_MAPPING))
        yield "mapping", lambda: read_region_mapping(mapping)
        patients.write_bytes(self._flipped(_PATIENTS))
        yield "patients", lambda: read_patient_table(patients)
        index.write_bytes(self._flipped(_INDEX))
        yield "index", lambda: list(ExternalSet.read(place))

    def _of_runs(self, place: Path) -> Iterator[tuple[str, Callable[[], object]]]:
        (place / "settings.json").write_bytes(self._changed(_SETTINGS))
        yield "settings", lambda: read_settings(place).arguments(place)
        (place / "log.jsonl").write_bytes(b"\n".join(map(self._changed, _EVENTS)) + b"\n")
        (place / "running.json").write_bytes(self._changed({"pid": 1, "started": 1.0, "machine": "m"}))
        yield "log", lambda: RunStatusReader(place).read()

    def _of_results(self, place: Path) -> Iterator[tuple[str, Callable[[], object]]]:
        (place / "verdict.json").write_bytes(self._changed(_VERDICT))
        yield "verdict", lambda: read_verdict(place)
        (place / "results.json").write_bytes(self._changed(self._results))
        yield "results", lambda: ResultsStore.read(place / "results.json").write(place / "again.json")
        (place / "scan.json").write_bytes(self._changed(_RESULT))
        yield "result", lambda: Result(place, "scan").recorded()
        for name, content in self._measures.items():
            (place / name).write_bytes(content)
        files = MeasureFiles(place, "scan")
        files.facts.write_bytes(self._changed(json.loads(self._measures[files.facts.name])))
        comparison = place / "scan.comparison.json"
        comparison.write_bytes(self._changed(_COMPARISON))
        yield "measures", files.read
        yield "table", lambda: scan_table([TableRow("scan", files.recorded(), read_comparison(comparison))])

    def _of_store(self, place: Path) -> Iterator[tuple[str, Callable[[], object]]]:
        folder = place / "store"
        shutil.copytree(self._store, folder)
        for _ in range(self._random.choice((1, 2))):
            self._spoil(folder)
        yield "check", lambda: check_store(LabelStore.open(folder), lambda _fraction: None)
        yield "cases", lambda: LabelStore.open(folder).cases()
        yield "patients", lambda: LabelStore.open(folder).patients()
        yield "selection", lambda: select([LabelStore.open(folder)])
        yield "work", lambda: open_work(folder, "Ada")
        for key in (path.name for path in (self._store / "cases").iterdir()):
            yield "case", lambda key=key: open_case(LabelStore.open(folder), key, "Ada")  # type: ignore[misc]

    def _of_lists(self, place: Path) -> Iterator[tuple[str, Callable[[], object]]]:
        for other in records_folder().iterdir():  # opening the stores made them
            other.unlink()
        remember(place, place / "scans", rows=(("a.dcm", "0" * 16), ("b.dcm", "")), names={"0" * 16: "a"})
        (record,) = records_folder().iterdir()
        record.write_bytes(self._changed(json.loads(record.read_bytes())))
        yield "lists", lambda: (recent_lists(3), read_record(place), remember(place, None, opened=("", "1" * 16)))
        record.unlink()

    def _spoil(self, folder: Path) -> None:
        """Change, remove or replace a file of a store."""
        files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        path = self._random.choice([each for each in files if each.suffix == ".json" or self._random.random() < 0.3])
        facts: Any = None
        with suppress(ValueError):  # no JSON, or spoilt before
            facts = json.loads(path.read_bytes())
        if isinstance(facts, dict) and self._random.random() < 0.75:
            is_sealed = facts.pop("facts_sha256", None) is not None
            changed = self._mutated(facts)
            with suppress(ValueError):
                path.write_bytes(seal(changed) if is_sealed and isinstance(changed, dict) else _as_json(changed))
            return
        match self._random.randrange(5):
            case 0:
                path.unlink()
            case 1 if path.parent != folder:
                shutil.rmtree(path.parent)
            case 2:
                path.unlink()
                path.mkdir()
            case _:
                path.write_bytes(self._flipped(path.read_bytes()))

    def _changed(self, facts: object) -> bytes:
        """A JSON file with changed values or bytes."""
        return _as_json(self._mutated(facts)) if self._random.random() < 0.8 else self._flipped(_as_json(facts))

    def _changed_recipe(self) -> bytes:
        if self._random.random() < 0.3:
            return self._flipped(self._recipe)
        lines = self._recipe.decode().splitlines()
        line = self._random.randrange(len(lines))
        lines[line] = f"{lines[line].partition('=')[0]}= {self._random.choice(_TOML_VALUES)}"
        return "\n".join(lines).encode()

    def _mutated(self, facts: object) -> Any:
        """Facts of which one or two are of another kind, gone or new."""
        changed: Any = copy.deepcopy(facts)
        for _ in range(self._random.choice((1, 1, 1, 2))):
            holders = list(_holders(changed))
            if not holders or self._random.random() < 0.02:
                return self._random.choice(_VALUES)
            holder = self._random.choice(holders)
            place = self._random.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
            match self._random.randrange(8):
                case 0:
                    del holder[place]
                case 1 if isinstance(holder, dict):
                    holder[self._random.choice(("x", "path", "number", "..", "version"))] = self._value()
                case _:
                    holder[place] = self._value()
        return changed

    def _value(self) -> object:
        return copy.deepcopy(self._random.choice(_VALUES))

    def _flipped(self, content: bytes) -> bytes:
        """Bytes of which some are others, gone or new."""
        changed = bytearray(content)
        for _ in range(self._random.choice((1, 1, 3, 20))):
            place = self._random.randrange(len(changed) + 1)
            match self._random.randrange(5):
                case 0:
                    del changed[place : place + self._random.randrange(1, 50)]
                case 1:
                    changed[place:place] = self._random.choice(_INSERTED)
                case _:
                    changed[place : place + 1] = bytes([self._random.randrange(256)])
        return bytes(changed)


def _some_measures() -> dict[str, bytes]:
    """The files of the measures of a small scan, by name."""
    counts = np.random.default_rng(1).poisson(40, (2, 64, 32)).astype(np.uint16)
    counts[:, 20:24, 8:12] += 400
    regions = np.zeros(counts.shape, np.uint8)
    regions[:, 10:40, 5:25] = CODES["pelvis"]
    scan = Scan(counts, (View(ViewName.ANTERIOR), View(ViewName.POSTERIOR)), (4.0, 4.0), source_sha256="ab")
    with tempfile.TemporaryDirectory() as folder:
        files = MeasureFiles(Path(folder), "scan")
        files.write(scan, measure_regions(scan, regions), MeasuredMasks((), "cd"), seconds=0.1)
        return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def _holders(facts: object) -> Iterator[Any]:
    """All objects and lists in facts that hold anything."""
    if isinstance(facts, (dict, list)) and facts:
        yield facts
        for value in facts.values() if isinstance(facts, dict) else facts:
            yield from _holders(value)


def _as_json(facts: object) -> bytes:
    return json.dumps(facts).encode()


def _text_of(path: Path | None) -> str:
    if path is None:
        raise ValueError("a shipped card lies somewhere")
    return path.read_text(encoding="utf-8")


def _fill(folder: Path) -> None:
    """Make a store with everything in it."""
    store = LabelStore.create(folder)
    views = (View(ViewName.ANTERIOR), View(ViewName.POSTERIOR))
    regions = np.zeros((2, 48, 24), np.uint8)
    regions[:, 10:20, 8:12], regions[:, 20:30, 8:12] = 3, 4
    probability = np.where(regions > 0, np.float32(0.9), np.float32(0.1))
    bone = (regions > 0).astype(np.uint8)
    said = Segmentation(bone, regions, probability, "tiny", "ab" * 32, "cpu", "CPU: test", "torch", 0.1)
    for number in range(3):
        counts = np.random.default_rng(number).poisson(1 + 20 * (regions > 0)).astype(np.uint16)
        case = store.add(Scan(counts, views, (20.0, 18.0), {"matrix": "48x24", "counts_accumulated": 5}))
        store.add_prediction(case, said)
        store.save(case, regions, Origin.of_model("tiny", "ab" * 32), annotator="Ada", reviewed=number > 0)
        Drafts(store).save(case, "Ada", regions, Origin.of_revision(1))
        spots = [SpotDecision(view.name, 3, suspicious=True, by_reader=False, probability=0.5) for view in views]
        hot = np.where(regions == 3, 3, 0).astype(np.uint16)
        said_of = Origin.of_model("tiny", "ab" * 32)
        store.save_hot_spots(case, hot, spots, annotator="Ada", origin=said_of, mask=Origin.of_revision(1))


def main() -> int:
    """Read changed files; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=20_000, help="how many (default: %(default)s)")
    parser.add_argument("--first", type=int, default=0, help="number of the first one (default: %(default)s)")
    arguments = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as records:
        os.environ[FOLDER_VARIABLE] = records
        inputs = Inputs(Path(folder))
        for number in tqdm(range(arguments.first, arguments.first + arguments.inputs), disable=None, leave=False):
            inputs.read(number)
    print(f"{arguments.inputs} inputs in {time.monotonic() - began:.0f} s, slowest {inputs.slowest:.2f} s of computing")
    print(f"{inputs.ends['read']} times read, {inputs.ends['refused']} times refused in a sentence")
    print(f"{len(inputs.faults)} faults")
    return 1 if inputs.faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
