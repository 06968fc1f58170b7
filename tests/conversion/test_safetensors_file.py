"""Safetensors files read without their package."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from lesionlens.errors import ConversionError
from weights_writer import Array, read_back, save_safetensors, write_safetensors


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "model.safetensors"


def test_tensors_are_read_as_they_were_written(path: Path) -> None:
    rng = np.random.default_rng(0)
    arrays: dict[str, Array] = {
        "module.a": rng.standard_normal((2, 3, 4), dtype=np.float32),
        "module.b": rng.standard_normal(5).astype(np.float16),
        "module.c": np.array(3, np.int64),
        "module.d": np.array([0x3FC0, 0xC000], np.uint16),
        "module.e": np.zeros((0, 2), np.float64),
    }
    found = read_back(save_safetensors(path, arrays))
    for key in "abce":
        np.testing.assert_array_equal(found[key], arrays[f"module.{key}"].astype(np.float32))
    np.testing.assert_array_equal(found["d"], [1.5, -2.0])


def test_other_element_types_are_named(path: Path) -> None:
    with pytest.raises(ConversionError, match="a has the element type F8_E4M3"):
        read_back(save_safetensors(path, {"a": np.zeros(4, np.bool_)}, a="F8_E4M3"))
    with pytest.raises(ConversionError, match="a holds values that are not finite"):
        read_back(save_safetensors(path, {"a": np.array([np.nan], np.float32)}))


def _entry(**changes: object) -> bytes:
    return json.dumps({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8], **changes}}).encode()


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"{",
        b"[1]",
        b'{"a": 3}',
        b'{"a": {}}',
        b"\xff\xfe",
        b"[" * 100_000,
        _entry(shape=[3]),
        _entry(shape=[-2]),
        _entry(shape=[2.0]),
        _entry(shape=[True, 2]),
        _entry(shape=[1] * 9 + [2]),
        _entry(shape=["2"]),
        _entry(shape=[int("9" * 4000)] * 500),
        _entry(data_offsets=[4, 8]),
        _entry(data_offsets=[0, 4]),
        _entry(data_offsets=[0, 1 << 60], shape=[1 << 58]),
        _entry(data_offsets=[0, 8, 8]),
        _entry(data_offsets=["0", "8"]),
        _entry(data_offsets=[8, 0], shape=[]),
        json.dumps({k: {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]} for k in "ab"}).encode(),
    ],
)
def test_a_file_that_is_damaged_says_so(path: Path, header: bytes) -> None:
    with pytest.raises(ConversionError, match=r"model\.safetensors is not a whole safetensors file"):
        read_back(write_safetensors(path, header, bytes(8)))


@pytest.mark.parametrize("keep", [0, 7, 8, 40, -10, -1])
def test_a_file_that_is_cut_off_says_so(path: Path, keep: int) -> None:
    data = save_safetensors(path, {"a": np.ones(8, np.float32)}).read_bytes()
    path.write_bytes(data[:keep])
    with pytest.raises(ConversionError, match=r"model\.safetensors is not a whole safetensors file"):
        read_back(path)


def test_a_header_longer_than_any_is_not_read(path: Path) -> None:
    path.write_bytes(b"\xff" * 8 + b"{}")
    with pytest.raises(ConversionError, match="its header would take 18446744073709551615 bytes"):
        read_back(path)
