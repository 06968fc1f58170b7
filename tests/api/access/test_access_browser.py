"""What pages of other origins can do to the records in a real browser, and what the own page still can."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from visitors import KEY, KEYS, PASSWORD, PASSWORD_HASH, on_every_interface, own_address

from lesionlens import Classifier
from lesionlens.api import create_app
from lesionlens.settings import load_settings
from serving import TIMEOUT, as_file, draw_lesion, encode

pytestmark = pytest.mark.browser

LOG_IN = """(password) => fetch("/v1/session", {
  method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ password }),
}).then((answer) => answer.status)"""
ADD = """(label) => fetch("/v1/people", {
  method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ label }),
}).then((answer) => answer.status)"""
# All that a page may send without asking the other origin first, with cookies and whatever else a browser adds.
ATTACK = """async ([service, person, photo]) => {
  const send = (path, body) =>
    fetch(service + path, { method: "POST", mode: "no-cors", credentials: "include", body }).catch(() => "not shown");
  await send("/v1/people", '{"label": "planted"}');
  await send(`/v1/people/${person}/erase`, "");
  const form = new FormData();
  form.append("file", new Blob(["{}"]), "records.json");
  await send("/v1/import", form);
  const read = [];
  for (const path of ["/v1/people", photo, "/v1/export"])
    await fetch(service + path, { credentials: "include" }).then(
      async (answer) => read.push(await answer.text()), () => read.push("nothing"));
  const picture = new Image();
  picture.src = service + photo;
  return [...read, await picture.decode().then(() => "seen", () => "unseen")];
}"""
LOAD = "([photo, cache]) => fetch(photo, { cache }).then((answer) => answer.blob()).then((photo) => photo.type)"
IN_VAIN = ["nothing", "nothing", "nothing", "unseen"]


class Service:
    """A running service with one person's photo, and a client that may read it."""

    def __init__(self, url: str, app: Any, **headers: str) -> None:
        self.url = url
        self._registry = app.state.lesionlens.metrics.registry
        self._client = httpx.Client(base_url=f"{url}/v1", headers=headers, timeout=TIMEOUT)
        self.person = str(self.ask("POST", "people", json={"label": "Ada"})["id"])
        place = {"view": "back", "x": 0.4, "y": 0.3}
        lesion = self.ask("POST", f"people/{self.person}/lesions", json=place)["id"]
        photo = encode(draw_lesion(), "JPEG")
        form = {"files": as_file(photo), "data": {"analyse": "false"}}
        self.photo = f"/v1/visits/{self.ask('POST', f'lesions/{lesion}/visits', **form)['id']}/photo"

    def ask(self, method: str, path: str, **options: Any) -> Any:
        response = self._client.request(method, f"/{path}", **options)
        assert response.is_success, response.text
        return response.json()

    def people(self) -> list[str]:
        return sorted(person["label"] for person in self.ask("GET", "people")["items"])

    def close(self) -> None:
        self._client.close()

    def answered(self, status: int) -> float:
        """How many requests were answered so."""
        samples = (sample for metric in self._registry.collect() for sample in metric.samples)
        return sum(
            s.value for s in samples if s.name == "lesionlens_requests_total" and s.labels["status"] == str(status)
        )


@contextlib.contextmanager
def serving_records(classifier: Classifier, address: str, **settings: Any) -> Iterator[Service]:
    app = create_app(load_settings(**settings), classifier)
    with on_every_interface(app) as port:
        keys = {"Authorization": f"Bearer {KEY}"} if "api_keys" in settings else {}
        service = Service(f"http://{address}:{port}", app, **keys)
        try:
            yield service
        finally:
            service.close()


@contextlib.contextmanager
def page_elsewhere(address: str) -> Iterator[str]:
    """Serve another program's page: another origin, but for cookies the same site, since they know no ports."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the name is http.server's
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><link rel=icon href='data:,'><title>elsewhere</title>")

        def log_message(self, *args: object) -> None:
            pass  # the test log is for the tests

    with ThreadingHTTPServer(("0.0.0.0", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://{address}:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def page(browser: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("LESIONLENS_DATA_DIR", str(tmp_path))
    context = browser.new_context()
    yield context.new_page()
    context.close()


def test_at_the_machine_itself_other_pages_can_neither_write_nor_read(page: Any, classifier: Classifier) -> None:
    with serving_records(classifier, "127.0.0.1") as service, page_elsewhere("127.0.0.1") as elsewhere:
        page.goto(f"{service.url}/livez")
        assert page.evaluate(ADD, "Grace") == 201
        assert page.evaluate(LOAD, [service.photo, "default"]) == "image/jpeg"
        page.goto(elsewhere)
        assert page.evaluate(ATTACK, [service.url, service.person, service.photo]) == IN_VAIN
        assert service.people() == ["Ada", "Grace"]
        assert service.answered(403) == 5  # all of it arrived but for the photo, which the browser had in its cache


@pytest.mark.parametrize("loopback", [True, False], ids=["loopback", "network"])
def test_nor_by_the_session_of_somebody_who_is_logged_in(page: Any, classifier: Classifier, loopback: bool) -> None:
    address = "127.0.0.1" if loopback else own_address()
    settings = {"host": "0.0.0.0", "password_hash": PASSWORD_HASH, "api_keys": KEYS}
    with serving_records(classifier, address, **settings) as service, page_elsewhere(address) as elsewhere:
        page.goto(f"{service.url}/livez")
        # Plain HTTP beyond loopback has no `Sec-Fetch-Site`: browsers send `Origin`, and with pictures nothing.
        assert page.evaluate("isSecureContext") is loopback
        assert page.evaluate(ADD, "too early") == 401
        assert page.evaluate(LOG_IN, PASSWORD) == 204
        assert page.evaluate(ADD, "Grace") == 201
        assert page.evaluate(LOAD, [service.photo, "no-store"]) == "image/jpeg"
        page.goto(elsewhere)
        assert [cookie["sameSite"] for cookie in page.context.cookies(elsewhere)] == ["Strict"]
        assert page.evaluate(ATTACK, [service.url, service.person, service.photo]) == IN_VAIN
        assert service.people() == ["Ada", "Grace"]
        assert service.answered(403) == (7 if loopback else 6)  # the picture is sent to the browser, but not shown
