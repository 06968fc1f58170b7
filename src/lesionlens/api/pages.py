"""Serves the page and the API reference: plain files, nothing built, nothing from another host."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

__all__ = ["PageFiles", "pages"]

# The browser keeps the files and asks each time whether they changed (ETag): a new release is seen at once.
_CACHING = {"Cache-Control": "no-cache"}


class PageFiles(StaticFiles):
    """The scripts and styles of the page."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file, to be checked for changes at each use."""
        response = await super().get_response(path, scope)
        response.headers.update(_CACHING)
        return response


def pages(folder: Path) -> APIRouter:
    """Return the routes `/` and `/docs`.

    Args:
        folder: Where the HTML files are.
    """
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    def page() -> FileResponse:
        return FileResponse(folder / "index.html", headers=_CACHING)

    @router.get("/docs")
    def reference() -> FileResponse:
        return FileResponse(folder / "docs.html", headers=_CACHING)

    return router
