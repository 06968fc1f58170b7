"""The audit log: one line for each request that reads or changes records, or tries to.

    {"time":"2026-11-23T17:00:00.120Z","event":"records","request_id":"5d0c…","who":"key:backup","granted":true,
     "client":"203.0.113.9","method":"GET","route":"/v1/people/{person_id}","records":{"people":["0199…"]},"status":200}

It names records by their ids, and whoever asked by the name of a key. Labels, notes, pictures, names of files, and
whatever else stands in a query or a body never get here.
"""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lesionlens.api.access.audit_file import AuditFile
from lesionlens.api.access.touched import Touched, collecting
from lesionlens.api.errors import CLIENT_CLOSED_REQUEST

__all__ = ["AuditLog", "AuditMiddleware"]

_COMPLAIN_EVERY: Final = 60.0
_logger = structlog.stdlib.get_logger("lesionlens.audit")


class AuditLog:
    """Where the lines go: to the logger `lesionlens.audit`, and to a file if one is named.

    Args:
        path: The file; None for none.

    Raises:
        SettingsError: It cannot be written.
    """

    def __init__(self, path: Path | None) -> None:
        self._file = None if path is None else AuditFile(path)
        self._complained = -_COMPLAIN_EVERY

    def write(self, **entry: Any) -> None:
        """Write a line. Where the file cannot be written the service goes on, and its log says so.

        Args:
            **entry: What happened; the time is added.
        """
        _logger.info("records", **entry)
        if self._file is None:
            return
        moment = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = json.dumps({"time": moment, "event": "records", **entry}, separators=(",", ":"))
        try:
            self._file.append(line)
        except OSError as error:
            if time.monotonic() - self._complained >= _COMPLAIN_EVERY:
                self._complained = time.monotonic()
                reason = error.strerror or str(error)
                structlog.stdlib.get_logger("lesionlens.access").error("the audit log lacks lines", reason=reason)

    def close(self) -> None:
        """Close the file; the next line opens it again."""
        if self._file is not None:
            self._file.close()


class AuditMiddleware:
    """Writes the line once a request is answered, or its client gone.

    Args:
        app: What answers. For a request that is told of it sets `audited` in the request's state, and `caller` if
            the request may use the records.
        log: Where lines go.
    """

    def __init__(self, app: ASGIApp, log: AuditLog) -> None:
        self._app = app
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, location = CLIENT_CLOSED_REQUEST, ""

        async def watch(message: Message) -> None:
            nonlocal status, location
            if message["type"] == "http.response.start":
                status = message["status"]
                location = next((v.decode("latin-1") for n, v in message["headers"] if n.lower() == b"location"), "")
            await send(message)

        with collecting() as touched:
            try:
                await self._app(scope, receive, watch)
            finally:
                if scope.get("state", {}).get("audited"):
                    touched.add_named(scope)
                    if location:
                        touched.add_made(location)
                    self._log.write(**_entry(scope, touched, status))


def _entry(scope: Scope, touched: Touched, status: int) -> dict[str, Any]:
    state = scope["state"]
    caller, key = state.get("caller"), state.get("api_key")
    client = scope.get("client")
    return {
        "request_id": state.get("request_id", ""),
        # A key that was known but may not do this, or has ended, is named all the same.
        "who": str(caller) if caller is not None else f"key:{key.name}" if key is not None else "denied",
        "granted": caller is not None,
        "client": client[0] if client else "",
        "method": scope["method"],
        "route": scope["route"].path,
        "records": touched.as_dict(),
        "status": status,
    }
