"""Who may use the records of an app."""

from __future__ import annotations

import secrets
import threading
from typing import Final

import structlog
from starlette.requests import Request

from lesionlens.api.access import challenge
from lesionlens.api.access.attempts import Attempts
from lesionlens.api.access.caller import Caller
from lesionlens.api.access.key_ring import KeyRing, KnownKey
from lesionlens.api.access.loopback import why_not_local
from lesionlens.api.access.origin import is_cross_site
from lesionlens.api.access.passwords import Password, check_hash, hash_password
from lesionlens.api.access.policy import HOW_TO_PROTECT, check_settings, has_keys, is_protected, why_off
from lesionlens.api.access.scopes import Scope
from lesionlens.api.access.sessions import Sessions, sign_of
from lesionlens.api.access.signing import load_signing_key
from lesionlens.api.problems import ACCESS_REFUSED, ACCESS_REQUIRED, SCOPE_MISSING, RequestError
from lesionlens.errors import LesionLensError
from lesionlens.settings import Settings

__all__ = ["COOKIE", "Access"]

COOKIE: Final = "lesionlens"
"""Name of the cookie where it may travel over plain HTTP."""
_SECURE_COOKIE: Final = f"__Host-{COOKIE}"  # browsers take this prefix from this very host only, and by HTTPS

_logger = structlog.stdlib.get_logger("lesionlens.access")


class Access:
    """The access control of one app.

    Args:
        settings: The service's.

    Attributes:
        settings: The same.
        password: The password; None if none is set.
        attempts: Counts failed attempts to log in.

    Raises:
        SettingsError: The settings would let the records lie open to others, or nobody in, as a hash does that cannot
            be computed; or the file of API keys is damaged.
    """

    def __init__(self, settings: Settings) -> None:
        check_settings(settings)
        self.settings = settings
        self.attempts = Attempts()
        self.password: Password | None = None
        self._keys = KeyRing(settings.api_keys, settings.api_keys_file)
        self._sessions: Sessions | None = None
        self._lock = threading.Lock()
        if settings.password_hash is not None:
            check_hash(settings.password_hash.get_secret_value())
            self.password = Password(settings.password_hash.get_secret_value())
        elif settings.password is not None:
            self.password = Password(hash_password(settings.password.get_secret_value()))
        reason = why_off(settings)
        if reason is not None and settings.tracker == "auto":
            _logger.warning("the tracker is off", reason=reason)

    @property
    def is_protected(self) -> bool:
        """Whether a password or an API key is set."""
        return is_protected(self.settings)

    @property
    def sessions(self) -> Sessions:
        """The sessions of those who logged in by the password.

        Raises:
            ValueError: No password is set.
        """
        known_by = self.settings.password_hash or self.settings.password
        if known_by is None:
            raise ValueError("there are no sessions without a password")
        with self._lock:  # a second caller must not get a key of its own
            if self._sessions is None:
                key = _signing_key(self.settings)
                self._sessions = Sessions(key, known_by.get_secret_value(), 3600 * self.settings.session_hours)
            return self._sessions

    def check(self, request: Request, scope: Scope = Scope.READ) -> Caller:
        """Let a request pass that may use the records.

        Args:
            request: Its body need not have been read.
            scope: What an API key must be allowed to do. A session, and whoever is at the machine itself where no
                password is set, may do everything.

        Returns:
            Who it is.

        Raises:
            RequestError: It may not: `access-required`, `access-refused` where logging in would not help, or
                `insufficient-scope`.
        """
        key = self.key_of(request)
        if key is not None and key.ended is None:
            # No browser adds a key by itself, so no page of another site can have sent it.
            if scope not in key.scopes:
                raise RequestError(SCOPE_MISSING, _which_scope(key, scope), headers=challenge.for_scope(scope))
            return Caller("key", key.name)
        self.refuse_cross_site(request)
        if not self.is_protected:
            self._refuse_others(request)
            return Caller("local")
        token = self._session(request)
        if token is None:
            headers = challenge.NOBODY if _bearer(request) is None else challenge.INVALID_KEY
            raise RequestError(ACCESS_REQUIRED, self._what_is_missing(request, key), headers=headers)
        return Caller("session", sign_of(token))

    def key_of(self, request: Request) -> KnownKey | None:
        """Return the API key that a request was sent with, even one that has ended; None if it has none that is known.

        Args:
            request: Its keys are looked up once, however often they are asked for.
        """
        given = _bearer(request)
        if given is None:
            return None
        if not hasattr(request.state, "api_key"):
            request.state.api_key = self._keys.find(given)
        found: KnownKey | None = request.state.api_key
        return found

    def refuse_cross_site(self, request: Request) -> None:
        """Refuse what a browser sends for a page of another origin.

        Reading is refused as well as writing: it costs nothing, and what such a page could embed stays here.

        Raises:
            RequestError: It is such a request (`access-refused`).
        """
        if is_cross_site(request.headers):
            raise RequestError(
                ACCESS_REFUSED,
                "The request was sent by a page of another site. Accepted are those of this service's own page, and of "
                "programs other than browsers.",
            )

    def cookie_name(self, request: Request) -> str:
        """Return under which name a browser keeps the session, which tells whether it travels by HTTPS only."""
        return _SECURE_COOKIE if self.uses_https(request) else COOKIE

    def uses_https(self, request: Request) -> bool:
        """Say whether the session's cookie is for HTTPS only."""
        # Of a trusted proxy the server has taken over X-Forwarded-Proto.
        return self.settings.secure_cookie == "on" or request.scope["scheme"] == "https"

    def _session(self, request: Request) -> str | None:
        """Return the token of the session that a request belongs to; None if it belongs to none."""
        token = request.cookies.get(self.cookie_name(request))
        is_valid = self.password is not None and token is not None and self.sessions.is_valid(token)
        return token if is_valid else None

    def _refuse_others(self, request: Request) -> None:
        why = why_not_local(request.scope)
        if why is not None:
            raise RequestError(
                ACCESS_REFUSED,
                f"{why} Without a password the records can be used at the machine itself only, under "
                f"http://localhost or http://127.0.0.1. To use them from elsewhere, {HOW_TO_PROTECT}.",
            )

    def _what_is_missing(self, request: Request, key: KnownKey | None) -> str:
        ways = []
        if self.password is not None:
            ways.append("log in by POST /v1/session")
        if has_keys(self.settings):
            ways.append("send an API key in the header Authorization: Bearer KEY")
        if key is not None and key.ended is not None:
            wrong = f"The API key {key.name!r} ended at {key.ended:%Y-%m-%d %H:%M} UTC"
        elif _bearer(request) is not None:
            wrong = "The API key is not one of this service's"
        else:
            wrong = "Nobody is logged in"
        return f"{wrong}; {', or '.join(ways)}."


def _which_scope(key: KnownKey, scope: Scope) -> str:
    may = ", ".join(sorted(key.scopes))
    return f"The API key {key.name!r} lacks the scope {str(scope)!r}, which this request needs; it has: {may}."


def _bearer(request: Request) -> str | None:
    # A header of another scheme, such as Basic, is for a proxy in between.
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    return value.strip() if scheme.lower() == "bearer" else None


def _signing_key(settings: Settings) -> bytes:
    try:
        return load_signing_key(settings)
    except LesionLensError as error:
        # Without its data folder the tracker is off; whoever is to use /predict only can still log in.
        _logger.warning("sessions end when this process does", reason=str(error))
        return secrets.token_bytes(32)
