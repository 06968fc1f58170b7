"""What several routes tell OpenAPI in the same words."""

from __future__ import annotations

from typing import Any, Final

from lesionlens.api.errors import PROBLEM_MEDIA_TYPE
from lesionlens.api.schemas import Problem

__all__ = ["PHOTO_PART", "PROBLEM_CONTENT", "file_part", "multipart_body"]

PROBLEM_CONTENT: Final[dict[str, Any]] = {"content": {PROBLEM_MEDIA_TYPE: {"schema": Problem.model_json_schema()}}}
"""A problem document, as the `content` of an answer."""


def file_part(description: str) -> dict[str, Any]:
    """Return the schema of a part that is a file.

    Args:
        description: What file it is.
    """
    return {"type": "string", "format": "binary", "description": description}


PHOTO_PART: Final[dict[str, Any]] = file_part("One photo: JPEG, PNG, WebP, BMP or TIFF.")
"""The part of a form that is a photo."""


def multipart_body(file: dict[str, Any], schema: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the description of a form with one file.

    The routes read their forms themselves, to stop at the size limit, so FastAPI cannot know.

    Args:
        file: Schema of the part `file`, which is required.
        schema: Schema of the other parts, as an object with `properties`; none by default.
    """
    schema = schema or {"type": "object", "properties": {}}
    form = {**schema, "required": ["file"], "properties": {"file": file} | schema["properties"]}
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": form}}}}
