"""The audit tells "nothing found" from "nobody could be asked"."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

import pytest

pytest.importorskip("pip_audit", reason="pip-audit is not installed; the extra audit has it")
pytest.importorskip("bandit", reason="bandit is not installed; the extra audit has it")

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
from tools.audit import CLEAN, FOUND, UNKNOWN, Audit, _tell, audit_packages, judge  # noqa: E402

KNOWN = {"name": "pillow", "version": "13.0.0", "vulns": []}
BAD = {"name": "idna", "version": "1.0", "vulns": [{"id": "GHSA-x", "fix_versions": ["3.7"], "aliases": []}]}
SKIPPED = {"name": "rich", "skip_reason": "Dependency not found on PyPI and could not be audited: rich (15.0.0)"}
OURSELVES = {"name": "lesionlens", "skip_reason": "not on the index"}


def answer(*packages: dict[str, object]) -> str:
    return json.dumps({"dependencies": list(packages), "fixes": []})


@pytest.mark.parametrize(
    ("audit", "status", "told"),
    [
        (judge(answer(KNOWN, OURSELVES), ""), CLEAN, "1 asked about, 0 known vulnerabilities"),
        (judge(answer(KNOWN, BAD), ""), FOUND, "vulnerable: idna 1.0: GHSA-x, fixed in 3.7"),
        (judge(answer(KNOWN, SKIPPED), ""), UNKNOWN, "1 NOT AUDITED, such as rich: Dependency not found"),
        (judge(answer(BAD, SKIPPED), ""), FOUND, "vulnerable: idna"),
        (judge("", "ERROR: x\nERROR: cannot connect"), UNKNOWN, "could not be asked: ERROR: cannot connect"),
        (judge("not json", ""), UNKNOWN, "could not be asked: pip-audit said nothing"),
        (judge(answer(), ""), UNKNOWN, "no package was found"),
        (Audit(asked=["a 1"]), CLEAN, "1 asked about"),
    ],
)
def test_what_is_said_of_packages(audit: Audit, status: int, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert _tell(audit) == status
    assert told in capsys.readouterr().out


def test_a_service_that_cannot_be_reached_is_not_taken_for_good_news(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real pip-audit, with a proxy that is not there between it and everybody."""
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    python = environment_with_one_package(tmp_path)
    audit = audit_packages(python, service="osv", timeout=2.0)
    assert audit.vulnerable == []
    assert audit.failure or audit.unknown
    assert _tell(audit) == UNKNOWN


def environment_with_one_package(folder: Path) -> Path:
    """An environment of idna alone, whose metadata are this one's."""
    import shutil
    import venv

    venv.create(folder / "venv", with_pip=False)
    python = folder / "venv" / "bin" / "python"
    where = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    [metadata] = Path(sysconfig.get_path("purelib")).glob("idna-*.dist-info")
    shutil.copytree(metadata, Path(where) / metadata.name)
    return python


def test_bandit_finds_nothing_in_the_package_and_what_is_passed_over_has_a_reason() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tools.audit", "--code-only"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == CLEAN, done.stdout
    assert "bandit found nothing" in done.stdout
    text = (ROOT / "tools" / "bandit.toml").read_text(encoding="utf-8")
    for code in tomllib.loads(text)["tool"]["bandit"]["skips"]:
        assert f'"{code}",  # ' in text, f"{code} is passed over without a reason"


def test_bandit_does_find_what_it_is_to_find(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("import pickle\n\n\ndef f(x):\n    return pickle.loads(x) or eval(x)\n")
    command = [sys.executable, "-m", "bandit", "--quiet", "--configfile", "tools/bandit.toml", str(tmp_path / "bad.py")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == FOUND
    assert "B301" in done.stdout
    assert "B307" in done.stdout
