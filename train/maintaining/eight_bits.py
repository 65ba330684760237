"""Store the weights of models as eight-bit integers with a scale for each output channel: half the size.

    python train/maintaining/eight_bits.py --model fdn-16e fdn-16be

The convolutions' weights change by up to 1/254 of the largest one of their channel. The card gets the new hash, and
loses what was measured for the former weights. So run `quantise.py`, `halve.py` and `bonescint evaluate` afterwards.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib

from safetensors.torch import save
from torch import Tensor, int8

from napari_bonescint.commands import argument_types
from napari_bonescint.files.atomic import write_bytes_atomically
from napari_bonescint.inference.weights import SCALE, read_tensors
from napari_bonescint.training.loop.checkpoint import write_card

_LARGEST = 127
_FEWEST = 256


def main() -> None:
    """Store the models anew."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=argument_types.model, nargs="+", required=True, metavar="NAME|FILE")
    for card in parser.parse_args().model:
        data = save(in_eight_bits(read_tensors(card.read_weights())))
        write_bytes_atomically(card.weights_path, data)
        digest = hashlib.sha256(data).hexdigest()
        write_card(dataclasses.replace(card, weights_sha256=digest, int8=None, half=None), card.weights_path.parent)
        print(f"{card.name}: {len(data):,} bytes")


def in_eight_bits(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Tensors to store: large weights as integers with their scales, the others in half precision."""
    stored: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        if tensor.ndim < 2 or tensor.numel() < _FEWEST:
            stored[name] = (tensor.half() if tensor.is_floating_point() else tensor).contiguous()
            continue
        weights = tensor.float()
        scale = (weights.abs().amax(dim=tuple(range(1, weights.ndim)), keepdim=True) / _LARGEST).half()
        rounded = (weights / scale.float().clamp(min=1e-12)).round().clamp(-_LARGEST, _LARGEST)
        stored[name], stored[name + SCALE] = rounded.to(int8).contiguous(), scale.flatten()
    return stored


if __name__ == "__main__":
    main()
