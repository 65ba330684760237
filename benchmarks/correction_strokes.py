"""How many strokes a correction takes with our tools and with napari's plain brush.

    python benchmarks/correction_strokes.py --data data/test [--views N] [--sizes PIXELS ...]

Simulated scans with known truth are segmented by the default model, and each view's mask is then corrected until the
skeleton's Dice is 0.98, by the same oracle with our tools and with the plain brush at each size.

**A stroke** is what is drawn from press to release. A click or key that changes the mask counts as one, dragging a box
and choosing its threshold as two. What changes no mask is not counted: choosing a tool, a bone, paint or erase. A path
has a point for every pixel of its way; every coordinate that a tool is given is moved by up to one pixel, uniformly and
independently.

**The oracle** is an annotator who sees the true mask. No tool does.

1. It looks at the connected pieces of missed bone and of what is wrongly bone, and at the three largest of them all.
2. For each, it thinks of what its tools can do there (below), and chooses by the errors that go away for each stroke
   spent, in a rehearsal whose jitter is not that of the stroke which it then makes.
3. A stroke that made things worse is undone, for one stroke more, and its place left alone.
4. It ends at Dice 0.98, after 200 strokes, or when nothing helps any more. A view that it ends otherwise than by
   reaching 0.98 counts as 200 strokes.

A stroke is at most 500 pixels long, which is once around a femur.

- **Brush, following errors**: one stroke paints or erases along the medial line of a piece of error.
- **Brush, sweeping edges**: it can also paint inside of, or erase outside of, a stretch (40, 120 or 500 pixels) of the
  bone's true edge at the error, with the brush touching the edge or up to one pixel away from it, as jitter makes a
  stroke wider. This annotator plans as far ahead as ours does; a disc is painted as `Labels.paint` does, at steps of a
  quarter of its size.
- **Ours**: the sweeping brush at two sizes; tracing such a stretch; drawing the whole outline of a true piece of bone;
  the smart brush along the medial line of the error; a click to add or remove a piece; keys to grow, shrink or smooth
  the region; and asking the model again in a box around the error.

Of the brush, the size that needs the fewest strokes over all views counts.
"""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
from skimage.measure import label
from stroke_paths import LONGEST, click, contours, jittered, medial_line, normals, paint

from napari_bonescint.corrections.tools.ask_again import ask_again
from napari_bonescint.corrections.tools.draw_outline import draw_outline
from napari_bonescint.corrections.tools.outline import grow, shrink, smooth
from napari_bonescint.corrections.tools.pieces import add_piece, remove_piece
from napari_bonescint.corrections.tools.smart_brush import smart_brush
from napari_bonescint.corrections.tools.strokes import bounding_box
from napari_bonescint.corrections.tools.trace_edge import trace_edge
from napari_bonescint.inference.model_card import DEFAULT_MODEL
from napari_bonescint.inference.model_shelf import find_model
from napari_bonescint.inference.segmenter import Segmenter
from napari_bonescint.training.reference_sets import simulated_sets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    Mask = NDArray[np.uint8]
    Points = NDArray[np.float64]

GOAL = 0.98
MOST_STROKES = 200
BRUSH_SIZES = (1, 3, 5, 7, 9, 13)
STRETCHES = (40, 120, LONGEST)
PLACES = 3
OUR_BRUSH_SIZES = (1, 3)
SMART_RADIUS = 4.0


