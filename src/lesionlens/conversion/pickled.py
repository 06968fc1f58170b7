"""A reader of the pickles inside PyTorch's files that can construct nothing but tensors and plain containers.

A pickle is a program for a small stack machine, and Python's own machine can call anything. This one has only the
instructions that `torch.save` writes of a checkpoint (pickle protocol 2), as `torch.load(weights_only=True)` does it;
whatever else a pickle asks for ends the reading. An `Unpickler` with a restricted `find_class` is not enough: it
still sets attributes on whatever lies on its stack, and its memo grows to whatever index a file names.
"""

from __future__ import annotations

import struct
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, Final

from lesionlens.errors import ConversionError

__all__ = ["MAX_BYTES", "MoreThanTensorsError", "unpickle"]

MAX_BYTES: Final = 4 * 1024 * 1024
"""Longest pickle. EfficientNet-B7 and its optimiser take 1 MB; an instruction of one byte makes an object of 64."""

_PROTOCOL: Final = 2
_SIMPLE: Final[dict[bytes, Callable[[], Any]]] = {
    b"}": dict,
    b"]": list,
    b")": tuple,
    b"N": lambda: None,
    b"\x88": lambda: True,
    b"\x89": lambda: False,
}
_NUMBERS: Final = {b"J": "<i", b"K": "<B", b"M": "<H", b"G": ">d"}
_TUPLES: Final = {b"\x85": 1, b"\x86": 2, b"\x87": 3}
_PUT: Final = {b"q": "<B", b"r": "<I"}
_GET: Final = {b"h": "<B", b"j": "<I"}
_SCALARS: Final = (str, int, float, type(None))

Build = Callable[..., object]


class MoreThanTensorsError(ConversionError):
    """A pickle asks for something that is neither a tensor nor a plain container.

    Args:
        what: Its name, as the pickle has it.
    """

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


def unpickle(data: bytes, known: Mapping[str, object], load_storage: Callable[[object], object]) -> object:
    """Read a pickle.

    Args:
        data: The pickle, at most `MAX_BYTES`.
        known: What stands for each global that is accepted, by `module.name`. Only callables can be called, with
            whatever arguments the pickle gives; `collections.OrderedDict` is known already.
        load_storage: Turns a persistent id into what stands for a storage.

    Returns:
        What the pickle describes.

    Raises:
        MoreThanTensorsError: The pickle names another global.
        ValueError: It is damaged, or has instructions that no checkpoint needs.
    """
    if len(data) > MAX_BYTES:
        raise ValueError(f"its description of the tensors is longer than {MAX_BYTES} bytes")
    return _Machine(data, known, load_storage).run()


class _Machine:
    def __init__(self, data: bytes, known: Mapping[str, object], load_storage: Callable[[object], object]) -> None:
        self._data, self._at = data, 0
        self._known, self._load_storage = known, load_storage
        self._stack: list[Any] = []
        self._marks: list[int] = []
        self._memo: dict[int, Any] = {}

    def run(self) -> object:
        while (op := self._take(1)) != b".":
            self._step(op)
        if len(self._stack) != 1:
            raise ValueError("the pickle ends with things left over")
        return self._stack[0]

    def _step(self, op: bytes) -> None:
        push = self._stack.append
        if op in _SIMPLE:
            push(_SIMPLE[op]())
        elif op in _NUMBERS:
            push(self._number(_NUMBERS[op]))
        elif op in _TUPLES:
            push(tuple(self._pop_many(_TUPLES[op])))
        elif op in _PUT:
            self._memo[int(self._number(_PUT[op]))] = self._top()
        elif op in _GET:
            push(self._recall(int(self._number(_GET[op]))))
        elif op == b"X":
            push(self._take(int(self._number("<I"))).decode("utf-8", "surrogatepass"))
        elif op == b"\x8a":
            push(int.from_bytes(self._take(int(self._number("<B"))), "little", signed=True))
        elif op == b"(":
            self._marks.append(len(self._stack))
        elif op == b"t":
            push(tuple(self._pop_to_mark()))
        elif op in (b"a", b"e"):
            items = self._pop_many(1) if op == b"a" else self._pop_to_mark()
            self._require(list).extend(items)
        elif op in (b"s", b"u"):
            self._set_items(self._pop_many(2) if op == b"s" else self._pop_to_mark())
        elif op == b"c":
            push(self._global(f"{self._line()}.{self._line()}"))
        elif op == b"R":
            arguments, function = self._pop(), self._pop()
            push(self._call(function, arguments))
        elif op == b"b":
            # The state of an ordered dictionary is the versions of PyTorch's modules: of no use here.
            self._pop()
            self._require(OrderedDict)
        elif op == b"Q":
            push(self._load_storage(self._pop()))
        elif op == b"\x80":
            if self._number("<B") != _PROTOCOL:
                raise ValueError(f"its pickle is not of protocol {_PROTOCOL}")
        else:
            raise ValueError(f"its pickle has the instruction {op!r}, which no state_dict needs")

    def _take(self, count: int) -> bytes:
        taken = self._data[self._at : self._at + count]
        if len(taken) != count:
            raise ValueError("its pickle is cut off")
        self._at += count
        return taken

    def _number(self, layout: str) -> int | float:
        number: int | float = struct.unpack(layout, self._take(struct.calcsize(layout)))[0]
        return number

    def _line(self) -> str:
        end = self._data.find(b"\n", self._at)
        line = self._take((end if end >= 0 else len(self._data)) - self._at)
        self._take(1)
        return line.decode()

    def _floor(self) -> int:
        return self._marks[-1] if self._marks else 0

    def _top(self) -> Any:
        if len(self._stack) <= self._floor():
            raise ValueError("its pickle takes what it never put down")
        return self._stack[-1]

    def _pop(self) -> Any:
        top = self._top()
        del self._stack[-1]
        return top

    def _pop_many(self, count: int) -> list[Any]:
        return [self._pop() for _ in range(count)][::-1]

    def _pop_to_mark(self) -> list[Any]:
        if not self._marks:
            raise ValueError("its pickle ends a list that it never began")
        start = self._marks.pop()
        items = self._stack[start:]
        del self._stack[start:]
        return items

    def _recall(self, index: int) -> Any:
        if index not in self._memo:
            raise ValueError("its pickle refers to what it never told")
        return self._memo[index]

    def _require(self, kind: type) -> Any:
        top = self._top()
        if not isinstance(top, kind):
            raise ValueError(f"its pickle fills a {type(top).__name__} like a {kind.__name__}")
        return top

    def _set_items(self, items: list[Any]) -> None:
        target = self._require(dict)
        if len(items) % 2:
            raise ValueError("its pickle has a key without a value")
        for key, value in zip(items[::2], items[1::2], strict=True):
            # Hashing nested tuples recurses in C without a limit: deep ones would end the process.
            if not isinstance(key, _SCALARS):
                raise ValueError(f"a dictionary has a {type(key).__name__} as a key")
            target[key] = value

    def _global(self, name: str) -> object:
        if name == "collections.OrderedDict":
            return OrderedDict
        if name not in self._known:
            raise MoreThanTensorsError(name)
        return self._known[name]

    def _call(self, function: object, arguments: object) -> object:
        if not isinstance(arguments, tuple):
            raise ValueError("its pickle calls something without arguments")
        if function is OrderedDict:
            if arguments:
                raise ValueError("an ordered dictionary is made of something")
            return OrderedDict()
        if not callable(function):
            raise ValueError("its pickle calls what cannot be called")
        return function(*arguments)
