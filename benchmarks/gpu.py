"""Measure the speed of FDN-13 on a CUDA device, relative to the device's measured peak, and of its training.

    python3 benchmarks/gpu.py
    python3 benchmarks/gpu.py --cases data/training --workers 12

Runs from a checkout, even if the package is not installed: numpy, scipy, safetensors and PyTorch are enough. With
--cases (a folder of `bonescint simulate`), it also times training, with the loader and with a plain loop; that needs
pydicom, platformdirs, scikit-image, tifffile and lightning-fabric. The images are noise, because the time does not
depend on their content. Takes one to two minutes; `bonescint benchmark` measures other models.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from napari_bonescint.inference.backends.torch_gpu_engine import TorchGpuEngine
    from napari_bonescint.inference.model_card import ModelCard

_ROOT = Path(__file__).parents[1]


def main() -> int:
    """Measure, and print one line for each precision and form."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda:0", help="(default: %(default)s)")
    parser.add_argument("--model", default="fdn-13", help="name of a shipped model (default: %(default)s)")
    parser.add_argument("--rows", type=int, default=1024, help="(default: %(default)s)")
    parser.add_argument("--columns", type=int, default=256, help="(default: %(default)s)")
    parser.add_argument("--batch", type=int, default=2, help="views in one pass (default: %(default)s)")
    parser.add_argument("--matrix", type=int, default=8192, help="rows, to measure the peak (default: %(default)s)")
    parser.add_argument("--precision", nargs="+", help="(default: all that the device is made for)")
    parser.add_argument("--cases", type=Path, help="folder of simulated cases, to train on")
    parser.add_argument("--steps", type=int, default=100, help="of training in each round (default: %(default)s)")
    parser.add_argument("--workers", type=int, default=8, help="that make examples (default: %(default)s)")
    options = parser.parse_args()
    if options.device != "cpu":
        torch.cuda.set_device(options.device)
    name = torch.cuda.get_device_name() if options.device != "cpu" else "CPU"
    print(f"{name}, PyTorch {torch.__version__}, cuDNN {torch.backends.cudnn.version()}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        find_package(Path(folder))
        network_speed(options)
        if options.cases is not None:
            training_speed(options)
    return 0


def find_package(folder: Path) -> None:
    """Make the checkout importable, with metadata for its version if it is not installed."""
    sys.path.insert(0, str(_ROOT / "src"))
    try:
        version("napari-bonescint")
    except PackageNotFoundError:
        facts = folder / "napari_bonescint-0.dist-info"
        facts.mkdir()
        (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: napari-bonescint\nVersion: 0\n")
        sys.path.append(str(folder))


def network_speed(options: argparse.Namespace) -> None:
    """Time both forms in each precision, from a recorded graph and eager, and the first passes."""
    from napari_bonescint.inference.agreement import bone
    from napari_bonescint.inference.backends.torch_engine import TorchEngine
    from napari_bonescint.inference.backends.torch_gpu_engine import TorchGpuEngine
    from napari_bonescint.inference.gpu_benchmark import peak_flops, precisions_of
    from napari_bonescint.inference.model_card import read_card

    card = read_card(_ROOT / "weights" / f"{options.model}.json")
    images = np.random.default_rng(0).random((options.batch, options.rows, options.columns), np.float32)
    reference = bone(TorchEngine(card).logits(images))
    for precision in options.precision or precisions_of(options.device):
        peak = peak_flops(options.device, precision, options.matrix)
        for form, graphs in product(("phase-split", "dilated"), (True, False)):
            way_speed(
                partial(TorchGpuEngine, card, options.device, precision, form), graphs, card, images, peak, reference
            )
        chosen = TorchGpuEngine(card, options.device, precision)
        chosen.logits(images)
        print(f"{precision}: the engine chooses {chosen.form}", flush=True)


def way_speed(
    load: Callable[[], TorchGpuEngine],
    graphs: bool,
    card: ModelCard,
    images: NDArray[np.float32],
    peak: float,
    reference: NDArray[np.float32],
) -> None:
    """Time one precision and form; see `measure_engine`."""
    from napari_bonescint.inference.gpu_benchmark import measure_engine

    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    passes = [time.perf_counter()]
    engine = load()
    if not graphs:
        engine.graphs_refused = "not asked for"
    for _ in range(3):
        engine.logits(images)
        passes.append(time.perf_counter())
    timing = measure_engine(engine, card, images, peak, reference)
    print(timing)
    first = ", ".join(f"{1000 * seconds:.0f}" for seconds in np.diff(passes))
    memory = torch.cuda.max_memory_allocated() / 1e6 if torch.cuda.is_available() else 0
    print(f"    difference {timing.largest_difference:.1e}, Dice {timing.dice:.4f}; load and first passes {first} ms;")
    print(f"    {memory:.0f} MB; graphs: {engine.graphs_refused or 'recorded'}", flush=True)


def training_speed(options: argparse.Namespace) -> None:
    """Time training with the loader and with a plain loop."""
    sys.path.insert(0, str(Path(__file__).parent))
    from napari_bonescint.training.data.sources import SimulatedCaseFiles
    from napari_bonescint.training.loop.fabric import choose_precision
    from napari_bonescint.training.loop.recipe import read_recipe
    from training_speed import Timing, our_loop, plain_loop

    recipe = read_recipe(_ROOT / "train" / "recipes" / f"{options.model}.toml")
    cases = SimulatedCaseFiles(sorted(options.cases.glob("case_*.npz")))
    ways = {
        "plain": plain_loop(recipe, cases, options.device, options.steps),
        "ours": our_loop(
            recipe, cases, options.device, options.steps, choose_precision(options.device), options.workers
        ),
    }
    for name, train in ways.items():
        train()
        timing = Timing()
        for _ in range(2):
            timing.add(train)
        print(
            f"training, {name}: {statistics.median(timing.wall):.1f} scans/s with {options.workers} workers", flush=True
        )


if __name__ == "__main__":
    sys.exit(main())
