"""What `/v1` answers, typed. Further members may be added in later releases; none is removed or changes its meaning."""

from lesionlens.api.schemas.analysis import (
    AnalysisResponse,
    ClassMap,
    Malignancy,
    PhotoInfo,
    ReachedPoint,
    SeenBox,
    TimingsMs,
)
from lesionlens.api.schemas.doubt import (
    Confidence,
    HintInfo,
    PredictionSet,
    QualityInfo,
    SuitabilityInfo,
    SuitabilityRule,
)
from lesionlens.api.schemas.model import ClassInfo, EngineDescription, ModelDescription, ModelIdentity
from lesionlens.api.schemas.status import Problem, ProblemInfo, Status

__all__ = [
    "AnalysisResponse",
    "ClassInfo",
    "ClassMap",
    "Confidence",
    "EngineDescription",
    "HintInfo",
    "Malignancy",
    "ModelDescription",
    "ModelIdentity",
    "PhotoInfo",
    "PredictionSet",
    "Problem",
    "ProblemInfo",
    "QualityInfo",
    "ReachedPoint",
    "SeenBox",
    "Status",
    "SuitabilityInfo",
    "SuitabilityRule",
    "TimingsMs",
]
