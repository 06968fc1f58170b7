"""The settings of access: what they accept, how they say so, and that no secret of theirs is ever shown."""

from __future__ import annotations

import traceback

import pytest
from visitors import KEYS, PASSWORD_HASH

from lesionlens.access_settings import LONGEST_PASSWORD, SHORTEST_PASSWORD
from lesionlens.errors import SettingsError
from lesionlens.settings import Settings, load_settings, variable_name

HASH = "0" * 64


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for field in Settings.model_fields:
        monkeypatch.delenv(variable_name(field), raising=False)


def test_by_default_there_is_no_access_control_and_predict_is_open() -> None:
    settings = load_settings()
    assert (settings.password, settings.password_hash, settings.secret_key, settings.api_keys) == (None, None, None, ())
    assert not settings.protect_predict
    assert settings.secure_cookie == "auto"


@pytest.mark.parametrize("length", [SHORTEST_PASSWORD, LONGEST_PASSWORD])
def test_passwords_of_every_accepted_length(monkeypatch: pytest.MonkeyPatch, length: int) -> None:
    monkeypatch.setenv("LESIONLENS_PASSWORD", "é" * length)
    password = load_settings().password
    assert password is not None
    assert password.get_secret_value() == "é" * length


def test_keys_stand_with_spaces_or_commas_between_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LESIONLENS_API_KEYS", f" phone={HASH},nas.local={'1' * 64}\n backup_2={'a' * 64} , ")
    assert load_settings().api_keys == (("phone", HASH), ("nas.local", "1" * 64), ("backup_2", "a" * 64))


def test_a_hash_of_the_command_and_a_long_key_are_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LESIONLENS_PASSWORD_HASH", PASSWORD_HASH)
    monkeypatch.setenv("LESIONLENS_SECRET_KEY", "k" * 32)
    settings = load_settings()
    assert settings.password_hash is not None
    assert settings.password_hash.get_secret_value() == PASSWORD_HASH
    assert settings.secret_key is not None


@pytest.mark.parametrize(
    ("variable", "value", "wrong", "accepted"),
    [
        ("PASSWORD", "hunter2", "has 7 characters", "8–1024 characters"),
        ("PASSWORD", "hunter2" * 150, "has 1050 characters", "8–1024 characters"),
        ("PASSWORD", "hunter2\udcff", "is not in UTF-8", "8–1024 characters"),
        ("PASSWORD_HASH", "hunter2hunter2", "does not begin with $argon2id$", "`lesionlens password`"),
        ("PASSWORD_HASH", "=19=65536,t=3hunter2", "double quotes a shell", "single quotes"),
        ("PASSWORD_HASH", PASSWORD_HASH.replace("argon2id", "argon2i"), "does not begin with", "argon2id"),
        ("PASSWORD_HASH", PASSWORD_HASH[:-35], "is no whole argon2id hash", "`lesionlens password`"),
        ("PASSWORD_HASH", PASSWORD_HASH + "\n", "is no whole argon2id hash", "`lesionlens password`"),
        ("API_KEYS", "hunter2hunter2", "has a value that is not accepted", "`NAME=HASH`"),
        ("API_KEYS", "phone=lesionlens_hunter2", "is not the hash of a key", "`lesionlens api-key NAME`"),
        ("API_KEYS", f"phone={HASH.replace('0', 'A')}", "is not the hash of a key", "`NAME=HASH`"),
        ("API_KEYS", f"={HASH}", "name that is not accepted", "`NAME=HASH`"),
        ("API_KEYS", f"my/phone={HASH}", "name that is not accepted", "`NAME=HASH`"),
        ("API_KEYS", f"phone={HASH} phone={'1' * 64}", "same name twice", "`NAME=HASH`"),
        ("SECRET_KEY", "hunter2", "is too short", "at least 32 random characters"),
    ],
)
def test_what_is_wrong_is_told_but_not_shown(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, wrong: str, accepted: str
) -> None:
    monkeypatch.setenv(f"LESIONLENS_{variable}", value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    told = str(caught.value)
    assert told.startswith(f"LESIONLENS_{variable} ")
    assert wrong in told
    assert accepted in told
    shown = "".join(traceback.format_exception(caught.value))  # pydantic's own error is in it, as its cause
    assert value not in shown
    assert "hunter2" not in shown


def test_one_password_cannot_be_given_twice() -> None:
    with pytest.raises(SettingsError, match="PASSWORD_HASH is set beside LESIONLENS_PASSWORD"):
        load_settings(password="long enough", password_hash=PASSWORD_HASH)


@pytest.mark.parametrize(
    ("field", "value", "accepted"),
    [
        ("protect_predict", "perhaps", "`true` or `false`"),
        ("session_hours", "0", "0.1–8760"),
        ("session_hours", "9000", "0.1–8760"),
        ("secure_cookie", "off", "`auto` or `on`"),
    ],
)
def test_other_wrong_values_are_shown(field: str, value: str, accepted: str) -> None:
    with pytest.raises(SettingsError, match=f"{variable_name(field)} is '{value}'; accepted: .*{accepted}"):
        load_settings(**{field: value})


def test_settings_hide_their_secrets_where_they_are_printed() -> None:
    secrets = {"password": "hunter2hunter2", "secret_key": "s" * 40, "api_keys": KEYS}
    settings = load_settings(**secrets)
    hashed = load_settings(password_hash=PASSWORD_HASH)
    shown = (
        f"{settings!r} {settings!s} {settings.password!r} {settings.model_dump_json(exclude={'api_keys'})} {hashed!r}"
    )
    for secret in ("hunter2", "s" * 40, KEYS.split("=")[1], PASSWORD_HASH):
        assert secret not in shown
