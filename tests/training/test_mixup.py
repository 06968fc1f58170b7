"""Pairs of pictures mixed into one."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")

from lesionlens.training.mixup import mixup  # noqa: E402

pytestmark = pytest.mark.train


def test_each_picture_is_the_weighted_sum_of_two_with_their_labels() -> None:
    torch.manual_seed(0)
    images = torch.arange(6.0).reshape(6, 1, 1, 1).expand(6, 3, 4, 4).clone()
    labels = torch.arange(6)
    shares = []
    for _ in range(200):
        mixed = mixup(images, labels, 0.3)
        expected = mixed.share * labels + (1.0 - mixed.share) * mixed.partners
        torch.testing.assert_close(mixed.images[:, 0, 0, 0], expected)
        assert sorted(mixed.partners.tolist()) == list(range(6))
        shares.append(mixed.share)
    assert sum(0.1 < share < 0.9 for share in shares) < 120, "Beta(0.3, 0.3) mostly keeps one of the two"
    assert abs(sum(shares) / 200 - 0.5) < 0.1


def test_nothing_is_mixed_by_default() -> None:
    images, labels = torch.rand(4, 3, 2, 2), torch.arange(4)
    mixed = mixup(images, labels, 0.0)
    assert mixed.images is images
    assert mixed.share == 1.0
