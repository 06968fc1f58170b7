"""The API reference at `/docs`: HTML made of the OpenAPI description, with nothing from another host and no script.

FastAPI's own page loads its scripts from elsewhere, which a service without internet access cannot.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any, Final

from lesionlens import DISCLAIMER

__all__ = ["reference"]

_PAGE: Final = """<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="color-scheme" content="light dark" />
    <title>API reference · LesionLens</title>
    <link rel="icon" href="static/icon.svg" type="image/svg+xml" />
    <link rel="stylesheet" href="static/base.css" />
    <link rel="stylesheet" href="static/reference.css" />
  </head>
  <body>
    <header class="top">
      <a class="brand" href="./" aria-label="LesionLens, to the page"><img src="static/icon.svg" width="30" height="30" alt="" />LesionLens</a>
      <a class="small" href="openapi.json">openapi.json</a>
    </header>
    <main id="reference">
      <h1>API reference</h1>
      {content}
    </main>
    <footer class="disclaimer" role="note" aria-label="Disclaimer"><p>{disclaimer}</p></footer>
  </body>
</html>
"""  # noqa: E501 - HTML

Schema = Mapping[str, Any]


def reference(api: Schema) -> str:
    """Write the reference of an API.

    Args:
        api: Its OpenAPI 3.1 description.

    Returns:
        A whole HTML page: the operations by tag, each folded up until it is opened.
    """
    groups: dict[str, list[str]] = {}
    schemas = api.get("components", {}).get("schemas", {})
    for path, methods in api["paths"].items():
        for method, operation in methods.items():
            tag = operation.get("tags", ["Other"])[0]
            groups.setdefault(tag, []).append(_operation(path, method, operation, schemas))
    content = "\n".join(f"<h2>{escape(tag)}</h2>\n" + "\n".join(parts) for tag, parts in groups.items())
    return _PAGE.format(content=content, disclaimer=escape(DISCLAIMER))


def _operation(path: str, method: str, operation: Schema, schemas: Schema) -> str:
    head = f"<b>{method.upper()}</b> <code>{escape(path)}</code>"
    parts = [
        f'<summary>{head} <span class="quiet small">{escape(operation.get("summary", ""))}</span></summary>',
        f"<p>{_prose(operation.get('description', ''))}</p>",
    ]
    if parameters := operation.get("parameters"):
        rows = (
            (p["name"], f"{p['in']}, {'required' if p.get('required') else 'optional'}", p.get("description", ""))
            for p in parameters
        )
        parts += ["<h3>Parameters</h3>", _definitions(rows)]
    for media_type, body in operation.get("requestBody", {}).get("content", {}).items():
        parts += [f"<h3>Body · {escape(media_type)}</h3>", _members(body.get("schema", {}), schemas)]
    for status, response in operation["responses"].items():
        parts += _response(status, response, schemas)
    return f'<details class="card">{"".join(parts)}</details>'


def _response(status: str, response: Schema, schemas: Schema) -> Iterable[str]:
    nothing: tuple[str, Schema] = ("", {})
    media_type, body = next(iter(response.get("content", {}).items()), nothing)
    yield f"<h3>{escape(' · '.join(filter(None, (status, media_type))))}</h3>"
    yield f'<p class="small">{_prose(response["description"])}</p>'
    schema = body.get("schema", {})
    if status >= "4" or not schema:
        return
    yield _members(schema.get("items", schema), schemas)
    for example in _resolve(schema, schemas).get("examples", [])[:1]:
        text = json.dumps(example, indent=2, ensure_ascii=False)
        yield f'<pre tabindex="0">{escape(text, quote=False)}</pre>'


def _members(schema: Schema, schemas: Schema) -> str:
    properties = _resolve(schema, schemas).get("properties", {})
    return _definitions((name, _type(member), member.get("description", "")) for name, member in properties.items())


def _definitions(rows: Iterable[tuple[str, str, str]]) -> str:
    items = "".join(
        f'<dt><code>{escape(name)}</code></dt><dd><span class="quiet">{escape(kind)}</span>'
        f"{'. ' if text else ''}{_prose(text)}</dd>"
        for name, kind, text in rows
    )
    return f"<dl>{items}</dl>" if items else ""


def _prose(text: str) -> str:
    """Text in which backticks mark code, as docstrings and descriptions have it."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text, quote=False))


def _name(reference_to: str) -> str:
    return reference_to.rsplit("/", 1)[-1]


def _resolve(schema: Schema, schemas: Schema) -> Schema:
    """The schema itself, where there is only a reference to it."""
    found: Schema = schemas[_name(schema["$ref"])] if "$ref" in schema else schema
    return found


def _type(schema: Schema) -> str:
    """The type of a schema in a few words."""
    if "$ref" in schema:
        return _name(schema["$ref"])
    if "anyOf" in schema:
        return " or ".join(map(_type, schema["anyOf"]))
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    if isinstance(values := schema.get("additionalProperties"), dict):
        return f"object of {_type(values)} by name"
    return str(schema.get("format") or schema.get("type") or "anything")
