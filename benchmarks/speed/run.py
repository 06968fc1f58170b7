"""One run from beginning to end: starts, comparison of the answers, rounds, memory."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from answers import compare
from client import Connection, MeasuringError, form, latencies
from contenders import OURS, Contender, contenders
from figures import Starts
from machine import Watch
from photos import Photos
from plan import Plan
from processes import BareNetwork, Memory, Service, naive_command, our_command, running
from rounds import NAIVE, Measured, measure_alone, measure_load
from stages import StageTimes
from targets import AGREEMENT, AgreementLimits

__all__ = ["Run", "measure_everything"]

_LITE2: Final = "lite2"
_LARGE: Final = AgreementLimits(probability=0.05, heat=0.85)
"""For the 12-megapixel photo: the service decodes it at half its sides, which moves the answer a little
(docs/imaging.md)."""

Tell = Callable[[str], None]


@dataclass
class Run:
    """What came of it.

    Attributes:
        measured: Of the rounds.
        starts: Of the processes started apart.
        engines: What computes, in words, by contender; the default of the service first.
        stages: Mean milliseconds of the stages of a request with a small photo and one client.
        agreement_words: How far the answers were apart.
        plan_words: How much was measured.
        foreign_share: Share of the cores that other programs used during the rounds, 0–1.
    """

    measured: Measured
    starts: Starts
    engines: dict[str, str]
    stages: dict[str, float]
    agreement_words: str
    plan_words: str
    foreign_share: float


def measure_everything(folder: Path, photos: Photos, plan: Plan, tell: Tell) -> Run:
    """Measure all contenders.

    Args:
        folder: Where `weights.py` has written.
        photos: What is sent.
        plan: How much.
        tell: Is told what happens.

    Raises:
        MeasuringError: A service does not answer, or the answers of two are not the same.
    """
    with tempfile.TemporaryDirectory(prefix="lesionlens-speed-") as scratch, contextlib.ExitStack() as stack:
        logs = Path(scratch)
        bundle = str(folder / "bundle")
        naive = naive_command(folder / "model.pth")
        tell("cold starts")
        ours, memory = _cold_starts(our_command(bundle, "auto"), logs, "start", photos, plan, plan.memory_requests)
        lite2, _ = _cold_starts(our_command(_LITE2, "auto"), logs, "lite2", photos, plan)
        services: dict[str, Service] = {NAIVE: stack.enter_context(running(naive, logs, NAIVE))}
        naive_starts = [services[NAIVE].first_answer(photos.small[0])]
        tell("the baseline's answers")
        reference = Photos(
            [_answer(services[NAIVE], photo) for photo in photos.small], _answer(services[NAIVE], photos.large), NAIVE
        )
        engines: dict[str, str] = {}
        measurable: list[Contender] = []
        agreements = []
        for contender in contenders():
            name, engine, precision = contender
            command = our_command(bundle, engine)
            service = stack.enter_context(running(command, logs, name, LESIONLENS_PRECISION=precision))
            service.first_answer(photos.small[0])
            described = _engine(service)
            if described["words"] in engines.values():
                service.end()  # what `auto` took is measured already
                continue
            services[name], engines[name] = service, described["words"]
            measurable.append(contender)
            tell(f"comparing the answers of {described['words']}")
            found = _agreement(services, name, described["precision"], photos, reference)
            agreements.append(f"{described['words']}: {found}")
        photo = logs / "photo.jpg"
        photo.write_bytes(photos.small[0])
        networks = {}
        for name, engine, precision in measurable:
            networks[name] = BareNetwork(folder / "bundle", photo, engine, precision)
            stack.callback(networks[name].end)
        _warm_up(services, photos)
        seconds = {name: latencies(services[name].url, photos.small, 1)[0] for name in (NAIVE, OURS)}
        estimate = plan.seconds(seconds[NAIVE], seconds[OURS], len(engines))
        tell(f"measuring, about {estimate / 60:.1f} minutes")
        measured, watch = Measured(), Watch()
        before = _processor_seconds(services, networks)
        measure_alone(measured, services, networks, photos, plan, tell)
        stages = StageTimes(services[OURS].url)
        latencies(services[OURS].url, photos.small, plan.ours_each)
        means = stages.means()
        measure_load(measured, services, photos, plan, tell)
        foreign = watch.foreign_share(_processor_seconds(services, networks) - before)
        held = services[NAIVE].memory()
        starts = Starts(ours, lite2, naive_starts, memory.pss, memory.rss, held.pss)
        words = (
            f"{plan.rounds} rounds of {plan.ours_each} requests ({plan.naive_each} of the baseline) with one client "
            f"and {plan.load_rounds} with {plan.clients} clients; medians, lowest and highest round in brackets"
        )
        return Run(measured, starts, engines, means, "; ".join(agreements), words, foreign)


def _cold_starts(
    command: list[str], logs: Path, name: str, photos: Photos, plan: Plan, requests: int = 1
) -> tuple[list[float], Memory]:
    """Start a service again and again.

    Returns:
        The seconds to its first answer, and the RSS and PSS in MiB of the last process after so many requests.
    """
    seconds = []
    held = Memory(0.0, 0.0)
    for number in range(plan.cold_starts):
        with running(command, logs, f"{name}-{number}") as service:
            seconds.append(service.first_answer(photos.small[0]))
            if number == plan.cold_starts - 1:
                latencies(service.url, [*photos.small, photos.large], requests - 1)
                held = service.memory()
    return seconds, held


def _engine(service: Service) -> dict[str, str]:
    """Ask a service what computes."""
    with urllib.request.urlopen(f"{service.url}/v1/model", timeout=30) as answer:
        engine: dict[str, Any] = json.load(answer)["engine"]
    words = f"{engine['name']} {engine['precision']}, {engine['threads']} threads"
    return {"precision": str(engine["precision"]), "words": words}


def _agreement(services: Mapping[str, Service], name: str, precision: str, photos: Photos, reference: Photos) -> str:
    """Compare a service's answers with those of the baseline (`reference`); say how far they are apart.

    Raises:
        MeasuringError: They are too far apart.
    """
    limits = AGREEMENT.get(precision, AGREEMENT["other"])
    found = [
        compare(photo, expected, _answer(services[name], photo))
        for photo, expected in zip(photos.small, reference.small, strict=True)
    ]
    probability, heat = max(a.probability for a in found), min(a.heat for a in found)
    words = f"probabilities within {probability:.1e}, heatmaps correlate at {heat:.4f} or more"
    if probability > limits.probability or not heat >= limits.heat or not all(a.same_class for a in found):
        raise MeasuringError(f"{name} and the baseline do not answer alike: {words}; accepted: {limits._asdict()}")
    large = compare(photos.large, reference.large, _answer(services[name], photos.large))
    words += f" (12 megapixels: {large.probability:.1e}, {large.heat:.4f})"
    if large.probability > _LARGE.probability + limits.probability or not large.heat >= _LARGE.heat:
        raise MeasuringError(f"{name} and the baseline do not answer alike to the large photo: {words}")
    return words


def _answer(service: Service, photo: bytes) -> bytes:
    with contextlib.closing(Connection(service.url)) as connection:
        return connection.predict(form(photo))[1]


def _warm_up(services: Mapping[str, Service], photos: Photos) -> None:
    for service in services.values():
        latencies(service.url, [*photos.small[:1], photos.large], 2)


def _processor_seconds(services: Mapping[str, Service], networks: Mapping[str, BareNetwork]) -> float:
    """Return the processor time that all that belongs to the measuring has used so far."""
    own = sum(os.times()[:2])
    measured = sum(process.processor_seconds() for process in (*services.values(), *networks.values()))
    return float(own + measured)
