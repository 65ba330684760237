"""`bonescint segment`: from files to masks."""

from __future__ import annotations

import os
import sys
from collections import Counter, defaultdict
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from tqdm import tqdm

from napari_bonescint.commands import argument_types, reading_arguments
from napari_bonescint.commands.reading_arguments import describe_skipped, name_of, read, sentence_of
from napari_bonescint.errors import BonescintError
from napari_bonescint.formats.opening import collect
from napari_bonescint.inference.devices import DeviceError
from napari_bonescint.inference.model_card import ModelError
from napari_bonescint.results import Recorded, Result, ResultError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from pathlib import Path

    from napari_bonescint.formats.opening import Collection, ScanSource
    from napari_bonescint.inference.segmenter import Segmenter
    from napari_bonescint.scan import Scan

_DESCRIPTION = """\
Segment the skeleton in planar whole-body bone scans.

For every scan, DIR gets NAME.skeleton.tif (0 and 1), NAME.regions.tif (region codes, if the model names regions) and
NAME.json (what was segmented, with what and how). For a folder, the folders inside it are repeated in DIR. Two files of
one study, each with one view, make one result. What is done already is kept, so that an interrupted run is taken up by
giving the same command again.
"""

_EXAMPLES = """\
examples:
  bonescint segment scan.dcm --out masks
  bonescint segment export/ more.dcm --out masks --device cpu
  bonescint segment anterior.png --view anterior --spacing 2.26 --out masks

exit status: 0 if all is done, 1 if something failed, 2 if the command is wrong, 130 after Ctrl-C.
"""


