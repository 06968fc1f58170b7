"""Every way a request can fail, as data: RFC 9457 problem types.

A problem's `type` is the path of its description, `/v1/problems/<slug>`, relative to the service.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from lesionlens.errors import (
    CorruptImageError,
    EmptyImageError,
    ImageError,
    ImageTooLargeError,
    LesionLensError,
    TooManyPixelsError,
    UnsupportedImageError,
)

__all__ = ["PROBLEMS", "ProblemType", "RequestError", "problem_for_image", "problem_for_status"]


@dataclass(frozen=True, slots=True)
class ProblemType:
    """One kind of failure.

    Attributes:
        slug: Last part of the `type` path.
        status: HTTP status under `/v1`.
        title: What happened, in a few words that never change.
        description: What it means and what to do about it.
    """

    slug: str
    status: int
    title: str
    description: str

    @property
    def uri(self) -> str:
        """The `type` of the problem document."""
        return f"/v1/problems/{self.slug}"


MISSING_FILE: Final = ProblemType(
    "missing-file", 400, "No photo in the request", "Send multipart/form-data with one file part named `file`."
)
EMPTY_IMAGE: Final = ProblemType("empty-image", 400, "The photo is empty", "The part `file` has no bytes.")
UPLOAD_TIMEOUT: Final = ProblemType(
    "upload-timeout", 408, "The upload took too long", "Send a smaller photo or use a quicker connection."
)
TOO_LARGE: Final = ProblemType(
    "image-too-large", 413, "The file is too large", "The detail says how many bytes are accepted."
)
TOO_MANY_PIXELS: Final = ProblemType(
    "too-many-pixels", 413, "The photo has too many pixels", "The detail says how many are accepted; shrink the photo."
)
UNSUPPORTED: Final = ProblemType(
    "unsupported-image", 415, "Not a photo in an accepted format", "Send JPEG, PNG, WebP, BMP or TIFF."
)
CORRUPT: Final = ProblemType(
    "corrupt-image", 422, "The photo is damaged", "The file is truncated or damaged; export or take the photo again."
)
INVALID_PARAMETER: Final = ProblemType(
    "invalid-parameter", 422, "A parameter is not accepted", "The detail names the parameter and what is accepted."
)
NOT_FOUND: Final = ProblemType("not-found", 404, "There is nothing here", "See /docs for what the service offers.")
METHOD_NOT_ALLOWED: Final = ProblemType(
    "method-not-allowed", 405, "The method is not allowed", "The header `Allow` names the methods that are."
)
BAD_REQUEST: Final = ProblemType("bad-request", 400, "The request is not valid", "The detail says what is wrong.")
INTERNAL: Final = ProblemType(
    "internal",
    500,
    "The service failed",
    "The fault is not in the request; the service's log has its id.",
)
OVERLOADED: Final = ProblemType(
    "overloaded", 503, "The service is busy", "Try again after the seconds in the header `Retry-After`."
)
DEADLINE_EXCEEDED: Final = ProblemType(
    "deadline-exceeded",
    503,
    "The answer took too long",
    "The photo was dropped; try again after the seconds in the header `Retry-After`. The detail names the limit.",
)
INVALID_RECORD: Final = ProblemType(
    "invalid-record", 422, "A field is not accepted", "`errors` names each field and says what is accepted."
)
CONFLICT: Final = ProblemType(
    "conflict",
    409,
    "It does not fit what is recorded",
    "The detail says what is in the way: another record under the same id, or something deleted or not yet deleted.",
)
ACCESS_REQUIRED: Final = ProblemType(
    "access-required",
    401,
    "A password or an API key is needed",
    "Log in by `POST /v1/session`, or send the header `Authorization: Bearer KEY`.",
)
ACCESS_REFUSED: Final = ProblemType(
    "access-refused", 403, "The request may not come from there", "The detail says why, and what would be accepted."
)
SCOPE_MISSING: Final = ProblemType(
    "insufficient-scope",
    403,
    "The API key may not do this",
    "The detail names the scope that is missing; `lesionlens keys add` makes a key that has it.",
)
RATE_LIMITED: Final = ProblemType(
    "rate-limited", 429, "Too many requests", "Try again after the seconds in the header `Retry-After`."
)
TOO_MANY_ATTEMPTS: Final = ProblemType(
    "too-many-attempts", 429, "Too many failed attempts", "Try again after the seconds in the header `Retry-After`."
)
TRACKER_OFF: Final = ProblemType(
    "tracker-off", 503, "The tracker is off", "The detail says why, and how it is turned on."
)
STORE_FAILED: Final = ProblemType(
    "store-failed",
    500,
    "The records could not be read or written",
    "Nothing that was not acknowledged counts as stored. The service's log says what failed; `lesionlens doctor` "
    "examines the records and the photos.",
)

PROBLEMS: Final[Mapping[str, ProblemType]] = {
    p.slug: p
    for p in (
        MISSING_FILE,
        EMPTY_IMAGE,
        UPLOAD_TIMEOUT,
        TOO_LARGE,
        TOO_MANY_PIXELS,
        UNSUPPORTED,
        CORRUPT,
        INVALID_PARAMETER,
        NOT_FOUND,
        METHOD_NOT_ALLOWED,
        BAD_REQUEST,
        INTERNAL,
        OVERLOADED,
        DEADLINE_EXCEEDED,
        INVALID_RECORD,
        CONFLICT,
        ACCESS_REQUIRED,
        ACCESS_REFUSED,
        SCOPE_MISSING,
        RATE_LIMITED,
        TOO_MANY_ATTEMPTS,
        TRACKER_OFF,
        STORE_FAILED,
    )
}
"""All problem types by slug."""

_IMAGE_PROBLEMS: Final[tuple[tuple[type[ImageError], ProblemType], ...]] = (
    (EmptyImageError, EMPTY_IMAGE),
    (ImageTooLargeError, TOO_LARGE),
    (TooManyPixelsError, TOO_MANY_PIXELS),
    (UnsupportedImageError, UNSUPPORTED),
    (CorruptImageError, CORRUPT),
)
_STATUS_PROBLEMS: Final[Mapping[int, ProblemType]] = {404: NOT_FOUND, 405: METHOD_NOT_ALLOWED, 413: TOO_LARGE}


class RequestError(LesionLensError):
    """A request that is answered with a problem.

    Args:
        problem: Which kind.
        detail: What was wrong this time and what is accepted, for the person who sent the request.
        headers: Headers that the response gets.
    """

    def __init__(self, problem: ProblemType, detail: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.problem = problem
        self.detail = detail
        self.headers = dict(headers or {})


def problem_for_image(error: ImageError) -> ProblemType:
    """Return the problem type of a picture that cannot be used."""
    return next((problem for kind, problem in _IMAGE_PROBLEMS if isinstance(error, kind)), CORRUPT)


def problem_for_status(status: int) -> ProblemType:
    """Return the problem type of an HTTP status that the framework raised."""
    return _STATUS_PROBLEMS.get(status, BAD_REQUEST if status < 500 else INTERNAL)
