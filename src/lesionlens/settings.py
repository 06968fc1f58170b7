"""Every setting of the service, typed, from the environment.

`PORT` and `GRADCAM_MAX_SIDE` keep the names of the SkinTracker contract; all others begin with `LESIONLENS_`. A
variable that is set but empty counts as not set.

Example:
    >>> load_settings(port=8080).port
    8080
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from lesionlens.access_settings import ApiKeyHashes, PasswordHash, PasswordText, SecretKey, secret_setting
from lesionlens.errors import SettingsError
from lesionlens.inference.embedded import DEFAULT_MODEL
from lesionlens.inference.engines.precision import PrecisionChoice
from lesionlens.inference.engines.select import EngineName
from lesionlens.inference.views import ViewCount
from lesionlens.limit_settings import RateLimits, StorageUrl

__all__ = ["Settings", "load_settings", "variable_name"]

_PREFIX = "LESIONLENS_"
_MEBIBYTE = 1024 * 1024


def _setting(default: Any, description: str, accepted: str, **constraints: Any) -> Any:
    return Field(default=default, description=description, json_schema_extra={"accepted": accepted}, **constraints)


class Settings(BaseSettings):
    """The service's settings; the field descriptions are the reference, and `docs/serving.md` lists them.

    Make one with `load_settings`, which explains a wrong value in words.
    """

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX,
        env_ignore_empty=True,
        populate_by_name=True,
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,  # the tracebacks of pydantic's own errors would show a password
    )

    host: str = _setting("127.0.0.1", "Address to listen on; `0.0.0.0` for every interface.", "an IP address or name")
    port: int = _setting(
        5000,
        "Port to listen on; 0 takes a free one.",
        "a whole number, 0–65535",
        ge=0,
        le=65535,
        validation_alias="PORT",
    )
    model: str = _setting(
        DEFAULT_MODEL,
        "The model to serve.",
        "the name of an embedded bundle, a bundle's folder, or a file of EfficientNet weights (`.pth`, `.pt`, "
        "`.safetensors`)",
        min_length=1,
    )
    engine: EngineName = _setting("auto", "Inference engine.", "`auto`, `onnxruntime` or `openvino`")
    precision: PrecisionChoice = _setting(
        "auto",
        "Arithmetic of the network; `auto` is `fp32` on every machine, `bf16` needs OpenVINO and a CPU that has it.",
        "`auto`, `fp32` or `bf16`",
    )
    threads: int = _setting(
        0, "Compute threads of the engine; 0 for one per usable CPU.", "a whole number, 0–1024", ge=0, le=1024
    )
    workers: int = _setting(
        1,
        "Worker processes; more than one are watched over, and one that died or hangs is replaced.",
        "a whole number, 1–256",
        ge=1,
        le=256,
    )
    tta: ViewCount = _setting(
        1,
        "Test-time augmentation: views of a photo (mirrored, turned) whose answers are averaged; each costs a pass.",
        "`1`, `2`, `4` or `8`",
    )
    decode_threads: int = _setting(
        2, "Threads that decode photos and draw heatmaps.", "a whole number, 1–64", ge=1, le=64
    )
    gradcam_max_side: int = _setting(
        512,
        "Longest side that a drawn heatmap may have, in pixels.",
        "a whole number, 16–8192",
        ge=16,
        le=8192,
        validation_alias="GRADCAM_MAX_SIDE",
    )
    max_upload_bytes: int = _setting(
        20 * _MEBIBYTE,
        "Largest photo file, in bytes.",
        "a whole number, 1024–1073741824",
        ge=1024,
        le=1024 * _MEBIBYTE,
    )
    max_pixels: int = _setting(
        100_000_000, "Most pixels a photo may have.", "a whole number, 1024–1000000000", ge=1024, le=1_000_000_000
    )
    max_uploads: int = _setting(
        16,
        "Uploads read at once; together they hold at most this many times the largest file in memory.",
        "a whole number, 1–1024",
        ge=1,
        le=1024,
    )
    upload_timeout: float = _setting(
        30.0, "Seconds within which an upload must have arrived.", "a number, 0.1–3600", ge=0.1, le=3600
    )
    queue_size: int = _setting(
        32,
        "Photos being analysed or waiting for it; a request beyond them is answered 503 at once.",
        "a whole number, 1–10000",
        ge=1,
        le=10_000,
    )
    max_batch: int = _setting(
        4, "Most waiting photos that one forward pass takes together.", "a whole number, 1–256", ge=1, le=256
    )
    batch_delay_ms: float = _setting(
        0.0, "Milliseconds to wait for a batch to fill; 0 never waits.", "a number, 0–1000", ge=0, le=1000
    )
    request_timeout: float = _setting(
        60.0,
        "Seconds within which a photo that has arrived must be answered; then it is dropped and answered 503.",
        "a number, 0.1–3600",
        ge=0.1,
        le=3600,
    )
    stuck_seconds: float = _setting(
        120.0,
        "Seconds after which a forward pass has hung: `/livez` answers 503, and a worker is replaced; 0 for never.",
        "a number, 0–86400",
        ge=0,
        le=86_400,
    )
    max_connections: int = _setting(
        10_000,
        "Connections at once, as far as file descriptors allow; beyond them the one that waited longest is closed.",
        "a whole number, 1–1000000",
        ge=1,
        le=1_000_000,
    )
    head_timeout: float = _setting(
        10.0, "Seconds within which the head of a request must have arrived.", "a number, 0.1–3600", ge=0.1, le=3600
    )
    keep_alive: int = _setting(
        5,
        "Seconds that a connection is kept for the next request; behind a load balancer more than it keeps its own.",
        "a whole number, 1–3600",
        ge=1,
        le=3600,
    )
    write_timeout: float = _setting(
        30.0,
        "Seconds after which a client that takes nothing of its answer is disconnected.",
        "a number, 0.1–3600",
        ge=0.1,
        le=3600,
    )
    drift_photos: int = _setting(
        200,
        "Photos of late, about, that are compared with the training pictures for the input drift.",
        "a whole number, 20–100000",
        ge=20,
        le=100_000,
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode] = _setting(
        ("*",),
        "Origins whose pages may call the service.",
        "`*`, or origins such as `https://example.org` with commas between them",
    )
    shutdown_timeout: int = _setting(
        30, "Seconds to finish accepted requests after SIGTERM.", "a whole number, 1–3600", ge=1, le=3600
    )
    drain_seconds: float = _setting(
        0.0,
        "Seconds after SIGTERM during which requests are still taken while `/readyz` already says 503, for a load "
        "balancer to notice.",
        "a number, 0–600",
        ge=0,
        le=600,
    )
    cache_dir: Path = _setting(
        Path("~/.cache/lesionlens"),
        "Where a bundle made from a file of weights is kept, and what OpenVINO compiled.",
        "a folder that can be written",
    )
    tracker: Literal["auto", "on", "off"] = _setting(
        "auto",
        "Whether people, lesions and visits are kept; `auto` keeps them where nobody else can reach them: on loopback, "
        "or behind a password or API key.",
        "`auto`, `on` or `off`",
    )
    password: PasswordText | None = secret_setting(
        None, "Password of the records; `LESIONLENS_PASSWORD_HASH` is the safer way to give it.", "8–1024 characters"
    )
    password_hash: PasswordHash | None = secret_setting(
        None,
        "Hash of the password of the records.",
        "an argon2id hash as `lesionlens password` prints it, in single quotes, instead of `LESIONLENS_PASSWORD`",
    )
    api_keys: ApiKeyHashes = secret_setting(
        (),
        "API keys of programs that may use the records.",
        "`NAME=HASH` as `lesionlens api-key NAME` prints it, with spaces or commas between them",
    )
    api_keys_file: Path | None = _setting(
        None,
        "File of further API keys, with scopes and ends; read again when it changes.",
        "a file that `lesionlens keys` made",
    )
    protect_predict: bool = _setting(
        False,
        "Whether `/predict` and `/v1/analyses` too are only for those who may use the records.",
        "`true` or `false`",
    )
    protect_metrics: bool = _setting(
        False,
        "Whether `/metrics` is only for API keys with the scope `metrics` and those who may use the records.",
        "`true` or `false`",
    )
    rate_limit: RateLimits = _setting(
        "",
        "How often a client may have photos analysed, add photos, export and import; without it there is no limit.",
        "limits with `;` between them, each a number and a time, such as `120/minute;2000/hour`",
    )
    rate_limit_storage: StorageUrl | None = secret_setting(
        None,
        "Where these requests are counted, so that several processes share one count; without it each counts its own.",
        "`memory://`, `redis://HOST:PORT/DATABASE`, `rediss://…` or `redis+unix:///SOCKET`",
    )
    audit_log: Path | None = _setting(
        None,
        "File of JSON lines, one for each request to the records; they are logged without it as well.",
        "a file that can be written",
    )
    session_hours: float = _setting(
        168.0, "Hours after which one must log in again.", "a number, 0.1–8760", ge=0.1, le=8760
    )
    secure_cookie: Literal["auto", "on"] = _setting(
        "auto",
        "Whether browsers send the session's cookie by HTTPS only; `auto`: if the request to log in came by HTTPS, "
        "directly or to a trusted proxy.",
        "`auto` or `on`",
    )
    secret_key: SecretKey | None = secret_setting(
        None,
        "Key that signs the cookies, the same for all replicas; without it one is made in the data folder.",
        "at least 32 random characters, such as `openssl rand -hex 32` prints",
    )
    log_level: Literal["debug", "info", "warning", "error"] = _setting(
        "info", "Least severe message that is logged.", "`debug`, `info`, `warning` or `error`"
    )
    log_format: Literal["console", "json"] = _setting("console", "How log lines look.", "`console` or `json`")

    @field_validator("tta", mode="before")
    @classmethod
    def _read_number(cls, value: Any) -> Any:
        return int(value) if isinstance(value, str) and value.strip().isdecimal() else value

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _split_origins(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        return tuple(origin.strip().rstrip("/") for origin in value.split(",") if origin.strip())

    @field_validator("cors_origins")
    @classmethod
    def _check_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        if not origins or any(o != "*" and not o.startswith(("http://", "https://")) for o in origins):
            raise ValueError("an origin begins with http:// or https://")
        return origins

    @field_validator("engine", "precision", "tracker", "secure_cookie", "log_level", "log_format", mode="before")
    @classmethod
    def _ignore_case(cls, value: Any) -> Any:
        return value.lower() if isinstance(value, str) else value

    @field_validator("cache_dir", "api_keys_file", "audit_log")
    @classmethod
    def _expand_home(cls, path: Path | None) -> Path | None:
        try:
            return path.expanduser() if path is not None else None
        except RuntimeError:  # no home directory, as with an unknown user in a container; most models need no cache
            return path


def variable_name(field: str) -> str:
    """Return the environment variable of a setting.

    Args:
        field: Name of a field of `Settings`.

    Raises:
        KeyError: There is no such setting.
    """
    alias = Settings.model_fields[field].validation_alias
    return alias if isinstance(alias, str) else _PREFIX + field.upper()


def load_settings(**overrides: Any) -> Settings:
    """Read the settings from the environment.

    Args:
        **overrides: Settings by field name that take precedence over the environment.

    Raises:
        SettingsError: A value is not accepted; the message names the variable, the value and what is accepted.
    """
    try:
        return Settings(**overrides)
    except ValidationError as error:
        raise SettingsError("; ".join(_explain(problem) for problem in error.errors())) from error


def _explain(problem: Any) -> str:
    location = str(problem["loc"][0]) if problem["loc"] else ""
    for name, field in Settings.model_fields.items():
        variable = variable_name(name)
        if location in (name, variable, variable.lower()):
            extra = field.json_schema_extra
            accepted = extra["accepted"] if isinstance(extra, dict) else problem["msg"]
            if isinstance(extra, dict) and extra.get("secret"):
                why = problem.get("ctx", {}).get("error", "has a value that is not accepted")
                return f"{variable} {why}; accepted: {accepted}"
            return f"{variable} is {problem['input']!r}; accepted: {accepted}"
    return f"there is no setting {location!r}; known: {', '.join(Settings.model_fields)}"
