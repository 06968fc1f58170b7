"""Damaged forms, for whatever parses `multipart/form-data` (RFC 7578)."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator
from typing import Final, NamedTuple

from starlette.requests import ClientDisconnect, Request

from fuzz.mutate import Case, damage
from fuzz.seeds import drawn_seeds
from fuzz.targets import Target, WrongAnswerError
from lesionlens.api.problems import RequestError
from lesionlens.api.uploads import read_form
from lesionlens.settings import Settings

__all__ = ["CONTENT_TYPE", "TARGET", "Form", "make_form"]

_BOUNDARY: Final = b"----lesionlens7MA4YWxkTrZu0gW"
CONTENT_TYPE: Final = f"multipart/form-data; boundary={_BOUNDARY.decode()}"
_SETTINGS: Final = Settings(max_upload_bytes=100_000)
_PARTS: Final = (
    b'Content-Disposition: form-data; name="file"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n',
    b"Content-Disposition: form-data; name=file; filename*=UTF-8''a%20b.png\r\n\r\n",
    b'Content-Disposition: form-data; name="note"\r\n\r\nsome words',
    b'Content-Disposition: form-data; name="file"\r\n\r\nonly text',
    b'Content-Disposition: form-data; name="analyse"\r\nContent-Transfer-Encoding: base64\r\n\r\ntrue',
)
_SNIPPETS: Final = (b"\r\n", b"\n", b"\r", b"--", b'"', b";", b"\0", b"\xff", b"=", b": ", b"\r\n\r\n", _BOUNDARY,
                    b"--" + _BOUNDARY + b"--", b'name="file"', b'filename="', b"x" * 9000)  # fmt: skip


class Form(NamedTuple):
    """A request's body with its media type.

    Attributes:
        number: Which one; the same number makes the same form.
        name: How it was damaged.
        data: The body.
        content_type: The header; damaged now and then, too.
    """

    number: int
    name: str
    data: bytes
    content_type: str


def make_form(number: int) -> Form:
    """Make a damaged form, from 0 on; about one in ten is whole."""
    rng = random.Random(f"form {number}")
    photo = drawn_seeds()["png-palette"]
    parts = [_PARTS[0] + photo, *rng.sample(_PARTS, rng.randrange(3))]
    rng.shuffle(parts)
    body = b"".join(b"--" + _BOUNDARY + b"\r\n" + part + b"\r\n" for part in parts) + b"--" + _BOUNDARY + b"--\r\n"
    header, how = CONTENT_TYPE, ["whole"]
    if rng.random() < 0.5:
        body, how = damage(rng, body, body)
    for _ in range(rng.choice((0, 0, 1, 1, 2, 5))):
        # Among the headers of the parts and the boundaries, where the parser has to decide.
        at = rng.choice([i for i in range(len(body) + 1) if i < 300 or i > len(body) - 100])
        body = body[:at] + rng.choice(_SNIPPETS) + body[at + rng.choice((0, 0, 1, 5)) :]
        how.append("snippet")
    if rng.random() < 0.1:
        at = rng.randrange(len(header))
        header = header[:at] + rng.choice(("", ";", '"', "=", "é", "boundary=")) + header[at + 1 :]
        how.append("header")
    return Form(number, ", ".join(how), body, header.encode("utf-8").decode("latin-1"))


def _make(number: int) -> Case:
    form = make_form(number)
    return Case(number, form.name, form.content_type.encode("latin-1") + b"\n" + form.data)


def _read(case: Case) -> str:
    """Read a form; returns `photo`, or the kind of problem."""
    header, _, body = case.data.partition(b"\n")
    try:
        upload = asyncio.run(read_form(_request(header, body, case.number), _SETTINGS))
    except RequestError as error:
        return error.problem.slug
    if len(upload.photo) > _SETTINGS.max_upload_bytes:
        raise WrongAnswerError(f"a photo of {len(upload.photo)} bytes")
    return "photo"


def _request(header: bytes, body: bytes, number: int) -> Request:
    """A request whose body arrives in pieces, whose ends fall anywhere."""
    rng = random.Random(number)
    scope = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": [(b"content-type", header)]}

    async def pieces() -> AsyncGenerator[dict[str, object]]:
        position = 0
        while position < len(body):
            size = rng.choice((1, 7, 100, 5000, 100_000))
            yield {"type": "http.request", "body": body[position : position + size], "more_body": True}
            position += size
        yield {"type": "http.request", "body": b"", "more_body": False}

    arriving = pieces()

    async def receive() -> dict[str, object]:
        try:
            return await anext(arriving)
        except StopAsyncIteration:
            raise ClientDisconnect from None

    return Request(scope, receive)


TARGET: Final = Target(_make, _read, lambda: [_read(_make(number)) for number in range(50)])
"""The reader of forms, to be fuzzed."""
