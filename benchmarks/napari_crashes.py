"""Kill napari at random moments during a correction, and check that the next start offers the draft.

    scripts/on_display.sh python benchmarks/napari_crashes.py --kills 20

Each napari opens the panel "Correct masks" with the same settings and the same label store, opens the draft of the
previous one, and draws strokes with the mouse until it is killed (SIGKILL), up to 8 seconds after the first stroke.
Each stroke has its own place, so the strokes in a draft can be counted. Three conditions must hold: the offered draft
has all strokes that ended more than 5 seconds before the kill; it has no stroke without those before it; and one Undo
removes the draft, and Redo restores it.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from napari_bonescint.corrections.store.label_store import LabelStore
from napari_bonescint.formats.opening import open_scan
from napari_bonescint.gui.samples import SAMPLES

LIMIT_S = 5.0
LONGEST_S = 8.0
_ANNOTATING = Path(__file__).with_name("annotating_napari.py")


class Kill(NamedTuple):
    """Result of one kill.

    Attributes
    ----------
    drawn, kept : int
        Number of strokes at the kill, and in the draft that the next napari offered.
    lost_s : float
        Seconds from the end of the first lost stroke to the kill; 0 if no stroke is lost.
    whole : bool
        True if the second and the third condition hold.
    """

    drawn: int
    kept: int
    lost_s: float
    whole: bool

    @property
    def is_harmless(self) -> bool:
        """True if all three conditions hold."""
        return self.lost_s <= LIMIT_S and self.whole


class Annotating:
    """A process with a napari in which a mask is corrected.

    Parameters
    ----------
    folder : Path
        Holds the label store and the settings, and takes what napari complains about.
    """

    def __init__(self, folder: Path) -> None:
        self._log = folder / "complaints.txt"
        # napari's settings are separate, too, so the user's settings stay unchanged.
        environment = os.environ | {"NAPARI_CONFIG": str(folder / "napari.yaml")}
        command = [sys.executable, str(_ANNOTATING), str(folder)]
        with self._log.open("w") as log:
            self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, env=environment, text=True)

    def hear(self) -> dict[str, Any]:
        """The next message of the process.

        Raises
        ------
        RuntimeError
            If it ended instead.
        """
        if self._process.stdout is None or not (line := self._process.stdout.readline()):
            self._process.wait()
            raise RuntimeError(f"napari ended by itself:\n{self._log.read_text()}")
        said: dict[str, Any] = json.loads(line)
        return said

    def kill(self) -> tuple[float, list[float]]:
        """Kill the process; return the time of the kill, and the times at which strokes ended."""
        when = time.time()
        self._process.kill()
        rest, _ = self._process.communicate()
        strokes = []
        for line in rest.splitlines():
            with suppress(ValueError):  # an incomplete line
                strokes.append(float(json.loads(line)["stroke"]))
        return when, strokes


def kill_often(kills: int, seed: int) -> list[Kill]:
    """Kill one napari after the other; return the result of each kill."""
    moments = random.Random(seed)  # noqa: S311 - no secret
    outcomes: list[Kill] = []
    ended: list[float] = []  # when each stroke in the mask had ended
    killed = 0.0
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as parent:
        folder = Path(parent)
        store = LabelStore.create(folder / "store")
        store.add(open_scan(SAMPLES / "simulated.dcm"))
        for number in range(kills + 1):
            napari = Annotating(folder)
            try:
                offer = napari.hear()
                if number:
                    kept = offer["strokes"]
                    lost_s = killed - ended[kept] if kept < len(ended) else 0.0
                    outcomes.append(Kill(len(ended), kept, lost_s, offer["whole"]))
                    # One that was not heard of any more may be there, too.
                    ended = ended[:kept] + [killed] * (kept - len(ended))
                if number < kills:
                    ended.append(napari.hear()["stroke"])
                    time.sleep(moments.uniform(0, LONGEST_S))
            finally:
                killed, drawn = napari.kill()
            ended += drawn
    return outcomes


def main() -> int:
    """Kill and report; return 1 if a condition was violated."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20, help="how many (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the moments (default: %(default)s)")
    options = parser.parse_args()
    outcomes = kill_often(options.kills, options.seed)
    for outcome in outcomes:
        print(
            f"{outcome.drawn} strokes drawn, {outcome.kept} offered, {outcome.lost_s:.1f} s lost, "
            f"{'complete and one Undo' if outcome.whole else 'NOT complete or not one Undo'}"
        )
    worst = max(outcome.lost_s for outcome in outcomes)
    wrong = sum(not outcome.is_harmless for outcome in outcomes)
    print(f"{len(outcomes)} kills: at most {worst:.1f} s lost; {wrong} times more than {LIMIT_S:g} s or not whole")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
