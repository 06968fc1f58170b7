"""Pickles that ask for more than tensors, or that no checkpoint is: refused, and nothing of them is run."""

from __future__ import annotations

import pickle
import tracemalloc
from pathlib import Path

import pytest

from lesionlens.errors import ConversionError
from weights_writer import (
    dictionary,
    integer,
    name,
    ordered,
    read_back,
    sequence,
    tensor,
    text,
    write_archive,
    write_pickle,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "model.pth"


@pytest.mark.parametrize(
    "call",
    [
        name("posix", "system") + sequence(text("touch owned")) + b"R",
        name("builtins", "eval") + sequence(text("1")) + b"R",
        name("torch", "load") + sequence(text("x")) + b"R",
        name("torch.hub", "load") + b")R",
        name("timm.models.efficientnet", "EfficientNet") + b")\x81",
    ],
)
def test_code_in_a_file_is_never_run(path: Path, call: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(path.parent)
    for content in (call, dictionary({"a": call}), ordered({"a": tensor("0", 1, (1,), (1,)), "extra": call})):
        with pytest.raises(ConversionError, match=r"holds more than tensors \(\w+.*save model\.state_dict\(\) alone"):
            read_back(write_pickle(path, content, {"0": bytes(4)}))
    assert not (path.parent / "owned").exists()


class _Evil:
    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.write_text, (self.trace, "owned"))


@pytest.mark.parametrize("protocol", range(6))
def test_a_pickle_that_python_wrote_is_never_run(path: Path, tmp_path: Path, protocol: int) -> None:
    trace = tmp_path / "owned"
    data = pickle.dumps({"a": _Evil(trace)}, protocol)
    path.write_bytes(data)
    with pytest.raises(ConversionError, match=r"was not opened, because it is a bare pickle|it is no zip archive"):
        read_back(path)
    with pytest.raises(ConversionError, match=r"holds more than tensors|damaged, cut off"):
        read_back(write_archive(path, data, {}))
    assert not trace.exists()


_ONE = tensor("0", 1, (1,), (1,))
_BUILDER = name("torch._utils", "_rebuild_tensor_v2")


@pytest.mark.parametrize(
    "content",
    {
        "state for a function": _BUILDER + dictionary({"__defaults__": b"N"}) + b"b",
        "state for a class": name("collections", "OrderedDict") + dictionary({"x": b"N"}) + b"b",
        "a call of a storage type": name("torch", "FloatStorage") + b")R",
        "a call of a tensor": _ONE + b")R",
        "a call without a tuple": _BUILDER + b"NR",
        "a call with too few": _BUILDER + b")R",
        "a call with nonsense": _BUILDER + sequence(b"N", b"N", b"N", b"N") + b"R",
        "an ordered dictionary of things": name("collections", "OrderedDict") + sequence(b"]") + b"R",
        "a parameter of a list": name("torch._utils", "_rebuild_parameter") + sequence(b"]") + b"R",
        "a storage that is none": sequence(text("module"), b"N") + b"Q",
        "a storage of text": sequence(text("storage"), text("f4"), text("0"), text("cpu"), integer(1)) + b"Q",
        "an unhashable key": b"}]Ns",
        "a key of tuples in tuples": b"})" + b"\x85" * 300_000 + b"Ns",
        "items for a list": b"](NNu",
        "an item for a dictionary": b"}Na",
        "a key alone": b"}(Nu",
        "a memo that is not there": b"h\x07",
        "an empty stack": b"0",
        "a list without a beginning": b"e",
        "below the mark": b"N(\x85",
        "two things": b"NN",
        "another protocol": b"\x80\x04}",
        "text that is none": b"X\x01\x00\x00\x00\xff",
        "a number cut off": b"J\x00",
        "a name cut off": b"cposix",
        "a long text": b"X\xff\xff\xff\xff",
        "bytes of protocol 5": b"\x96" + b"\xff" * 7 + b"\x00",
        "a long number": b"\x8b\xff\xff\xff\x7f",
        "a list of everything": b"]q\x00" + b"h\x00" * 9 + b"t",
    }.items(),
    ids=lambda item: item[0],
)
def test_a_pickle_that_no_checkpoint_is_says_so(path: Path, content: tuple[str, bytes]) -> None:
    with pytest.raises(ConversionError, match=r"model\.pth is damaged, cut off or no PyTorch file"):
        read_back(write_pickle(path, content[1], {"0": bytes(4)}))


def test_memos_and_descriptions_take_no_more_memory_than_the_file(path: Path) -> None:
    content = b"}r\xff\xff\xff\xffj\xff\xff\xff\xff0"
    tracemalloc.start()
    try:
        with pytest.raises(ConversionError, match="instruction b'0'"):
            read_back(write_pickle(path, content))
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()
    with pytest.raises(ConversionError, match=r"data\.pkl in it is longer than 4194304 bytes"):
        read_back(write_pickle(path, b"N" * 5_000_000))
