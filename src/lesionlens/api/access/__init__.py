"""Who may use the records: passwords, API keys, sessions, and what browsers must not do for other sites' pages.

`/predict` and `/v1/analyses` keep nothing and stay open, unless `LESIONLENS_PROTECT_PREDICT` says otherwise.
"""

from __future__ import annotations

from lesionlens.api.access.control import Access
from lesionlens.api.access.policy import check_settings, describe_protection, why_off
from lesionlens.api.access.require import (
    access_of,
    describe_access,
    require_access,
    require_access_if_protected,
    require_metrics_access,
)
from lesionlens.api.access.routes import router

__all__ = [
    "Access",
    "access_of",
    "check_settings",
    "describe_access",
    "describe_protection",
    "require_access",
    "require_access_if_protected",
    "require_metrics_access",
    "router",
    "why_off",
]
