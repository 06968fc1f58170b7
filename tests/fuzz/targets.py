"""What reads the damaged files, and what it may answer."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Final, NamedTuple

from fuzz.mutate import Case, make_case
from fuzz.seeds import drawn_seeds
from lesionlens.errors import ImageError
from lesionlens.imaging import Limits, decode

__all__ = ["PICTURE_LIMITS", "TARGETS", "Target", "WrongAnswerError", "find_target"]

PICTURE_LIMITS: Final = Limits(max_bytes=1_000_000, max_pixels=1_000_000)
"""Small, so that a reader that disregards them is told from one that needs a megapixel's memory."""

_SIDES: Final = (None, 16, 64)


class WrongAnswerError(Exception):
    """A reader answered as it never may."""


class Target(NamedTuple):
    """Something that reads bytes from outside.

    Attributes:
        make: From a number to a damaged file.
        read: Reads it, and returns in a word how that ended; raises whatever it should not have raised.
        warm_up: Reads good files, so that what is loaded once does not count as the memory of an input.
    """

    make: Callable[[int], Case]
    read: Callable[[Case], str]
    warm_up: Callable[[], object]


def read_picture(case: Case) -> str:
    """Decode a file; returns `image`, or the name of the `ImageError`.

    Raises:
        WrongAnswerError: The picture is not what was promised, a message shows too much, or memory ran out.
    """
    try:
        photo = decode(case.data, limits=PICTURE_LIMITS, min_side=_SIDES[case.number % len(_SIDES)])
    except ImageError as error:
        _check_refusal(error)
        return type(error).__name__
    if photo.image.mode != "RGB" or photo.image.info:
        raise WrongAnswerError(f"a picture in mode {photo.image.mode} with {sorted(photo.image.info)}")
    if not 0 < photo.width * photo.height <= PICTURE_LIMITS.max_pixels:
        raise WrongAnswerError(f"a picture of {photo.width} × {photo.height} pixels")
    photo.image.tobytes()  # all of its pixels are there
    return "image"


def _check_refusal(error: ImageError) -> None:
    # `decode` takes whatever goes wrong for a damaged file. That it ran out of the gigabytes that a worker has is
    # something else.
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, MemoryError) or "out of memory" in str(cause):
            raise WrongAnswerError("it asked for more memory than there is") from error
        cause = cause.__cause__ or cause.__context__
    if "/" in str(error) or not str(error).isprintable():
        raise WrongAnswerError(f"the message shows a path or bytes: {str(error)!r}") from error


def _read_all_drawn() -> None:
    for number, (name, data) in enumerate(drawn_seeds().items()):
        read_picture(Case(number, name, data))


def _other(name: str, module: str) -> Callable[[], Target]:
    return lambda: getattr(import_module(module), name)  # type: ignore[no-any-return]


TARGETS: Final[dict[str, Callable[[], Target]]] = {
    "picture": lambda: Target(make_case, read_picture, _read_all_drawn),
    "archive": _other("TARGET", "fuzz.archives"),
    "form": _other("TARGET", "fuzz.forms"),
}
"""What can be fuzzed, by name."""


def find_target(name: str) -> Target:
    """Return a target by its name; `control-…` are readers with a fault each, which a campaign has to find.

    Raises:
        KeyError: There is none.
    """
    if name.startswith("control-"):
        from fuzz.controls import control

        return control(name.removeprefix("control-"))
    return TARGETS[name]()
