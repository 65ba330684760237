import pytest
import torch

from napari_bonescint.training.losses import segmentation_loss


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
