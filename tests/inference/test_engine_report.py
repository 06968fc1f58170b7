"""`lesionlens doctor` says what can compute here."""

from __future__ import annotations

import json

import onnxruntime
from typer.testing import CliRunner

from lesionlens.cli import app
from lesionlens.inference.engines import available_engines
from lesionlens.inference.engines.report import report_compute
from lesionlens.inference.threads import cpu_quota, usable_cpus


def test_every_installed_engine_is_reported() -> None:
    report = report_compute()
    assert tuple(engine.name for engine in report.engines) == available_engines()
    assert (report.cpus, report.quota) == (usable_cpus(), cpu_quota())
    by_name = {engine.name: engine for engine in report.engines}
    assert by_name["onnxruntime"].version == onnxruntime.__version__
    assert by_name["onnxruntime"].computes_on == tuple(onnxruntime.get_available_providers())
    assert by_name["onnxruntime"].precisions == ("fp32",)
    if "openvino" in by_name:
        from lesionlens.inference.engines.openvino import has_bf16

        assert ("bf16" in by_name["openvino"].precisions) is has_bf16()


def test_the_doctor_shows_them(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("LESIONLENS_DATA_DIR", str(tmp_path / "none"))
    text = CliRunner().invoke(app, ["doctor"]).output
    assert "onnxruntime" in text
    assert "CPUExecutionProvider" in text.replace("\n", "")
    found = json.loads(CliRunner().invoke(app, ["doctor", "--json"]).output)
    assert found["compute"]["cpus"] == usable_cpus()
    assert found["compute"]["engines"][0]["name"] == available_engines()[0]
