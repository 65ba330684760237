import pytest
import torch

from napari_bonescint.training.data.counted_examples import UNNAMED_BONE
from napari_bonescint.training.data.simulated_examples import UNKNOWN
from napari_bonescint.training.loop.losses import segmentation_loss, shares


def one_hot(classes: int) -> torch.Tensor:
    codes = torch.randint(0, classes, (3, 8, 8), generator=torch.Generator().manual_seed(0))
    return torch.nn.functional.one_hot(codes, classes).permute(0, 3, 1, 2).float()


def test_right_logits_cost_nothing_and_wrong_ones_much() -> None:
    target = one_hot(4)
    assert segmentation_loss(40 * target, target, 0.5).item() == pytest.approx(0, abs=1e-4)
    assert segmentation_loss(-40 * target, target, 0.5).item() > 10


def test_one_logit_is_the_two_class_case() -> None:
    target = one_hot(2)
    logit = torch.randn(3, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    two = torch.cat([torch.zeros_like(logit), logit], dim=1)
    torch.testing.assert_close(segmentation_loss(logit, target, 0.5), segmentation_loss(two, target, 0.5))


def test_no_bone_at_all_is_no_reason_to_fail() -> None:
    target = torch.zeros(1, 3, 4, 4)
    target[:, 0] = 1
    logits = torch.zeros(1, 3, 4, 4, requires_grad=True)
    loss = segmentation_loss(logits, target, 0.5)
    loss.backward()
    assert loss.item() == pytest.approx(torch.tensor(3.0).log().item())
    assert torch.isfinite(logits.grad).all()


@pytest.mark.parametrize(("outputs", "samples"), [(1, 3), (5, 1), (5, 3)])
def test_it_is_cross_entropy_plus_dice_over_whole_tensors(outputs: int, samples: int) -> None:
    generator = torch.Generator().manual_seed(2)
    codes = torch.randint(0, max(2, outputs - 1), (2, 6 * samples, 9 * samples), generator=generator, dtype=torch.uint8)
    target = shares(codes, max(2, outputs), samples)
    logits = torch.randn(2, outputs, 6, 9, generator=generator)
    if outputs == 1:
        wanted, predicted = 1 - target[:, :1], torch.sigmoid(logits)
        entropy = torch.nn.functional.binary_cross_entropy(predicted, wanted)
    else:
        predicted = torch.softmax(logits, dim=1)
        entropy = torch.nn.functional.cross_entropy(logits, target)
        # Bone as a whole in the place of background; the last class does not occur.
        predicted = torch.cat([1 - predicted[:, :1], predicted[:, 1:-1]], dim=1)
        wanted = torch.cat([1 - target[:, :1], target[:, 1:-1]], dim=1)
    dice = 2 * (predicted * wanted).sum(dim=(0, 2, 3)) / (predicted + wanted).sum(dim=(0, 2, 3))
    torch.testing.assert_close(segmentation_loss(logits, target, 0.7), entropy + 0.7 * (1 - dice).mean())


@pytest.mark.parametrize("samples", [1, 2, 3])
def test_shares_count_the_samples_of_each_class_in_a_pixel(samples: int) -> None:
    codes = torch.randint(
        0, 4, (2, 5 * samples, 3 * samples), generator=torch.Generator().manual_seed(3), dtype=torch.uint8
    )
    pixels = codes.reshape(2, 5, samples, 3, samples)
    expected = torch.stack([(pixels == code).float().mean(dim=(2, 4)) for code in range(4)], dim=1)
    torch.testing.assert_close(shares(codes, 4, samples), expected)


def test_bone_that_is_not_named_may_be_any_bone_but_must_be_bone() -> None:
    codes = torch.zeros(1, 8, 8, dtype=torch.uint8)
    codes[:, 2:6, 2:6] = UNNAMED_BONE
    target = shares(codes, 4, 1)
    assert target.shape == (1, 5, 8, 8)
    bone = (codes == UNNAMED_BONE)[:, None].float()

    def loss(region: int) -> float:
        logits = torch.zeros(1, 4, 8, 8)
        logits[:, region] = 40 * bone[:, 0]
        logits[:, 0] += 40 * (1 - bone[:, 0])
        return segmentation_loss(logits, target, 0.5).item()

    assert [loss(region) for region in (1, 2, 3)] == pytest.approx([0, 0, 0], abs=1e-4)
    assert loss(0) > 5


def test_bone_that_is_not_named_is_learnt_as_by_a_network_of_bone_alone() -> None:
    generator = torch.Generator().manual_seed(3)
    codes = torch.where(torch.rand(2, 6, 9, generator=generator) < 0.4, UNNAMED_BONE, 0).to(torch.uint8)
    logits = torch.randn(2, 5, 6, 9, generator=generator)
    odds = torch.logsumexp(logits[:, 1:], dim=1, keepdim=True) - logits[:, :1]
    alone = segmentation_loss(odds, shares((codes > 0).to(torch.uint8), 2, 1), 0.5)
    torch.testing.assert_close(segmentation_loss(logits, shares(codes, 5, 1), 0.5), alone)


@pytest.mark.parametrize("samples", [1, 3])
def test_pixels_of_unknown_class_do_not_count(samples: int) -> None:
    generator = torch.Generator().manual_seed(4)
    codes = torch.randint(0, 3, (2, 6 * samples, 9 * samples), generator=generator, dtype=torch.uint8)
    codes[:, 3 * samples :] = UNKNOWN
    logits = torch.randn(2, 3, 6, 9, generator=generator)
    target = shares(codes, 3, samples)
    assert target.shape == (2, 3, 6, 9)
    assert (target[:, :, 3:] == 0).all()
    known = segmentation_loss(logits[:, :, :3], target[:, :, :3], 0.5)
    torch.testing.assert_close(segmentation_loss(logits, target, 0.5), known)
