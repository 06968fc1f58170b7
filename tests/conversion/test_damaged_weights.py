"""Weights files changed at random: the reader either reads them or says that it cannot, and nothing else happens."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lesionlens.conversion.weights_file import open_weights
from lesionlens.errors import ConversionError
from weights_writer import ordered, pickled, save_pth, save_safetensors, tensors, write_archive

ARRAYS = {"a.weight": np.arange(6, dtype=np.float32).reshape(2, 3), "a.count": np.array(3, np.int64)}
PICKLE = pickled(ordered(tensors(ARRAYS)))
STORAGES = {str(i): array.tobytes() for i, array in enumerate(ARRAYS.values())}
CHANGES = st.lists(st.tuples(st.integers(0, 4000), st.binary(max_size=4), st.integers(0, 4)), min_size=1, max_size=4)
MANY = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def changed(data: bytes, changes: list[tuple[int, bytes, int]]) -> bytes:
    """Put some bytes in the place of some others, at some positions."""
    for position, put, drop in changes:
        at = position % (len(data) + 1)
        data = data[:at] + put + data[at + drop :]
    return data


def read_or_refuse(path: Path) -> bool:
    refused = ""
    try:
        with open_weights(path) as weights:
            for key, shape in weights.shapes.items():
                values = weights.floats(key)
                assert values.shape == shape
                assert values.nbytes <= 100 * path.stat().st_size
    except ConversionError as error:
        refused = str(error)
    assert not refused or path.name in refused
    assert len(refused) < 1000
    return not refused


@MANY
@given(changes=CHANGES)
def test_a_changed_archive_is_read_or_refused(tmp_path: Path, changes: list[tuple[int, bytes, int]]) -> None:
    path = save_pth(tmp_path / "model.pth", ARRAYS)
    path.write_bytes(changed(path.read_bytes(), changes))
    read_or_refuse(path)


@MANY
@given(changes=CHANGES)
def test_a_changed_pickle_is_read_or_refused(tmp_path: Path, changes: list[tuple[int, bytes, int]]) -> None:
    read_or_refuse(write_archive(tmp_path / "model.pth", changed(PICKLE, changes), STORAGES))


@MANY
@given(changes=CHANGES)
def test_a_changed_safetensors_file_is_read_or_refused(tmp_path: Path, changes: list[tuple[int, bytes, int]]) -> None:
    path = save_safetensors(tmp_path / "model.safetensors", ARRAYS)
    path.write_bytes(changed(path.read_bytes(), changes))
    read_or_refuse(path)


@MANY
@given(program=st.lists(st.sampled_from([bytes([c]) for c in b"}])(Nqhtaesu.R\x85\x86\x88bQK\x01c"]), max_size=30))
def test_any_program_is_read_or_refused(tmp_path: Path, program: list[bytes]) -> None:
    assert not read_or_refuse(write_archive(tmp_path / "model.pth", pickled(b"".join(program)), STORAGES))


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_an_unchanged_file_is_read(tmp_path: Path, suffix: str) -> None:
    save = save_pth if suffix == ".pth" else save_safetensors
    assert read_or_refuse(save(tmp_path / f"model{suffix}", ARRAYS))
