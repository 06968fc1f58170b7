"""Reaching a Ray cluster, or having one on this machine, without its chatter."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from lesionlens.errors import BulkError
from lesionlens.inference.threads import usable_cpus

__all__ = ["connected", "import_ray", "slots"]

# No usage reports to Ray's makers, and no progress bars beside ours. Workers that Ray starts here inherit them.
_QUIET: Final = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_USAGE_STATS_PROMPT_ENABLED": "0",
    "RAY_DATA_DISABLE_PROGRESS_BARS": "1",
    "RAY_TQDM": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_BACKEND_LOG_LEVEL": "fatal",
}
_STARTS: Final = 3
_OBJECT_STORE_BYTES: Final = 256 * 1024**2  # photos never go through it: it holds the model and small results


def import_ray() -> Any:
    """Import Ray, told to keep quiet.

    Raises:
        BulkError: It is not installed.
    """
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    try:
        import ray
        import ray.data  # the part that takes pyarrow too
    except ImportError as error:
        raise BulkError(f"--on ray needs Ray ({error}); install it with: pip install 'lesionlens[ray]'") from error
    logging.getLogger("ray").setLevel(logging.ERROR)
    for name in ("ray", "ray.data"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    return ray


@contextmanager
def connected(address: str | None = None) -> Iterator[Any]:
    """Be connected to a cluster within a `with` block, which gives the `ray` module.

    A process that is connected already stays so, whatever the address.

    Args:
        address: `HOST:PORT` of a cluster's head, `auto` for one that this machine belongs to, `local` for a new one on
            this machine alone, which ends with the block; None for RAY_ADDRESS, and without it a new one.

    Raises:
        BulkError: Ray is not installed, or no cluster answers.
    """
    ray = import_ray()
    if ray.is_initialized():
        yield ray
        return
    address = address or os.environ.get("RAY_ADDRESS") or "local"
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    if address == "local":
        options |= {
            "num_cpus": usable_cpus(),
            "object_store_memory": _OBJECT_STORE_BYTES,
            "include_dashboard": False,
        }
    for left in reversed(range(_STARTS if address == "local" else 1)):
        try:
            with _silent():
                ray.init(address=address, **options)
            break
        except Exception as error:  # a plain one where a busy machine took more than Ray's half a minute to start
            ray.shutdown()
            if not left:
                raise BulkError(f"no Ray cluster answers at {address!r}: {_first_line(error)}") from error
    try:
        yield ray
    finally:
        ray.shutdown()


@contextmanager
def _silent() -> Iterator[None]:
    """Keep from the terminal what Ray's C++ parts say of their own start; what fails comes as an exception."""
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with open(os.devnull, "wb") as nowhere:  # noqa: PTH123
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def slots(resources: dict[str, float], threads: int, gpu: bool) -> int:
    """Return how many workers a cluster has room for, at least 1.

    Args:
        resources: What the cluster has in all (`ray.cluster_resources()`).
        threads: CPUs of a worker, at least 1.
        gpu: Whether a worker takes a whole GPU.
    """
    by_cpu = int(resources.get("CPU", 0) // threads)
    return max(1, min(by_cpu, int(resources.get("GPU", 0))) if gpu else by_cpu)


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
