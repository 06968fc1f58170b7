"""What can compute on this machine, for a person who wants to know."""

from __future__ import annotations

from dataclasses import dataclass

from lesionlens.inference.engines.select import available_engines
from lesionlens.inference.threads import cpu_quota, usable_cpus

__all__ = ["ComputeReport", "EngineReport", "report_compute"]


@dataclass(frozen=True, slots=True)
class EngineReport:
    """An installed engine.

    Attributes:
        name: `onnxruntime` or `openvino`.
        version: Of its package.
        computes_on: Its execution providers or devices, as it names them; there need be no card for each.
        precisions: What `--precision` may be with it on this machine.
    """

    name: str
    version: str
    computes_on: tuple[str, ...]
    precisions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ComputeReport:
    """What can compute here.

    Attributes:
        engines: The installed engines, the one that `auto` takes first.
        cpus: CPUs that this process may use: the threads that it computes with by default.
        quota: CPUs' worth of time that its control group is allowed; None where it is not rationed.
    """

    engines: tuple[EngineReport, ...]
    cpus: int
    quota: float | None


def report_compute() -> ComputeReport:
    """Ask the installed engines what they can do; loads no model."""
    return ComputeReport(tuple(_REPORTS[name]() for name in available_engines()), usable_cpus(), cpu_quota())


def _onnxruntime() -> EngineReport:
    import onnxruntime as ort

    return EngineReport("onnxruntime", ort.__version__, tuple(ort.get_available_providers()), ("fp32",))


def _openvino() -> EngineReport:
    import openvino as ov

    from lesionlens.inference.engines.openvino import has_bf16

    precisions = ("fp32", "bf16") if has_bf16() else ("fp32",)
    return EngineReport("openvino", ov.__version__, ("CPU",), precisions)


_REPORTS = {"onnxruntime": _onnxruntime, "openvino": _openvino}
