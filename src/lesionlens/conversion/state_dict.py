"""Finding the state dict in what a weights file holds; the same whoever read the file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeVar

from lesionlens.errors import ConversionError

__all__ = ["ACCEPTED", "damaged", "find_state_dict", "more_than_tensors", "short"]

ACCEPTED: Final = "accepted is a PyTorch state_dict (.pth, .pt; tensors only) or .safetensors"
"""What weights may be, for error messages."""

_WRAPPERS: Final = ("state_dict", "model_state_dict", "model", "net", "weights")
_MAX_WRAPPERS: Final = 3  # more than any training loop nests, and an end to a dictionary that holds itself
_PREFIXES: Final = ("module.", "_orig_mod.", "model.", "net.")
_LONGEST_NAME: Final = 80

Tensor = TypeVar("Tensor")
OtherTensor = TypeVar("OtherTensor")


def find_state_dict(
    content: object, name: str, kinds: tuple[type[Tensor], type[OtherTensor]]
) -> dict[str, Tensor | OtherTensor]:
    """Unwrap a state dict and take off the prefixes of its keys.

    Checkpoints wrap it (`state_dict`, `model_state_dict`, `model`, `net`, `weights`; up to three inside each other are
    undone), and data parallelism, `torch.compile` or a wrapper class put a prefix before every key (`module.`,
    `_orig_mod.`, `model.`, `net.`).

    Args:
        content: What the file holds.
        name: The file's name, for errors.
        kinds: The two classes that tensors may have.

    Returns:
        Tensors by name, in the order of the file.

    Raises:
        ConversionError: There is no state dict in it, or something else is among its tensors.
    """
    for _ in range(_MAX_WRAPPERS):
        inner = _wrapped(content)
        content = content if inner is None else inner
    if _wrapped(content) is not None:
        raise ConversionError(f"{name} wraps its weights in more than {_MAX_WRAPPERS} dictionaries; {ACCEPTED}")
    if isinstance(content, Mapping):
        others = [short(key) for key, value in content.items() if not isinstance(value, kinds)]
        if content and not others:
            return _without_prefix({str(key): value for key, value in content.items()})
        found = f"a dictionary whose {', '.join(others[:3])} are no tensors" if others else "an empty dictionary"
    else:
        found = f"a {type(content).__name__}"
    raise ConversionError(f"{name} holds {found}, not a state_dict; {ACCEPTED}")


def more_than_tensors(name: str, culprit: str) -> ConversionError:
    """Return the error of a pickle that was not opened for what it asks for.

    Args:
        name: The file's name.
        culprit: What it is, as the end of "because …".
    """
    return ConversionError(
        f"{name} was not opened, because {short(culprit)}. A pickle can run code when it is loaded, so only tensors "
        f"are read; {ACCEPTED}. Whoever made the file can save model.state_dict() alone"
    )


def damaged(name: str, reason: str) -> ConversionError:
    """Return the error of a file that cannot be read.

    Args:
        name: The file's name.
        reason: Why not, in words.
    """
    return ConversionError(f"{name} is damaged, cut off or no PyTorch file ({reason}); {ACCEPTED}")


def _wrapped(content: object) -> Mapping[Any, object] | None:
    if not isinstance(content, Mapping):
        return None
    return next((content[w] for w in _WRAPPERS if isinstance(content.get(w), Mapping)), None)


def _without_prefix(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    while prefix := next((p for p in _PREFIXES if all(key.startswith(p) for key in weights)), ""):
        weights = {key.removeprefix(prefix): tensor for key, tensor in weights.items()}
    return weights


def short(text: object) -> str:
    """Return what a file calls something, without control characters and at a length that a terminal stands.

    Args:
        text: The name.
    """
    shown = "".join(c if c.isprintable() else "?" for c in str(text)[:_LONGEST_NAME])
    return shown if len(str(text)) <= _LONGEST_NAME else f"{shown}…"
