"""The service as a Ray Serve application: one set of routes in front, replicas of the model behind.

    serve run lesionlens.scale.serve_app:app threads=2 max_replicas=4

`Front` is the service itself (`lesionlens.api.create_app`), with all its routes, limits and metrics; in the place of
its compute thread it has a handle of `Model`, whose replicas batch what comes (`@serve.batch`), and are as many as that
takes.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

import numpy as np
from fastapi import FastAPI
from ray import serve
from ray.exceptions import RayActorError

from lesionlens.api.app import create_app, load_classifier
from lesionlens.api.batching import FloatArray
from lesionlens.api.metrics import Metrics
from lesionlens.classifier import Classifier
from lesionlens.imaging.appearance import Appearance
from lesionlens.inference.engines import EngineInfo
from lesionlens.inference.find_model import find_model
from lesionlens.scale.remote_worker import Answer, ElsewhereEngine, ReplicaWorker
from lesionlens.scale.serve_args import ServeArgs
from lesionlens.settings import load_settings

__all__ = ["Front", "FrontReplica", "Model", "ModelReplica", "app"]


class ModelReplica:
    """Computes.

    Args:
        args: The application's.
    """

    def __init__(self, args: ServeArgs) -> None:
        self._classifier = load_classifier(load_settings(**{**args.settings, "threads": args.threads}))
        side = self._classifier.manifest.preprocessing.size
        # Engines do much on their first call; no photo should wait for that.
        self._classifier.analyse_tensors(np.zeros((1, 3, side, side), dtype=np.float32), [(side, side)])

    def reconfigure(self, config: dict[str, Any]) -> None:
        """Take `max_batch_size` and `batch_wait_ms` while requests go on."""
        self.analyse.set_max_batch_size(config["max_batch_size"])
        self.analyse.set_batch_wait_timeout_s(config["batch_wait_ms"] / 1000)

    @serve.batch(max_batch_size=8, batch_wait_timeout_s=0.0)  # type: ignore[untyped-decorator]
    async def analyse(
        self, tensors: list[FloatArray], sizes: list[tuple[int, int]], looks: list[Appearance | None]
    ) -> list[Answer]:
        """Analyse photos; each caller gives and gets one, and those that wait are computed together.

        Args:
            tensors: float32 `[3, size, size]` each, from `preprocess`.
            sizes: `(width, height)` of the upright photos in pixels.
            looks: What was measured on their pixels; None has it measured here.
        """
        begun = time.perf_counter()
        # In a thread, so that this replica can still say that it is well.
        analyses = await asyncio.to_thread(self._classifier.analyse_tensors, np.stack(tensors), sizes, looks)
        seconds = time.perf_counter() - begun
        return [Answer(analysis, seconds, len(analyses), i == 0) for i, analysis in enumerate(analyses)]

    async def describe(self) -> tuple[EngineInfo, str]:
        """Return the engine, and the SHA-256 of the graph that it runs."""
        return self._classifier.engine_info, self._classifier.manifest.graph_sha256


class FrontReplica:
    """Reads requests, decodes photos, draws heatmaps and answers.

    Args:
        model: Handle of the deployment of `ModelReplica`.
        args: The application's.

    Raises:
        RuntimeError: The replicas run another model than the one that is found here.
    """

    async def __init__(self, model: Any, args: ServeArgs) -> None:  # type: ignore[misc]  # Serve awaits it
        self._model = model
        info, sha256 = await model.describe.remote()
        self._settings = args.load_settings()
        name = self._settings.model
        bundle = await asyncio.to_thread(find_model, name, self._settings.cache_dir)
        if bundle.manifest.graph_sha256 != sha256:
            here = bundle.manifest.graph_sha256
            raise RuntimeError(f"the replicas run graph {sha256}, here {name!r} is {here}")
        self._classifier = Classifier(bundle, engine=ElsewhereEngine(EngineInfo(*info)), tta=self._settings.tta)

    def __serve_build_asgi_app__(self) -> FastAPI:
        """Return the service."""
        logging.getLogger("lesionlens").setLevel(self._settings.log_level.upper())
        return create_app(self._settings, self._classifier, self._make_worker)

    def _make_worker(self, metrics: Metrics) -> ReplicaWorker:
        return ReplicaWorker(self._classifier, metrics, self._model, (RayActorError,))


Model: Any = serve.deployment(name="Model")(ModelReplica)
Front: Any = serve.deployment(name="Front")(serve.ingress()(FrontReplica))


def app(args: ServeArgs) -> Any:
    """Build the application; Serve calls it with what stands under `args` in its configuration file.

    Args:
        args: Sizes and settings.

    Returns:
        A Ray Serve `Application`.

    Raises:
        SettingsError: A setting has a value that is not accepted.
    """
    args.load_settings()  # what is wrong is better said here than in the log of a replica
    model = Model.options(
        ray_actor_options={"num_cpus": args.threads, "num_gpus": args.gpus},
        autoscaling_config={
            "min_replicas": args.min_replicas,
            "max_replicas": args.max_replicas,
            "target_ongoing_requests": args.target_ongoing_requests,
        },
        max_ongoing_requests=max(2 * args.max_batch_size, 16),  # one batch computed, the next one gathered
        user_config={"max_batch_size": args.max_batch_size, "batch_wait_ms": args.batch_wait_ms},
        health_check_timeout_s=30,
        graceful_shutdown_timeout_s=30,
    ).bind(args)
    front = Front.options(
        num_replicas=args.front_replicas,
        ray_actor_options={"num_cpus": args.front_cpus},
        max_ongoing_requests=1000,  # the service itself turns away what is too much, with Retry-After
        graceful_shutdown_timeout_s=30,
    )
    return front.bind(model, args)
