#!/usr/bin/env python3
"""Train the networks of `schedule.toml` one after the other, until their validation Dice no longer rises.

    python train/schedule.py --cases data/training --held-out data/validation --minutes 120
    python train/schedule.py --cases DIR --held-out DIR --minutes 9 --each 2 --device cuda --batch 16
    python train/schedule.py --table

Each cycle is one run of `bonescint train` with the recipe's steps. The first starts from the weights that the recipe
names; later ones from those in `train/state`, or in `weights` once they have been shipped. After each cycle, complete
or not, the weights (float16), their card and a list of cycles go to `train/state`, and `SCHEDULE.md` is written again.
With `--each`, networks take turns after that many minutes. A network whose training fails is left out until the end,
while the others go on. `--held-out` is the whole validation split, which scores every cycle.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import tomli_w

TRAIN = Path(__file__).parent
STATE = TRAIN / "state"
SHIPPED = TRAIN.parent / "weights"

# A shorter cycle would leave a network worse than it was.
_LEAST_MINUTES = 2.0
# Of a cycle, beside its steps: it starts, and scores the network. Measured at each cycle; this is for the first.
_ASIDE_MINUTES = 0.5
_POLL_S = 0.5


def main() -> int:
    """Train until the time is over or all networks are finished; returns the exit status."""
    arguments, schedule = parse(), read_schedule()
    failed = set[str]()
    if not arguments.table:
        failed = train(arguments, schedule)
    elif arguments.runs:
        keep_exported(arguments.runs)
    (TRAIN / "SCHEDULE.md").write_text(table(schedule), encoding="utf-8")
    return 1 if failed else 0


def parse(words: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=Path, help="folder of the training split's cases")
    parser.add_argument("--held-out", type=Path, help="folder of the validation split's cases")
    parser.add_argument("--minutes", type=float, default=60, help="end after this time (default: 60)")
    parser.add_argument("--each", type=float, help="end each cycle after this time, too")
    parser.add_argument("--device", default="auto")
    parser.add_argument(
        "--batch",
        type=int,
        metavar="N",
        help="for a GPU: N views in a step, and all pixels of each (default: as the recipe, made for a CPU)",
    )
    parser.add_argument("--workers", type=int, metavar="N", help="see `bonescint train`")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="train these alone")
    parser.add_argument("--runs", type=Path, metavar="DIR", help="folder for the cycles (default: runs/schedule)")
    table_help = "only write SCHEDULE.md from what train/state holds; with --runs, first keep cycles that ended later"
    parser.add_argument("--table", action="store_true", help=table_help)
    arguments = parser.parse_args(words)
    if not arguments.table:
        arguments.runs = arguments.runs or Path("runs/schedule")
    if not (arguments.table or (arguments.cases and arguments.held_out)):
        parser.error("--cases and --held-out are needed")
    return arguments


def read_schedule() -> dict[str, Any]:
    """The order of the networks, and the rule that ends the training of one."""
    return tomllib.loads((TRAIN / "schedule.toml").read_text(encoding="utf-8"))


def train(arguments: argparse.Namespace, schedule: dict[str, Any]) -> set[str]:
    """Train cycle after cycle; returns the networks whose training failed."""
    end = time.monotonic() + 60 * arguments.minutes
    names, failed = arguments.only or schedule["order"], set[str]()
    least = min(_LEAST_MINUTES, arguments.each / 2) if arguments.each else _LEAST_MINUTES
    aside = _ASIDE_MINUTES
    while (left := (end - time.monotonic()) / 60 - aside) > least:
        states = {name: read_state(name) for name in names if name not in failed}
        open_names = [name for name, state in states.items() if not is_finished(state, schedule["finished"])]
        if not open_names:
            break
        # With --each, the network with the fewest steps; otherwise the first in the schedule.
        name = min(open_names, key=lambda each: steps_of(states[each])) if arguments.each else open_names[0]
        began = time.monotonic()
        try:
            train_cycle(name, arguments, min(left, arguments.each or left), began + 60 * (left + aside / 2))
        except (subprocess.CalledProcessError, OSError, ValueError, LookupError) as error:
            print(f"{name}: is left out: {error}", file=sys.stderr, flush=True)
            failed.add(name)
        else:
            aside = (time.monotonic() - began) / 60 - read_state(name)["cycles"][-1]["minutes"]
        (TRAIN / "SCHEDULE.md").write_text(table(schedule), encoding="utf-8")
    return failed


def train_cycle(name: str, arguments: argparse.Namespace, minutes: float, end: float = math.inf) -> None:
    """Train one cycle of a network, and copy its result to `train/state`.

    Its steps take `minutes`. At `end`, a value of `time.monotonic`, it is stopped, and its weights are kept.
    """
    state = read_state(name)
    recipe = tomllib.loads((TRAIN / "recipes" / f"{name}.toml").read_text(encoding="utf-8"))
    recipe["seed"] = len(state["cycles"]) + 1
    if arguments.batch:
        recipe |= {"batch": arguments.batch, "keep_phases": [4] * len(recipe["keep_phases"])}
    run = arguments.runs / f"cycle-{recipe['seed']}"
    run.mkdir(parents=True, exist_ok=True)
    path = run / f"{name}.toml"
    path.write_text(tomli_w.dumps(recipe), encoding="utf-8")
    command = [sys.executable, "-m", "napari_bonescint", "train", path, "--cases", arguments.cases]
    command += ["--held-out", arguments.held_out, "--runs", run, "--minutes", f"{minutes:.2f}"]
    command += ["--device", arguments.device]
    if arguments.workers is not None:
        command += ["--workers", arguments.workers]
    if state["cycles"]:
        command += ["--start", last_weights(name)]
    with subprocess.Popen([str(part) for part in command]) as process:
        wait(process, run / name, end)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, "bonescint train")
    keep(name, run / name)


def wait(process: subprocess.Popen[bytes], run: Path, end: float) -> None:
    """Wait for a training in the folder `run`. From `end` on, it stops after the present step, and exports."""
    while process.poll() is None:
        time.sleep(_POLL_S)
        if time.monotonic() > end and not (run / "request").exists():
            run.mkdir(exist_ok=True)
            (run / "request").write_text("stop", encoding="ascii")


def keep(name: str, run: Path) -> None:
    """Add a finished run of `bonescint train` to the state of network `name`.

    The folder `run` holds NAME.safetensors and NAME.json.
    """
    state = read_state(name)
    card = json.loads((run / f"{name}.json").read_text(encoding="utf-8"))
    training = card["training"]
    recipe, last = training["recipe"], training["history"][-1]
    state["cycles"].append(
        {
            "steps": training["steps_done"],
            **{key: recipe[key] for key in ("learning_rate", "seed", "batch", "keep_phases")},
            "started_from": training["started_from"],
            **{key: last[key] for key in ("simulator", "cases", "hardware", "precision")},
            "minutes": training["minutes"],
            "finished": training["finished"],
            "scores": card["scores"],
        }
    )
    STATE.mkdir(exist_ok=True)
    for suffix, content in (
        (".safetensors", (run / f"{name}.safetensors").read_bytes()),
        (".json", (run / f"{name}.json").read_bytes()),
        (".cycles.json", json.dumps(state, indent=1).encode()),
    ):
        fresh = STATE / f".{name}{suffix}.new"
        fresh.write_bytes(content)
        fresh.replace(STATE / f"{name}{suffix}")


def keep_exported(runs: Path) -> None:
    """Keep the cycles in `runs` that were exported after the schedule had been stopped."""
    for path in sorted(runs.glob("cycle-*/*/*.json")):
        name, cycle = path.stem, int(path.parents[1].name.removeprefix("cycle-"))
        is_next = name == path.parent.name and cycle == len(read_state(name)["cycles"]) + 1
        # Weights and card are written before the scores.
        if is_next and json.loads(path.read_text(encoding="utf-8")).get("scores"):
            keep(name, path.parent)


def read_state(name: str) -> dict[str, Any]:
    """The state of a network's training, with the list ``cycles``, which may be empty."""
    path = STATE / f"{name}.cycles.json"
    if not path.exists():
        return {"cycles": []}
    state: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return state


