"""Train networks from a checkout, as `bonescint train` does.

bonescint simulate --out data/training --split training --count 500 --workers 2
bonescint simulate --out data/validation --split validation
python train/train.py train/recipes/u-net.toml --cases data/training --held-out data/validation --minutes 60
python train/train.py --help
"""

from __future__ import annotations

import sys

from napari_bonescint.cli import main

if __name__ == "__main__":
    raise SystemExit(main(["train", *sys.argv[1:]]))
