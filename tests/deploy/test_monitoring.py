"""Alert rules and the dashboard ask for metrics that exist, fire when they should, and lead to words of advice."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import promql_parser
import pytest
import yaml

from lesionlens import Classifier
from lesionlens.api.metrics import OTHER_REASONS
from lesionlens.api.problems import PROBLEMS
from lesionlens.loadtest.photos import drawn_photo
from serving import as_file, classifier, running

__all__ = ["classifier"]

_METRIC = re.compile(r"\b(?:lesionlens|process|python)_\w+")
# How many a histogram counted, and when a counter was made, are told beside each.
_SUFFIX = re.compile(r"_(bucket|sum|count|created|total)$")
# Shown by none of the panels: sums of what others show, or of no use on a screen.
_NOT_SHOWN = {
    *("process_virtual_memory_bytes", "python_gc_objects_collected", "python_gc_objects_uncollectable"),
}


@pytest.fixture(scope="module")
def exposed(classifier: Classifier) -> dict[str, set[str]]:
    """Labels by the metric's name, of a service that has answered a photo and has all that can be set."""
    with running(classifier, rate_limit="1000/minute") as server:
        httpx.post(f"{server.url}/predict", files=as_file(drawn_photo())).raise_for_status()
        lines = httpx.get(f"{server.url}/metrics").text.splitlines()
    labels: dict[str, set[str]] = {}
    for line in lines:
        if not line.startswith("#"):
            name, _, rest = re.sub(r" \S+$", "", line).partition("{")
            labels.setdefault(name, set()).update(re.findall(r'(\w+)="', rest))
    return labels


@pytest.fixture(scope="module")
def documentation(repo_root: Path) -> str:
    """The page about all of it."""
    return (repo_root / "docs" / "observability.md").read_text(encoding="utf-8")


def test_alerts_and_dashboard_ask_for_metrics_that_exist(repo_root: Path, exposed: dict[str, set[str]]) -> None:
    expressions = [*_alerts(repo_root), *_panels(repo_root)]
    assert len(expressions) > 45
    for name, expression in expressions:
        promql_parser.parse(expression.replace("$__rate_interval", "5m"))
        asked = set(_METRIC.findall(re.sub(r'"[^"]*"', '""', expression)))
        assert asked <= set(exposed), name
        assert asked or "up" in expression, name


def test_they_select_labels_and_values_that_exist(repo_root: Path, exposed: dict[str, set[str]]) -> None:
    added_by_prometheus = {"job", "instance"}
    for name, expression in [*_alerts(repo_root), *_panels(repo_root)]:
        for metric, selector in re.findall(r"(\w+)\{([^}]*)\}", expression):
            if metric == "up":
                continue
            chosen = dict(re.findall(r'(\w+)(?:=~|!=|=)"([^"]*)"', selector))
            assert set(chosen) <= exposed[metric] | added_by_prometheus, name
            if "reason" in chosen:
                assert set(chosen["reason"].split("|")) <= {*PROBLEMS, *OTHER_REASONS}, name
        known = set().union(*exposed.values()) | added_by_prometheus
        for labels in re.findall(r"\b(?:by|without|ignoring) \(([^)]*)\)", expression):
            assert {label.strip() for label in labels.split(",")} <= known, name


def test_the_check_of_expressions_can_fail() -> None:
    with pytest.raises(ValueError, match="parenthes"):
        promql_parser.parse("sum(rate(lesionlens_requests_total[5m]")


def test_every_metric_of_the_service_has_a_panel(repo_root: Path, exposed: dict[str, set[str]]) -> None:
    shown = " ".join(expression for _, expression in _panels(repo_root))
    families = {_SUFFIX.sub("", name) for name in exposed}
    assert {family for family in families if family not in shown} == _NOT_SHOWN


