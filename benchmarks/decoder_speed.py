"""Measure the extra time of decoding compressed images in a child process, relative to the whole segmentation.

    python benchmarks/decoder_speed.py

A scan of two views of the usual size is decoded alternately in this process and in the child of `decoder_process`, and
segmented by the default model. Then `bonescint segment` runs alternately on a compressed and an uncompressed scan,
timed from the start of Python to its end.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pydicom
from pydicom.encaps import generate_frames
from pydicom.uid import ExplicitVRLittleEndian, JPEG2000Lossless, JPEGLosslessSV1, JPEGLSLossless, RLELossless

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from dicom_files import nm_dataset, save
from napari_bonescint.formats.dicom.codecs import decode_frames
from napari_bonescint.formats.opening import open_scan
from napari_bonescint.formats.safe_reading.decoder_process import DECODER
from napari_bonescint.inference.model_registry import current_model
from napari_bonescint.inference.segmenter import Segmenter

if TYPE_CHECKING:
    from collections.abc import Callable

SHAPE = (2, 1024, 256)
SYNTAXES = (RLELossless, JPEGLosslessSV1, JPEGLSLossless, JPEG2000Lossless)


def body(generator: np.random.Generator) -> np.ndarray:
    """Noisy counts of a blurred body shape, about as compressible as a scan."""
    y, x = np.mgrid[-1 : 1 : SHAPE[1] * 1j, -1 : 1 : SHAPE[2] * 1j]
    uptake = 30 * np.exp(-((x / 0.35) ** 2) - (y / 0.8) ** 4)
    return generator.poisson(uptake + 0.3, SHAPE).astype(np.uint16)


def seconds(work: Callable[[], object]) -> float:
    """Duration of a call in seconds."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def alternately(rounds: int, *works: Callable[[], object]) -> list[float]:
    """Median duration of each of several calls, made in turn."""
    taken = [[seconds(work) for work in works] for _ in range(rounds)]
    return [statistics.median(column) for column in zip(*taken, strict=True)]


def main() -> None:
    """Measure, and print a line for each transfer syntax."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9, help="how often each is measured (default: %(default)s)")
    rounds = parser.parse_args().rounds
    counts = body(np.random.default_rng(1))
    segmenter = Segmenter(current_model(), "cpu")
    with tempfile.TemporaryDirectory() as folder:
        for syntax in SYNTAXES:
            path = save(nm_dataset(counts), Path(folder, "scan.dcm"), syntax)
            streams = list(generate_frames(pydicom.dcmread(path).PixelData, number_of_frames=len(counts)))
            facts = {
                "transfer_syntax": str(syntax), "lengths": [len(stream) for stream in streams], "rows": SHAPE[1],
                "columns": SHAPE[2], "bits_allocated": 16, "bits_stored": 16, "pixel_representation": 0,
                "samples_per_pixel": 1, "photometric_interpretation": "MONOCHROME2", "pixel_keyword": "PixelData",
            }  # fmt: skip
            data = b"".join(streams)
            scan = open_scan(path)
            segmenter.segment(scan)
            here, there, opening, segmenting = alternately(
                rounds,
                partial(decode_frames, data, **facts),
                partial(DECODER.decode, path, decode_frames, data, **facts),
                partial(open_scan, path),
                partial(segmenter.segment, scan),
            )
            whole = opening + segmenting
            print(
                f"{syntax.name.split(',')[0]}: decoded here {1000 * here:.1f} ms, in the child {1000 * there:.1f} ms; "
                f"opening and segmenting a scan {1000 * whole:.0f} ms, {whole / (whole - there + here):.3f} of that "
                "with decoding in this process"
            )
        DECODER.close()
        ways = []
        for name, syntax in (("plain", ExplicitVRLittleEndian), ("compressed", JPEGLosslessSV1)):
            path = save(nm_dataset(counts), Path(folder, f"{name}.dcm"), syntax)
            words = [sys.executable, "-m", "napari_bonescint", "segment", path, "--out", folder, "--overwrite"]
            ways.append(partial(subprocess.run, words, check=True, capture_output=True))
        plain, compressed = alternately(max(3, rounds // 2), *ways)
        print(
            f"`bonescint segment` of one scan: {plain:.2f} s uncompressed, {compressed:.2f} s compressed, with the "
            f"start of the child (ratio {compressed / plain:.3f})"
        )


if __name__ == "__main__":
    main()
