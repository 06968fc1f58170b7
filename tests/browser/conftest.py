"""A real Chromium in front of a real server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from fitted import fitted, plain
from serving import Running, classifier, server

__all__ = ["Visit", "classifier", "fitted", "plain", "server", "visit"]


class Visit:
    """A page, with all that it asked for and complained about."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.requested: list[str] = []
        page.on("console", lambda m: self.complaints.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.requested.append(request.url))


@pytest.fixture
def visit(browser: Any) -> Iterator[Callable[..., Visit]]:
    """Function that opens a page of a server: `visit(server, width=…, scheme=…, path=…)`.

    The limits that must be read once count as read, unless `first_run`; all else goes to the browser's context.
    """
    contexts: list[Any] = []

    def open_page(
        server: Running,
        *,
        width: int = 1280,
        scheme: str = "light",
        path: str = "/",
        first_run: bool = False,
        **context: Any,
    ) -> Visit:
        made = browser.new_context(viewport={"width": width, "height": 844}, color_scheme=scheme, **context)
        contexts.append(made)
        if not first_run:
            made.add_init_script("localStorage.setItem('lesionlens.limits-read', '1')")
        visited = Visit(made.new_page())
        visited.page.goto(server.url + path)
        return visited

    yield open_page
    for context in contexts:
        context.close()
