"""What the routes of the tracker take and answer, typed. Members may be added in later releases; none is removed."""

from lesionlens.api.schemas.tracker.comparison import (
    Comparison,
    ComparisonPictures,
    DifferenceInfo,
    OutlineInfo,
    OutlinePair,
    RegistrationInfo,
)
from lesionlens.api.schemas.tracker.lesions import Due, LatestAnswer, Lesion, Near, NearLesion, Timeline
from lesionlens.api.schemas.tracker.lists import Listing
from lesionlens.api.schemas.tracker.people import Erased, Person
from lesionlens.api.schemas.tracker.status import AccessInfo, CountsInfo, ModelName, TrackerStatus
from lesionlens.api.schemas.tracker.stored_analysis import AnalysisMaps, StoredAnalysis
from lesionlens.api.schemas.tracker.visits import AddedVisit, StoredPhoto, Visit

__all__ = [
    "AccessInfo",
    "AddedVisit",
    "AnalysisMaps",
    "Comparison",
    "ComparisonPictures",
    "CountsInfo",
    "DifferenceInfo",
    "Due",
    "Erased",
    "LatestAnswer",
    "Lesion",
    "Listing",
    "ModelName",
    "Near",
    "NearLesion",
    "OutlineInfo",
    "OutlinePair",
    "Person",
    "RegistrationInfo",
    "StoredAnalysis",
    "StoredPhoto",
    "Timeline",
    "TrackerStatus",
    "Visit",
]
