"""Tensors of a file compared with those of a network."""

from __future__ import annotations

import pytest

from lesionlens.conversion.matching import misfits, other_class_count, require_match
from lesionlens.errors import ConversionError

NETWORK = {"conv.weight": (4, 3), "bn.num_batches_tracked": (), "classifier.weight": (8, 4), "classifier.bias": (8,)}


def test_the_batch_counter_may_be_left_out() -> None:
    assert misfits(NETWORK, NETWORK) == []
    assert misfits(NETWORK, {key: NETWORK[key] for key in NETWORK if "tracked" not in key}) == []
    require_match(NETWORK, NETWORK, "net")


def test_every_misfit_is_named_the_wrong_shapes_first() -> None:
    found = {**NETWORK, "conv.weight": (), "more\x1b[31m": (1,)}
    del found["classifier.bias"]
    assert misfits(NETWORK, found) == [
        "conv.weight is a single number instead of 4×3",
        "classifier.bias is missing",
        "more?[31m is not part of it",
    ]
    with pytest.raises(
        ConversionError, match=r"these weights are not net: 3 of 4 tensors do not match net, such as conv"
    ):
        require_match(NETWORK, found, "net")
    with pytest.raises(ConversionError, match="these weights are nothing known: 3 of 4"):
        require_match(NETWORK, found, "net", "nothing known")


def test_another_number_of_classes_alone_is_told_apart() -> None:
    seven = {**NETWORK, "classifier.weight": (7, 4), "classifier.bias": (7,)}
    assert other_class_count(NETWORK, seven) == 7
    with pytest.raises(ConversionError, match="the weights tell 7 classes apart; accepted are 8: MEL, NV"):
        require_match(NETWORK, seven, "net")
    assert other_class_count(NETWORK, NETWORK) is None
    assert other_class_count(NETWORK, {**seven, "conv.weight": (5, 3)}) is None
    assert other_class_count(NETWORK, {**NETWORK, "classifier.weight": ()}) is None
    assert other_class_count({"conv.weight": (4, 3)}, seven) is None
