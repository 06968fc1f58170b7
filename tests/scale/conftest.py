"""A Ray cluster of two nodes on this machine, for all tests of this folder; real pictures; the embedded model."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from serving import classifier

__all__ = ["classifier", "many"]

_MEBIBYTE = 1024 * 1024
_STARTS = 6  # Ray gives up on a node that has not started within half a minute; a busy machine may take longer

# A machine that does other work answers late; what is late is not dead.
_PATIENCE = {
    "RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S": "100",
    "RAY_SERVE_PROXY_HEALTH_CHECK_TIMEOUT_S": "100",
    "RAY_AUTH_MODE": "disabled",
    "RAY_worker_niceness": "0",  # it would lower their priority, and other work would starve them
}


@pytest.fixture(scope="session")
def cluster() -> Iterator[Any]:
    """The cluster's head, which `ray` is connected to, with room for one worker; tests may add nodes."""
    pytest.importorskip("ray", reason="these tests need Ray, which the extra ray installs")
    with pytest.MonkeyPatch.context() as environment:
        for name, value in _PATIENCE.items():
            environment.setenv(name, value)
        from lesionlens.scale.cluster import import_ray

        ray = import_ray()
        from ray.cluster_utils import Cluster

        made = _tried(lambda: Cluster(initialize_head=True, head_node_args=_node(1)))
        environment.setenv("RAY_ADDRESS", made.address)
        ray.init(address=made.address, log_to_driver=False)
        yield made
        ray.shutdown()
        made.shutdown()


@pytest.fixture
def second_node(cluster: Any) -> Iterator[Any]:
    """Another node of the cluster, with room for one worker."""
    node = _tried(lambda: cluster.add_node(**_node(1)))
    yield node
    if node in cluster.worker_nodes:
        cluster.remove_node(node)


@pytest.fixture(scope="module")
def room(cluster: Any) -> Iterator[Any]:
    """A node with room for what stays while a module's tests run."""
    node = _tried(lambda: cluster.add_node(**_node(1)))
    yield node
    cluster.remove_node(node)


@pytest.fixture
def many(tmp_path: Path, real_sample: dict[str, bytes]) -> Path:
    """A folder of 200 pictures, one of them bad: four parts."""
    folder = tmp_path / "many"
    folder.mkdir()
    photos = list(real_sample.values())
    for i in range(200):
        (folder / f"{i:03}.jpg").write_bytes(b"bad" if i == 70 else photos[i % len(photos)])
    return folder


def _node(cpus: int) -> dict[str, Any]:
    return {"num_cpus": cpus, "object_store_memory": 100 * _MEBIBYTE, "include_dashboard": False}


def _tried(start: Any) -> Any:
    for _ in range(_STARTS - 1):
        with contextlib.suppress(Exception):  # Ray raises a plain one
            return start()
    return start()