def add_to(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """State the arguments of `bonescint segment`."""
    parser = argument_types.add_command(
        subcommands, "segment", "segment the skeleton in scans", _DESCRIPTION, _EXAMPLES
    )
    reading_arguments.add_reading_to(parser)
    parser.add_argument(
        "--out", metavar="DIR", type=argument_types.folder, required=True, help="folder for the results"
    )
    parser.add_argument(
        "--model",
        metavar="NAME|FILE",
        type=argument_types.model,
        default=argument_types.CURRENT_MODEL,
        help="a name that `bonescint models` lists, or a .safetensors file with its card beside it "
        "(default: %(default)s, the one in use)",
    )
    argument_types.add_device_to(parser)
    parser.add_argument("--overwrite", action="store_true", help="replace results that were made from the same scan")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Segment what was named; the exit status."""
    for given in arguments.inputs:
        # Path.is_dir raises where even looking is forbidden; `collect` then tells so.
        if os.path.isdir(given):  # noqa: PTH112
            print(f"Looking for scans in {given}", flush=True)
    found = collect(arguments.inputs)
    jobs, clashes = _plan(found, arguments.out)
    outcomes = Counter(failed=len(found.failures) + sum(map(len, clashes)))
    with _Progress(len(jobs)) as progress:
        for sentence in (*map(sentence_of, found.failures), *map(_describe_clash, clashes)):
            progress.complain(f"error: {sentence}")
        if found.skipped:
            progress.say(describe_skipped(found))

        @cache
        def segmenter() -> Segmenter:
            # PyTorch takes seconds to load, and is not needed where every result is there already.
            from napari_bonescint.inference.segmenter import Segmenter

            loaded = Segmenter(arguments.model, arguments.device)
            progress.say(f"Model {loaded.card.name}. {loaded.device.reason}.")
            return loaded

        for job in jobs:
            progress.start(job.name)
            try:
                outcomes[_carry_out(job, arguments, segmenter, progress)] += 1
            except (ModelError, DeviceError):
                raise  # without a model, no other scan can be segmented either
            except BonescintError as error:
                outcomes["failed"] += 1
                progress.complain(f"error: {sentence_of(error)}")
            except (MemoryError, RuntimeError) as error:  # what PyTorch raises for a scan that is too large for it
                outcomes["failed"] += 1
                progress.complain(f"error: {job.name}: could not be segmented ({str(error).partition(chr(10))[0]}).")
            progress.finish()
    print(f"{outcomes['segmented']} segmented, {outcomes['kept']} kept, {outcomes['failed']} failed.")
    print("Research software, not a medical device: check every mask by eye.")
    return 1 if outcomes["failed"] else 0


class _Job(NamedTuple):
    source: ScanSource
    result: Result

    @property
    def name(self) -> str:
        """The files as the user named them."""
        return name_of(self.source)


def _plan(found: Collection, out: Path) -> tuple[list[_Job], list[list[_Job]]]:
    """What to segment, and groups of scans that cannot be because their results would be written to one place."""
    by_place: dict[str, list[_Job]] = defaultdict(list)
    for source in found.sources:
        job = _Job(source, Result(out / source.result.parent, source.result.name))
        # On Windows, names that differ in case only are one file.
        by_place[os.path.normcase(job.result.facts)].append(job)
    groups = list(by_place.values())
    return [group[0] for group in groups if len(group) == 1], [group for group in groups if len(group) > 1]


def _describe_clash(clash: list[_Job]) -> str:
    names = ", ".join(job.name for job in clash[:3]) + (f" and {len(clash) - 3} more" if len(clash) > 3 else "")
    return (
        f"{names}: would all be written to {clash[0].result.skeleton}; name the folder above them as INPUT instead, "
        "or give each an --out of its own."
    )


def _carry_out(
    job: _Job, arguments: argparse.Namespace, segmenter: Callable[[], Segmenter], progress: _Progress
) -> str:
    """Segment one scan, or find that it was segmented before: ``segmented`` or ``kept``."""
    scan = read(job.source, arguments)
    there = _own_result(job, scan)
    if not arguments.overwrite and not (there and there.complete):
        _require_room(job.result)
    if there and there.complete and not arguments.overwrite:
        differences = there.differences(scan, arguments.model.weights_sha256)
        otherwise = f" (made with {', '.join(differences)}; --overwrite makes it anew)" if differences else ""
        progress.say(f"{job.name}: kept {job.result.skeleton}{otherwise}")
        return "kept"
    segmentation = segmenter().segment(scan, on_progress=progress.advance)
    job.result.write(scan, segmentation)
    for warning in (*scan.warnings, *segmentation.warnings):
        progress.complain(f"warning: {job.name}: {warning}")
    views = " and ".join(view.name for view in scan.views)
    progress.say(f"{job.name}: {views} in {segmentation.seconds:.1f} s -> {job.result.skeleton}")
    return "segmented"


def _own_result(job: _Job, scan: Scan) -> Recorded | None:
    """The result of this scan that is there already, if there is one.

    Raises
    ------
    ResultError
        If what is there is the result of another scan, or none of ours.
    """
    there = job.result.recorded()
    if there and there.source_sha256 != scan.source_sha256:
        raise ResultError(
            f"{job.name}: {job.result.facts} is the result of another scan, {' + '.join(there.sources)} with SHA-256 "
            f"{there.source_sha256[:8]} (this one has {scan.source_sha256[:8]}); choose another --out folder."
        )
    return there


def _require_room(result: Result) -> None:
    """Refuse to replace a mask of which no JSON file says that it is ours and whole."""
    for mask in (result.skeleton, result.regions):
        if mask.exists():
            raise ResultError(
                f"{mask}: is there already, and {result.facts.name} does not say of what; move it, or use --overwrite."
            )


class _Progress:
    """What the user sees: lines and, if standard error is a terminal, a progress bar below them.

    Parameters
    ----------
    scans : int
        How many there are to do.
    """

    def __init__(self, scans: int) -> None:
        self._finished = 0
        self._bar = tqdm(
            total=scans,
            disable=None,  # shown on a terminal only
            leave=False,
            file=sys.stderr,
            bar_format="{desc} {percentage:3.0f}%|{bar}| {elapsed}<{remaining}",
        )

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *_error: object) -> None:
        self._bar.close()

    def start(self, name: str) -> None:
        """Say which scan comes next."""
        self._bar.set_description_str(name)

    def advance(self, fraction: float) -> None:
        """Move the bar to a fraction, 0 to 1, of the scan that was started last."""
        self._bar.n = self._finished + fraction
        self._bar.refresh()

    def finish(self) -> None:
        """Count the scan that was started last as done, whatever became of it."""
        self._finished += 1
        self.advance(0)

    def say(self, line: str) -> None:
        """Print an outcome to standard output."""
        with tqdm.external_write_mode(sys.stdout):
            print(line, flush=True)

    def complain(self, line: str) -> None:
        """Print a warning or an error to standard error."""
        with tqdm.external_write_mode(sys.stderr):
            print(line, file=sys.stderr, flush=True)
