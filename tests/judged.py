"""What models are judged on in tests: a label store of held-out patients, and networks whose masks mean something."""

from __future__ import annotations

import hashlib
from itertools import count
from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.anatomy import CODES, REGIONS
from napari_bonescint.corrections.store.keys import keys_of
from napari_bonescint.corrections.store.label_store import LabelStore
from napari_bonescint.corrections.store.patient_split import Part, part_of_patient
from napari_bonescint.formats.dicom.identity import Identity
from napari_bonescint.inference.model_card import ModelCard, read_card
from napari_bonescint.inference.preprocessing import NORMALISATION
from napari_bonescint.scan import Scan, View, ViewName

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_bonescint.corrections.store.records.revision import Origin

BONE = CODES["thoracic_spine"]


def threshold_model(folder: Path, name: str, threshold: float, outputs: int = len(REGIONS)) -> ModelCard:
    """An FDN-5 that calls bone, and the thoracic spine, whatever is brighter than a threshold; 1 is bright bone."""
    import torch
    from safetensors.torch import save

    from napari_bonescint.networks.zoo import build_network, count_parameters

    network = build_network("fdn-5", outputs=outputs)
    state = {key: torch.zeros_like(value) for key, value in network.state_dict().items()}
    for key, value in state.items():
        if value.ndim == 4 and key != "head.weight":
            value[0, 0, 1, 1] = 1
    bone = BONE if outputs > 1 else 0
    if outputs > 1:
        state["head.bias"][1:] = -30
    state["head.weight"][bone, 0], state["head.bias"][bone] = 20, -20 * threshold
    data = save(state)
    (folder / f"{name}.safetensors").write_bytes(data)
    card = ModelCard(
        name=name,
        description="A threshold, for tests",
        architecture="fdn-5",
        outputs=outputs,
        parameters=count_parameters(network),
        grid_mm=6.0,
        normalisation=NORMALISATION,
        weights_sha256=hashlib.sha256(data).hexdigest(),
    )
    (folder / f"{name}.json").write_text(card.to_json(), encoding="utf-8")
    return read_card(folder / f"{name}.json")


def bar_scan(seed: int) -> tuple[Scan, NDArray[np.uint8]]:
    """A bright bar in soft tissue seen from both sides, and its true regions; another one for each seed."""
    rng = np.random.default_rng(seed)
    regions = np.zeros((2, 96, 48), np.uint8)
    regions[:, 16:80, 20 : 28 + seed % 4] = BONE
    soft = np.zeros(regions.shape)
    soft[:, 8:88, 8:40] = 30
    counts = rng.poisson(soft + 220 * (regions > 0)).astype(np.uint16)
    return Scan(counts, (View(ViewName.ANTERIOR), View(ViewName.POSTERIOR)), (6.0, 6.0)), regions


def corrected_store(
    folder: Path,
    patients: int,
    origin: Origin,
    *,
    names_regions: bool = True,
    held_out: bool = True,
    first: int = 0,
    uncorrected: Scan | None = None,
) -> LabelStore:
    """A label store with a reviewed mask of each of some patients, all of whom are held out from training, or none.

    The scans are those of `bar_scan` from seed `first` on; `uncorrected` is another one of the first patient.
    """
    store = LabelStore.create(folder)
    secret = (folder / "secret").read_bytes()
    seeds = count()
    for number in range(first, first + patients):
        scan, regions = bar_scan(number)
        identities = (Identity(patient=f"patient {seed}") for seed in seeds)
        parts = ((each, part_of_patient(keys_of(secret, scan, each).patient)) for each in identities)
        patient = next(each for each, part in parts if (part is Part.JUDGED) == held_out)
        mask = regions if names_regions else (regions > 0).astype(np.uint8)
        # A single bone everywhere would be taken for a mask that names none.
        mask[:, 84, 20:26] = CODES["lumbar_spine"] if names_regions else 1
        case = store.add(scan, patient)
        if uncorrected is not None and number == first:
            store.add(uncorrected, patient)
        store.save(case, mask, origin, annotator="Ada", reviewed=True, names_regions=names_regions)
    return store
