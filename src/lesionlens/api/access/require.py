"""What routes depend on, and what they may tell of who has access."""

from __future__ import annotations

from typing import Annotated, Any, Final, cast

from fastapi import Request, Security
from fastapi.security import APIKeyCookie, HTTPBearer

from lesionlens.api.access.control import COOKIE, Access
from lesionlens.api.access.loopback import why_not_local
from lesionlens.api.access.scopes import Scope, scope_of_request
from lesionlens.api.problems import RequestError

__all__ = [
    "access_of",
    "describe_access",
    "require_access",
    "require_access_if_protected",
    "require_metrics_access",
]

# They tell the reference how to get in; `Access.check` reads the request itself.
_KEY: Final = HTTPBearer(
    scheme_name="ApiKey", description="Made by `lesionlens keys add` or `lesionlens api-key`.", auto_error=False
)
_SESSION: Final = APIKeyCookie(
    name=COOKIE,
    scheme_name="Session",
    description=f"Set by `POST /v1/session`; over HTTPS its name is `__Host-{COOKIE}`.",
    auto_error=False,
)


def access_of(request: Request) -> Access:
    """Return the access control of the app that answers a request."""
    return cast("Access", request.app.state.lesionlens.access)


async def require_access(
    request: Request, _key: Annotated[Any, Security(_KEY)], _session: Annotated[Any, Security(_SESSION)]
) -> None:
    """Let only those pass who may use the records; a dependency of every route that reads or writes them.

    The audit log tells of every request that comes here, so what is guarded cannot be forgotten there.

    Raises:
        RequestError: `access-required` (401), `access-refused` or `insufficient-scope` (403).
    """
    request.state.audited = True
    request.state.caller = access_of(request).check(request, scope_of_request(request.scope))


async def require_access_if_protected(request: Request) -> None:
    """Let only those pass who may use the records, if `LESIONLENS_PROTECT_PREDICT` says so; for routes without records.

    Raises:
        RequestError: `access-required` (401), `access-refused` or `insufficient-scope` (403).
    """
    access = access_of(request)
    if access.settings.protect_predict:
        access.check(request, Scope.ANALYSE)


async def require_metrics_access(request: Request) -> None:
    """Let only those pass who may read the metrics, if `LESIONLENS_PROTECT_METRICS` says so.

    Raises:
        RequestError: `access-required` (401), `access-refused` or `insufficient-scope` (403).
    """
    access = access_of(request)
    if access.settings.protect_metrics:
        access.check(request, Scope.METRICS)


def describe_access(request: Request) -> dict[str, bool]:
    """Say how a client stands, so that a page knows whether to ask for a password.

    Args:
        request: Any request of the client.

    Returns:
        `required`: whether it needs a password or an API key (true also where none is set and the client is not at the
        machine itself); `granted`: whether it may use the records as it is; `password`: whether one can log in.
    """
    access = access_of(request)
    try:
        access.check(request)
        granted = True
    except RequestError:
        granted = False
    return {
        "required": access.is_protected or why_not_local(request.scope) is not None,
        "granted": granted,
        "password": access.password is not None,
    }
