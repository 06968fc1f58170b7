"""Whether OpenTelemetry's variables ask for traces, and whether what they ask for can be done."""

from __future__ import annotations

import importlib.util
import os
from typing import Final

from lesionlens.errors import SettingsError

__all__ = ["check_tracing"]

_ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS: Final = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_PACKAGES: Final = ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")


def check_tracing() -> bool:
    """Say whether traces are asked for: an OTLP endpoint is set, or `OTEL_TRACES_EXPORTER` is `otlp`.

    Raises:
        SettingsError: They are, but with an exporter or protocol that is not accepted, or without the extra `otel`.
    """
    exporter = os.environ.get("OTEL_TRACES_EXPORTER", "").strip().lower()
    if os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true" or exporter == "none":
        return False
    if exporter not in ("", "otlp"):
        raise SettingsError(f"OTEL_TRACES_EXPORTER is {exporter!r}; accepted: 'otlp' or 'none'")
    endpoint = next((name for name in _ENDPOINTS if os.environ.get(name, "").strip()), None)
    if not exporter and endpoint is None:
        return False
    for name in _PROTOCOLS:
        protocol = os.environ.get(name, "").strip()
        if protocol not in ("", "http/protobuf"):
            raise SettingsError(f"{name} is {protocol!r}; accepted: 'http/protobuf'")
    if endpoint is not None and not os.environ[endpoint].strip().startswith(("http://", "https://")):
        raise SettingsError(f"{endpoint} is {os.environ[endpoint]!r}; accepted: a URL such as http://collector:4318")
    if not all(map(_installed, _PACKAGES)):
        asked = endpoint or "OTEL_TRACES_EXPORTER"
        raise SettingsError(
            f"{asked} asks for traces, which need a package that is not installed: pip install 'lesionlens[otel]', "
            f"or set OTEL_TRACES_EXPORTER=none"
        )
    return True


def _installed(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except ModuleNotFoundError:  # of a package above it
        return False
