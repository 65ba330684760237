import torch

from napari_bonescint.networks.unet import UNet


def test_on_phases_a_grid_twice_as_coarse_gives_a_logit_for_each_pixel() -> None:
    network = UNet((4, 8), outputs=3, phases=True).eval()
    assert network.multiple == 4
    widths = []
    network.encoder[0].register_forward_hook(lambda _module, inputs, _output: widths.append(inputs[0].shape))
    with torch.inference_mode():
        logits = network(torch.rand(1, 1, 16, 8))
    assert widths == [(1, 4, 8, 4)]
    assert logits.shape == (1, 3, 16, 8)
