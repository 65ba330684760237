"""`bonescint evaluate`: score models on scans whose true regions are known."""

from __future__ import annotations

import sys
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tqdm import tqdm

from napari_bonescint.commands import argument_types
from napari_bonescint.commands.terminal import print_error
from napari_bonescint.errors import BonescintError
from napari_bonescint.files.atomic import make_folder, require_empty, write_bytes_atomically, write_folder_atomically
from napari_bonescint.inference.model_card import (
    DEFAULT_MODEL,
    FINDING_HOT_SPOTS,
    SEGMENTING,
    ModelCard,
    shipped_models,
)
from napari_bonescint.simulation.splits import LESION_SPLIT
from napari_bonescint.text.formatting import table_lines

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from napari_bonescint.evaluation.reference_sets import ReferenceSet, SimulatedSet
    from napari_bonescint.evaluation.report.results_store import ModelResults, ResultsStore
    from napari_bonescint.evaluation.report.score_report import ScoreReport
    from napari_bonescint.inference.segmenter import Segmenter

_DESCRIPTION = """\
Score models on scans whose true regions are known. The scans are segmented by the same code as in napari.

With --out, DIR gets results.json (the scores), RESULTS.md (a table of them) and reliability.svg. Scores in results.json
for the same weights and data are kept. Delete the file to measure everything again, for example after a change of the
code that segments. Of the split `lesions`, hot spots are scored and not masks; hot_spots.json holds their scores and
hot_spots.svg shows the free-response curve. Without --data and --external, RESULTS.md is only written again.

With --report, everything is measured, and DIR gets report.html and scores.csv (a row for each scan, view and region).
In a label store, the latest reviewed masks of held-out patients are scored. If one of the models was trained on a scan
of a patient, in any store, the patient is left out for all models.
"""

_EXAMPLES = """\
examples:
  bonescint evaluate --data data/test --model phase-u-net-regions
  bonescint evaluate --data data/training data/validation data/test --out train
  bonescint evaluate --data data/lesions --out train
  bonescint evaluate --data labels --model runs/mine/mine.safetensors --report scores
  bonescint evaluate --external hospital/ --model runs/mine/mine.safetensors --device cpu

exit status: 0 if all is done, 1 if something failed, 2 if the command is wrong.
"""

_HEADINGS = (
    *("MODEL", "SET", "VIEWS", "DICE", "MEDIAN", "LOWEST", "ANTERIOR", "POSTERIOR", "REGIONS", "LOSS", "ECE"),
    *("CPU", "GPU"),
)
_DIAGRAM, _DIAGRAM_SET = "reliability.svg", "test"


class EvaluationError(BonescintError):
    """There is nothing to score, or two models or sets have the same name."""


