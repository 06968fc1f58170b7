"""Serves the page and the API reference: plain files, nothing built, nothing from another host."""

from __future__ import annotations

import gzip
import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from lesionlens.api.reference import reference
from lesionlens.version import __version__

__all__ = ["PageFiles", "pages", "shell"]

# The browser keeps the files and asks each time whether they changed (ETag): a new release is seen at once.
_CACHING: Final = {"Cache-Control": "no-cache"}
# Kept under another address than that of the file, or not at all: the worker is what opens the rest.
_NOT_STATIC: Final = frozenset({"index.html", "sw.js", "manifest.webmanifest", "reference.css"})


class PageFiles(StaticFiles):
    """The scripts and styles of the page, compressed for whoever can read that (RFC 9110, section 8.4.1.3)."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file, to be checked for changes at each use."""
        response = await super().get_response(path, scope)
        response.headers.update(_CACHING)
        headers = Headers(scope=scope)
        if not isinstance(response, FileResponse) or response.status_code != 200 or "range" in headers:
            return response
        response.headers["Vary"] = "Accept-Encoding"
        if "gzip" not in headers.get("accept-encoding", ""):
            return response
        etag = response.headers["etag"]
        packed = Response(_compress(Path(response.path), etag), media_type=response.media_type)
        # Weak: the same file, not the same bytes.
        packed.headers.update({**_CACHING, "Vary": "Accept-Encoding", "Content-Encoding": "gzip", "ETag": f"W/{etag}"})
        return packed


@lru_cache(maxsize=256)
def _compress(path: Path, etag: str) -> bytes:  # noqa: ARG001 - the tag is part of the key
    """Compress a file; `etag` changes with its content, so that a file that was edited is compressed anew."""
    return gzip.compress(path.read_bytes(), mtime=0)


def shell(folder: Path) -> dict[str, Any]:
    """Say which files open the page where the service cannot be reached.

    Args:
        folder: Where the page is.

    Returns:
        `version`: the release and the first 12 hexadecimal digits of the SHA-256 over all names and contents, so that
        it changes when any file does. `files`: their addresses, relative to the page's.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    names = [path.relative_to(folder).as_posix() for path in files]
    digest = hashlib.sha256()
    for name, path in zip(names, files, strict=True):
        content = path.read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    kept = [f"static/{name}" for name in names if name not in _NOT_STATIC]
    return {"version": f"{__version__}-{digest.hexdigest()[:12]}", "files": ["./", "manifest.webmanifest", *kept]}


def pages(folder: Path) -> APIRouter:
    """Return the routes `/`, `/docs`, `/openapi.json`, `/sw.js` and `/manifest.webmanifest`.

    Args:
        folder: Where the page is.
    """
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    def page() -> FileResponse:
        return FileResponse(folder / "index.html", headers=_CACHING)

    @router.get("/docs")
    def docs(request: Request) -> HTMLResponse:
        return HTMLResponse(reference(request.app.openapi()), headers=_CACHING)

    @router.get("/openapi.json")
    def description(request: Request) -> JSONResponse:
        # A plain function, which runs in a thread. FastAPI's own route builds the document, which takes half a second
        # the first time, in the event loop, where it would keep everybody waiting.
        document = request.app.openapi()
        root = request.scope.get("root_path", "").rstrip("/")
        if root:  # behind a proxy that serves it under a prefix, as FastAPI's own route says it
            document = document | {"servers": [{"url": root}, *document.get("servers", [])]}
        return JSONResponse(document)

    @router.get("/sw.js")
    def worker() -> Response:
        # A worker may only answer for addresses below its own, so that it cannot lie under /static.
        script = (folder / "sw.js").read_text(encoding="utf-8")
        text = f"const SHELL = {json.dumps(shell(folder))};\n{script}"
        return Response(text, media_type="text/javascript", headers=_CACHING)

    @router.get("/manifest.webmanifest")
    def manifest() -> FileResponse:
        return FileResponse(folder / "manifest.webmanifest", media_type="application/manifest+json", headers=_CACHING)

    return router
