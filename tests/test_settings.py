from __future__ import annotations

from pathlib import Path

import pytest

from lesionlens.errors import SettingsError
from lesionlens.settings import Settings, load_settings, variable_name


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for field in Settings.model_fields:
        monkeypatch.delenv(variable_name(field), raising=False)


def test_defaults_are_those_of_the_contract() -> None:
    settings = load_settings()
    assert (settings.host, settings.port, settings.gradcam_max_side) == ("127.0.0.1", 5000, 512)
    assert settings.cors_origins == ("*",)
    assert settings.batch_delay_ms == 0


def test_contract_names_have_no_prefix_and_the_others_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "8080")
    monkeypatch.setenv("GRADCAM_MAX_SIDE", "256")
    monkeypatch.setenv("LESIONLENS_HOST", "0.0.0.0")
    monkeypatch.setenv("LESIONLENS_PORT", "1")
    settings = load_settings()
    assert (settings.port, settings.gradcam_max_side, settings.host) == (8080, 256, "0.0.0.0")


@pytest.mark.parametrize(("field", "value"), [("port", 6000), ("host", "::1"), ("engine", "openvino")])
def test_an_override_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch, field: str, value: object) -> None:
    monkeypatch.setenv("PORT", "8080")
    monkeypatch.setenv("LESIONLENS_HOST", "10.0.0.1")
    monkeypatch.setenv("LESIONLENS_ENGINE", "onnxruntime")
    assert getattr(load_settings(**{field: value}), field) == value


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "")
    assert load_settings().port == 5000


@pytest.mark.parametrize(
    ("variable", "value", "accepted"),
    [
        ("PORT", "web", "0–65535"),
        ("PORT", "65536", "0–65535"),
        ("GRADCAM_MAX_SIDE", "0", "16–8192"),
        ("LESIONLENS_ENGINE", "tensorflow", "onnxruntime"),
        ("LESIONLENS_QUEUE_SIZE", "-1", "1–10000"),
        ("LESIONLENS_UPLOAD_TIMEOUT", "soon", "0.1–3600"),
        ("LESIONLENS_LOG_LEVEL", "loud", "warning"),
        ("LESIONLENS_CORS_ORIGINS", "example.org", "https://example.org"),
    ],
)
def test_a_wrong_value_is_explained(monkeypatch: pytest.MonkeyPatch, variable: str, value: str, accepted: str) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    message = str(caught.value)
    assert variable in message
    assert value in message
    assert accepted in message


def test_every_wrong_value_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "x")
    monkeypatch.setenv("LESIONLENS_THREADS", "y")
    with pytest.raises(SettingsError, match=r"PORT is 'x'.*LESIONLENS_THREADS is 'y'"):
        load_settings()


def test_an_unknown_override_is_told() -> None:
    with pytest.raises(SettingsError, match="no setting 'prot'"):
        load_settings(prot=1)


def test_a_wrong_override_is_told() -> None:
    with pytest.raises(SettingsError, match="PORT is -1; accepted: a whole number, 0–65535"):
        load_settings(port=-1)


def test_origins_are_a_comma_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LESIONLENS_CORS_ORIGINS", "https://a.example/ , http://b.example:3000")
    assert load_settings().cors_origins == ("https://a.example", "http://b.example:3000")


def test_words_may_be_in_any_case_and_home_is_expanded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LESIONLENS_LOG_LEVEL", "WARNING")
    settings = load_settings()
    assert settings.log_level == "warning"
    assert "~" not in str(settings.cache_dir)


def settings_table() -> str:
    """The table of `docs/serving.md`, made from the settings themselves."""
    rows = ["| variable | default | accepted | what it sets |", "|---|---|---|---|"]
    for name, field in Settings.model_fields.items():
        extra = field.json_schema_extra
        assert isinstance(extra, dict), f"{name} does not say what is accepted"
        default = ",".join(field.default) if isinstance(field.default, tuple) else field.default
        if isinstance(default, bool):
            default = str(default).lower()
        shown = "not set" if default in (None, "") else f"`{default}`"
        rows.append(f"| `{variable_name(name)}` | {shown} | {extra['accepted']} | {field.description} |")
    return "\n".join(rows)


def test_the_documentation_lists_every_setting(repo_root: Path) -> None:
    assert settings_table() in (repo_root / "docs" / "serving.md").read_text(encoding="utf-8"), settings_table()
