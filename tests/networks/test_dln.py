import torch

from napari_bonescint.networks.zoo import build_network


def test_it_begins_with_the_layers_of_fdn_11() -> None:
    shapes = {name: value.shape for name, value in build_network("dln-11").state_dict().items()}
    for name, value in build_network("fdn-11").state_dict().items():
        if name.startswith("stages"):
            assert shapes[name] == value.shape


def test_upsampling_starts_as_bilinear_interpolation() -> None:
    torch.manual_seed(0)
    up = build_network("dln-11").up[-1]
    coarse = torch.randn(1, 8, 6, 5)
    with torch.inference_mode():
        fine = up(coarse)
        mixed = torch.einsum("io,niyx->noyx", up.weight[:, :, 1, 1] / 0.75**2, coarse)
        expected = torch.nn.functional.interpolate(mixed, scale_factor=2, mode="bilinear", align_corners=False)
    assert fine.shape == (1, 8, 12, 10)
    # Beyond the border there are zeros instead of the border repeated.
    torch.testing.assert_close(fine[..., 1:-1, 1:-1], expected[..., 1:-1, 1:-1], rtol=1e-4, atol=1e-5)


def test_resolution_is_lost_in_the_poolings() -> None:
    assert build_network("dln-11").multiple == 32
