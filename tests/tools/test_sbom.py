"""The bill of materials names every dependency, is valid, and says nothing of the machine that it was made on."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("cyclonedx_py", reason="cyclonedx-bom is not installed; the extra audit has it")

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from lesionlens.version import __version__

ROOT = Path(__file__).resolve().parents[2]


def normal(name: str) -> str:
    """A package's name as PEP 503 has it."""
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The bill of the environment that the tests run in, which has the serving install and more."""
    file = tmp_path_factory.mktemp("sbom") / "below" / "sbom.json"
    subprocess.run(
        [sys.executable, "-m", "tools.sbom", str(file), "--environment", sys.executable], cwd=ROOT, check=True
    )
    return file.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def bill(text: str) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(text)
    return parsed


def test_it_is_valid(text: str, bill: dict[str, Any]) -> None:
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    validator = JsonStrictValidator(SchemaVersion.V1_6)
    assert validator.validate_str(text) is None
    assert validator.validate_str(text.replace('"bomFormat": "CycloneDX"', '"bomFormat": "Other"')) is not None


def test_it_names_every_dependency_with_version_and_licence(bill: dict[str, Any]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    required = {normal(re.split(r"[\[<>=~! ;]", r)[0]) for r in project["dependencies"]}
    assert len(required) >= 20
    listed = {normal(component["name"]): component for component in bill["components"]}
    assert required <= set(listed)
    for name in required:
        assert re.match(r"\d", listed[name]["version"]), name
        assert listed[name]["licenses"], name
        assert listed[name]["purl"].startswith(f"pkg:pypi/{name}@"), name


def test_it_says_what_it_is_the_bill_of(bill: dict[str, Any]) -> None:
    root = bill["metadata"]["component"]
    assert (root["name"], root["version"]) == ("lesionlens", __version__)
    assert root["licenses"][0]["license"]["id"] == "Apache-2.0"
    [depends] = [each["dependsOn"] for each in bill["dependencies"] if each["ref"] == root["bom-ref"]]
    assert len(depends) >= 20


def test_it_says_nothing_of_the_machine(text: str, bill: dict[str, Any]) -> None:
    for word in {str(ROOT), sys.prefix, sys.base_prefix, sysconfig.get_path("purelib"), str(Path.home()), "file:"}:
        assert word not in text, word
    assert f'"{socket.gethostname()}"' not in text
    configured = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    ).stdout
    for host in re.findall(r"https?://(?:[^@/]*@)?([\w.-]+)", configured):
        assert host not in text, "a package index of this machine's configuration is named"
    assert not [
        c["name"] for c in bill["components"] for r in c.get("externalReferences", []) if r["type"] == "distribution"
    ]


def test_the_same_packages_give_the_same_bill(text: str) -> None:
    assert "timestamp" not in text
    assert "serialNumber" not in text