def add_to(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command `bonescint evaluate`."""
    parser = argument_types.add_command(
        subcommands, "evaluate", "score models on scans whose true regions are known", _DESCRIPTION, _EXAMPLES
    )
    argument_types.add_paths_to(parser, "--data", "folders from `bonescint simulate`, and label stores")
    parser.add_argument(
        "--all-patients",
        action="store_true",
        help="of label stores, score all patients that the models were not trained on, not only held-out patients",
    )
    external = "folders of other scans: index.csv (stem,file,views,spacing_mm), the files, and STEM.reference.tif with "
    argument_types.add_paths_to(parser, "--external", f"{external}region codes")
    argument_types.add_models_to(parser)
    argument_types.add_device_to(parser)
    parser.add_argument("--out", metavar="DIR", type=argument_types.folder, help="folder for results and table")
    argument_types.add_report_to(parser, "scores.csv and report.html")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Score the models, print the scores and write the results; returns the exit status."""
    from napari_bonescint.evaluation.reference_sets import ExternalSet, SimulatedSet
    from napari_bonescint.evaluation.report.results_store import ResultsStore
    from napari_bonescint.evaluation.report.score_report import ScoreReport

    out: Path | None = arguments.out
    report = None if arguments.report is None else ScoreReport()
    if report is not None:
        require_empty(arguments.report)
    chosen: list[ModelCard] = arguments.model or []
    cards = [card for card in chosen if card.purpose == SEGMENTING] or shipped_models()
    of_data = _sets(arguments.data, cards, all_patients=arguments.all_patients)
    lesions = [each for each in of_data if isinstance(each, SimulatedSet) and each.name == LESION_SPLIT]
    sets: list[ReferenceSet] = [
        *(each for each in of_data if each not in lesions),
        *map(ExternalSet.read, arguments.external),
    ]
    if lesions:
        finding = [card for card in chosen if card.purpose == FINDING_HOT_SPOTS]
        _score_hot_spots(lesions[0], finding or shipped_models(FINDING_HOT_SPOTS), out)
    if not sets and not lesions and (out is None or report is not None):
        raise EvaluationError("There is nothing to score on; give --data or --external.")
    for kind, names in (("sets", [each.name for each in sets]), ("models", [card.name for card in cards])):
        _require_different(kind, names)
    store = ResultsStore() if out is None else ResultsStore.read(out / "results.json")
    hashes = {references.name: references.sha256() for references in sets}
    for card in cards if sets else ():
        _measure(card, sets, hashes, arguments.device, store, out, report)
    measured = [store.models[card.name] for card in cards] if sets else list(store.models.values())
    if sets or not lesions:
        print("\n".join(_lines(measured, list(hashes))))
    if out is not None:
        _write(store, out)
        print(f"-> {out / 'RESULTS.md'}")
    if report is not None:
        write_folder_atomically(arguments.report, report.files())
        print(f"-> {arguments.report / 'report.html'}")
    return 0


def _sets(paths: Iterable[Path], cards: Sequence[ModelCard], *, all_patients: bool) -> list[ReferenceSet]:
    """The sets of simulated folders, and for each label store a set of scans that no model was trained on."""
    from napari_bonescint.corrections.selection import select
    from napari_bonescint.corrections.store.folder import is_label_store
    from napari_bonescint.corrections.store.label_store import LabelStore
    from napari_bonescint.evaluation.corrected_set import CorrectedSet
    from napari_bonescint.evaluation.reference_sets import simulated_sets
    from napari_bonescint.evaluation.unseen import unseen_by

    folders, corrected = [], []
    for path in paths:
        if not is_label_store(path):
            folders.append(path)
            continue
        selection = select([LabelStore.open(path)])
        for case, why in selection.left_out:
            print_error(f"warning: {path}: case {case} is left out: {why}")
        chosen = selection.scans if all_patients else selection.held_out
        if not chosen:
            raise EvaluationError(
                f"{path}: no reviewed mask is of a held-out patient; --all-patients scores the masks of all patients "
                f"({len(selection.scans)})."
            )
        unseen = unseen_by(cards, chosen)
        for sentence in unseen.sentences:
            print_error(f"warning: {path}: {sentence}")
        if not unseen.scans:
            raise EvaluationError(f"{path}: the models were trained on all patients with reviewed masks.")
        corrected.append(CorrectedSet(unseen.scans, path.resolve().name, left_out=len(chosen) - len(unseen.scans)))
    return [*simulated_sets(folders), *corrected]


def _score_hot_spots(references: SimulatedSet, cards: Sequence[ModelCard], out: Path | None) -> None:
    """Score models that find hot spots, and thresholds, unless the results hold them; print the scores."""
    from napari_bonescint.evaluation.hot_spots import score_hot_spots
    from napari_bonescint.evaluation.report.hot_spot_section import FILE_NAME, read_results, write_results
    from napari_bonescint.inference.model_registry import find_model
    from napari_bonescint.inference.segmenter import Segmenter
    from napari_bonescint.measurement.detection.detector import HotSpotDetector

    results = None if out is None else read_results(out / FILE_NAME)
    if results is None or not results.holds(references.sha256(), [card.weights_sha256 for card in cards]):
        segmenter = Segmenter(find_model(DEFAULT_MODEL), "cpu")
        label = f"hot spots on {references.name}"
        with tqdm(total=len(references), desc=label, unit="scan", disable=None, leave=False, file=sys.stderr) as bar:
            detectors = [*map(HotSpotDetector, cards), None]
            results = score_hot_spots(references, segmenter, detectors, bar.update)
        if out is not None:
            make_folder(out)
            write_results(results, out / FILE_NAME)
    for found in results.methods:
        print(
            f"{found.method} on {results.name}: sensitivity {found.sensitivity:.3f} for {results.pieces} pieces of "
            f"metastases at {found.false_alarms:.2f} false alarms a scan"
        )


def _require_different(kind: str, names: Iterable[str]) -> None:
    for name, count in Counter(names).items():
        if count > 1:
            raise EvaluationError(f"{count} {kind} are named {name}; give them one at a time, or rename them.")


def _measure(
    card: ModelCard,
    sets: Sequence[ReferenceSet],
    hashes: dict[str, str],
    device: str,
    store: ResultsStore,
    out: Path | None,
    report: ScoreReport | None,
) -> None:
    """Score a model on the sets that the results lack; saved after each set, so an interruption loses one at most."""
    from napari_bonescint.evaluation.model_scores import time_views
    from napari_bonescint.inference.devices import choose_device
    from napari_bonescint.inference.segmenter import Segmenter

    results = store.of(card)
    missing = [each for each in sets if report is not None or not results.holds(each, hashes[each.name])]
    processor = _processor(choose_device(device).device)
    if not missing and processor in results.speed:
        return
    segmenter = Segmenter(card, device)
    print(f"Model {card.name}. {segmenter.device.reason}.", flush=True)
    for references in missing:
        _score(segmenter, references, hashes[references.name], results, report)
        _save(store, out)
    if processor not in results.speed:
        speed = time_views(segmenter, sets[0])
        # If the GPU runs out of memory, the CPU computes, and the time is the CPU's.
        results.speed[_processor(segmenter.device.device)] = speed
        _save(store, out)


def _score(
    segmenter: Segmenter, references: ReferenceSet, sha256: str, results: ModelResults, report: ScoreReport | None
) -> None:
    from napari_bonescint.evaluation.model_scores import Scores
    from napari_bonescint.evaluation.report.results_store import SetResult
    from napari_bonescint.evaluation.view_scores import segment_references

    label = f"{results.name} on {references.name}"
    with tqdm(total=len(references), desc=label, unit="scan", disable=None, leave=False, file=sys.stderr) as bar:
        views = []
        for segmented in segment_references(segmenter, references):
            views += segmented.views
            if report is not None:
                report.add(results.name, references.name, references.origin, segmented)
            bar.update()
    results.sets[references.name] = SetResult(
        data_sha256=sha256,
        is_simulated=references.is_simulated,
        origin=references.origin,
        scans=len(references),
        measured=datetime.now(UTC).date().isoformat(),
        scores=Scores.of(views),
    )


def _save(store: ResultsStore, out: Path | None) -> None:
    if out is not None:
        make_folder(out)
        store.write(out / "results.json")


def _write(store: ResultsStore, out: Path) -> None:
    from napari_bonescint.evaluation.report.hot_spot_section import (
        CURVE_NAME,
        curve_svg,
        hot_spot_section,
        read_results,
    )
    from napari_bonescint.evaluation.report.hot_spot_section import FILE_NAME as HOT_SPOTS
    from napari_bonescint.evaluation.report.learning_curve import FILE_NAME, LearningCurve, curve_section
    from napari_bonescint.evaluation.report.reliability_diagram import reliability_svg
    from napari_bonescint.evaluation.report.results_table import in_order, results_page

    _save(store, out)
    models = in_order(store.models.values())
    drawn = {model.name: model.sets[_DIAGRAM_SET].scores.reliability for model in models if _DIAGRAM_SET in model.sets}
    if drawn:
        write_bytes_atomically(out / _DIAGRAM, reliability_svg(drawn).encode())
    page = results_page(models, _DIAGRAM if drawn else None)
    if (out / FILE_NAME).exists():
        page += "\n" + curve_section(LearningCurve.read(out / FILE_NAME)) + "\n"
    if (hot_spots := read_results(out / HOT_SPOTS)) is not None:
        page += "\n" + hot_spot_section(hot_spots)
        write_bytes_atomically(out / CURVE_NAME, curve_svg(hot_spots).encode())
    write_bytes_atomically(out / "RESULTS.md", page.encode())


def _lines(models: Iterable[ModelResults], names: Sequence[str]) -> list[str]:
    """A table of scores on some sets, or on all if `names` is empty."""
    from napari_bonescint.evaluation.report.results_table import mean_and_spread

    rows: list[tuple[str, ...]] = [_HEADINGS]
    for model in models:
        speeds = [model.speed.get(processor) for processor in ("cpu", "gpu")]
        times = ["" if speed is None else f"{speed.milliseconds:.0f} ms" for speed in speeds]
        for name in names or sorted(model.sets):
            scores = model.sets[name].scores
            skeleton = scores.skeleton
            each = [mean_and_spread(scores.of_view.get(view)) for view in ("anterior", "posterior")]
            rows.append(
                (
                    *(model.name, name, str(skeleton.views), mean_and_spread(skeleton)),
                    *(f"{skeleton.median:.4f}", f"{skeleton.lowest:.4f}", *each, mean_and_spread(scores.macro)),
                    *(f"{scores.loss:.4f}", f"{scores.reliability.expected_error:.4f}", *times),
                )
            )
    return table_lines(rows)


def _processor(device: str) -> str:
    return "cpu" if device == "cpu" else "gpu"
