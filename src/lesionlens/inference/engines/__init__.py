"""The engines that can run a bundle's graph."""

from lesionlens.inference.engines.base import Engine, EngineInfo, Outputs
from lesionlens.inference.engines.precision import PRECISIONS
from lesionlens.inference.engines.select import ENGINES, available_engines, create_engine

__all__ = ["ENGINES", "PRECISIONS", "Engine", "EngineInfo", "Outputs", "available_engines", "create_engine"]
