"""What several worker processes share, and what each of them gets."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Callable, Mapping
from typing import Any, Final

from lesionlens.api.force_end import seconds_to_end
from lesionlens.api.workers.patience import Patience
from lesionlens.errors import SettingsError
from lesionlens.inference.find_model import find_model
from lesionlens.inference.threads import usable_cpus
from lesionlens.settings import Settings

__all__ = ["settings_of_workers", "supervise"]

_MARGIN: Final = 5.0  # a worker ends itself by force; only one that cannot do even that is killed


def supervise(
    settings: Settings, given: Mapping[str, Any], listener: socket.socket, announce: Callable[[dict[str, Any]], object]
) -> int:
    """Serve in several processes until told to stop.

    Args:
        settings: The service's.
        given: Those of them, by field name, that do not come from the environment.
        listener: The listening socket.
        announce: Called with a description of the model (as `Classifier.description`) before the workers start.

    Returns:
        As `Supervisor.run`.

    Raises:
        SettingsError: This system has no such processes.
        BundleError: There is no such model, or it is not valid.
        ConversionError: It is a file of weights that cannot be converted.
    """
    if os.name != "posix":
        raise SettingsError(
            f"LESIONLENS_WORKERS is {settings.workers}; accepted on this system: 1, since workers share a socket in a "
            "way that only POSIX systems have"
        )
    from lesionlens.api.workers.supervisor import Supervisor  # which needs signals that other systems do not have

    # Here, so that a model that is not there is told once, and a file of weights is converted once.
    manifest = find_model(settings.model, settings.cache_dir).manifest
    announce(
        {
            "name": manifest.name,
            "version": manifest.version,
            "architecture": manifest.architecture,
            "sha256": manifest.graph_sha256,
            "engine": f"engine {settings.engine}",
        }
    )
    patience = Patience(
        silence=settings.stuck_seconds, end=seconds_to_end(settings) + _MARGIN, drain=settings.drain_seconds
    )
    return Supervisor(listener, settings.workers, settings_of_workers(settings, given), patience).run()


def settings_of_workers(settings: Settings, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of each worker that do not come from the environment.

    Args:
        settings: The service's. 0 threads are shared out: each worker gets its part of the CPUs, at least one thread.
        given: Those of them, by field name, that do not come from the environment.
    """
    own = dict(given)
    if settings.threads == 0:
        own["threads"] = max(1, usable_cpus() // settings.workers)
    if settings.secret_key is None and settings.tracker == "off":
        # Each would make a key of its own, and take none of the cookies that the others made.
        own["secret_key"] = secrets.token_hex(32)
    return own
