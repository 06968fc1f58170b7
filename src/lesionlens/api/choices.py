"""The query options `maps` and `overlay`: which classes are meant."""

from __future__ import annotations

from lesionlens.api.problems import INVALID_PARAMETER, RequestError
from lesionlens.doubt import Answer
from lesionlens.taxonomy import BY_CODE, CODES, NUM_CLASSES, canonical_code

__all__ = ["ClassChoice"]


class ClassChoice:
    """Some of the eight classes, which may depend on the answer.

    Args:
        name: Name of the query option, for the error message.
        text: `top`, `all`, or class codes with commas between them, in any case; None or empty for no class.

    Raises:
        RequestError: The text is none of these (`invalid-parameter`).
    """

    def __init__(self, name: str, text: str | None) -> None:
        words = [word.strip() for word in (text or "").split(",") if word.strip()]
        self.asked = bool(words)
        self._top = False
        self._indexes: set[int] = set()
        for word in words:
            if word.lower() == "top":
                self._top = True
            elif word.lower() == "all":
                self._indexes.update(range(NUM_CLASSES))
            else:
                self._indexes.add(self._index(name, word))

    @staticmethod
    def _index(name: str, word: str) -> int:
        try:
            return BY_CODE[canonical_code(word)].index
        except KeyError:
            raise RequestError(
                INVALID_PARAMETER,
                f"{name}: {word!r} is not accepted; accepted are top, all, or codes with commas between them: "
                f"{', '.join(CODES)}",
            ) from None

    def indexes(self, analysis: Answer) -> list[int]:
        """Return the classes, 0–7, in model order."""
        return sorted(self._indexes | ({analysis.top} if self._top else set()))
