"""What a person, a lesion and a visit may say of themselves: the only definition of the accepted values.

These classes check what comes from outside; the records that come out of the store (`lesionlens.tracker.records`) are
not checked again, so that a rule that gets stricter never makes an old record unreadable.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    ValidationError,
    model_validator,
)

from lesionlens.errors import InvalidRecordError

__all__ = [
    "COLOURS",
    "SEXES",
    "VIEWS",
    "Checked",
    "Colour",
    "LesionFields",
    "PersonFields",
    "Sex",
    "View",
    "VisitFields",
]

Sex = Literal["female", "male", "other"]
View = Literal["front", "back", "left", "right", "head", "left_hand", "right_hand", "left_foot", "right_foot"]
Colour = Literal["red", "orange", "yellow", "green", "blue", "purple", "grey"]

SEXES: Final[tuple[str, ...]] = get_args(Sex)
VIEWS: Final[tuple[str, ...]] = get_args(View)
"""The body maps; hands and feet show palms and soles too, where acral melanoma grows."""
COLOURS: Final[tuple[str, ...]] = get_args(Colour)
"""Colour tags, by name, so that a page can choose shades that fit its theme."""

_FIRST_YEAR: Final = 1880
_CLOCK_SLACK: Final = timedelta(days=1)
# What the validators below ask for, as far as JSON Schema can say it: text without control characters, of one line, and
# of one line that is not blank. For the API's description only.
_NO_CONTROLS: Final = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"
_ONE_LINE: Final = r"^[^\x00-\x1f\x7f]*$"
_NAMED: Final = r"^[^\x00-\x1f\x7f]*[^\x00-\x1f\x7f\s][^\x00-\x1f\x7f]*$"
_SHOWN: Final = 60  # characters of a refused value that a message repeats


class Checked(BaseModel):
    """Base of what is checked on its way in: strict about types, closed to unknown fields, unchangeable.

    Raises:
        InvalidRecordError: A value is not accepted; names every such field, its value and what is accepted.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, arbitrary_types_allowed=True
    )

    @model_validator(mode="wrap")
    @classmethod
    def _check(cls, values: Any, handler: ModelWrapValidatorHandler[Checked]) -> Checked:
        try:
            return handler(values)
        except ValidationError as error:
            problems: dict[str, str] = {}
            for problem in error.errors(include_url=False):
                name = str(problem["loc"][0]) if problem["loc"] else ""
                given = values.get(name) if isinstance(values, dict) else values
                problems[name] = cls._explain(name, problem["type"], given)
            raise InvalidRecordError(*problems.items()) from error

    @classmethod
    def _explain(cls, name: str, kind: str, given: object) -> str:
        field = cls.model_fields.get(name)
        if field is None:
            return f"there is no field {name!r}; known: {', '.join(cls.model_fields)}"
        extra = field.json_schema_extra
        accepted = extra["accepted"] if isinstance(extra, dict) else ""
        if kind == "missing":
            return f"{name} is missing; accepted: {accepted}"
        shown = given.isoformat() if isinstance(given, datetime) else repr(given)
        return f"{name} is {shown if len(shown) <= _SHOWN else shown[:_SHOWN] + '…'}; accepted: {accepted}"


def _no_control_characters(text: str) -> str:
    # PostgreSQL cannot hold NUL, and the others only hide things from whoever reads the text.
    if any((ord(c) < 32 and c not in "\n\t\r") or ord(c) == 127 for c in text):
        raise ValueError("control characters")
    return text


def _one_line(text: str) -> str:
    text = _no_control_characters(text).strip()
    if any(c in text for c in "\n\t\r"):
        raise ValueError("more than one line")
    return text


def _named(text: str) -> str:
    if not text:
        raise ValueError("empty")
    return text


def _not_in_the_future(year: int) -> int:
    if year > datetime.now(UTC).year + 1:  # in the first hours of a year it is that year in some places only
        raise ValueError("in the future")
    return year