def last_weights(name: str) -> Path:
    """The weights of a network after its last cycle, shipped or not."""
    for folder in (STATE, SHIPPED):
        if (path := folder / f"{name}.safetensors").exists():
            return path
    raise FileNotFoundError(f"there are no weights of {name} in {STATE} or {SHIPPED}")


def steps_of(state: dict[str, Any]) -> int:
    """Number of steps in all cycles."""
    return sum(cycle["steps"] for cycle in state["cycles"])


def validation_dice(cycle: dict[str, Any]) -> float:
    """Mean skeleton Dice over the validation split after a cycle."""
    return next(float(score["value"]) for score in cycle["scores"] if score["metric"] == "skeleton Dice")


def is_finished(state: dict[str, Any], rule: dict[str, float]) -> bool:
    """True if Dice rose by less than `rule["rise"]` over the last third of the steps, measured at ends of cycles."""
    total, cycles = steps_of(state), state["cycles"]
    if len(cycles) < 2 or total < rule["steps"]:
        return False
    done, before = 0, None
    for cycle in cycles:
        done += cycle["steps"]
        if done <= 2 * total / 3:
            before = validation_dice(cycle)
    return before is not None and validation_dice(cycles[-1]) - before < rule["rise"]


def table(schedule: dict[str, Any]) -> str:
    """The page SCHEDULE.md: order, state and validation Dice of the networks."""
    rule = schedule["finished"]
    lines = [
        "# The training schedule",
        "",
        "Made by `python train/schedule.py --table` from `schedule.toml` and `state/`. Do not edit.",
        "",
        "The command `python train/schedule.py --cases DIR --held-out DIR --minutes M` trains the networks in this",
        "order, in cycles with a warm restart between them. A network is finished after at least",
        f"{rule['steps']:,} steps, when its Dice on the 20 scans of the validation split rose by less than",
        f"{rule['rise']} over the last third of them. The folder `state/` holds the weights of unfinished networks in",
        "half precision, with their card and a list of all cycles.",
        "",
        "| network | state | cycles | steps | hours | hardware | cases | validation Dice after each cycle |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    is_next = True
    for name in schedule["order"]:
        state = read_state(name)
        cycles = state["cycles"]
        finished = is_finished(state, rule)
        word = "finished" if finished else "next" if is_next else "open" if cycles else "to do"
        is_next = is_next and finished
        dice = ", ".join(f"{validation_dice(cycle):.4f}" for cycle in cycles) or "–"
        hardware = "; ".join(dict.fromkeys(cycle["hardware"] for cycle in cycles)) or "–"
        cases = ", ".join(dict.fromkeys(str(cycle["cases"] or "new ones") for cycle in cycles)) or "–"
        hours = sum(cycle["minutes"] for cycle in cycles) / 60
        lines.append(
            f"| {name} | {word} | {len(cycles)} | {steps_of(state):,} | {hours:.1f} | {hardware} | {cases} | {dice} |"
        )
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    sys.exit(main())
