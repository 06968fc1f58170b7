"""The service does what its OpenAPI description says, whatever is sent: no 5xx, and no answer that it does not know.

Schemathesis makes the requests: examples, the edges of each constraint, and random ones, right and wrong. For more of
them than the suite has time for:

    LESIONLENS_SCHEMA_EXAMPLES=200 python -m pytest tests/api/test_schema_conformance.py
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

import argon2
import httpx
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from fuzz.seeds import drawn_seeds
from lesionlens import Classifier
from lesionlens.api import create_app
from lesionlens.api.access.keys import hash_key, new_key
from lesionlens.settings import load_settings
from serving import Running, as_file, running

schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed; the test extra has it")

EXAMPLES: Final = int(os.environ.get("LESIONLENS_SCHEMA_EXAMPLES", "4"))
PHOTOS: Final = [data for name, data in drawn_seeds().items() if name not in ("tiff-float", "tiff-group4")]
KEY: Final = new_key()
PASSWORD_HASH: Final = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("correct horse battery")
HEADERS: Final = {"Authorization": f"Bearer {KEY}"}

# Photos and moments as they may be; `binary` and `date-time` alone say too little.
schemathesis.openapi.format("binary", st.sampled_from(PHOTOS))
EARLIEST, LATEST = datetime(1900, 1, 2), datetime(2025, 1, 1)
schemathesis.openapi.format("date-time", st.datetimes(EARLIEST, LATEST, timezones=st.just(UTC)).map(datetime.isoformat))

SCHEMA: Final = schemathesis.openapi.from_dict(create_app(load_settings(tracker="off")).openapi())
SCHEMA.config.generation.update(with_security_parameters=False, deterministic=True, no_shrink=True)
SCHEMA.config.generation.database = "none"

# What the description cannot say in JSON Schema, so that requests may be refused that it lets pass: which words `maps`
# and `overlay` know, that a file is an export, that one must have logged in by the right password.
REFUSES_MORE: Final = {
    "POST /v1/analyses",
    "GET /v1/analyses/{analysis_id}/maps",
    "POST /v1/import",
    "POST /v1/session",
}
# What takes records away gets some of its own to take.
REMOVES: Final = ("DELETE /v1/people", "DELETE /v1/lesions", "DELETE /v1/visits", "/erase", "/move")


class Records:
    """A service with a person, a lesion, and two visits of it."""

    def __init__(self, server: Running) -> None:
        self.url = server.url
        self._client = httpx.Client(base_url=server.url, headers=HEADERS, timeout=60)
        self.ids = self.make(analyse="true")

    def make(self, analyse: str = "false") -> dict[str, str]:
        """Record all of it; returns an id for each kind of path parameter."""
        person = self._post("/v1/people", json={"label": "Ada"})["id"]
        lesion = self._post(f"/v1/people/{person}/lesions", json={"view": "back", "x": 0.5, "y": 0.5})["id"]
        visits = [
            self._post(f"/v1/lesions/{lesion}/visits", files=as_file(photo), data={"analyse": analyse})
            for photo in PHOTOS[:2]
        ]
        made = {"person_id": person, "lesion_id": lesion, "visit_id": visits[0]["id"], "other_visit": visits[1]["id"]}
        return made | ({"analysis_id": visits[0]["analyses"][0]["id"]} if analyse == "true" else {})

    def _post(self, path: str, **request: Any) -> dict[str, Any]:
        response = self._client.post(path, **request)
        assert response.status_code == 201, response.text
        made: dict[str, Any] = response.json()
        return made

    def close(self) -> None:
        self._client.close()


@pytest.fixture(scope="module")
def records(classifier: Classifier, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Records]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("LESIONLENS_DATA_DIR", str(tmp_path_factory.mktemp("records")))
        with running(classifier, password_hash=PASSWORD_HASH, api_keys=f"test={hash_key(KEY)}") as server:
            made = Records(server)
            yield made
            made.close()


def aim(case: Any, records: Records) -> None:
    """Let a request that is right ask for records that there are, three times out of four."""
    label = f"{case.method.upper()} {case.path}"
    chance = random.Random(repr((case.path_parameters, case.query, case.body)))
    if label == "GET /v1/export":
        case.query = {"person_id": records.ids["person_id"]}  # all that the tests have recorded takes its time
    if chance.random() < 0.25:
        return
    ids = records.make() if any(word in label for word in REMOVES) else records.ids
    for name in case.path_parameters or {}:
        if name in ids:
            case.path_parameters[name] = ids[name]
    if case.query and {"before", "after"} <= set(case.query):
        case.query |= {"before": ids["visit_id"], "after": ids["other_visit"]}
    if isinstance(case.body, dict) and (case.body.get("birth_year") or 0) > 2020:
        case.body["birth_year"] = 1980  # its bound is this year, which no schema knows


@SCHEMA.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_operation_keeps_its_promise(case: Any, records: Records) -> None:
    checks = schemathesis.checks
    excluded = []
    label = f"{case.method.upper()} {case.path}"
    if case.meta is not None and case.meta.generation.mode.is_positive:
        aim(case, records)
    if label in REFUSES_MORE:
        excluded.append(checks.CHECKS.get_one("positive_data_acceptance"))
    case.call_and_validate(base_url=records.url, headers=HEADERS, excluded_checks=excluded, timeout=60)