def _when_photos_are_taken(moment: datetime) -> datetime:
    offset = moment.utcoffset()
    if offset is None or offset % timedelta(minutes=1):
        raise ValueError("not a whole number of minutes from UTC")
    if moment.year < 1900 or moment > datetime.now(UTC) + _CLOCK_SLACK:
        raise ValueError("out of range")
    return moment


_NOTE: Final[dict[str, Any]] = {
    "accepted": "a text of at most 10,000 characters without control characters",
    "pattern": _NO_CONTROLS,
}
Note = Annotated[str, Field(max_length=10_000, json_schema_extra=_NOTE), AfterValidator(_no_control_characters)]


class PersonFields(Checked):
    """What is known of a person; no name is needed.

    Attributes:
        label: What the person is called in lists, 1–100 characters on one line.
        birth_year: Four digits, 1880 to this year; None if it is not said.
        sex: `female`, `male` or `other`; None if it is not said.
        skin_type: Fitzpatrick skin type I–VI as 1–6 (Fitzpatrick 1988, Arch Dermatol 124:869–871); None if not said.
        note: At most 10,000 characters.
    """

    label: Annotated[
        str,
        Field(
            max_length=100,
            json_schema_extra={"accepted": "a text of 1–100 characters on one line", "minLength": 1, "pattern": _NAMED},
        ),
        AfterValidator(_one_line),
        AfterValidator(_named),
    ]
    birth_year: Annotated[int, Field(ge=_FIRST_YEAR), AfterValidator(_not_in_the_future)] | None = Field(
        default=None, json_schema_extra={"accepted": f"a whole number, {_FIRST_YEAR} to this year, or nothing"}
    )
    sex: Sex | None = Field(default=None, json_schema_extra={"accepted": f"{', '.join(SEXES)}, or nothing"})
    skin_type: Annotated[int, Field(ge=1, le=6)] | None = Field(
        default=None, json_schema_extra={"accepted": "Fitzpatrick skin type as a whole number, 1–6, or nothing"}
    )
    note: Note = ""


class LesionFields(Checked):
    """Where a lesion is, and how it is kept in view.

    Attributes:
        view: Body map that the lesion is pinned to, one of `VIEWS`.
        x: Place on the map from its left edge, as a share of its width, 0–1.
        y: Place on the map from its top edge, as a share of its height, 0–1.
        site: Name of the place, such as "left forearm"; at most 100 characters on one line, may be empty.
        note: At most 10,000 characters.
        colour: Tag, one of `COLOURS`; None for none.
        reminder_months: Months after the latest visit at which the next one is due, 1–120; None for no reminder.
    """

    view: View = Field(json_schema_extra={"accepted": ", ".join(VIEWS)})
    x: float = Field(ge=0.0, le=1.0, json_schema_extra={"accepted": "a share of the map's width, 0–1"})
    y: float = Field(ge=0.0, le=1.0, json_schema_extra={"accepted": "a share of the map's height, 0–1"})
    site: Annotated[
        str,
        Field(
            max_length=100,
            json_schema_extra={"accepted": "a text of at most 100 characters on one line", "pattern": _ONE_LINE},
        ),
        AfterValidator(_one_line),
    ] = ""
    note: Note = ""
    colour: Colour | None = Field(default=None, json_schema_extra={"accepted": f"{', '.join(COLOURS)}, or nothing"})
    reminder_months: Annotated[int, Field(ge=1, le=120)] | None = Field(
        default=None, json_schema_extra={"accepted": "a whole number of months, 1–120, or nothing"}
    )


class VisitFields(Checked):
    """When a photo was taken, and what was remarked.

    Attributes:
        taken_at: With a UTC offset in whole minutes, 1900 to one day ahead of now (clocks of cameras are wrong).
        note: At most 10,000 characters.
    """

    taken_at: Annotated[AwareDatetime, AfterValidator(_when_photos_are_taken)] = Field(
        json_schema_extra={"accepted": "a time with a UTC offset in whole minutes, from the year 1900 to now"}
    )
    note: Note = ""
