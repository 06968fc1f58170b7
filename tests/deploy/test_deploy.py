"""What lies in `deploy/`, as far as it can be checked without the engines that it is for."""

from __future__ import annotations

import re
import shutil
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

import httpx
import kubernetes_validate
import pytest
import yaml

from lesionlens import Classifier
from lesionlens.settings import Settings, variable_name
from lesionlens.tracker.settings import TrackerSettings
from serving import classifier, running

__all__ = ["classifier"]

_KNOWN_SETTINGS = {variable_name(field) for field in Settings.model_fields} | {
    f"LESIONLENS_{field.upper()}" for field in TrackerSettings.model_fields
}


@pytest.fixture
def deploy(repo_root: Path) -> Path:
    """The folder."""
    return repo_root / "deploy"


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


def test_the_dockerfile_passes_hadolint(repo_root: Path) -> None:
    hadolint = shutil.which("hadolint", path=sysconfig.get_path("scripts"))
    assert hadolint is not None, "the test extra installs hadolint"
    result = subprocess.run([hadolint, "Dockerfile"], cwd=repo_root, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


def _yaml(*files: Path) -> list[Any]:
    return [yaml.safe_load(file.read_text(encoding="utf-8")) for file in files]
