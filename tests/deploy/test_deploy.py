"""What lies in `deploy/`, as far as it can be checked without the engines that it is for."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import kubernetes_validate
import promql_parser
import pytest
import yaml

from lesionlens import Classifier
from lesionlens.loadtest.photos import drawn_photo
from lesionlens.settings import Settings, variable_name
from lesionlens.tracker.settings import TrackerSettings
from serving import as_file, classifier, running

__all__ = ["classifier"]

_METRIC = re.compile(r"\blesionlens_\w+")
_KNOWN_SETTINGS = {variable_name(field) for field in Settings.model_fields} | {
    f"LESIONLENS_{field.upper()}" for field in TrackerSettings.model_fields
}


@pytest.fixture
def deploy(repo_root: Path) -> Path:
    """The folder."""
    return repo_root / "deploy"


@pytest.fixture(scope="module")
def exposed(classifier: Classifier) -> set[str]:
    """Names of the metrics that a service which has answered a photo exposes."""
    with running(classifier) as server:
        httpx.post(f"{server.url}/predict", files=as_file(drawn_photo())).raise_for_status()
        lines = httpx.get(f"{server.url}/metrics").text.splitlines()
    return {re.split(r"[{ ]", line)[0] for line in lines if not line.startswith("#")}


def test_kubernetes_takes_the_manifests(deploy: Path) -> None:
    manifests = _yaml(*sorted((deploy / "kubernetes").glob("*.yaml")))
    assert {m["kind"] for m in manifests} == {
        "Deployment",
        "Service",
        "HorizontalPodAutoscaler",
        "PodDisruptionBudget",
    }
    for manifest in manifests:
        kubernetes_validate.validate(manifest, "1.31", strict=True)


def test_the_check_of_manifests_can_fail(deploy: Path) -> None:
    [deployment] = _yaml(deploy / "kubernetes" / "deployment.yaml")
    deployment["spec"]["template"]["spec"]["containers"][0]["readynessProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(deployment, "1.31", strict=True)


def test_kubernetes_parts_fit_together(deploy: Path) -> None:
    by_kind = {m["kind"]: m for m in _yaml(*(deploy / "kubernetes").glob("*.yaml"))}
    deployment = by_kind["Deployment"]
    labels = deployment["spec"]["template"]["metadata"]["labels"].items()
    selectors = [
        deployment["spec"]["selector"]["matchLabels"],
        by_kind["Service"]["spec"]["selector"],
        by_kind["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
    ]
    assert all(selector.items() <= labels for selector in selectors)
    assert by_kind["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]["name"] == deployment["metadata"]["name"]
    pod = deployment["spec"]["template"]["spec"]
    environment = {e["name"]: e["value"] for e in pod["containers"][0]["env"]}
    waits = float(environment["LESIONLENS_DRAIN_SECONDS"]) + Settings.model_fields["shutdown_timeout"].default
    assert pod["terminationGracePeriodSeconds"] > waits


@pytest.mark.parametrize("file", ["kubernetes/deployment.yaml", "cloud-run/service.yaml", "compose.yaml"])
def test_the_settings_are_known_and_the_probes_answer(deploy: Path, classifier: Classifier, file: str) -> None:
    text = (deploy / file).read_text(encoding="utf-8")
    set_ = set(re.findall(r"\bLESIONLENS_\w+", re.sub(r"#.*", "", text)))
    assert set_
    assert set_ <= _KNOWN_SETTINGS
    with running(classifier) as server:
        for path in set(re.findall(r"path: (/\w+)}", text)):
            assert httpx.get(f"{server.url}{path}").status_code in {200, 503}, path


def test_replicas_may_not_write_outside_their_volumes(deploy: Path) -> None:
    [deployment] = _yaml(deploy / "kubernetes" / "deployment.yaml")
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert _yaml(deploy / "compose.yaml")[0]["services"]["lesionlens"]["read_only"] is True


def test_compose_names_no_password_and_opens_nothing_to_the_network(deploy: Path) -> None:
    [compose] = _yaml(deploy / "compose.yaml")
    for service in compose["services"].values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
        for name, value in service.get("environment", {}).items():
            if "PASSWORD" in name:
                assert re.fullmatch(r"\$\{\w+:\?.+\}", value), name
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            assert (deploy / source).exists() if source.startswith(".") else source in compose["volumes"]
        assert set(service.get("depends_on", {})) <= set(compose["services"])


def test_alerts_and_dashboard_ask_for_metrics_that_exist(deploy: Path, exposed: set[str]) -> None:
    expressions = [*_alerts(deploy), *_panels(deploy)]
    assert len(expressions) > 15
    for name, expression in expressions:
        promql_parser.parse(expression.replace("$__rate_interval", "5m"))
        asked = set(_METRIC.findall(expression))
        assert asked <= exposed, name
        assert asked or "up" in expression, name


def test_every_metric_of_the_service_has_a_panel(deploy: Path, exposed: set[str]) -> None:
    shown = " ".join(expression for _, expression in _panels(deploy))
    families = {re.sub(r"_(bucket|sum|count|total|created)$", "", name) for name in exposed}
    # How long a forward pass takes is one of the stages.
    missing = {f for f in families if f.startswith("lesionlens_") and f not in shown} - {"lesionlens_inference_seconds"}
    assert not missing


def test_the_dockerfile_passes_hadolint(repo_root: Path) -> None:
    hadolint = shutil.which("hadolint", path=sysconfig.get_path("scripts"))
    assert hadolint is not None, "the test extra installs hadolint"
    result = subprocess.run([hadolint, "Dockerfile"], cwd=repo_root, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


def _yaml(*files: Path) -> list[Any]:
    return [yaml.safe_load(file.read_text(encoding="utf-8")) for file in files]


def _alerts(deploy: Path) -> Iterator[tuple[str, str]]:
    [rules] = _yaml(deploy / "prometheus" / "alerts.yml")
    for group in rules["groups"]:
        for rule in group["rules"]:
            assert rule["annotations"]["summary"]
            yield rule["alert"], rule["expr"]


def _panels(deploy: Path) -> Iterator[tuple[str, str]]:
    dashboard = json.loads((deploy / "grafana" / "dashboards" / "lesionlens.json").read_text(encoding="utf-8"))
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]
