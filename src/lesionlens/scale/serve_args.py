"""What can be set of the Ray Serve application, beside the settings of the service."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from lesionlens.settings import Settings, load_settings

__all__ = ["ServeArgs"]


class ServeArgs(BaseModel):
    """Arguments of the application, as they stand under `args` in Serve's configuration file.

    Attributes:
        threads: CPUs and compute threads of a replica of the model.
        gpus: GPUs of a replica of the model, perhaps a share of one; for ONNX Runtime builds that compute on GPUs.
        min_replicas: Fewest replicas of the model.
        max_replicas: Most replicas of the model.
        target_ongoing_requests: Photos at a replica, being computed or waiting, at which the autoscaler is content.
        max_batch_size: Most photos that one forward pass takes together.
        batch_wait_ms: Milliseconds to wait for a batch to fill; 0 takes what is there.
        front_replicas: Replicas of what reads requests, decodes photos and draws heatmaps.
        front_cpus: CPUs of each of them.
        settings: Settings of the service by field name (`lesionlens.settings.Settings`); they take precedence over the
            environment of the replicas.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    threads: Annotated[int, Field(ge=1, le=1024)] = 2
    gpus: Annotated[float, Field(ge=0)] = 0.0
    min_replicas: Annotated[int, Field(ge=1)] = 1
    max_replicas: Annotated[int, Field(ge=1)] = 8
    target_ongoing_requests: Annotated[float, Field(gt=0)] = 4.0
    max_batch_size: Annotated[int, Field(ge=1, le=256)] = 8
    batch_wait_ms: Annotated[float, Field(ge=0, le=1000)] = 0.0
    front_replicas: Annotated[int, Field(ge=1)] = 1
    front_cpus: Annotated[float, Field(gt=0)] = 1.0
    settings: dict[str, Any] = {}

    def load_settings(self) -> Settings:
        """Return the service's settings, which keep no records unless they are told to.

        `auto` keeps records where the service listens on loopback alone. Serve's proxy decides where it listens, not
        these settings, and several front replicas share no folder.

        Raises:
            SettingsError: A setting has a value that is not accepted.
        """
        settings = load_settings(**self.settings)
        return load_settings(**{**self.settings, "tracker": "off"}) if settings.tracker == "auto" else settings
