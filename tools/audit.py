"""Looks for known vulnerabilities: in our own code with bandit, in the packages of the serving install with pip-audit.

    python -m tools.audit

Exit status: 0 nothing was found; 1 something was; 3 nothing was found, but not all packages could be asked about, as
where the vulnerability service cannot be reached. pip-audit alone would call the last one a success where a mirror of
the package index answers in its place: it is then told "not found" of each package, and passes over it.
Needs `pip install bandit pip-audit` (the extra `audit`).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from tools.environment import CHECKOUT, serving_environment

__all__ = ["CLEAN", "FOUND", "UNKNOWN", "Audit", "audit_code", "audit_packages", "judge", "main"]

CLEAN: Final = 0
FOUND: Final = 1
UNKNOWN: Final = 3
_OURSELVES: Final = "lesionlens"


@dataclass(slots=True)
class Audit:
    """What is known of a set of packages.

    Attributes:
        asked: Packages that the service knows, with their versions.
        vulnerable: `package version: identifier, fixed in …` of each known vulnerability.
        unknown: Packages that could not be asked about, and why.
        failure: Why nothing could be asked at all; empty otherwise.
    """

    asked: list[str] = field(default_factory=list)
    vulnerable: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    failure: str = ""


def audit_code() -> int:
    """Run bandit over the package, less what tools/bandit.toml passes over; returns 1 if it found something."""
    command = [sys.executable, "-m", "bandit", "--quiet", "--recursive", "src", "--configfile", "tools/bandit.toml"]
    return subprocess.run(command, cwd=CHECKOUT, check=False).returncode  # noqa: S603 – nothing from outside


def audit_packages(python: Path, service: str = "pypi", timeout: float = 15.0) -> Audit:
    """Ask about all packages of an environment.

    Args:
        python: Its interpreter.
        service: Vulnerability service that pip-audit knows: `pypi` or `osv`.
        timeout: Seconds to wait for it, each time.
    """
    where = "import sysconfig; print(sysconfig.get_path('purelib'))"
    found = subprocess.run([str(python), "-c", where], capture_output=True, text=True, check=True)  # noqa: S603 – ours
    options = ["--format", "json", "--progress-spinner", "off", "--timeout", f"{timeout:g}", "--vulnerability-service"]
    done = subprocess.run(  # noqa: S603 – nothing from outside
        [sys.executable, "-m", "pip_audit", "--path", found.stdout.strip(), *options, service],
        capture_output=True,
        text=True,
        check=False,
    )
    return judge(done.stdout, done.stderr)


def judge(answer: str, complaint: str) -> Audit:
    """Read what pip-audit said.

    Args:
        answer: Its standard output.
        complaint: Its standard error, which tells why there is no answer.
    """
    try:
        packages: list[dict[str, Any]] = json.loads(answer)["dependencies"]
    except (ValueError, KeyError, TypeError):
        lines = complaint.strip().splitlines()
        return Audit(failure=lines[-1] if lines else "pip-audit said nothing")
    audit = Audit()
    for package in packages:
        if package["name"].lower() == _OURSELVES:
            continue
        if "skip_reason" in package:
            audit.unknown.append(f"{package['name']}: {package['skip_reason']}")
            continue
        audit.asked.append(f"{package['name']} {package['version']}")
        for known in package["vulns"]:
            fixed = ", ".join(known.get("fix_versions", [])) or "no version yet"
            audit.vulnerable.append(f"{package['name']} {package['version']}: {known['id']}, fixed in {fixed}")
    if not audit.asked and not audit.unknown:
        audit.failure = "no package was found in the environment"
    return audit


def _tell(audit: Audit) -> int:
    """Print an audit of packages and return its exit status."""
    for line in audit.vulnerable:
        print(f"vulnerable: {line}")
    if audit.failure:
        print(f"packages: NOT AUDITED; the vulnerability service could not be asked: {audit.failure}")
        return UNKNOWN
    print(f"packages: {len(audit.asked)} asked about, {len(audit.vulnerable)} known vulnerabilities")
    if audit.unknown:
        print(f"packages: {len(audit.unknown)} NOT AUDITED, such as {audit.unknown[0]}")
    return FOUND if audit.vulnerable else UNKNOWN if audit.unknown else CLEAN


def main(arguments: list[str] | None = None) -> int:
    """Audit code and packages; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.audit", description="Look for known vulnerabilities.")
    parser.add_argument("--environment", type=Path, help="Python of an environment to look at instead of a new one")
    parser.add_argument("--service", choices=("pypi", "osv"), default="pypi", help="whom to ask about packages")
    parser.add_argument("--code-only", action="store_true", help="leave the packages out: nothing is asked of anybody")
    options = parser.parse_args(arguments)
    for module, package in (("bandit", "bandit"), ("pip_audit", "pip-audit")):
        if find_spec(module) is None:
            parser.error(f"{package} is missing: pip install -e '.[audit]'")
    code = FOUND if audit_code() else CLEAN
    print(f"code: {'bandit found something, see above' if code else 'bandit found nothing'}", flush=True)
    if options.code_only:
        return code
    with serving_environment(options.environment) as python:
        packages = _tell(audit_packages(python, options.service))
    return FOUND if FOUND in (code, packages) else packages


if __name__ == "__main__":
    sys.exit(main())
