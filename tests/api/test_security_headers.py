"""Every answer carries the security headers, whatever it is, and none tells more than it should."""

from __future__ import annotations

import asyncio
import re

import httpx
import pytest

from lesionlens import Classifier
from lesionlens.api import create_app
from lesionlens.settings import load_settings
from serving import Running, as_file, draw_lesion, encode, running

EXPECTED = {
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(self), geolocation=(), microphone=(), payment=(), usb=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
PHOTO = encode(draw_lesion())
# The header of a WebP of 16,001 × 16,001 pixels.
HUGE = b"RIFF\x64\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00" + bytes(4) + b"\x80\x3e\x00" * 2 + bytes(80)
ID = "0197f000-0000-7000-8000-000000000000"
PAGES = ("/", "/docs", "/sw.js", "/manifest.webmanifest", "/static/app.js", "/static/base.css", "/static/icon.svg")


def assert_guarded(response: httpx.Response) -> None:
    """The headers are there, and the policy allows nothing that is not the service's own."""
    where = f"{response.request.method} {response.request.url.path}: {response.status_code}"
    for name, value in EXPECTED.items():
        assert response.headers.get_list(name) == [value], (where, name)
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy, where
    assert "frame-ancestors 'none'" in policy, where
    assert "unsafe-eval" not in policy, where
    assert "script-src" not in policy or "script-src 'self';" in policy, where
    assert "http" not in policy, where
    assert "server" not in response.headers, where


def test_every_route_has_them(server: Running) -> None:
    described = server.get("/openapi.json").json()["paths"]
    asked = 0
    for path, operations in described.items():
        for method in operations:
            assert_guarded(server.client.request(method, re.sub(r"\{[^}]*\}", ID, path)))
            asked += 1
    assert asked >= 45


@pytest.mark.parametrize("path", PAGES)
def test_every_file_of_the_page_has_them(server: Running, path: str) -> None:
    response = server.get(path)
    assert response.status_code == 200
    assert_guarded(response)
    assert_guarded(server.client.head(path))
    again = server.get(path, headers={"If-None-Match": response.headers.get("etag", "")})
    assert again.status_code == (304 if path.startswith("/static") else 200)
    assert_guarded(again)


def test_every_kind_of_refusal_has_them(server: Running) -> None:
    answers = [
        server.get("/nothing"),
        server.get("/v1/nothing"),
        server.get("/static/nothing.js"),
        server.client.delete("/predict"),
        server.post("/predict"),
        server.post("/v1/analyses", files=as_file(b"no photo")),
        server.post("/v1/analyses", files=as_file(PHOTO[:500])),
        server.post("/v1/analyses", files=as_file(HUGE)),
        server.get("/v1/people", headers={"Sec-Fetch-Site": "cross-site"}),
        server.client.options(
            "/predict", headers={"Origin": "https://a.example", "Access-Control-Request-Method": "POST"}
        ),
    ]
    assert [a.status_code for a in answers] == [404, 404, 404, 405, 400, 415, 422, 413, 403, 200]
    for answer in answers:
        assert_guarded(answer)


def test_an_unexpected_error_has_them_and_tells_nothing(
    classifier: Classifier, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        secret_of_the_service = "/secret/path/model.onnx"
        raise LookupError(f"cannot read {secret_of_the_service}")

    with running(classifier, extend=lambda app: app.add_api_route("/v1/test/failure", fail)) as server:
        answer = server.get("/v1/test/failure")
    assert answer.status_code == 500
    assert_guarded(answer)
    assert answer.json()["type"] == "/v1/problems/internal"
    for word in ("Traceback", "LookupError", "secret", ".py", "line "):
        assert word not in answer.text
    assert "LookupError: cannot read /secret/path" in caplog.text  # the log does tell
    assert answer.headers["x-request-id"] in answer.text


@pytest.mark.parametrize("path", ["/", "/health", "/v1/model", "/nothing"])
def test_https_is_demanded_where_it_is_known_and_only_there(classifier: Classifier, path: str) -> None:
    def ask(scheme: str) -> httpx.Response:
        async def send() -> httpx.Response:
            app = create_app(load_settings(tracker="off"), classifier)
            async with app.router.lifespan_context(app):
                transport = httpx.ASGITransport(app)
                async with httpx.AsyncClient(transport=transport, base_url=f"{scheme}://skin.example") as client:
                    return await client.get(path)

        return asyncio.run(send())

    assert ask("https").headers["strict-transport-security"] == "max-age=31536000"
    assert "strict-transport-security" not in ask("http").headers


@pytest.mark.parametrize(("trusted", "is_told"), [("127.0.0.1", True), ("192.0.2.1", False)])
def test_only_a_trusted_proxy_is_believed_to_have_spoken_https(
    classifier: Classifier, monkeypatch: pytest.MonkeyPatch, trusted: str, is_told: bool
) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", trusted)
    with running(classifier) as server:
        answer = server.get("/health", headers={"X-Forwarded-Proto": "https"})
    assert ("strict-transport-security" in answer.headers) == is_told