@dataclass(frozen=True)
class Task:
    """One view to correct: what the tools see, and the truth, which only the oracle does."""

    name: str
    counts: NDArray[np.generic]
    probability: NDArray[np.float32]
    model: Mask
    truth: Mask
    edges: list[Points] = field(init=False)
    pieces: NDArray[np.integer] = field(init=False)
    _outlines: dict[int, tuple[Points, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "edges", contours(self.truth > 0))
        object.__setattr__(self, "pieces", label(self.truth, connectivity=2))

    def outline(self, piece: int) -> tuple[Points, int]:
        """The outer edge of a piece of true bone, and its code."""
        if piece not in self._outlines:
            window = bounding_box(self.pieces == piece)
            edge = contours(self.pieces[window] == piece)[0] + [part.start for part in window]
            self._outlines[piece] = edge, int(self.truth[self.pieces == piece][0])
        return self._outlines[piece]

    def errors(self, mask: Mask) -> int:
        """Pixels that are bone in one of mask and truth only."""
        return int(np.count_nonzero((mask > 0) != (self.truth > 0)))

    def dice(self, mask: Mask) -> float:
        """Of the skeleton."""
        return 1 - self.errors(mask) / (np.count_nonzero(mask) + np.count_nonzero(self.truth))


class Place(NamedTuple):
    """A connected piece of error: its pixels, whether bone is missed there, and which bone."""

    error: NDArray[np.bool_]
    missed: bool
    code: int


class Act(NamedTuple):
    """Something an annotator can do: by which tool, for how many strokes, and how it changes a mask with a jitter."""

    tool: str
    strokes: int
    do: Callable[[Mask, np.random.Generator], Mask]


class Toolset(Protocol):
    """What an annotator has at hand."""

    def acts(self, task: Task, place: Place) -> Iterator[Act]:
        """What can be done at a place."""


@dataclass(frozen=True)
class PlainBrush:
    """napari's brush and eraser at one size."""

    size: int
    sweeps: bool

    def acts(self, task: Task, place: Place) -> Iterator[Act]:
        """Follow the error, or the bone's edge on the inner or outer side."""
        code = place.code if place.missed else 0
        yield self._act(medial_line(place.error), code)
        if not self.sweeps:
            return
        radius = self.size // 2 + 0.5
        for stretch in edge_stretches(task, place):
            inwards = normals(stretch)
            for margin in (0.0, 0.5, 1.0):
                shift = (radius + margin) * inwards
                yield self._act(stretch + (shift if place.missed else -shift), code)

    def _act(self, path: Points, code: int) -> Act:
        return Act("brush", 1, lambda mask, rng: paint(mask, jittered(path, rng), self.size, code))


class OurTools:
    """The tools of napari_bonescint.corrections, beside a plain brush."""

    def acts(self, task: Task, place: Place) -> Iterator[Act]:
        """Whatever tool may help."""
        for size in OUR_BRUSH_SIZES:
            yield from PlainBrush(size, sweeps=True).acts(task, place)
        for stretch in edge_stretches(task, place):
            yield Act("trace edge", 1, partial(_trace, stretch, place.code))
        for outline, code in outlines(task, place):
            yield Act("draw outline", 1, partial(_outline, outline, code))
        centre = medial_line(place.error)
        code = place.code if place.missed else 0
        yield Act(
            "smart brush",
            1,
            lambda mask, rng: smart_brush(mask, task.counts, jittered(centre, rng), SMART_RADIUS, code),
        )
        middle = centre[len(centre) // 2]
        if place.missed:
            yield Act(
                "add piece",
                1,
                lambda mask, rng: add_piece(mask, task.counts, task.probability, click(middle, mask, rng), place.code),
            )
            yield Act("grow", 1, lambda mask, _: grow(mask, place.code))
        else:
            yield Act("remove piece", 1, lambda mask, rng: remove_piece(mask, click(middle, mask, rng)))
            yield Act("shrink", 1, lambda mask, _: shrink(mask, place.code))
        yield Act("smooth", 1, lambda mask, _: smooth(mask, place.code))
        rows, columns = bounding_box(place.error)
        corners = np.array([[rows.start - 2, columns.start - 2], [rows.stop + 2, columns.stop + 2]], np.float64)
        for threshold in (0.2, 0.35, 0.65, 0.8):
            yield Act("ask again", 2, partial(_ask, task, corners, threshold))


def _trace(stretch: Points, code: int, mask: Mask, rng: np.random.Generator) -> Mask:
    return trace_edge(mask, jittered(stretch, rng), code)


def _outline(outline: Points, code: int, mask: Mask, rng: np.random.Generator) -> Mask:
    return draw_outline(mask, jittered(outline, rng), code)


def _ask(task: Task, corners: Points, threshold: float, mask: Mask, rng: np.random.Generator) -> Mask:
    (y0, x0), (y1, x1) = np.rint(corners + rng.uniform(-1, 1, corners.shape)).astype(int).tolist()
    return ask_again(mask, task.probability, task.model, (y0, x0, y1, x1), threshold)


def edge_stretches(task: Task, place: Place) -> Iterator[Points]:
    """Stretches of the true edge that hold the point nearest to an error."""
    middle = np.argwhere(place.error).mean(axis=0)
    nearest = [np.hypot(*(edge - middle).T).min() for edge in task.edges]
    if not nearest:
        return
    edge = task.edges[int(np.argmin(nearest))][:-1]
    at = int(np.hypot(*(edge - middle).T).argmin())
    for length in sorted({min(length, len(edge)) for length in STRETCHES}):
        # With the error in its middle or, if it is long, also near either end.
        for before in (0.5,) if length < LONGEST else (0.1, 0.5, 0.9):
            start = at - round(before * length)
            yield np.take(edge, np.arange(start, start + length), axis=0, mode="wrap")


def outlines(task: Task, place: Place) -> Iterator[tuple[Points, int]]:
    """Outlines of the true pieces of bone that an error touches, if they are short enough for one stroke."""
    window = tuple(slice(max(s.start - 2, 0), s.stop + 2) for s in bounding_box(place.error))
    for piece in np.unique(task.pieces[window]):
        if piece == 0:
            continue
        outline, code = task.outline(int(piece))
        if len(outline) <= LONGEST:
            yield outline, code


def places(task: Task, mask: Mask, left_alone: NDArray[np.bool_]) -> list[Place]:
    """The largest pieces of error that were not left alone."""
    found: list[tuple[int, bool, int, NDArray[np.integer]]] = []
    for missed in (True, False):
        wrong = (task.truth > 0) & (mask == 0) if missed else (task.truth == 0) & (mask > 0)
        pieces = label(wrong, connectivity=2)
        sizes = np.bincount(pieces[~left_alone], minlength=pieces.max() + 1)
        found += [(int(sizes[i]), missed, i, pieces) for i in range(1, sizes.size) if sizes[i]]
    found.sort(key=lambda entry: -entry[0])
    result = []
    for _, missed, number, pieces in found[:PLACES]:
        error = pieces == number
        codes = (task.truth if missed else mask)[error]
        result.append(Place(error, missed, int(np.bincount(codes).argmax())))
    return result


@dataclass
class Replay:
    """A correction as it went: strokes spent, the mask's Dice at the end, and how often which tool was used."""

    strokes: int = 0
    dice: float = 0.0
    tools: Counter[str] = field(default_factory=Counter)

    @property
    def counted(self) -> int:
        """Strokes, or the most there may be if the goal was not reached."""
        return self.strokes if self.dice >= GOAL else MOST_STROKES

    @property
    def cell(self) -> str:
        """The strokes for a table, with the Dice that was reached if it was not the goal."""
        return f"{self.strokes}" if self.dice >= GOAL else f"{self.strokes} ({self.dice:.3f})"


def correct(task: Task, tools: Toolset, seed: int) -> tuple[Replay, Mask]:
    """Correct a view, and give also the mask."""
    rng, rehearsal = np.random.default_rng(seed).spawn(2)
    mask, replay = task.model, Replay()
    left_alone = np.zeros(mask.shape, np.bool_)
    while task.dice(mask) < GOAL and replay.strokes < MOST_STROKES:
        before = task.errors(mask)
        at = places(task, mask, left_alone)
        if not at:
            break
        best, best_gain, best_place = None, 0.0, at[0]
        for place in at:
            for act in tools.acts(task, place):
                gain = (before - task.errors(act.do(mask, rehearsal))) / act.strokes
                if gain > best_gain:
                    best, best_gain, best_place = act, gain, place
        if best is None:
            for place in at:
                left_alone |= place.error
            continue
        changed = best.do(mask, rng)
        replay.strokes += best.strokes
        if task.errors(changed) < before:
            mask = changed
            replay.tools[best.tool] += 1
        else:
            replay.strokes += 1
            replay.tools["undo"] += 1
            left_alone |= best_place.error
    replay.dice = task.dice(mask)
    return replay, mask


def tasks(folders: list[Path]) -> Iterator[Task]:
    """Each view of each case, segmented by the default model."""
    segmenter = Segmenter(find_model(DEFAULT_MODEL), "cpu")
    for cases in simulated_sets(folders):
        for number, (scan, truth) in enumerate(cases):
            result = segmenter.segment(scan)
            for i, view in enumerate(scan.views):
                model = result.skeleton[i] if result.regions is None else result.regions[i]
                yield Task(f"{cases.name} {number} {view.name}", scan.counts[i], result.probability[i], model, truth[i])


def main() -> None:
    """Replay and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="folders that `bonescint simulate` filled")
    parser.add_argument("--views", type=int, default=20, help="how many views to correct (default 20)")
    parser.add_argument("--sizes", type=int, nargs="+", default=BRUSH_SIZES, help="of the brush (default: %(default)s)")
    options = parser.parse_args()
    ours: dict[str, Toolset] = {"ours": OurTools()}
    following = {f"following {size}": PlainBrush(size, sweeps=False) for size in options.sizes}
    sweeping = {f"sweeping {size}": PlainBrush(size, sweeps=True) for size in options.sizes}
    toolsets = ours | following | sweeping
    replays: dict[str, list[Replay]] = {name: [] for name in toolsets}
    print("| view | Dice of the model | " + " | ".join(toolsets) + " |\n|---|--:|" + "--:|" * len(toolsets))
    for seed, task in enumerate(islice(tasks(options.data), options.views)):
        for name, tools in toolsets.items():
            replays[name].append(correct(task, tools, seed)[0])
        cells = [done[-1].cell for done in replays.values()]
        print(f"| {task.name} | {task.dice(task.model):.4f} | " + " | ".join(cells) + " |", flush=True)
    total = {name: sum(replay.counted for replay in done) for name, done in replays.items()}
    for brush in (following, sweeping):
        best = min(brush, key=total.__getitem__)
        reached = sum(replay.dice >= GOAL for replay in replays[best])
        print(
            f"Ours {total['ours']} strokes, brush {best} {total[best]}: {total[best] / total['ours']:.2f} times fewer; "
            f"the brush reached {GOAL} in {reached} of {len(replays[best])} views"
        )
    used = sum((replay.tools for replay in replays["ours"]), Counter[str]())
    print("Ours used: " + ", ".join(f"{tool} {times}" for tool, times in used.most_common()))


if __name__ == "__main__":
    main()