def test_panels_are_whole_and_do_not_overlap(repo_root: Path) -> None:
    panels = _dashboard(repo_root)["panels"]
    assert [panel["id"] for panel in panels] == list(range(1, len(panels) + 1))
    assert len({panel["title"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24, panel["title"]
        taken |= cells


def test_each_alert_has_words_of_advice(repo_root: Path, documentation: str) -> None:
    headings = {
        re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", documentation, re.MULTILINE)
    }
    for rule in _rules(repo_root):
        runbook = rule["annotations"]["runbook"]
        assert runbook == f"docs/observability.md#{rule['alert'].lower()}"
        assert runbook.partition("#")[2] in headings
        text = documentation.partition(f"### {rule['alert']}\n")[2].partition("\n#")[0]
        assert len(text.split()) > 25, f"{rule['alert']} says too little"
        assert rule["labels"]["severity"] in {"critical", "warning"}
        assert rule["annotations"]["summary"].endswith(".")


def test_the_page_lists_every_metric_and_label(documentation: str, exposed: dict[str, set[str]]) -> None:
    section = documentation.partition("## Metrics\n")[2].partition("\n## ")[0]
    told = {
        name: set(re.findall(r"\w+", labels))
        for name, labels in re.findall(r"^\| `(\w+)` \|([^|]*)\|", section, re.MULTILINE)
    }
    families: dict[str, set[str]] = {}
    for name, labels in exposed.items():
        if not name.endswith("_created"):
            families.setdefault(re.sub(r"_(bucket|sum|count)$", "", name), set()).update(labels - {"le"})
    assert told == families


def test_each_rule_fires_and_is_silent_in_the_tests(repo_root: Path) -> None:
    fires: set[str] = set()
    silent: set[str] = set()
    for case in _yaml(repo_root / "tests" / "deploy" / "alerts_test.yml")["tests"]:
        for check in case["alert_rule_test"]:
            (fires if check.get("exp_alerts") else silent).add(check["alertname"])
    assert fires == silent == {rule["alert"] for rule in _rules(repo_root)}


def test_the_rules_do_what_their_tests_say(repo_root: Path, promtool: str) -> None:
    file = repo_root / "tests" / "deploy" / "alerts_test.yml"
    result = _run(promtool, "test", "rules", str(file))
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_test_of_the_rules_can_fail(repo_root: Path, promtool: str, tmp_path: Path) -> None:
    cases = _yaml(repo_root / "tests" / "deploy" / "alerts_test.yml")
    cases["rule_files"] = [str(repo_root / "deploy" / "prometheus" / "alerts.yml")]
    for series in cases["tests"][0]["input_series"]:
        if series["series"].startswith("lesionlens_input_drift_ratio"):
            series["values"] = "99x800"
    (tmp_path / "test.yml").write_text(yaml.safe_dump(cases), encoding="utf-8")
    assert _run(promtool, "test", "rules", str(tmp_path / "test.yml")).returncode != 0


def test_prometheus_takes_the_configuration(repo_root: Path, promtool: str) -> None:
    result = _run(promtool, "check", "config", str(repo_root / "deploy" / "prometheus" / "prometheus.yml"))
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.fixture(scope="module")
def promtool() -> str:
    """Prometheus' own tool."""
    path = shutil.which("promtool")
    if path is None:
        pytest.skip("promtool (Debian package prometheus) is not installed")
    return path


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)


def _yaml(file: Path) -> Any:
    return yaml.safe_load(file.read_text(encoding="utf-8"))


def _rules(root: Path) -> list[dict[str, Any]]:
    groups = _yaml(root / "deploy" / "prometheus" / "alerts.yml")["groups"]
    return [rule for group in groups for rule in group["rules"]]


def _alerts(root: Path) -> Iterator[tuple[str, str]]:
    for rule in _rules(root):
        yield rule["alert"], rule["expr"]


def _dashboard(root: Path) -> dict[str, Any]:
    file = root / "deploy" / "grafana" / "dashboards" / "lesionlens.json"
    dashboard: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return dashboard


def _panels(root: Path) -> Iterator[tuple[str, str]]:
    for panel in _dashboard(root)["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]
