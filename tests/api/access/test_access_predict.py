"""The routes that keep nothing are open unless told otherwise, and then guarded like the records."""

from __future__ import annotations

import pytest
from visitors import KEY, KEYS, PASSWORD, PASSWORD_HASH

from lesionlens import Classifier
from serving import as_file, draw_lesion, encode, running

PHOTO = encode(draw_lesion(), "JPEG")
ANALYSING = ("/predict", "/v1/analyses")
FOREIGN = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}


def test_they_stay_open_beside_a_guarded_tracker(classifier: Classifier) -> None:
    with running(classifier, tracker="off", password_hash=PASSWORD_HASH, host="0.0.0.0") as server:
        for path in ANALYSING:
            answer = server.post(path, files=as_file(PHOTO), headers=FOREIGN)
            assert answer.status_code == 200
            assert answer.headers["access-control-allow-origin"] == "*"
        assert server.get("/v1/model").status_code == 200


def test_they_can_be_closed(classifier: Classifier) -> None:
    with running(classifier, tracker="off", password_hash=PASSWORD_HASH, api_keys=KEYS, protect_predict=True) as server:
        refused = server.post("/predict", files=as_file(PHOTO))
        assert refused.status_code == 401
        assert list(refused.json()) == ["error"]
        problem = server.post("/v1/analyses", files=as_file(PHOTO))
        assert problem.status_code == 401
        assert problem.json()["type"] == "/v1/problems/access-required"
        key = {"Authorization": f"Bearer {KEY}"}
        for path in ANALYSING:
            assert server.post(path, files=as_file(PHOTO), headers=key).status_code == 200
            assert server.post(path, files=as_file(PHOTO), headers=key | FOREIGN).status_code == 200
        assert server.post("/v1/session", json={"password": PASSWORD}).status_code == 204
        for path in ANALYSING:
            assert server.post(path, files=as_file(PHOTO)).status_code == 200
            assert server.post(path, files=as_file(PHOTO), headers=FOREIGN).status_code == 403
        # What tells of no photo stays open: probes and the page itself must work before anybody has logged in.
        server.client.cookies.clear()
        for path in ("/health", "/livez", "/", "/v1/model", "/v1/classes"):
            assert server.get(path).status_code == 200


@pytest.mark.parametrize("path", ANALYSING)
def test_closed_without_a_password_they_are_for_the_machine_itself(classifier: Classifier, path: str) -> None:
    with running(classifier, tracker="off", protect_predict=True) as server:
        assert server.post(path, files=as_file(PHOTO)).status_code == 200
        assert server.post(path, files=as_file(PHOTO), headers=FOREIGN).status_code == 403
        assert server.post(path, files=as_file(PHOTO), headers={"Host": "evil.example"}).status_code == 403
