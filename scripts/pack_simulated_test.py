"""Make train/simulated-test, on which new weights are judged, from cases that `bonescint simulate --split test` made.

bonescint simulate --out data/test --split test
python scripts/pack_simulated_test.py --cases data/test
"""

from __future__ import annotations

import argparse
from pathlib import Path

from napari_bonescint.evaluation.shipped_test_set import pack, shipped_test_folder
from napari_bonescint.files.atomic import write_bytes_atomically
from napari_bonescint.simulation.case import Case
from napari_bonescint.simulation.splits import case_path, read_splits

# As many as fit into 400 kB.
_BODIES = 15


def main() -> None:
    """Write the files and tell their size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", metavar="DIR", type=Path, required=True, help="folder of the test split's cases")
    cases = parser.parse_args().cases
    split = read_splits()["test"]
    folder = shipped_test_folder()
    folder.mkdir(exist_ok=True)
    sizes = []
    for seed in split.seeds[:_BODIES]:
        content = pack(Case.load(case_path(cases, seed)), split.total(seed))
        write_bytes_atomically(folder / f"{seed}.webp", content)
        sizes.append(len(content))
    print(f"{len(sizes)} bodies, {sum(sizes) / 1000:.0f} kB in {folder}")


if __name__ == "__main__":
    main()
