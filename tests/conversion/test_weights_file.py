"""Weights files read without PyTorch: what is read, and what is no weight."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from lesionlens.errors import ConversionError
from weights_writer import (
    Array,
    dictionary,
    integer,
    name,
    ordered,
    pickled,
    read_back,
    save_pth,
    sequence,
    tensor,
    text,
    write_pickle,
)

RNG = np.random.default_rng(0)
WEIGHTS: dict[str, Array] = {
    "conv.weight": RNG.standard_normal((4, 3, 3, 3), dtype=np.float32),
    "bn.num_batches_tracked": np.array(7, np.int64),
    "empty": np.zeros((0, 3), np.float32),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "model.pth"


def test_a_state_dict_is_read_as_it_was_written(path: Path) -> None:
    found = read_back(save_pth(path, WEIGHTS))
    assert list(found) == list(WEIGHTS)
    for key, array in WEIGHTS.items():
        np.testing.assert_array_equal(found[key], array)
        assert found[key].shape == array.shape
        assert found[key].dtype == np.float32
        assert found[key].flags.c_contiguous


@pytest.mark.parametrize("dtype", ["float64", "float16", "int32", "int16", "int8", "uint8", "bool"])
def test_every_real_element_type_becomes_float32(path: Path, dtype: str) -> None:
    array = np.array([[0, 1, 2], [3, 4, 120]]).astype(dtype)
    found = read_back(save_pth(path, {"a": array}))["a"]
    np.testing.assert_array_equal(found, array.astype(np.float32))
    assert found.dtype == np.float32


def test_bfloat16_is_the_upper_half_of_float32(path: Path) -> None:
    values = np.array([1.5, -0.0078125, 3.0e38], np.float32)
    halves = (values.view(np.uint32) >> 16).astype("<u2")
    found = read_back(
        write_pickle(
            path, dictionary({"a": tensor("0", 3, (3,), (1,), kind="BFloat16Storage")}), {"0": halves.tobytes()}
        )
    )
    np.testing.assert_array_equal(found["a"], (halves.astype(np.uint32) << 16).view(np.float32))
    assert found["a"][0] == 1.5


def test_tensors_may_share_a_storage_and_be_transposed(path: Path) -> None:
    values = np.arange(6, dtype="<f4")
    content = dictionary({"rows": tensor("0", 6, (3, 2), (1, 3)), "last": tensor("0", 6, (2,), (1,), offset=4)})
    found = read_back(write_pickle(path, content, {"0": values.tobytes()}))
    np.testing.assert_array_equal(found["rows"], values.reshape(2, 3).T)
    np.testing.assert_array_equal(found["last"], [4, 5])


def test_the_byte_order_is_that_of_the_file(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("model/data.pkl", pickled(dictionary({"a": tensor("0", 2, (2,), (1,))})))
        file.writestr("model/byteorder", b"big")
        file.writestr("model/data/0", np.array([1.5, -2.0], ">f4").tobytes())
    np.testing.assert_array_equal(read_back(path)["a"], [1.5, -2.0])


def test_wrappers_prefixes_and_parameters_are_undone(path: Path) -> None:
    one = tensor("0", 1, (1,), (1,))
    parameter = (
        name("torch._utils", "_rebuild_parameter")
        + sequence(one, b"\x88", name("collections", "OrderedDict") + b")R")
        + b"R"
    )
    memoised = (
        b"]q\x00(" + b"G" + b"\x3f" + b"\x00" * 7 + b"K\x01M\x02\x00Neh\x00r\x00\x00\x00\x01j\x00\x00\x00\x01\x87"
    )
    content = dictionary(
        {
            "epoch": integer(2**40),
            "optimizer": dictionary({"betas": memoised, "lr": b"]" + integer(1) + b"a"}),
            "model": dictionary({"state_dict": ordered({"module._orig_mod.a": parameter, "module._orig_mod.b": one})}),
        }
    )
    found = read_back(write_pickle(path, content, {"0": np.array([2.5], "<f4").tobytes()}))
    assert found == {"a": np.float32([2.5]), "b": np.float32([2.5])}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"](K\x01K\x02e", "holds a list, not a state_dict"),
        (b"}", "an empty dictionary"),
        (dictionary({"state_dict": b"}"}), "an empty dictionary"),
        (dictionary({"epoch": b"K\x03", "loss": b"N"}), "a dictionary whose epoch, loss are no tensors"),
        (b"}q\x00" + text("state_dict") + b"h\x00s", "wraps its weights in more than 3 dictionaries"),
        (dictionary({"\x1b[31m" + "a" * 1000: b"N"}), r"whose \?\[31ma{75}… are no tensors"),
    ],
)
def test_content_that_is_no_state_dict_is_named(path: Path, content: bytes, message: str) -> None:
    with pytest.raises(ConversionError, match=message):
        read_back(write_pickle(path, content))


def test_tensors_that_cannot_be_weights_are_named(path: Path) -> None:
    for value in (np.nan, np.inf):
        with pytest.raises(ConversionError, match=r"model\.pth: a\.b holds values that are not finite"):
            read_back(save_pth(path, {"a.b": np.array([1.0, value], np.float32)}))
    with pytest.raises(ConversionError, match="a holds values that are not finite"):
        read_back(save_pth(path, {"a": np.array([1e300])}))
    with pytest.raises(ConversionError, match="a is sparse, quantised or complex"):
        read_back(
            write_pickle(
                path, dictionary({"a": tensor("0", 1, (1,), (1,), kind="ComplexFloatStorage")}), {"0": bytes(8)}
            )
        )
    meta = (
        name("torch._utils", "_rebuild_meta_tensor_no_storage")
        + sequence(name("torch", "float32"), b")", b")", b"\x89")
        + b"R"
    )
    with pytest.raises(ConversionError, match="a has a shape but no values"):
        read_back(write_pickle(path, dictionary({"a": meta})))
