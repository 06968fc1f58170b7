"""What the routes of the tracker take. `lesionlens.tracker.fields` says what people, lesions and visits may hold."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field

from lesionlens.api.openapi import PHOTO_PART, multipart_body
from lesionlens.tracker.fields import Checked, LesionFields, Note, PersonFields, VisitFields
from lesionlens.tracker.ids import ID_PATTERN, is_id

__all__ = ["Move", "NewLesion", "NewPerson", "NewVisit", "json_body", "photo_body", "visit_values"]

_OWN_ID: Final[dict[str, Any]] = {
    "accepted": "a UUID in lower case that the client made, or nothing for a new one; with it, a request whose answer "
    "was lost can be sent again and nothing is recorded twice",
    "pattern": ID_PATTERN,
}
_FIELDS: Final = VisitFields.model_fields


def _an_id(text: str) -> str:
    if not is_id(text):
        raise ValueError("no id")
    return text


Id = Annotated[str, AfterValidator(_an_id)]


class NewPerson(PersonFields):
    """A person to be recorded."""

    id: Id | None = Field(default=None, json_schema_extra=_OWN_ID)


class NewLesion(LesionFields):
    """A lesion to be recorded."""

    id: Id | None = Field(default=None, json_schema_extra=_OWN_ID)


class NewVisit(Checked):
    """What is sent with a photo."""

    id: Id | None = Field(default=None, json_schema_extra=_OWN_ID)
    taken_at: datetime | None = Field(default=None, json_schema_extra=_FIELDS["taken_at"].json_schema_extra)
    note: Note = ""
    analyse: bool = Field(default=True, json_schema_extra={"accepted": "true or false"})


class Move(Checked):
    """Where a visit belongs."""

    lesion_id: Id = Field(json_schema_extra={"accepted": "the id of a lesion", "pattern": ID_PATTERN})


def visit_values(sent: dict[str, Any]) -> dict[str, Any]:
    """Return what was sent of a visit with its texts turned into times and truths; what cannot be turned stays.

    Args:
        sent: From a JSON object or a form.
    """
    values = dict(sent)
    if isinstance(values.get("taken_at"), str):
        with suppress(ValueError):  # the check that follows says what is accepted
            values["taken_at"] = datetime.fromisoformat(values["taken_at"])
    if isinstance(values.get("analyse"), str):
        values["analyse"] = {"true": True, "false": False}.get(values["analyse"].lower(), values["analyse"])
    return values


def json_body(model: type[Checked], *examples: dict[str, Any], partial: bool = False) -> dict[str, Any]:
    """Return OpenAPI's description of a JSON body; the routes read it themselves, to tell what is absent from null.

    Args:
        model: Says what the fields may hold.
        *examples: Bodies that are accepted.
        partial: Whether any of the fields may be left out.
    """
    content = {"schema": _schema(model, partial=partial), "examples": _named(examples)}
    return {"requestBody": {"required": True, "content": {"application/json": content}}}


def _schema(model: type[Checked], *, partial: bool = False) -> dict[str, Any]:
    schema = model.model_json_schema()
    for field in schema["properties"].values():
        if "accepted" in field:
            field["description"] = f"Accepted: {field.pop('accepted')}."
        if partial:
            field.pop("default", None)
    if partial:
        schema.pop("required", None)
    schema.pop("description", None)
    return schema


def _named(examples: tuple[dict[str, Any], ...]) -> dict[str, Any]:
    return {f"example {number}": {"value": example} for number, example in enumerate(examples, 1)}


def photo_body() -> dict[str, Any]:
    """Return OpenAPI's description of the form that records a visit."""
    schema = _schema(NewVisit)
    for name, field in schema["properties"].items():
        # In a form what is not said is left out: there are no nulls.
        kinds = [kind for kind in field.pop("anyOf", []) if kind != {"type": "null"}]
        schema["properties"][name] = {**field, **(kinds[0] if kinds else {})}
    return multipart_body(PHOTO_PART, schema)
