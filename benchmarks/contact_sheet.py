"""Draw simulated scans beside the real NM1 scan: one display setting, one physical scale.

    python benchmarks/contact_sheet.py --geometry data/cases/skeleton.npz --out docs/simulated-beside-real.webp

Each row shows NM1 (it has only an anterior view), then both views of three simulated patients: the first with as many
counts as NM1, the others with fewer counts, like most scans. Needs the extra [simulate].
"""

from __future__ import annotations

import argparse
import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from likeness import NM1_COUNTS, count_anterior, read_nm1
from napari_bonescint.display import contrast_limits
from napari_bonescint.files.atomic import write_bytes_atomically
from napari_bonescint.simulation.case import simulate
from napari_bonescint.simulation.pose import load_skeleton

if TYPE_CHECKING:
    from napari_bonescint.scan import Scan

_MM = 4.4
_SIZE = (120, 434)
_MARGIN = 8
_CAPTION = 30
_GAP = 4
_PATIENTS = 3
_QUALITY = 70
_COUNTS = (NM1_COUNTS, 1.2e6, 0.5e6)


def draw_view(scan: Scan, index: int, name: str) -> Image.Image:
    """One view as the plugin shows it, at `_MM` per pixel, with a caption."""
    if scan.spacing is None:
        raise ValueError("a scan without spacing has no physical scale")
    counts = scan.counts[index].astype(np.float32)
    white, black = contrast_limits(counts)
    grey = 255 * (1 - np.clip((counts - white) / (black - white), 0, 1))
    rows, columns = (round(n * mm / _MM) for n, mm in zip(counts.shape, scan.spacing, strict=True))
    picture = Image.fromarray(grey.astype(np.uint8)).resize((columns, rows), Image.Resampling.BOX)
    # From the vertex on, wherever it lies in the field of view.
    profile = counts.sum(axis=1)
    top = round(int(np.argmax(profile > 0.1 * profile.mean())) * scan.spacing[0] / _MM) - _MARGIN
    width, height = _SIZE
    tile = Image.new("L", (width, height + _CAPTION), 255)
    shown = picture.crop((0, max(top, 0), columns, min(max(top, 0) + height, rows)))
    tile.paste(shown, ((width - columns) // 2, _CAPTION))
    text = f"{name}, {scan.views[index].name}\n{counts.sum() / 1e6:.2f} million counts"
    ImageDraw.Draw(tile).text((width / 2, 2), text, 0, ImageFont.load_default(11), "ma", 2, "center")
    return tile


def main() -> None:
    """Draw as the command line asks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--geometry", type=Path, required=True, help="skeleton.npz that `bonescint simulate` made")
    parser.add_argument("--out", type=Path, required=True, help="the WebP picture to write")
    parser.add_argument("--seeds", type=int, nargs="+", default=range(100, 106), help="patients (default 100 to 105)")
    options = parser.parse_args()

    real = draw_view(read_nm1(), 0, "NM1 (real)")
    skeleton = load_skeleton(options.geometry)
    width, height = real.width + _GAP, real.height + _GAP
    rows = -(-len(options.seeds) // _PATIENTS)
    sheet = Image.new("L", ((1 + 2 * _PATIENTS) * width, rows * height), 255)
    for place, seed in enumerate(options.seeds):
        row, patient = divmod(place, _PATIENTS)
        scan = count_anterior(simulate(skeleton, seed), seed, _COUNTS[place % len(_COUNTS)])
        sheet.paste(real, (0, row * height))
        for view in range(len(scan.views)):
            sheet.paste(draw_view(scan, view, f"seed {seed}"), ((1 + 2 * patient + view) * width, row * height))
    buffer = io.BytesIO()
    sheet.save(buffer, "WEBP", quality=_QUALITY, method=6)
    write_bytes_atomically(options.out, buffer.getvalue())


if __name__ == "__main__":
    main()
