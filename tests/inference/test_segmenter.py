from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from napari_bonescint.errors import Cancelled
from napari_bonescint.inference.model_card import ModelError
from napari_bonescint.inference.preprocessing import normalise
from napari_bonescint.inference.segmenter import ScanError, Segmenter, is_out_of_memory
from napari_bonescint.networks.zoo import build_network
from napari_bonescint.scan import Scan, View, ViewName

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_bonescint.inference.model_card import ModelCard

    MakeModel = Callable[..., ModelCard]


def test_regions_model_gives_masks_of_the_scans_shape(make_model: MakeModel, scan: Scan) -> None:
    progress: list[float] = []
    result = Segmenter(make_model(), "cpu").segment(scan, on_progress=progress.append)
    assert result.skeleton.shape == result.regions.shape == result.probability.shape == scan.counts.shape
    assert result.skeleton.dtype == result.regions.dtype == np.uint8
    np.testing.assert_array_equal(result.skeleton, result.regions > 0)
    np.testing.assert_array_equal(result.skeleton, result.probability >= 0.5)
    assert 0 <= result.probability.min() <= result.probability.max() <= 1
    assert (result.device, result.device_reason) == ("cpu", "CPU: chosen by the user")
    assert result.seconds > 0
    assert progress == sorted(progress)
    assert progress[-1] == 1


def test_skeleton_model_is_the_network_on_its_grid(make_model: MakeModel, scan: Scan) -> None:
    card = make_model(outputs=1)
    spaced = replace(scan, spacing=(card.grid_mm, card.grid_mm))
    result = Segmenter(card, "cpu").segment(spaced)
    assert result.regions is None
    torch.manual_seed(0)
    network = build_network("fdn-5", outputs=1)
    with torch.inference_mode():
        expected = torch.sigmoid(network(torch.from_numpy(normalise(scan.counts[1].astype(np.float32)))[None, None]))
    np.testing.assert_allclose(result.probability[1], expected[0, 0].numpy(), atol=1e-4)


def test_views_do_not_influence_each_other(make_model: MakeModel, scan: Scan) -> None:
    segmenter = Segmenter(make_model(), "cpu")
    both = segmenter.segment(scan)
    alone = segmenter.segment(Scan(scan.counts[1:], (View(ViewName.POSTERIOR),), scan.spacing))
    np.testing.assert_allclose(alone.probability[0], both.probability[1], atol=1e-5)


def test_mirrored_model_sees_left_and_right_alike(make_model: MakeModel, scan: Scan) -> None:
    turned = replace(scan, counts=scan.counts[..., ::-1])
    plain, mirrored = (Segmenter(replace(make_model(), mirrored=value), "cpu") for value in (False, True))
    difference = [
        np.abs(model.segment(scan).probability - model.segment(turned).probability[..., ::-1]).max()
        for model in (plain, mirrored)
    ]
    assert difference[1] < 1e-5 < 0.01 < difference[0]


def test_temperature_makes_the_probability_less_sure(make_model: MakeModel, scan: Scan) -> None:
    cold, warm = (
        Segmenter(replace(make_model(outputs=1), temperature=value), "cpu").segment(scan).probability
        for value in (1.0, 3.0)
    )
    assert np.abs(warm - 0.5).mean() < 0.6 * np.abs(cold - 0.5).mean()


def test_missing_spacing_is_assumed_and_said(make_model: MakeModel, scan: Scan) -> None:
    result = Segmenter(make_model(), "cpu").segment(replace(scan, spacing=None))
    assert result.warnings[0] == "A pixel size of 2.26 mm was assumed; if bones are cut wrongly, set it."


def test_an_impossible_size_is_refused(make_model: MakeModel, scan: Scan) -> None:
    with pytest.raises(ScanError, match="The image would be 6 m long with pixels of 45 mm; give the right spacing"):
        Segmenter(make_model(), "cpu").segment(replace(scan, spacing=(45.0, 44.0)))


def test_cancelling_raises(make_model: MakeModel, scan: Scan) -> None:
    with pytest.raises(Cancelled):
        Segmenter(make_model(), "cpu").segment(scan, is_cancelled=lambda: True)


def test_warming_up_stops_for_somebody_who_waits(make_model: MakeModel) -> None:
    segmenter = Segmenter(make_model(), "cpu")
    segmenter.warm_up()
    with pytest.raises(Cancelled):
        segmenter.warm_up(is_cancelled=lambda: True)


def test_damaged_weights_are_refused(make_model: MakeModel) -> None:
    card = make_model()
    data = bytearray(card.weights_path.read_bytes())
    data[-1] ^= 1
    card.weights_path.write_bytes(data)
    with pytest.raises(ModelError, match=r"tiny\.safetensors: its SHA-256 differs"):
        Segmenter(card, "cpu")


def test_weights_of_another_network_are_refused(make_model: MakeModel) -> None:
    with pytest.raises(ModelError, match=r"does not hold the weights of fdn-11"):
        Segmenter(replace(make_model(), architecture="fdn-11"), "cpu")


def test_another_normalisation_is_refused(make_model: MakeModel) -> None:
    with pytest.raises(ModelError, match=r"needs the input normalisation percent/9"):
        Segmenter(replace(make_model(), normalisation="percent/9"), "cpu")


def test_a_class_count_that_is_no_mask_is_refused(make_model: MakeModel) -> None:
    with pytest.raises(ModelError, match="has 5 outputs"):
        Segmenter(make_model(outputs=5), "cpu")


def test_an_unknown_network_is_refused(make_model: MakeModel) -> None:
    with pytest.raises(ModelError, match="Model tiny: There is no network 'fdn-99'"):
        Segmenter(replace(make_model(), architecture="fdn-99"), "cpu")


@pytest.mark.parametrize(
    ("error", "full"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"), True),
        (RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"), True),
        (RuntimeError("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED"), True),
        (RuntimeError("GET was unable to find an engine to execute this computation"), True),
        (RuntimeError("CUDA error: out of memory"), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
    ],
)
def test_a_full_gpu_is_told_from_other_errors(error: RuntimeError, full: bool) -> None:
    assert is_out_of_memory(error) is full


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_full_gpu_is_given_up_for_the_cpu(make_model: MakeModel, scan: Scan) -> None:
    card = make_model(architecture="fdn-13")
    segmenter = Segmenter(card, "cuda")
    torch.cuda.empty_cache()  # what other tests left would do
    torch.cuda.set_per_process_memory_fraction(1e-4)
    try:
        result = segmenter.segment(scan)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert result.device == "cpu"
    assert result.warnings[0] == "CPU: cuda:0 ran out of memory."
    np.testing.assert_array_equal(result.skeleton, Segmenter(card, "cpu").segment(scan).skeleton)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_gpu_and_cpu_agree(make_model: MakeModel, scan: Scan) -> None:
    card = make_model(architecture="fdn-13")
    gpu, cpu = (Segmenter(card, device).segment(scan) for device in ("cuda", "cpu"))
    assert gpu.device.startswith("cuda")
    np.testing.assert_allclose(gpu.probability, cpu.probability, atol=1e-2)
