"""The settings of rate limits: what they accept, and that a password in the URL is never shown."""

from __future__ import annotations

import subprocess
import sys
import traceback

import pytest

from lesionlens.api import create_app
from lesionlens.errors import SettingsError
from lesionlens.settings import load_settings


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LESIONLENS_RATE_LIMIT", "LESIONLENS_RATE_LIMIT_STORAGE"):
        monkeypatch.delenv(name, raising=False)


def test_by_default_there_is_no_limit() -> None:
    settings = load_settings()
    assert (settings.rate_limit, settings.rate_limit_storage) == ("", None)
    assert load_settings(rate_limit="  ").rate_limit == ""


@pytest.mark.parametrize("value", ["1/second", "120/minute;2000/hour", "120 per minute; 5 per 2 hours", "9/day"])
def test_limits_in_the_words_of_the_library(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LESIONLENS_RATE_LIMIT", value)
    assert load_settings().rate_limit == value


@pytest.mark.parametrize(
    "value", ["120", "120/fortnight", "-1/minute", "0/minute", "ten/minute", "1/minute;9/60 second", ";"]
)
def test_a_wrong_limit_is_explained(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LESIONLENS_RATE_LIMIT", value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert str(caught.value).startswith(f"LESIONLENS_RATE_LIMIT is {value!r}; accepted: limits with `;` between them")
    assert "120/minute;2000/hour" in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "memory://",
        "redis://redis",
        "redis://user:hunter2@redis:6379/3",
        "rediss://10.0.0.1:6380",
        "redis+unix:///run/redis.sock",
    ],
)
def test_storages_of_every_kind(url: str) -> None:
    storage = load_settings(rate_limit_storage=url).rate_limit_storage
    assert storage is not None
    assert storage.get_secret_value() == url


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("redis:6379", "names no host"),
        ("localhost:6379", "has a scheme"),
        ("http://:hunter2@redis", "has a scheme"),
        ("memcached://redis", "has a scheme"),
        ("redis://", "names no host"),
        ("redis://:hunter2@redis:port", "is no URL"),
        ("redis://:hunter2@redis:70000", "is no URL"),
        ("redis://:hunter2@[redis", "is no URL"),
        ("redis://:hunter2@redis/one", "no database number"),
        ("redis+unix://", "names no socket"),
    ],
)
def test_a_wrong_storage_is_explained_and_not_shown(url: str, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LESIONLENS_RATE_LIMIT_STORAGE", url)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    message = str(caught.value)
    assert message.startswith("LESIONLENS_RATE_LIMIT_STORAGE ")
    assert why in message
    assert "accepted: `memory://`, `redis://HOST:PORT/DATABASE`" in message
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))


def test_the_url_is_not_shown_where_settings_are_printed() -> None:
    settings = load_settings(rate_limit_storage="redis://:hunter2@redis")
    assert "hunter2" not in f"{settings!r} {settings!s} {settings.model_dump_json(exclude={'api_keys'})}"


def test_options_that_the_client_of_redis_does_not_know_stop_the_start() -> None:
    pytest.importorskip("redis", reason="the client of Redis is not installed: pip install 'lesionlens[redis]'")
    url = "redis://:hunter2@redis/0?socket_timeout=soon"
    with pytest.raises(
        SettingsError, match=r"LESIONLENS_RATE_LIMIT_STORAGE is a URL that .*accepted: redis://"
    ) as told:
        create_app(load_settings(tracker="off", rate_limit="5/minute", rate_limit_storage=url))
    assert "hunter2" not in "".join(traceback.format_exception(told.value))


def test_without_the_client_of_redis_the_start_names_the_extra() -> None:
    program = (
        "import sys; sys.modules['redis'] = None\n"
        "from lesionlens.api import create_app\n"
        "from lesionlens.settings import load_settings\n"
        "create_app(load_settings(tracker='off', rate_limit='5/minute', rate_limit_storage='redis://redis'))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=240)
    assert done.returncode == 1
    assert "SettingsError: LESIONLENS_RATE_LIMIT_STORAGE names Redis" in done.stderr
    assert "pip install 'lesionlens[redis]'" in done.stderr


def test_without_a_limit_none_of_it_is_loaded() -> None:
    program = (
        "import sys\n"
        "from lesionlens.api import create_app\n"
        "from lesionlens.settings import load_settings\n"
        "create_app(load_settings(tracker='off', rate_limit=''))\n"
        "print(sorted({'limits', 'redis'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=240)
    assert done.stdout == "[]\n", done.stderr
