"""With which settings the tracker may run, and with which the service does not even start."""

from __future__ import annotations

from typing import Any

import pytest
from visitors import KEYS, PASSWORD, PASSWORD_HASH

from lesionlens.api import create_app
from lesionlens.api.access import check_settings, describe_protection, why_off
from lesionlens.errors import SettingsError
from lesionlens.settings import load_settings

LOOPBACK = ["127.0.0.1", "127.1.2.3", "localhost", "LOCALHOST", "::1"]
OPEN = ["0.0.0.0", "::", "192.168.1.7", "nas", "", "localhost.example.org"]
GUARDS: list[dict[str, Any]] = [{"password": PASSWORD}, {"password_hash": PASSWORD_HASH}, {"api_keys": KEYS}]


@pytest.mark.parametrize("tracker", ["auto", "on"])
@pytest.mark.parametrize("host", LOOPBACK)
def test_it_runs_on_loopback_without_a_password(host: str, tracker: str) -> None:
    assert why_off(load_settings(host=host, tracker=tracker)) is None


@pytest.mark.parametrize("guard", GUARDS)
@pytest.mark.parametrize("tracker", ["auto", "on"])
@pytest.mark.parametrize("host", OPEN)
def test_it_runs_anywhere_with_a_password_or_a_key(host: str, tracker: str, guard: dict[str, Any]) -> None:
    assert why_off(load_settings(host=host, tracker=tracker, **guard)) is None


@pytest.mark.parametrize("host", OPEN)
def test_it_stays_off_where_others_could_reach_it(host: str) -> None:
    reason = why_off(load_settings(host=host))
    assert reason is not None
    for variable in ("LESIONLENS_PASSWORD_HASH", "LESIONLENS_PASSWORD", "LESIONLENS_API_KEYS"):
        assert variable in reason


@pytest.mark.parametrize("host", OPEN)
def test_demanding_it_there_is_an_error_that_names_the_variables(host: str) -> None:
    settings = load_settings(host=host, tracker="on")
    for refuse in (why_off, check_settings, create_app):
        with pytest.raises(
            SettingsError, match=r"LESIONLENS_TRACKER is on.*LESIONLENS_PASSWORD_HASH.*LESIONLENS_API_KEYS"
        ):
            refuse(settings)


@pytest.mark.parametrize("guard", [{}, *GUARDS])
def test_off_is_off(guard: dict[str, Any]) -> None:
    assert "LESIONLENS_TRACKER is off" in str(why_off(load_settings(tracker="off", **guard)))


def test_predict_cannot_be_closed_to_everybody() -> None:
    check_settings(load_settings(protect_predict=True))
    check_settings(load_settings(protect_predict=True, host="0.0.0.0", api_keys=KEYS))
    with pytest.raises(SettingsError, match=r"LESIONLENS_PROTECT_PREDICT is on.*LESIONLENS_PASSWORD_HASH"):
        check_settings(load_settings(protect_predict=True, host="0.0.0.0"))


def test_what_guards_is_said_in_words() -> None:
    two = f"{KEYS} nas={'1' * 64}"
    assert describe_protection(load_settings()) == "without a password, for this machine only"
    assert describe_protection(load_settings(password=PASSWORD)) == "protected by a password"
    assert describe_protection(load_settings(api_keys=KEYS)) == "protected by 1 API key"
    both = load_settings(password_hash=PASSWORD_HASH, api_keys=two)
    assert describe_protection(both) == "protected by a password and 2 API keys"
