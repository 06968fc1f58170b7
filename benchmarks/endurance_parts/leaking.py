"""The service with a leak: it keeps every upload for ever. What the memory check must catch; never serve with it.

python -m endurance_parts.leaking
"""

from __future__ import annotations

from typing import Final

from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lesionlens.api import create_app
from lesionlens.api.logs import configure_logging
from lesionlens.api.server import Server, listen
from lesionlens.settings import load_settings

KEPT: Final[list[bytes]] = []


class Keeper:
    """ASGI middleware that remembers the bodies of all requests.

    Args:
        app: What answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and keep what it holds."""

        async def keep() -> Message:
            message = await receive()
            if message["type"] == "http.request":
                KEPT.append(message.get("body", b""))
            return message

        await self._app(scope, keep, send)


def main() -> None:
    """Serve as `lesionlens serve` does, and say where."""
    settings = load_settings()
    configure_logging(settings)
    app: FastAPI = create_app(settings)
    app.add_middleware(Keeper)
    with listen(settings.host, settings.port) as listener:
        print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
        Server(app).run(sockets=[listener])


if __name__ == "__main__":
    main()
