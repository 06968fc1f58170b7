"""Traces are made if OpenTelemetry's variables ask for them, and what they ask for in vain is told at the start."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from lesionlens.api import create_app
from lesionlens.api.tracing_settings import check_tracing
from lesionlens.errors import SettingsError
from lesionlens.settings import load_settings
from otlp_collector import no_otel_variables
from serving import Program

__all__ = ["no_otel_variables"]

pytestmark = pytest.mark.usefixtures("no_otel_variables")


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"},
        {"OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": ""},
        {"OTEL_SERVICE_NAME": "x"},
    ],
)
def test_no_traces_unless_asked_for(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert not check_tracing()
    assert create_app(load_settings()).state.lesionlens.tracing is None


def test_nothing_is_imported_unless_asked_for() -> None:
    program = (
        "import sys; from lesionlens.api import create_app; create_app(); "
        "print([name for name in sys.modules if name.startswith(('opentelemetry.sdk', 'opentelemetry.exporter'))])"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment)
    assert result.stdout.strip() == "[]", result.stderr


@pytest.mark.parametrize(
    ("variable", "value", "accepted"),
    [
        ("OTEL_TRACES_EXPORTER", "zipkin", "'otlp' or 'none'"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "'http/protobuf'"),
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json", "'http/protobuf'"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318", "http://collector:4318"),
    ],
)
def test_what_cannot_be_done_is_told(monkeypatch: pytest.MonkeyPatch, variable: str, value: str, accepted: str) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318")
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError) as caught:
        create_app(load_settings())
    assert variable in str(caught.value)
    assert repr(value) in str(caught.value)
    assert accepted in str(caught.value)


def test_the_extra_is_named_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "otlp")
    monkeypatch.setattr("lesionlens.api.tracing_settings._PACKAGES", ("no_such_package.sdk",))
    with pytest.raises(SettingsError, match=r"lesionlens\[otel\]"):
        create_app(load_settings())


def test_the_command_says_so_before_it_loads_a_model() -> None:
    program = Program(OTEL_TRACES_EXPORTER="zipkin")
    assert program.wait() != 0
    assert "OTEL_TRACES_EXPORTER is 'zipkin'" in "".join(program.lines)
